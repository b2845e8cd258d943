//! Sleeps on the clock of a worker without a heap: each lies in its future, on a list of its worker.
#![allow(unsafe_code, reason = "what is on the list is touched under the lock")]

use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::card::after;
use super::chain::Link;
use super::naps::{When, look};
use super::seat::Seat;
use crate::Instant;
use crate::held::wake;

pin_project_lite::pin_project! {
    /// Waits until a time on the clock of its worker's driver. Made by [`HeldWorker::sleep`](crate::HeldWorker::sleep) and
    /// [`HeldWorker::sleep_until`](crate::HeldWorker::sleep_until).
    ///
    /// # Cancellation
    ///
    /// Dropping it leaves nothing behind.
    #[must_use = "futures do nothing unless polled"]
    pub struct HeldSleep {
        nap: Link<When>,
        // Any of its worker's, for the hub.
        seat: Seat,
        #[pin]
        pinned: PhantomPinned,
    }

    impl PinnedDrop for HeldSleep {
        fn drop(this: Pin<&mut Self>) {
            this.into_ref().get_ref().leave();
        }
    }
}

// SAFETY: what is in a nap is touched under the lock, and wakers are `Send`.
unsafe impl Send for HeldSleep {}
// SAFETY: as above.
unsafe impl Sync for HeldSleep {}

impl HeldSleep {
    pub(super) const fn lasting(seat: Seat, limit: u64) -> Self {
        Self::new(seat, When::In(limit))
    }

    pub(super) const fn until(seat: Seat, at: Instant) -> Self {
        Self::new(seat, When::At(at))
    }

    const fn new(seat: Seat, when: When) -> Self {
        Self { nap: Link::new(when), seat, pinned: PhantomPinned }
    }

    fn leave(&self) {
        // SAFETY: under the lock; it was on no other list.
        drop(self.seat.with(|hub, _| unsafe { hub.naps.remove(&self.nap) }));
    }
}

impl Future for HeldSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.into_ref().get_ref();
        let new = cx.waker().clone(); // T8: users' code, so before the lock
        let (slept, driver, unneeded) = this.seat.with(|hub, _| {
            // SAFETY: under the lock, and the list is not looked at meanwhile.
            let when = unsafe { &mut this.nap.linked().what };
            if let When::In(limit) = *when {
                *when = When::At(after(hub.now, limit));
            }
            if when.at().is_due(hub.now) {
                return (true, None, Some(new));
            }
            hub.look = Some(look);
            // SAFETY: under the lock; it is put on this list alone, and leaves it when it is dropped, before which it does not move.
            let old = unsafe { hub.naps.put(&this.nap, new) };
            (false, hub.ring(), old)
        });
        drop(unneeded); // T8: after the lock
        if slept {
            this.leave();
            return Poll::Ready(());
        }
        // Who parked before it knew of this time.
        wake(driver);
        Poll::Pending
    }
}

impl fmt::Debug for HeldSleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldSleep").finish_non_exhaustive()
    }
}
