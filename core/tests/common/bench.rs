//! The smallest host there is: one thread that steps every attendant in turn, and a clock that the test moves.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use countermand_core::{Alarm, Assembly, Drive, Host, Instant, Worker, WorkerConfig};

/// A clock that the test moves.
#[derive(Default)]
pub(crate) struct Hand(AtomicU64);

pub(crate) struct NoAlarm;

impl Alarm for NoAlarm {
    fn poll_at(self: Pin<&mut Self>, _: Instant, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Host for Hand {
    type Alarm = NoAlarm;

    fn now(&self) -> Instant {
        Instant::from_nanos(self.0.load(Ordering::SeqCst))
    }

    fn alarm(&self) -> NoAlarm {
        NoAlarm
    }
}

pub(crate) struct Bench {
    pub(crate) host: Arc<Hand>,
    pub(crate) worker: Worker,
    pub(crate) attendants: Vec<Option<Pin<Box<Drive<Hand>>>>>,
}

impl Bench {
    pub(crate) fn new(config: WorkerConfig) -> Self {
        let host = Arc::new(Hand::default());
        let (worker, attendants) = Assembly::new(config, host.clone()).expect("a good config").into_parts();
        Self { host, worker, attendants: attendants.into_iter().map(|drive| Some(Box::pin(drive))).collect() }
    }

    /// Polls every attendant until the worker is quiet.
    pub(crate) fn run(&mut self) {
        for _ in 0..10_000 {
            for place in &mut self.attendants {
                if let Some(drive) = place {
                    if drive.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                        *place = None;
                    }
                }
            }
            if self.worker.is_quiet() {
                return;
            }
        }
        panic!("the worker does not come to rest");
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.host.0.fetch_add(u64::try_from(by.as_nanos()).expect("short"), Ordering::SeqCst);
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
