//! Sleeps on the clock of a worker without a heap: each lies in its future, on a list of its worker.
#![allow(unsafe_code, reason = "an intrusive list: what is on it lies in pinned futures")]

use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker};

use super::board::Seat;
use super::card::after;
use crate::Instant;
use crate::held::wake;
use crate::sync::UnsafeCell;

/// A place on the list, inside a future. On the list exactly while it has a waker. Guarded by the lock of its board.
struct Nap(UnsafeCell<Place>);

struct Place {
    next: Option<NonNull<Nap>>,
    waker: Option<Waker>,
    when: When,
}

#[derive(Clone, Copy)]
enum When {
    /// So long from the first poll.
    In(u64),
    At(Instant),
}

/// Who sleeps, in no order: there are few.
pub(super) struct Naps {
    first: Option<NonNull<Nap>>,
}

/// See [`Naps::look`].
pub(super) type Look = fn(&mut Naps, Instant, &mut Instant) -> Option<Waker>;

impl Nap {
    /// # Safety
    ///
    /// Under the lock, and nobody else has what this gives.
    #[expect(clippy::mut_from_ref, reason = "guarded by the lock")]
    unsafe fn place(&self) -> &mut Place {
        // SAFETY: promised by the caller.
        self.0.with_mut(|place| unsafe { &mut *place })
    }
}

impl Place {
    fn at(&self) -> Instant {
        match self.when {
            When::In(_) => Instant::NEVER,
            When::At(at) => at,
        }
    }
}

impl Naps {
    pub(super) const fn new() -> Self {
        Self { first: None }
    }

    /// Takes one off whose time has come, and gives its waker; else `until` is brought forward to when the first of them ends.
    pub(super) fn look(&mut self, now: Instant, until: &mut Instant) -> Option<Waker> {
        self.unlink(|_, place| {
            *until = (*until).min(place.at());
            place.at().is_due(now)
        })
    }

    /// Takes the first of these off, and its waker.
    fn unlink(&mut self, mut wanted: impl FnMut(NonNull<Nap>, &Place) -> bool) -> Option<Waker> {
        let mut link = &mut self.first;
        while let Some(nap) = *link {
            // SAFETY: under the lock, as this list is; whoever is on it is there, and each is had once.
            let place = unsafe { nap.as_ref().place() };
            if wanted(nap, place) {
                *link = place.next.take();
                return place.waker.take();
            }
            link = &mut place.next;
        }
        None
    }
}

pin_project_lite::pin_project! {
    /// Waits until a time on the clock of its worker's driver. Made by [`HeldWorker::sleep`](crate::HeldWorker::sleep) and
    /// [`HeldWorker::sleep_until`](crate::HeldWorker::sleep_until).
    ///
    /// # Cancellation
    ///
    /// Dropping it leaves nothing behind.
    #[must_use = "futures do nothing unless polled"]
    pub struct HeldSleep {
        nap: Nap,
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
        let nap = Nap(UnsafeCell::new(Place { next: None, waker: None, when }));
        Self { nap, seat, pinned: PhantomPinned }
    }

    fn leave(&self) {
        let own = NonNull::from(&self.nap);
        drop(self.seat.with(|hub, _| {
            // SAFETY: under the lock.
            let is_on = unsafe { self.nap.place() }.waker.is_some();
            if is_on { hub.naps.unlink(|nap, _| nap == own) } else { None }
        }));
    }
}

impl Future for HeldSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.into_ref().get_ref();
        let new = cx.waker().clone(); // T8: users' code, so before the lock
        let (slept, driver, unneeded) = this.seat.with(|hub, _| {
            // SAFETY: under the lock, and the list is not looked at meanwhile.
            let place = unsafe { this.nap.place() };
            if let When::In(limit) = place.when {
                place.when = When::At(Instant::from_nanos(after(hub.now, limit)));
            }
            let at = place.at();
            if at.is_due(hub.now) {
                return (true, None, Some(new));
            }
            let old = place.waker.replace(new);
            if old.is_none() {
                place.next = hub.naps.first;
                hub.naps.first = Some(NonNull::from(&this.nap));
                hub.look = Some(Naps::look);
            }
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
