//! The submitter's view of one job.
#![allow(unsafe_code, reason = "the handle is the one reader of its job's slot, which lies in the job")]

use alloc::boxed::Box;
use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::job::cell::Exit;
use crate::job::head::JobRef;
use crate::slot::Slot;
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
    pub(crate) job: JobRef,
    /// In the job.
    exit: Exit<T, E>,
}

// SAFETY: a handle is a counted reference to a job and the reader's end of its slot, which is Sync where the outcome is Send.
unsafe impl<T: Send, E: Send> Send for Handle<T, E> {}
// SAFETY: as above.
unsafe impl<T: Send, E: Send> Sync for Handle<T, E> {}
// The outcome is moved out of the slot, and never pinned.
impl<T, E> Unpin for Handle<T, E> {}

impl<T, E> Handle<T, E> {
    /// # Safety
    ///
    /// `exit` is that of `job`, and this is the one reader.
    pub(crate) unsafe fn new(job: JobRef, exit: Exit<T, E>) -> Self {
        Self { job, exit }
    }

    fn slot(&self) -> &Slot<Outcome<T, E>> {
        // SAFETY: it is in the job, which this holds.
        unsafe { self.exit.as_ref() }
    }

    /// The job's number.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.job.id()
    }

    /// The job's name; empty if it was given none.
    #[must_use]
    pub fn name(&self) -> &str {
        self.job.name()
    }

    /// How urgent the job is.
    #[must_use]
    pub fn priority(&self) -> Priority {
        self.job.priority()
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
        let first = !self.is_finished() && self.job.request(cause);
        first || mutant!(EveryCancelIsFirst)
    }

    /// Whether the outcome is fixed.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.slot().is_full()
    }

    /// A view of the job's token.
    #[must_use]
    pub fn token(&self) -> TokenObserver {
        self.job.token.observer()
    }

    /// Calls `callback` when the outcome is fixed, on the thread of the driver or keeper that fixes it, or of the call; at once, and here, if it
    /// is already. A callback that panics there is contained and counted (P4).
    pub fn on_done(&self, callback: impl FnOnce(Class) + Send + 'static) {
        let told = &self.job.told;
        told.ask(Box::new(callback));
        if self.slot().ask() {
            // Whoever published it has not seen that there is somebody to be told.
            let class = self.job.class();
            told.take().for_each(|callback| callback(class));
        }
    }
}

impl<T, E> Future for Handle<T, E> {
    type Output = Outcome<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if mutant!(DroppedWaitLosesTheResult) && !self.is_finished() {
            // SAFETY: this is the reader.
            unsafe {
                let _ = self.slot().poll_take(cx);
                drop(self.slot().leave());
            }
            return Poll::Pending;
        }
        // SAFETY: this is the reader, which leaves when it is dropped.
        match unsafe { self.slot().poll_take(cx) } {
            Poll::Ready(Some(outcome)) => {
                assert!(!(mutant!(WaitPanicsForItsJob) && outcome.is_cancelled()), "the job was cancelled");
                Poll::Ready(outcome)
            }
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

impl<T, E> Drop for Handle<T, E> {
    #[inline]
    fn drop(&mut self) {
        let head = &self.job;
        let cancels = head.conditions.cancel_on_drop || mutant!(DroppingAHandleCancels);
        if cancels && !self.is_finished() {
            head.desk.books().contain(|| head.request(Cause::HANDLE_DROPPED));
        }
        // SAFETY: this is the reader, for the last time.
        if let Some(leftover) = unsafe { self.slot().leave() } {
            head.desk.books().contain(|| drop(leftover));
        }
    }
}

impl<T, E> fmt::Debug for Handle<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("job", &*self.job).field("finished", &self.is_finished()).finish()
    }
}
