//! The submitter's view of one job.

use crate::sync::Arc;
use alloc::boxed::Box;
use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::job::cell::Join;
use crate::token::TokenObserver;
use crate::{Cause, Class, JobId, Outcome, Priority};

/// The submitter's view of one job: waits for its outcome, and may cancel it.
///
/// As a future it gives the [`Outcome`], once the task and all it captured were dropped and its place was freed (J7). It never
/// panics (J8); polled again after its outcome was taken it is pending for ever.
///
/// # Cancellation
///
/// Dropping a handle detaches the job: it goes on, and its result is dropped when it comes (X1, X4). A job submitted with
/// [`cancel_on_drop`](crate::Job::cancel_on_drop) is cancelled instead, with cause `HandleDropped`. Waiting by reference
/// (`(&mut handle).await`) and dropping that wait loses nothing and cancels nothing (J10).
#[must_use = "dropping a handle detaches its job; await it, or drop it on purpose"]
pub struct Handle<T, E = Infallible> {
    pub(crate) job: Arc<dyn Join<T, E>>,
}

impl<T, E> Handle<T, E> {
    /// The job's number.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.job.head().id()
    }

    /// The job's name; empty if it was given none.
    #[must_use]
    pub fn name(&self) -> &str {
        self.job.head().name()
    }

    /// How urgent the job is.
    #[must_use]
    pub fn priority(&self) -> Priority {
        self.job.head().priority()
    }

    /// Asks the job to stop: a queued one is not started, a running task is dropped at its next `Pending` (or when its grace
    /// is over), a running call is told by its token. Never blocks (J6).
    ///
    /// # Returns
    ///
    /// True for the one call that asked first. False if the job was asked before, or has settled.
    pub fn cancel(&self) -> bool {
        self.cancel_with(Cause::REQUESTED)
    }

    /// [`cancel`](Self::cancel) with a cause of one's own.
    pub fn cancel_with(&self, cause: Cause) -> bool {
        let first = !self.is_finished() && self.job.head().request(cause);
        first || mutant!(EveryCancelIsFirst)
    }

    /// Whether the outcome is fixed.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.job.slot().is_full()
    }

    /// A view of the job's token.
    #[must_use]
    pub fn token(&self) -> TokenObserver {
        self.job.head().token.observer()
    }

    /// Calls `callback` when the outcome is fixed, on the thread of the driver or keeper that fixes it; at once, and here, if it
    /// is already. A callback that panics there is contained and counted (P4).
    pub fn on_done(&self, callback: impl FnOnce(Class) + Send + 'static) {
        self.job.on_done(Box::new(callback));
    }
}

impl<T, E> Future for Handle<T, E> {
    type Output = Outcome<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if mutant!(DroppedWaitLosesTheResult) && !self.is_finished() {
            let _ = self.job.slot().poll_take(cx);
            drop(self.job.slot().leave());
            return Poll::Pending;
        }
        match self.job.slot().poll_take(cx) {
            Poll::Ready(Some(outcome)) => {
                assert!(!(mutant!(WaitPanicsForItsJob) && outcome.is_cancelled()), "the job was cancelled");
                Poll::Ready(outcome)
            }
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

impl<T, E> Drop for Handle<T, E> {
    fn drop(&mut self) {
        let head = self.job.head();
        let cancels = head.conditions.cancel_on_drop || mutant!(DroppingAHandleCancels);
        let books = head.desk.books();
        if cancels && !self.is_finished() {
            books.contain(|| head.request(Cause::HANDLE_DROPPED));
        }
        books.contain(|| drop(self.job.slot().leave()));
    }
}

impl<T, E> fmt::Debug for Handle<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("job", self.job.head()).field("finished", &self.is_finished()).finish()
    }
}
