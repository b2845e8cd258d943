//! The smallest host, a loop that steps the bare machine: for features that bring none.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use countermand::{Alarm, Assembly, Host, Instant, Step, Worker, WorkerConfig};

struct Board;

struct NoAlarm;

impl Host for Board {
    type Alarm = NoAlarm;

    fn now(&self) -> Instant {
        Instant::ORIGIN
    }

    fn alarm(&self) -> NoAlarm {
        NoAlarm
    }
}

impl Alarm for NoAlarm {
    fn poll_at(self: Pin<&mut Self>, _: Instant, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

/// What `main` makes of a worker of two lanes, while that is stepped.
pub(crate) fn on_worker<F: Future>(main: impl FnOnce(Worker) -> F) -> F::Output {
    let assembly = Assembly::new(WorkerConfig::new().lanes(2).drivers(1), Arc::new(Board)).expect("valid settings");
    let (worker, mut drivers, mut keeper) = assembly.into_machine();
    let mut main = pin!(main(worker));
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = main.as_mut().poll(&mut cx) {
            return value;
        }
        for driver in &mut drivers {
            while matches!(driver.step(&mut cx, Board.now()), Step::Again) {}
        }
        keeper.step(&mut cx, Board.now());
        std::thread::yield_now();
    }
}
