//! A tokio runtime of one thread or of two, and workers on it.

use std::future::Future;

use countermand::{Tokio, Worker, WorkerConfig};
use tokio::runtime::{Builder, Runtime};

/// The runtime. What is timed runs as a task inside of it: a future that is merely blocked on runs beside the threads, and pays for each
/// spawn from outside.
#[derive(Debug)]
pub(crate) struct Threads {
    runtime: Runtime,
    count: usize,
}

impl Threads {
    /// With one thread, that which runs something; or with so many of its own.
    pub(crate) fn new(count: usize) -> Self {
        let mut builder = if count == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
        let runtime = builder.worker_threads(count).enable_time().build().expect("the system gives threads");
        Self { runtime, count }
    }

    /// Runs a future to its end, as a task.
    pub(crate) fn run<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> T {
        self.runtime.block_on(async { tokio::spawn(future).await.expect("nothing panics") })
    }

    /// A worker with a driver for each thread.
    pub(crate) fn worker(&self, config: WorkerConfig) -> Worker {
        let host = Tokio::from_handle(self.runtime.handle().clone());
        host.start(config.drivers(self.count)).expect("it is well set up")
    }
}
