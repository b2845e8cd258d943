//! The smallest host there is: a loop over the steps of a worker, and a count of ticks for a clock.
//!
//! No executor, no timer queue, no alarm: each turn steps whoever there is, once, and where nobody wants another turn the processor sleeps until the
//! next interrupt, which is the tick's at the latest.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};

use countermand_core::{Alarm, Assembly, ConfigError, Host, Instant, Step, Worker, WorkerConfig};

use crate::clock;

/// What the loop lends to the core: the time.
#[derive(Debug)]
struct Ticks;

impl Host for Ticks {
    type Alarm = Tick;

    fn now(&self) -> Instant {
        clock::now()
    }

    fn alarm(&self) -> Tick {
        Tick
    }
}

/// The tick comes by itself. The loop, which looks at each, never asks for it.
#[derive(Debug)]
struct Tick;

impl Alarm for Tick {
    fn poll_at(self: Pin<&mut Self>, at: Instant, _: &mut Context<'_>) -> Poll<()> {
        if at.is_due(clock::now()) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Ends the processor's sleep, or keeps it from falling asleep.
struct Bell;

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        cortex_m::asm::sev();
    }
}

/// Starts a worker, and runs it and `main` until `main` is ready.
///
/// # Errors
///
/// [`ConfigError`] for settings that cannot be.
pub fn run<F: Future>(config: WorkerConfig, main: impl FnOnce(Worker) -> F) -> Result<F::Output, ConfigError> {
    let (worker, mut drivers, mut keeper) = Assembly::new(config, Arc::new(Ticks))?.into_machine();
    let waker = Waker::from(Arc::new(Bell));
    let mut cx = Context::from_waker(&waker);
    let mut main = pin!(main(worker));
    loop {
        let mut again = false;
        for driver in &mut drivers {
            again |= matches!(driver.step(&mut cx, clock::now()), Step::Again);
        }
        again |= matches!(keeper.step(&mut cx, clock::now()), Step::Again);
        if let Poll::Ready(output) = main.as_mut().poll(&mut cx) {
            return Ok(output);
        }
        if !again {
            cortex_m::asm::wfe();
        }
    }
}
