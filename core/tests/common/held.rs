//! A worker without a heap, driven by hand.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use countermand_core::{HeldDriver, HeldHandle, HeldPolicy, Instant, Outcome, Step};

/// What it ended with, if it has.
pub(crate) fn outcome<T, E, P: HeldPolicy>(handle: &mut HeldHandle<T, E, P>) -> Option<Outcome<T, E>> {
    match Pin::new(handle).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Some(outcome),
        Poll::Pending => None,
    }
}

/// Steps until there is nothing to do at this time.
pub(crate) fn run<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy>(
    driver: &mut HeldDriver<LANES, SLOTS, BYTES, P>,
    at: Duration,
) -> Step {
    let at = Instant::from_nanos(at.as_nanos() as u64);
    let mut steps = (0..1_000).map(|_| driver.step(&mut Context::from_waker(Waker::noop()), at));
    steps.find(|step| *step != Step::Again).expect("it comes to rest")
}
