//! The smallest host there is: a loop over the steps of a worker, and a count of ticks for a clock.
//!
//! No executor, no timer queue, no alarm: each turn steps whoever there is, once, and where nobody wants another turn the processor sleeps until the
//! next interrupt, which is the tick's at the latest.

extern crate alloc;

use alloc::sync::Arc;
use alloc::task::Wake;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};

use countermand::{Alarm, Assembly, ConfigError, Host, Instant, Step, Worker, WorkerConfig};

/// What the loop asks of a board. All of it is the board's own, so that nothing need be handed around.
pub trait Board: Send + Sync + 'static {
    /// The time, by the count of ticks.
    fn now() -> Instant;

    /// Sleeps until the next interrupt; at once awake if somebody rang since the last sleep.
    fn sleep();

    /// Ends the sleep, or keeps the processor from falling asleep. Also from an interrupt handler.
    fn ring();
}

/// What the loop lends to the core: the time.
struct Ticks<B>(PhantomData<B>);

impl<B: Board> Host for Ticks<B> {
    type Alarm = Tick<B>;

    fn now(&self) -> Instant {
        B::now()
    }

    fn alarm(&self) -> Tick<B> {
        Tick(PhantomData)
    }
}

/// The tick comes by itself. The loop, which looks at each, never asks for it.
struct Tick<B>(PhantomData<B>);

impl<B: Board> Alarm for Tick<B> {
    fn poll_at(self: Pin<&mut Self>, at: Instant, _: &mut Context<'_>) -> Poll<()> {
        if at.is_due(B::now()) { Poll::Ready(()) } else { Poll::Pending }
    }
}

struct Bell<B>(PhantomData<B>);

impl<B: Board> Wake for Bell<B> {
    fn wake(self: Arc<Self>) {
        B::ring();
    }
}

/// Starts a worker, and runs it and `main` until `main` is ready.
///
/// # Errors
///
/// [`ConfigError`] for settings that cannot be.
pub fn run<B: Board, F: Future>(
    config: WorkerConfig,
    main: impl FnOnce(Worker) -> F,
) -> Result<F::Output, ConfigError> {
    let (worker, mut drivers, mut keeper) = Assembly::new(config, Arc::new(Ticks::<B>(PhantomData)))?.into_machine();
    let waker = Waker::from(Arc::new(Bell::<B>(PhantomData)));
    let mut cx = Context::from_waker(&waker);
    let mut main = pin!(main(worker));
    loop {
        let mut again = false;
        for driver in &mut drivers {
            again |= matches!(driver.step(&mut cx, B::now()), Step::Again);
        }
        again |= matches!(keeper.step(&mut cx, B::now()), Step::Again);
        if let Poll::Ready(output) = main.as_mut().poll(&mut cx) {
            return Ok(output);
        }
        if !again {
            B::sleep();
        }
    }
}
