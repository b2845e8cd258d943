//! The smallest host there is: one thread that steps every attendant in turn, a clock that the test moves, and calls that run when the
//! test says so.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use countermand_core::{Alarm, Assembly, Call, Drive, Host, Instant, Worker, WorkerConfig};

/// A clock that the test moves, and the calls that it has not run yet.
#[derive(Default)]
pub(crate) struct Hand {
    time: AtomicU64,
    /// `None` where there are no threads.
    calls: Mutex<Option<Vec<Call>>>,
}

impl Hand {
    /// Lets time pass, and nobody have a turn.
    pub(crate) fn pass(&self, by: Duration) {
        self.time.fetch_add(u64::try_from(by.as_nanos()).expect("short"), Ordering::SeqCst);
    }

    /// Runs the calls that were given to it, as threads would.
    pub(crate) fn run_calls(&self) {
        let calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner).replace(Vec::new());
        calls.into_iter().flatten().for_each(Call::run);
    }
}

pub(crate) struct NoAlarm;

impl Alarm for NoAlarm {
    fn poll_at(self: Pin<&mut Self>, _: Instant, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Host for Hand {
    type Alarm = NoAlarm;

    fn now(&self) -> Instant {
        Instant::from_nanos(self.time.load(Ordering::SeqCst))
    }

    fn alarm(&self) -> NoAlarm {
        NoAlarm
    }

    fn offload(&self, call: Call) -> Result<(), Call> {
        match &mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(calls) => {
                calls.push(call);
                Ok(())
            }
            None => Err(call),
        }
    }

    fn has_threads(&self) -> bool {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

pub(crate) struct Bench {
    pub(crate) host: Arc<Hand>,
    pub(crate) worker: Worker,
    pub(crate) attendants: Vec<Option<Pin<Box<Drive<Hand>>>>>,
}

impl Bench {
    pub(crate) fn new(config: WorkerConfig) -> Self {
        Self::on(Hand::default(), config)
    }

    pub(crate) fn with_threads(config: WorkerConfig) -> Self {
        Self::on(Hand { calls: Mutex::new(Some(Vec::new())), ..Hand::default() }, config)
    }

    fn on(host: Hand, config: WorkerConfig) -> Self {
        let host = Arc::new(host);
        let (worker, attendants) = Assembly::new(config, host.clone()).expect("a good config").into_parts();
        Self { host, worker, attendants: attendants.into_iter().map(|drive| Some(Box::pin(drive))).collect() }
    }

    /// Polls every attendant once.
    pub(crate) fn turn(&mut self) {
        for place in &mut self.attendants {
            if let Some(drive) = place {
                if drive.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                    *place = None;
                }
            }
        }
    }

    /// Polls every attendant until the worker is quiet.
    pub(crate) fn run(&mut self) {
        for _ in 0..10_000 {
            self.turn();
            if self.worker.is_quiet() {
                return;
            }
        }
        panic!("the worker does not come to rest");
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.host.pass(by);
        self.run();
    }
}

/// What `future` is ready with.
pub(crate) fn take<F: Future + Unpin>(future: &mut F) -> F::Output {
    match Pin::new(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("not ready"),
    }
}
