//! The description of a job for a worker without a heap: what to do, and under which conditions.

use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use super::card::Times;
use crate::instant::nanos_of;
use crate::{Instant, Priority};

mod sealed {
    #[expect(unnameable_types, reason = "that it cannot be named is what seals HeldWork")]
    pub trait Sealed {}
    impl<F> Sealed for super::HeldPlain<F> {}
    impl<F> Sealed for super::HeldFallible<F> {}
}

/// What a [`HeldJob`] does: [`HeldPlain`] or [`HeldFallible`].
pub trait HeldWork: sealed::Sealed + 'static {
    /// What it returns when it completes.
    type Value: 'static;
    /// What it returns when it fails.
    type Error: 'static;

    #[doc(hidden)]
    fn poll_work(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Self::Value, Self::Error>>;
}

pin_project! {
    /// A future whose output is the value. Made by [`HeldJob::task`].
    #[derive(Debug)]
    pub struct HeldPlain<F> {
        #[pin]
        future: F,
    }
}

pin_project! {
    /// A future whose `Err` counts as failed. Made by [`HeldJob::fallible`].
    #[derive(Debug)]
    pub struct HeldFallible<F> {
        #[pin]
        future: F,
    }
}

impl<F> HeldWork for HeldPlain<F>
where
    F: Future<Output: 'static> + 'static,
{
    type Value = F::Output;
    type Error = Infallible;

    fn poll_work(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<F::Output, Infallible>> {
        self.project().future.poll(cx).map(Ok)
    }
}

impl<F, T, E> HeldWork for HeldFallible<F>
where
    F: Future<Output = Result<T, E>> + 'static,
    T: 'static,
    E: 'static,
{
    type Value = T;
    type Error = E;

    fn poll_work(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        self.project().future.poll(cx)
    }
}

/// A job for a [`HeldWorker`](crate::HeldWorker), with its conditions: a value that goes into a slot as it is. A static task is one too, as
/// `Pin<&'static mut F>` is a future of two words at the most.
#[must_use = "a job does nothing until it is submitted"]
pub struct HeldJob<W> {
    pub(super) work: W,
    pub(super) priority: Priority,
    /// With the length of the queue time-out.
    pub(super) times: Times,
}

impl<F> HeldJob<HeldPlain<F>> {
    /// A task: this future.
    pub const fn task(future: F) -> Self {
        Self::new(HeldPlain { future })
    }
}

impl<F> HeldJob<HeldFallible<F>> {
    /// A task whose `Err` counts as failed.
    pub const fn fallible(future: F) -> Self {
        Self::new(HeldFallible { future })
    }
}

impl<W> HeldJob<W> {
    const fn new(work: W) -> Self {
        Self { work, priority: Priority::Normal, times: Times::NONE }
    }

    /// How urgent it is. Default: normal.
    pub const fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// How long it may run, from its first poll (D5). A duration beyond the clock means no limit (D8).
    pub const fn run_timeout(mut self, limit: Duration) -> Self {
        self.times.run = nanos_of(limit);
        self
    }

    /// How long it may be queued, from its submit (D5). A duration beyond the clock means no limit (D8).
    pub const fn queue_timeout(mut self, limit: Duration) -> Self {
        self.times.start_by = nanos_of(limit);
        self
    }

    /// When its time is out, queued or running (D5).
    pub const fn deadline(mut self, at: Instant) -> Self {
        self.times.deadline = at.as_nanos();
        self
    }
}

impl<W> fmt::Debug for HeldJob<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldJob").field("priority", &self.priority).finish_non_exhaustive()
    }
}
