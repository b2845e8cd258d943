//! A submit that waits for a slot.
#![allow(unsafe_code, reason = "who waits is on a list while its future is pinned")]

use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::board::Entry;
use super::chain::Link;
use super::job::HeldJob;
use super::line::Standing;
use super::policy::{HeldFull, HeldPolicy};
use super::work::HeldWork;
use super::{HeldSubmit, HeldWorker};
use crate::held::wake;
use crate::{Instant, RejectReason, Rejected};

/// A submit under way: gives the handle, or the job back. Made by [`HeldWorker::submit_or_wait`] and [`HeldWorker::submit_or_evict`].
///
/// Nothing is accepted before the first poll. Those who wait are served by priority, within one priority in the order in which they came (Q9), when the driver has its turn.
///
/// # Cancellation
///
/// Dropping it accepts nothing and loses no slot: one that it was promised goes to the next in line (Q6). The job is dropped with it.
#[must_use = "a submit does nothing until it is awaited"]
pub struct HeldSubmitting<W, const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy> {
    worker: &'static HeldWorker<LANES, SLOTS, BYTES, P>,
    /// None when it is through. It moves into its slot, so that it is never pinned here.
    job: Option<HeldJob<W>>,
    now: Instant,
    place: Link<Standing>,
    _pinned: PhantomPinned,
}

// SAFETY: the job is `Send`, as is what its handle will read; the place is touched under the lock, and its waker is `Send`.
unsafe impl<W, const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy> Send
    for HeldSubmitting<W, LANES, SLOTS, BYTES, P>
where
    W: HeldWork<Value: Send, Error: Send> + Send,
{
}

impl<W, const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy>
    HeldSubmitting<W, LANES, SLOTS, BYTES, P>
{
    pub(super) const fn new(
        worker: &'static HeldWorker<LANES, SLOTS, BYTES, P>,
        job: HeldJob<W>,
        now: Instant,
    ) -> Self {
        let place = Link::new(Standing { priority: job.priority, granted: false });
        Self { worker, job: Some(job), now, place, _pinned: PhantomPinned }
    }
}

impl<W, const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy> Future
    for HeldSubmitting<W, LANES, SLOTS, BYTES, P>
where
    W: HeldWork,
{
    type Output = HeldSubmit<W, P>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: the place alone is pinned with it, and stays where it is; the job is none of what is pinned.
        let this = unsafe { self.get_unchecked_mut() };
        let place = &this.place;
        let new = cx.waker().clone(); // T8: users' code, so before the lock
        let (entry, unneeded) = this.worker.board.with(|state| {
            let Some((line, hub)) = state.line() else { return (Some(Entry::Now), Some(new)) };
            // SAFETY: under the lock, and the list is not looked at meanwhile.
            let linked = unsafe { place.linked() };
            let is_on = linked.is_on();
            let granted = core::mem::take(&mut linked.what.granted);
            if granted {
                return (Some(Entry::Granted), Some(new));
            }
            if !is_on {
                return (Some(Entry::First), Some(new));
            }
            // SAFETY: as above; it is on this list, and leaves it when it is dropped, before which it does not move.
            let old = unsafe { if hub.closed { line.waiting.remove(place) } else { line.waiting.put(place, new) } };
            (hub.closed.then_some(Entry::Now), old)
        });
        drop(unneeded); // T8: after the lock
        let Some(entry) = entry else { return Poll::Pending };
        let Some(job) = this.job.take() else { return Poll::Pending }; // it is through
        let Rejected { job, reason } = match this.worker.accept(job, this.now, entry) {
            Ok(handle) => return Poll::Ready(Ok(handle)),
            Err(rejected) => rejected,
        };
        let joins = reason == RejectReason::Full && entry == Entry::First;
        let new = cx.waker().clone();
        let (refused, driver, unneeded) = this.worker.board.with(|state| {
            if !joins {
                return (Some(reason), None, Some(new));
            }
            let evicts = P::Full::EVICTS && !state.hub.closed;
            let makes_room = !evicts || state.evict_below(job.priority);
            let Some((line, hub)) = state.line().filter(|(_, hub)| makes_room && !hub.closed) else {
                state.hub.tally.reject();
                return (Some(if state.hub.closed { RejectReason::Closed } else { reason }), None, Some(new));
            };
            // SAFETY: under the lock; it is put on this list alone, and leaves it when it is dropped, before which it does not move.
            let old = unsafe { line.waiting.put(place, new) };
            // A slot may have become free since it was refused.
            (None, hub.ring(), old)
        });
        drop(unneeded); // T8: after the lock
        wake(driver);
        match refused {
            Some(reason) => Poll::Ready(Err(Rejected { job, reason })),
            None => {
                this.job = Some(job);
                Poll::Pending
            }
        }
    }
}

impl<W, const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy> Drop
    for HeldSubmitting<W, LANES, SLOTS, BYTES, P>
{
    fn drop(&mut self) {
        let place = &self.place;
        let (own, driver) = self.worker.board.with(|state| {
            let Some((line, hub)) = state.line() else { return (None, None) };
            // SAFETY: under the lock, and the list is not looked at meanwhile.
            let granted = core::mem::take(unsafe { &mut place.linked().what.granted });
            if granted && !mutant!(CancelledSubmitterKeepsItsPermit) {
                line.granted -= 1;
            }
            // SAFETY: as above; it was on no other list.
            let own = unsafe { line.waiting.remove(place) };
            // Whom it kept from coming in may do so.
            let driver = if granted || own.is_some() { hub.ring() } else { None };
            (own, driver)
        });
        drop(own); // T8: after the lock
        wake(driver);
    }
}

impl<W, const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy> fmt::Debug
    for HeldSubmitting<W, LANES, SLOTS, BYTES, P>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldSubmitting").field("job", &self.job).finish_non_exhaustive()
    }
}
