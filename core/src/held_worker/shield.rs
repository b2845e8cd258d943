//! A section of a job that is not cut off.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::seat::Seat;

pin_project! {
    /// A section that is not cut off. Made by [`HeldContext::shielded`](crate::HeldContext::shielded).
    #[must_use = "futures do nothing unless polled"]
    pub struct HeldShielded<F> {
        seat: Seat,
        #[pin]
        section: F,
    }
}

impl<F> HeldShielded<F> {
    pub(super) const fn new(seat: Seat, section: F) -> Self {
        Self { seat, section }
    }
}

impl<F: Future> Future for HeldShielded<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let polled = this.section.poll(cx);
        if polled.is_pending() {
            // Its job hears of it when this poll is over.
            this.seat.with(|hub, _| hub.shielded = true);
        }
        polled
    }
}

impl<F> fmt::Debug for HeldShielded<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldShielded").finish_non_exhaustive()
    }
}
