//! What a job in a slot knows of itself.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use super::nap::HeldSleep;
use super::seat::Seat;
use super::shield::HeldShielded;
use crate::instant::nanos_of;
use crate::{Cause, Instant};

/// A job's view of itself: whether it was asked to stop, and sleeps by the clock of its driver. Given by [`HeldJob::task_with`](crate::HeldJob::task_with).
///
/// It speaks of the job in this slot, so it is of no use outside of its job.
pub struct HeldContext {
    seat: Seat,
}

impl HeldContext {
    pub(super) const fn new(seat: Seat) -> Self {
        Self { seat }
    }

    /// Whether the job was asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.seat.is_asked()
    }

    /// Why it was asked to stop, if it was.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        self.seat.with(|_, card| card.cause())
    }

    /// Waits until it is asked to stop, and says why: of use with a [grace](crate::HeldJob::grace).
    ///
    /// A request has the job polled, and whatever it polls itself is asked again; a set of futures that polls only those that were woken does not ask this one.
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves nothing behind.
    pub fn cancelled(&self) -> HeldAsked<'_> {
        HeldAsked { context: self }
    }

    /// Goes on to the end of `section` when the job was asked to stop meanwhile, and is dropped at the first wait after that (R9). It is not cut off by a time-out
    /// either, nor by an abort, but by a driver that goes.
    ///
    /// The section sees what is its own: a token that it waits for, its sleeps, and [the request](Self::is_cancelled), if it asks. It counts while it is polled with its job: a set of
    /// futures that polls only those that were woken does not shield this one.
    ///
    /// # Cancellation
    ///
    /// Dropping the future drops the section.
    pub fn shielded<F: Future>(&self, section: F) -> HeldShielded<F> {
        HeldShielded::new(self.seat, section)
    }

    /// The time of the step that polls it.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.seat.with(|hub, _| hub.now)
    }

    /// Waits so long from its first poll. A duration beyond the clock never ends (D8).
    pub fn sleep(&self, duration: Duration) -> HeldSleep {
        HeldSleep::lasting(self.seat, nanos_of(duration))
    }

    /// Waits until this time.
    pub fn sleep_until(&self, at: Instant) -> HeldSleep {
        HeldSleep::until(self.seat, at)
    }
}

impl fmt::Debug for HeldContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldContext").field("cause", &self.cause()).finish_non_exhaustive()
    }
}

/// Waits until a job is asked to stop. Made by [`HeldContext::cancelled`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct HeldAsked<'a> {
    context: &'a HeldContext,
}

impl Future for HeldAsked<'_> {
    type Output = Cause;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Cause> {
        self.context.cause().map_or(Poll::Pending, Poll::Ready)
    }
}
