//! How a job is asked to stop: by somebody, or by its times.

use super::Head;
use crate::observer::JobState;
use crate::sync::atomic::Ordering;
use crate::{Cause, CauseKind, Instant};

impl Head {
    /// It is asked to stop at `now`, unless it was before: its grace counts from here, whenever its lane comes to see the
    /// request (J5).
    pub(crate) fn note_request(&self, now: Instant) {
        if !self.token.is_cancelled() {
            self.asked.fetch_min(now.as_nanos(), Ordering::Relaxed);
        }
    }

    /// When it was asked to stop, if that was noted; else `now`, at which its lane sees it.
    pub(crate) fn requested(&self, now: Instant) -> Instant {
        now.min(Instant::from_nanos(self.asked.load(Ordering::Relaxed)))
    }

    /// Asks the job to stop, for somebody outside of its worker. True for the first who asks.
    pub(crate) fn request(&self, cause: Cause) -> bool {
        if !self.conditions.grace.is_zero() {
            self.note_request(self.desk.now());
        }
        self.token.cancel_with(cause)
    }

    /// Cancels the job's token. A callback that panics is contained and counted (P4), since nobody who could be told is above.
    pub(crate) fn cancel(&self, cause: Cause) -> Cause {
        self.desk.books().contain(|| self.token.cancel_with(cause));
        self.token.cause().unwrap_or(cause)
    }

    /// When the time of the job is out: the earlier of its token's effective deadline and, once it was started, its run time-out (D1).
    #[inline]
    pub(crate) fn due(&self) -> Option<Instant> {
        let due = self.due.load(Ordering::Relaxed);
        if due == u64::MAX { None } else { Some(Instant::from_nanos(due)) }
    }

    /// Cancels the running job with cause `Deadline` if its time is out (D2, D6).
    #[inline]
    pub(crate) fn expire_running(&self, now: Instant) {
        let due = self.due().is_some_and(|due| due.is_due(now)) && !mutant!(DeadlineIgnoredWhileRunning);
        if due && !self.token.is_cancelled() && !self.expire(now) {
            self.cancel(Cause::DEADLINE); // by the run time-out
        }
    }

    /// Cancels the job with cause `Deadline` if its time is out and it is still queued (D2, D6).
    pub(crate) fn expire_queued(&self, now: Instant) {
        let due = !self.expire(now) && self.queue_due().is_some_and(|at| at.is_due(now));
        if due && self.state() == JobState::Queued {
            self.cancel(Cause::DEADLINE); // by the queue time-out
        }
    }

    /// Compares the deadlines of the job's token with the clock (D2). True if the token is cancelled by one of them.
    pub(crate) fn expire(&self, now: Instant) -> bool {
        self.desk.books().contain(|| self.token.expire_due(now)).unwrap_or_else(|| self.is_timed_out())
    }

    /// The closure of the call has ended at `now`. What is due by then is due, whoever comes to see it (D2). Whether it ended after its time was out (J9).
    pub(crate) fn note_end(&self, now: Instant) -> bool {
        self.expire_running(now);
        self.is_timed_out()
    }

    /// The cause, if its token is cancelled. In fewer steps than the token's own where it is not.
    #[inline]
    pub(crate) fn cause(&self) -> Option<Cause> {
        if self.token.is_cancelled() { self.token.cause() } else { None }
    }

    /// Whether the recorded cause is a deadline (D6).
    pub(crate) fn is_timed_out(&self) -> bool {
        self.token.cause().is_some_and(|cause| cause.kind() == CauseKind::Deadline)
    }
}
