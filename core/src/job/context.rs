//! What a job sees of the worker that runs it.

use crate::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use super::head::JobRef;
use super::sleep::{Interval, Sleep, Timeout};
use crate::clockwork::{Clockwork, Due};
use crate::timed::TimedToken;
use crate::token::{Shield, Token};
use crate::{Instant, JobId};

/// A task's view of its worker: its token and its clock. Given to the closure of [`Job::task_with`](crate::Job::task_with).
///
/// Clones may be moved into sub-futures. Kept beyond the end of the job, a context keeps the job's (emptied) allocation and
/// its driver's clock, and its sleeps are never woken.
#[derive(Clone)]
pub struct JobContext {
    job: JobRef,
    clockwork: Arc<Clockwork>,
}

impl JobContext {
    pub(crate) fn new(job: JobRef, clockwork: Arc<Clockwork>) -> Self {
        Self { job, clockwork }
    }

    /// The job's own token, a child of its worker's and of its submitter's (J11). Give children of it to what you start.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.job.token
    }

    /// The job's number.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.job.id()
    }

    /// The job's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.job.name()
    }

    /// The host's clock as it was read for the current poll.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clockwork.now()
    }

    /// Sleeps on the driver's own timers. A duration beyond the clock never ends (D8).
    ///
    /// # Cancellation
    ///
    /// Dropping the future takes the timer back.
    #[must_use = "futures do nothing until awaited"]
    pub fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(self.clockwork.clone(), self.now().checked_add(duration))
    }

    /// Sleeps until `at`, on the clock of [`JobContext::now`].
    ///
    /// # Cancellation
    ///
    /// Dropping the future takes the timer back.
    #[must_use = "futures do nothing until awaited"]
    pub fn sleep_until(&self, at: Instant) -> Sleep {
        Sleep::new(self.clockwork.clone(), Some(at))
    }

    /// Ticks every `period`, the first time after one period. Ticks that were missed are skipped, not caught up. A period of
    /// zero counts as one nanosecond.
    #[must_use]
    pub fn interval(&self, period: Duration) -> Interval {
        Interval::new(self.clockwork.clone(), period)
    }

    /// Runs `future` for at most `limit`. A limit that is due at once does not poll it at all.
    ///
    /// # Cancellation
    ///
    /// Dropping the future drops what it runs.
    pub fn timeout<F: Future>(&self, limit: Duration, future: F) -> Timeout<F> {
        Timeout::new(self.sleep(limit), future)
    }

    /// A child of the job's token that is cancelled, with cause `Deadline`, after `limit`, by the driver's own timers. A limit
    /// beyond the clock is none (D8).
    pub fn child_with_timeout(&self, limit: Duration) -> TimedToken {
        let Some(at) = self.now().checked_add(limit) else { return TimedToken::new(self.token().child_token(), None) };
        let token = self.token().child_with_deadline(at);
        let key = self.clockwork.insert(at, Due::Expire(token.clone()));
        TimedToken::new(token, Some((self.clockwork.clone(), key)))
    }

    /// Runs a section that cancellation from outside does not reach while it lasts: the job is not dropped, and the token that
    /// `make` is given does not show it; it shows its own cancellation only. At its end the request counts at once (R9).
    ///
    /// # Cancellation
    ///
    /// Dropping the future drops the section and ends the shield.
    pub fn shielded<F: Future>(&self, make: impl FnOnce(Token) -> F) -> Shielded<F> {
        let shield = self.token().shield();
        let future = make(shield.token().clone());
        self.job.shield();
        Shielded { future: Some(future), mark: Some(ShieldMark { job: self.job.clone() }), shield: Some(shield) }
    }

    /// Lets other lanes of the driver have their turn, then goes on.
    #[must_use = "futures do nothing until awaited"]
    pub fn yield_now(&self) -> Yield {
        Yield { yielded: false }
    }
}

impl fmt::Debug for JobContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobContext").field("job", &*self.job).finish_non_exhaustive()
    }
}

/// Holds the job's shield count up.
struct ShieldMark {
    job: JobRef,
}

impl Drop for ShieldMark {
    fn drop(&mut self) {
        self.job.unshield();
    }
}

pin_project! {
    /// A shielded section; see [`JobContext::shielded`].
    #[must_use = "futures do nothing until awaited"]
    pub struct Shielded<F> {
        #[pin]
        future: Option<F>,
        mark: Option<ShieldMark>,
        shield: Option<Shield>,
    }
}

impl<F: Future> Future for Shielded<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let Some(future) = this.future.as_mut().as_pin_mut() else { return Poll::Pending };
        let polled = future.poll(cx);
        if polled.is_ready() {
            this.future.set(None);
            *this.mark = None;
            *this.shield = None;
        }
        polled
    }
}

impl<F> fmt::Debug for Shielded<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shielded").finish_non_exhaustive()
    }
}

/// Pending once; see [`JobContext::yield_now`].
#[derive(Debug)]
#[must_use = "futures do nothing until awaited"]
pub struct Yield {
    yielded: bool,
}

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A blocking closure's view of its worker. Given to the closure of [`Job::call`](crate::Job::call).
pub struct CallContext {
    job: JobRef,
}

impl CallContext {
    pub(crate) fn new(job: JobRef) -> Self {
        Self { job }
    }

    /// The job's own token (J11). Look at it now and then: it is the only way in which a closure learns of a cancel (B1).
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.job.token
    }

    /// Whether the job was cancelled or its time is out.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.token().is_cancelled()
    }

    /// The job's number.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.job.id()
    }

    /// The job's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.job.name()
    }
}

impl fmt::Debug for CallContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallContext").field("job", &*self.job).finish_non_exhaustive()
    }
}
