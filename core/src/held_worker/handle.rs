//! The submitter's view of a job in a slot.
#![allow(unsafe_code, reason = "the handle is the one reader of what its job leaves in the slot")]

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::ops::Deref;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::body::Body;
use super::card::Card;
use super::policy::{HeldFull, HeldPolicy, HeldStrict};
use super::seat::Seat;
use super::stage::Stage;
use crate::held::wake;
use crate::{Cause, Outcome};

/// The submitter's view of one job: waits for its outcome, and may cancel it.
///
/// As a future it gives the [`Outcome`], once the task and all it captured were dropped (J7). Polled again after that it is pending for ever.
/// Until it is read or dropped, an outcome keeps its slot.
///
/// # Cancellation
///
/// Dropping a handle detaches the job: it goes on, and its result is dropped when it comes (X1, X4); with
/// [`cancel_on_drop`](Self::cancel_on_drop) it is cancelled instead. Waiting by reference (`(&mut handle).await`) and dropping that wait loses
/// nothing and cancels nothing (J10). A handle that is forgotten keeps the slot (X5).
#[must_use = "dropping a handle detaches its job; await it, or drop it on purpose"]
pub struct HeldHandle<T, E, P: HeldPolicy = HeldStrict> {
    /// None once the outcome was taken: the slot is another's then.
    seat: Option<Seat>,
    body: Body,
    values: PhantomData<Result<T, E>>,
    /// What its worker does with a slot that is free again.
    policy: PhantomData<fn() -> P>,
}

// SAFETY: the body is read under the lock, by whoever has the handle; what is read may go where the handle goes.
unsafe impl<T: Send, E: Send, P: HeldPolicy> Send for HeldHandle<T, E, P> {}
// SAFETY: by reference it can be asked and cancelled, under the lock, and nothing is read.
unsafe impl<T, E, P: HeldPolicy> Sync for HeldHandle<T, E, P> {}

// The outcome is moved out of the slot, and never pinned.
impl<T, E, P: HeldPolicy> Unpin for HeldHandle<T, E, P> {}

impl<T, E, P: HeldPolicy> HeldHandle<T, E, P> {
    /// # Safety
    ///
    /// Card and body are those of a job with these types, which has no other handle.
    pub(super) unsafe fn new(seat: Seat, body: Body) -> Self {
        Self { seat: Some(seat), body, values: PhantomData, policy: PhantomData }
    }

    /// Asks the job to stop: a queued one is not started, a running one is dropped at its next `Pending`. Never blocks, and may be called from
    /// an interrupt handler (J6).
    ///
    /// # Returns
    ///
    /// True for the one call that asked first. False if the job was asked before, or has settled.
    pub fn cancel(&self) -> bool {
        self.cancel_with(Cause::REQUESTED)
    }

    /// [`cancel`](Self::cancel) with a cause of one's own.
    pub fn cancel_with(&self, cause: Cause) -> bool {
        let Some(seat) = self.seat else { return false };
        let (first, driver) = seat.with(|hub, card| {
            let first = card.ask(cause);
            (first, if first { hub.ring() } else { None })
        });
        wake(driver);
        first || mutant!(EveryCancelIsFirst)
    }

    /// Dropping what this gives cancels the job, with the cause [`Cause::HANDLE_DROPPED`], instead of detaching it (X1).
    pub fn cancel_on_drop(self) -> HeldCancelOnDrop<T, E, P> {
        HeldCancelOnDrop(self)
    }

    /// Whether the outcome is fixed.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.seat.is_none_or(|seat| seat.with(|_, card| card.stage.is_over()))
    }

    /// Its slot is free again: who waits for one may have it.
    fn tell_of_slot(seat: Seat) {
        if P::Full::WAITS {
            wake(seat.with(|hub, _| hub.ring()));
        }
    }

    /// Takes what the job has left, which is over, and frees the slot. Under the lock.
    #[inline]
    fn take(&self, card: &mut Card) -> Outcome<T, E> {
        let ended = core::mem::replace(&mut card.stage, Stage::Free);
        match ended {
            Stage::Completed | Stage::Failed => {
                // SAFETY: it has returned; this is the reader, of the same types, and the slot is free afterwards.
                match unsafe { self.body.read() } {
                    Ok(value) => Outcome::Completed(value),
                    Err(error) => Outcome::Failed(error),
                }
            }
            Stage::TimedOut => Outcome::TimedOut { phase: card.phase(), late: None },
            _ => match card.panic.take() {
                Some(panic) => Outcome::Panicked(panic),
                // Whatever stopped without a panic was asked to.
                None => Outcome::Cancelled { cause: card.cause().unwrap_or(Cause::REQUESTED), started: card.started },
            },
        }
    }
}

impl<T, E, P: HeldPolicy> Future for HeldHandle<T, E, P> {
    type Output = Outcome<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(seat) = self.seat else { return Poll::Pending };
        let waker = cx.waker().clone(); // T8: users' code, so before the lock
        let (polled, unneeded) = seat.with(|_, card| match card.stage.is_over() {
            true => (Poll::Ready(self.take(card)), Some(waker)),
            false => (Poll::Pending, card.reader.replace(waker)),
        });
        drop(unneeded); // T8: after the lock
        if polled.is_ready() {
            self.seat = None;
            Self::tell_of_slot(seat);
        }
        polled
    }
}

impl<T, E, P: HeldPolicy> Drop for HeldHandle<T, E, P> {
    fn drop(&mut self) {
        let Some(seat) = self.seat else { return };
        if mutant!(DroppingAHandleCancels) {
            self.cancel();
        }
        let (leftover, reader) = seat.with(|_, card| {
            let is_over = card.stage.is_over();
            card.detached = !is_over;
            (is_over.then(|| self.take(card)), card.reader.take())
        });
        if leftover.is_some() {
            Self::tell_of_slot(seat);
        }
        // Users' code, under no lock.
        drop((leftover, reader));
    }
}

impl<T, E, P: HeldPolicy> fmt::Debug for HeldHandle<T, E, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldHandle").field("finished", &self.is_finished()).finish_non_exhaustive()
    }
}

/// A handle whose drop cancels its job. Made by [`HeldHandle::cancel_on_drop`].
#[derive(Debug)]
#[must_use = "dropping it cancels its job"]
pub struct HeldCancelOnDrop<T, E, P: HeldPolicy = HeldStrict>(HeldHandle<T, E, P>);

impl<T, E, P: HeldPolicy> Deref for HeldCancelOnDrop<T, E, P> {
    type Target = HeldHandle<T, E, P>;

    fn deref(&self) -> &HeldHandle<T, E, P> {
        &self.0
    }
}

impl<T, E, P: HeldPolicy> Future for HeldCancelOnDrop<T, E, P> {
    type Output = Outcome<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<T, E, P: HeldPolicy> Drop for HeldCancelOnDrop<T, E, P> {
    fn drop(&mut self) {
        self.0.cancel_with(Cause::HANDLE_DROPPED);
    }
}
