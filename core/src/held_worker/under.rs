//! A work that a token cancels, while it is queued as well.
//!
//! Its wait lies in the slot with it, and is on the token's list from the submit on: both stand under the one lock, so that nothing comes between. What
//! the token wakes looks at the token where the job is queued, as only the driver touches the body of one that is not; and where it runs, it has it
//! polled, and the driver asks the work before.
#![allow(unsafe_code, reason = "a waker finds the slot of its job from the card")]

use core::fmt;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use pin_project_lite::pin_project;

use super::HeldWorker;
use super::body::Room;
use super::policy::HeldPolicy;
use super::seat::Seat;
use super::stage::Stage;
use super::watch::Watch;
use super::work::HeldWork;
use crate::held::wake;
use crate::{HeldCancelled, HeldToken, Instant};

pin_project! {
    /// A work under a token. Made by [`HeldJob::under`](crate::HeldJob::under).
    pub struct HeldUnder<W> {
        #[pin]
        work: W,
        #[pin]
        wait: HeldCancelled<'static>,
    }
}

impl<W> HeldUnder<W> {
    pub(super) const fn new(work: W, token: &'static HeldToken<'static>) -> Self {
        Self { work, wait: token.cancelled() }
    }
}

impl<W: Watch> Watch for HeldUnder<W> {
    const WATCHES: bool = true;
    const GRACED: bool = W::GRACED;
    const LIMITED: bool = W::LIMITED;

    fn admit(&mut self, deadline: Instant, now: Instant) -> Instant {
        self.work.admit(deadline, now)
    }

    fn set_out(self: Pin<&mut Self>, cx: &Context<'_>) {
        self.project().work.set_out(cx);
    }

    fn begin(self: Pin<&mut Self>, deadline: Instant, now: Instant) -> Instant {
        self.project().work.begin(deadline, now)
    }

    fn is_over(self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool {
        let this = self.project();
        let cause = this.wait.cause().filter(|_| !mutant!(TokenIsNobodysChild));
        if let (Some(cause), Some(seat)) = (cause, Seat::of(cx)) {
            // Where it is, the driver is: nobody need be woken.
            seat.with(|_, card| card.ask(cause));
        }
        this.work.is_over(cx)
    }

    fn tethers(&self, visit: &mut impl FnMut(&HeldCancelled<'static>)) {
        visit(&self.wait);
        self.work.tethers(visit);
    }
}

impl<W: HeldWork> HeldWork for HeldUnder<W> {
    type Value = W::Value;
    type Error = W::Error;

    fn poll_work(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<W::Value, W::Error>> {
        self.project().work.poll_work(cx)
    }
}

impl<W: fmt::Debug> fmt::Debug for HeldUnder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldUnder").field("work", &self.work).finish_non_exhaustive()
    }
}

/// What a token wakes: the job of a slot of such a worker.
struct Leash<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy>(
    PhantomData<HeldWorker<LANES, SLOTS, BYTES, P>>,
);

impl<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy> Leash<LANES, SLOTS, BYTES, P> {
    const TABLE: RawWakerVTable = RawWakerVTable::new(Self::clone, Self::pull, Self::pull, |_| {});

    fn clone(card: *const ()) -> RawWaker {
        RawWaker::new(card, &Self::TABLE)
    }

    /// A late pull, at whoever has the slot by now, finds that it has no reason to stop.
    fn pull(card: *const ()) {
        // SAFETY: it was made of a seat of such a worker, which is there for ever.
        let seat = unsafe { Seat::from_data(card) };
        wake(seat.with(|hub, card| {
            if card.stage == Stage::Queued {
                // SAFETY: as above; the address was exposed when the job came in.
                let worker = unsafe { hub.worker::<LANES, SLOTS, BYTES, P>() };
                // SAFETY: there is a room for each card; the job is queued, so that its work is there, and nobody touches it but under this lock.
                let cause = card
                    .functions
                    .and_then(|functions| unsafe { functions.cause(Room::body(&worker.rooms, card.index)) });
                if let Some(cause) = cause {
                    card.ask(cause);
                }
            }
            card.ready = true;
            hub.ring()
        }));
    }
}

/// Puts each wait of a work that has just come into its slot on its list. The caller asks the [cause](Watch::cause) first, and has the lock.
///
/// # Safety
///
/// Under the lock. The seat is one of a worker of these sizes, whose address is exposed, and the work lies in its slot, where it stays until it is dropped.
pub(super) unsafe fn tether<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy>(
    work: &impl Watch,
    seat: Seat,
) {
    work.tethers(&mut |wait| {
        // SAFETY: the functions of the table are for a seat of such a worker.
        let waker = unsafe { Waker::from_raw(seat.waker_by(&Leash::<LANES, SLOTS, BYTES, P>::TABLE)) };
        // SAFETY: promised by the caller. There was no waker before.
        drop(unsafe { wait.enlist(waker) });
    });
}
