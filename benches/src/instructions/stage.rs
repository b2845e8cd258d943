//! A worker that is stepped by hand, on a host whose clock stands still unless it is moved: each run does the same.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use countermand::{Alarm, Assembly, Driver, Host, Instant, Keeper, Step, Worker, WorkerConfig};

/// The time at the beginning, in nanoseconds.
const START: u64 = 1_000_000_000;

struct Still(AtomicU64);

struct Silent;

impl Host for Still {
    type Alarm = Silent;

    fn now(&self) -> Instant {
        Instant::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn alarm(&self) -> Silent {
        Silent
    }
}

impl Alarm for Silent {
    fn poll_at(self: Pin<&mut Self>, _: Instant, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

/// A worker with one driver.
pub(super) struct Stage {
    pub(super) worker: Worker,
    driver: Driver,
    clock: Arc<Still>,
    /// What the last step has answered.
    said: Step,
    _keeper: Keeper,
}

impl Stage {
    pub(super) fn new(config: WorkerConfig) -> Self {
        let clock = Arc::new(Still(AtomicU64::new(START)));
        let assembly = Assembly::new(config.drivers(1), clock.clone()).expect("it is well set up");
        let (worker, mut drivers, keeper) = assembly.into_machine();
        let driver = drivers.pop().expect("there is one");
        Self { worker, driver, clock, said: Step::Again, _keeper: keeper }
    }

    /// One step. False when there is nothing to do.
    pub(super) fn step(&mut self) -> bool {
        self.said = self.driver.step(&mut Context::from_waker(Waker::noop()), self.clock.now());
        self.said == Step::Again
    }

    /// Steps until there is nothing to do.
    pub(super) fn settle(&mut self) {
        while self.step() {}
    }

    /// Time passes.
    pub(super) fn pass(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).expect("it is short");
        self.clock.0.fetch_add(nanos, Ordering::Relaxed);
    }

    /// The driver is parked: its alarm comes, so much too late.
    pub(super) fn pass_until_due(&self, late: Duration) {
        if let Step::Parked(Some(at)) = self.said {
            self.pass(at.saturating_since(self.clock.now()) + late);
        }
    }
}
