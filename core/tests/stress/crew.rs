//! A worker whose attendants have a thread each, dice, and a thread that waits.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};

use countermand_core::{Assembly, Counts, Shutdown, Worker, WorkerConfig};

use crate::common::bench::Hand;

/// See the head of the file.
pub(crate) struct Crew {
    pub(crate) worker: Worker,
    pub(crate) host: Arc<Hand>,
    attendants: Vec<JoinHandle<()>>,
}

impl Crew {
    pub(crate) fn new(config: WorkerConfig) -> Self {
        let host = Arc::new(Hand::with_threads());
        let (worker, attendants) =
            Assembly::new(config.watchdog(None), host.clone()).expect("a good config").into_parts();
        let attendants = attendants.into_iter().map(|attendant| thread::spawn(move || block_on(attendant))).collect();
        Self { worker, host, attendants }
    }

    /// Shuts down once everything has settled by itself, and gives the books. Nothing of the worker is there after it.
    pub(crate) fn end(self) -> Counts {
        let Self { worker, host, attendants } = self;
        let report = block_on(worker.shutdown(Shutdown::Drain));
        assert!(report.counts.balances() && report.survivors.is_empty(), "{report:?}");
        attendants.into_iter().for_each(|attendant| attendant.join().expect("no attendant panics"));
        let counts = worker.counts();
        drop(worker);
        assert_eq!(host.alarms(), 0, "an alarm is set for nobody");
        assert_eq!(Arc::strong_count(&host), 1, "the worker still has its host");
        counts
    }
}

/// Wakes a thread.
pub(crate) struct Unpark(Thread);

impl Unpark {
    /// A new waker for this thread.
    pub(crate) fn waker() -> Waker {
        Arc::new(Self(thread::current())).into()
    }
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Parks the thread until the future is ready.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Unpark::waker();
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Pending so many times.
pub(crate) async fn yields(mut times: usize) {
    std::future::poll_fn(|cx| {
        if times == 0 {
            return Poll::Ready(());
        }
        times -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Numbers that look random, and are the same in each run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: usize) -> Self {
        Self(0x9E37_79B9_7F4A_7C15 ^ (seed as u64 + 1).wrapping_mul(0xD134_2543_DE82_EF95))
    }

    /// One below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 33) as usize) % sides
    }
}

/// True until this goes, so that no thread goes on for ever when a test fails.
pub(crate) struct Until<'a>(pub(crate) &'a AtomicBool);

impl Drop for Until<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
