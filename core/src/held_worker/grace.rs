//! A work that goes on for a while when it was asked to stop.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::nap::HeldSleep;
use super::seat::Seat;
use super::watch::Watch;
use super::work::HeldWork;
use crate::{HeldCancelled, Instant};

pin_project! {
    /// A work with a grace. Made by [`HeldJob::grace`](crate::HeldJob::grace).
    pub struct HeldGraced<W> {
        #[pin]
        work: W,
        limit: u64,
        // From the request on.
        #[pin]
        ends: Option<HeldSleep>,
    }
}

impl<W> HeldGraced<W> {
    pub(super) const fn new(work: W, limit: u64) -> Self {
        Self { work, limit, ends: None }
    }
}

impl<W: Watch> Watch for HeldGraced<W> {
    const WATCHES: bool = true;
    const GRACED: bool = true;
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
        let mut this = self.project();
        if !this.work.is_over(cx) {
            return false;
        }
        if this.ends.is_none() {
            this.ends.set(Seat::of(cx).map(|seat| HeldSleep::lasting(seat, *this.limit)));
        }
        this.ends.as_pin_mut().is_none_or(|ends| ends.poll(cx).is_ready())
    }

    fn tethers(&self, visit: &mut impl FnMut(&HeldCancelled<'static>)) {
        self.work.tethers(visit);
    }
}

impl<W: HeldWork> HeldWork for HeldGraced<W> {
    type Value = W::Value;
    type Error = W::Error;

    fn poll_work(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<W::Value, W::Error>> {
        self.project().work.poll_work(cx)
    }
}

impl<W> fmt::Debug for HeldGraced<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldGraced").field("limit", &self.limit).finish_non_exhaustive()
    }
}
