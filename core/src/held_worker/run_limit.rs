//! A work that may run for so long.

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
    /// A work with a time-out for its run. Made by [`HeldJob::run_timeout`](crate::HeldJob::run_timeout).
    pub struct HeldRunLimited<W> {
        #[pin]
        work: W,
        limit: u64,
    }
}

impl<W> HeldRunLimited<W> {
    pub(super) const fn new(work: W, limit: u64) -> Self {
        Self { work, limit }
    }
}

impl<W: Watch> Watch for HeldRunLimited<W> {
    const WATCHES: bool = W::WATCHES;
    const GRACED: bool = W::GRACED;
    const LIMITED: bool = true;

    fn admit(&mut self, deadline: Instant, now: Instant) -> Instant {
        let deadline = if self.limit == 0 && !mutant!(PastDeadlinePolledOnce) {
            Instant::ORIGIN // D4
        } else if mutant!(RunTimeoutFromSubmit) {
            deadline.min(after(now, self.limit))
        } else {
            deadline
        };
        self.work.admit(deadline, now)
    }

    fn set_out(self: Pin<&mut Self>, cx: &Context<'_>) {
        Seat::begin(cx, |deadline, now| self.begin(deadline, now));
    }

    fn begin(self: Pin<&mut Self>, deadline: Instant, now: Instant) -> Instant {
        let this = self.project();
        this.work.begin(deadline, now).min(after(now, *this.limit))
    }

    fn is_over(self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool {
        self.project().work.is_over(cx)
    }

    fn tethers(&self, visit: &mut impl FnMut(&HeldCancelled<'static>)) {
        self.work.tethers(visit);
    }
}

impl<W: HeldWork> HeldWork for HeldRunLimited<W> {
    type Value = W::Value;
    type Error = W::Error;

    fn poll_work(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<W::Value, W::Error>> {
        self.project().work.poll_work(cx)
    }
}

impl<W> fmt::Debug for HeldRunLimited<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldRunLimited").field("limit", &self.limit).finish_non_exhaustive()
    }
}
