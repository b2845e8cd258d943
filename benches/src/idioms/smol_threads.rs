//! An executor of smol's that two threads run, and workers on it.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use countermand::{Smol, Worker, WorkerConfig};
use smol::Executor;
use smol::channel::{Sender, bounded};

/// The executor. Its threads end when this is dropped.
#[derive(Debug)]
pub(crate) struct Threads {
    executor: Arc<Executor<'static>>,
    _stop: Sender<Infallible>,
}

impl Threads {
    pub(crate) fn two() -> Self {
        let executor = Arc::new(Executor::new());
        let (stop, stopped) = bounded::<Infallible>(1);
        for _ in 0..2 {
            let (executor, stopped) = (executor.clone(), stopped.clone());
            std::thread::spawn(move || smol::block_on(executor.run(async { stopped.recv().await.is_ok() })));
        }
        Self { executor, _stop: stop }
    }

    pub(crate) fn executor(&self) -> &Arc<Executor<'static>> {
        &self.executor
    }

    /// Runs a future to its end, as a task.
    pub(crate) fn run<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> T {
        smol::block_on(self.executor.spawn(future))
    }

    /// A worker with a driver for each thread.
    pub(crate) fn worker(&self, config: WorkerConfig) -> Worker {
        Smol::on(&self.executor).start(config.drivers(2)).expect("it is well set up")
    }
}
