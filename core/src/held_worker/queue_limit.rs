//! A work that may be queued for so long.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::card::after;
use super::seat::Seat;
use super::watch::Watch;
use super::work::HeldWork;
use crate::{HeldCancelled, Instant};

pin_project! {
    /// A work with a time-out for its place in the queue. Made by [`HeldJob::queue_timeout`](crate::HeldJob::queue_timeout).
    pub struct HeldQueueLimited<W> {
        #[pin]
        work: W,
        // How long, in nanoseconds; once it is queued, when its time is out after that.
        limit: u64,
    }
}

impl<W> HeldQueueLimited<W> {
    pub(super) const fn new(work: W, limit: u64) -> Self {
        Self { work, limit }
    }
}

impl<W: Watch> Watch for HeldQueueLimited<W> {
    const WATCHES: bool = W::WATCHES;
    const GRACED: bool = W::GRACED;
    const LIMITED: bool = true;

    fn admit(&mut self, deadline: Instant, now: Instant) -> Instant {
        let deadline = self.work.admit(deadline, now);
        let start_by = after(now, self.limit);
        self.limit = deadline.as_nanos();
        deadline.min(start_by) // Q7
    }

    fn set_out(self: Pin<&mut Self>, cx: &Context<'_>) {
        Seat::begin(cx, |deadline, now| self.begin(deadline, now));
    }

    fn begin(self: Pin<&mut Self>, deadline: Instant, now: Instant) -> Instant {
        let this = self.project();
        // What was over by now says nothing of the time in its lane.
        let later = if mutant!(QueueTimeoutWaitsForALane) { deadline } else { Instant::from_nanos(*this.limit) };
        this.work.begin(later, now)
    }

    fn is_over(self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool {
        self.project().work.is_over(cx)
    }

    fn tethers(&self, visit: &mut impl FnMut(&HeldCancelled<'static>)) {
        self.work.tethers(visit);
    }
}

impl<W: HeldWork> HeldWork for HeldQueueLimited<W> {
    type Value = W::Value;
    type Error = W::Error;

    fn poll_work(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<W::Value, W::Error>> {
        self.project().work.poll_work(cx)
    }
}

impl<W> fmt::Debug for HeldQueueLimited<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldQueueLimited").field("limit", &self.limit).finish_non_exhaustive()
    }
}
