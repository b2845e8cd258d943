//! A worker that is stepped by hand, on a host whose clock stands still: each run does the same.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use countermand::{Alarm, Assembly, Driver, Host, Instant, Keeper, Step, Worker, WorkerConfig};

/// The time, always.
const NOW: Instant = Instant::from_nanos(1_000_000_000);

struct Still;

struct Silent;

impl Host for Still {
    type Alarm = Silent;

    fn now(&self) -> Instant {
        NOW
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
    _keeper: Keeper,
}

impl Stage {
    pub(super) fn new(config: WorkerConfig) -> Self {
        let assembly = Assembly::new(config.drivers(1), Arc::new(Still)).expect("it is well set up");
        let (worker, mut drivers, keeper) = assembly.into_machine();
        let driver = drivers.pop().expect("there is one");
        Self { worker, driver, _keeper: keeper }
    }

    /// One step. False when there is nothing to do.
    pub(super) fn step(&mut self) -> bool {
        self.driver.step(&mut Context::from_waker(Waker::noop()), NOW) == Step::Again
    }

    /// Steps until there is nothing to do.
    pub(super) fn settle(&mut self) {
        while self.step() {}
    }
}
