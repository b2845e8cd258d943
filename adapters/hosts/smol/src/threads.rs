//! Threads that run an executor: those of a host of its own.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use async_channel::Sender;
use async_executor::Executor;

use crate::lease::{Lease, Lent};

/// An executor with threads of its own. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Threads {
    executor: Arc<Executor<'static>>,
    /// Nothing is sent; the threads end when it is closed.
    _stop: Sender<Infallible>,
}

impl Threads {
    pub(crate) fn start(threads: NonZero<usize>) -> io::Result<Self> {
        let executor = Arc::new(Executor::new());
        let (stop, stopped) = async_channel::bounded(1);
        for index in 0..threads.get() {
            let stopped = stopped.clone();
            let until = move || {
                let stopped = stopped.clone();
                async move { while stopped.recv().await.is_ok() {} }
            };
            run_elsewhere(format!("countermand-{index}"), Lease::Shared(executor.clone()), until)?;
        }
        Ok(Self { executor, _stop: stop })
    }

    pub(crate) fn executor(&self) -> Arc<Executor<'static>> {
        self.executor.clone()
    }
}

std::thread_local! {
    /// The executor that this thread was started to run.
    static RUNS: RefCell<Option<Lent>> = const { RefCell::new(None) };
}

/// The executor that this thread was started to run.
pub(crate) fn runs_here() -> Option<Lease> {
    RUNS.try_with(|runs| runs.borrow().as_ref().and_then(Lent::lease)).ok().flatten()
}

/// Runs `executor` on a new thread until the future that `until` makes is ready.
pub(crate) fn run_elsewhere<F: Future>(
    name: String,
    executor: Lease,
    until: impl Fn() -> F + Send + 'static,
) -> io::Result<()> {
    let run = move || {
        RUNS.set(Some(executor.lent()));
        // A task that panics unwinds into its executor; it is over, the others go on.
        while catch_unwind(AssertUnwindSafe(|| drop(async_io::block_on(executor.run(until()))))).is_err() {}
        // In this order: what `until` holds may stand for the executor.
        drop(until);
        drop(executor);
    };
    thread::Builder::new().name(name).spawn(run).map(drop)
}
