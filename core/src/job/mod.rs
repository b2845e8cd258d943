//! The description of a job: what to do, and under which conditions.

pub(crate) mod cell;
pub(crate) mod conditions;
pub(crate) mod context;
pub(crate) mod desk;
pub(crate) mod head;
pub(crate) mod hold;
pub(crate) mod links;
mod loan;
#[cfg(all(test, countermand_loom))]
mod loom;
#[cfg(test)]
pub(crate) mod nobody;
pub(crate) mod runner;
pub(crate) mod sleep;
mod told;
pub(crate) mod work;

use alloc::borrow::Cow;
use core::fmt;
use core::future::Future;
use core::time::Duration;

use crate::{Instant, Priority, Token};

use conditions::{Above, Conditions};
use context::{CallContext, JobContext};
use work::{Closure, Fallible, FallibleClosure, FallibleWith, Plain, PlainWith, Work};

/// What becomes of a value that a job returns after its time was out: after a deadline or time-out was recorded, within its
/// grace or a shielded section (J9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the three policies are the contract (J9)")]
pub enum LatePolicy {
    /// It is delivered as if it had come in time.
    #[default]
    Deliver,
    /// The outcome is `TimedOut`, and the value is in it.
    Mark,
    /// The outcome is `TimedOut`; the value is dropped and counted.
    Discard,
}

/// A job to be submitted: a future (a *task*) or a blocking closure (a *call*), with its conditions.
///
/// Describing a job starts nothing and needs no runtime (C2). A job that is not accepted comes back whole inside
/// [`Rejected`](crate::Rejected).
///
/// ```
/// use core::time::Duration;
/// use countermand_core::{Job, Priority};
/// let job = Job::task(async { 6 * 7 }).name("answer").priority(Priority::High).run_timeout(Duration::from_secs(1));
/// assert_eq!(job.label(), "answer");
/// ```
///
/// What a job captures and returns goes to other threads, so that it must be `Send` (C5):
///
/// ```
/// # use countermand_core::{Job, Token};
/// let own = std::sync::Arc::new(1);
/// let task = Job::task({ let own = own.clone(); async move { *own } });
/// let call = Job::call({ let own = own.clone(); move |_| *own });
/// drop(Token::new().on_cancel({ let own = own.clone(); move |_| drop(own) }));
/// ```
///
/// ```compile_fail,E0277
/// # use countermand_core::Job;
/// let own = std::rc::Rc::new(1);
/// let task = Job::task(async move { *own });
/// ```
///
/// ```compile_fail,E0277
/// # use countermand_core::Job;
/// let own = std::rc::Rc::new(1);
/// let call = Job::call(move |_| *own);
/// ```
///
/// ```compile_fail,E0277
/// # use countermand_core::Token;
/// let own = std::rc::Rc::new(1);
/// drop(Token::new().on_cancel(move |_| drop(own)));
/// ```
#[must_use = "a job does nothing until it is submitted"]
pub struct Job<W> {
    pub(crate) work: W,
    pub(crate) conditions: Conditions,
    pub(crate) above: Above,
}

impl<F> Job<Plain<F>>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    /// A task: this future.
    pub fn task(future: F) -> Self {
        Self::new(Plain(future))
    }
}

impl<C, F> Job<PlainWith<C>>
where
    C: FnOnce(JobContext) -> F + Send + 'static,
    F: Future + Send + 'static,
    F::Output: Send,
{
    /// A task that is given its own context: its token, its clock, its sleeps. The closure is called in the lane, when the
    /// job is started.
    pub fn task_with(make: C) -> Self {
        Self::new(PlainWith(make))
    }
}

impl<F, T, E> Job<Fallible<F>>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    /// A task whose `Err` counts as failed.
    pub fn fallible(future: F) -> Self {
        Self::new(Fallible(future))
    }
}

impl<C, F, T, E> Job<FallibleWith<C>>
where
    C: FnOnce(JobContext) -> F + Send + 'static,
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    /// A task with its own context, whose `Err` counts as failed.
    pub fn fallible_with(make: C) -> Self {
        Self::new(FallibleWith(make))
    }
}

impl<C, T> Job<Closure<C>>
where
    C: FnOnce(&CallContext) -> T + Send + 'static,
    T: Send + 'static,
{
    /// A call: this blocking closure, on a thread of the host's. It is never interrupted; it is told by its token (B1).
    pub fn call(closure: C) -> Self {
        Self::new(Closure(closure))
    }
}

impl<C, T, E> Job<FallibleClosure<C>>
where
    C: FnOnce(&CallContext) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    /// A call whose `Err` counts as failed.
    pub fn fallible_call(closure: C) -> Self {
        Self::new(FallibleClosure(closure))
    }
}

impl<W: Work> Job<W> {
    fn new(work: W) -> Self {
        Self { work, conditions: Conditions::NONE, above: Above::NONE }
    }
}

impl<W> Job<W> {
    /// What it is called in listings, events and reports.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.conditions.name = name.into();
        self
    }

    /// How urgent it is. Default: normal.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.conditions.priority = priority;
        self
    }

    /// How long it may run, from its first poll (D5). A duration beyond the clock means no limit (D8).
    pub fn run_timeout(mut self, limit: Duration) -> Self {
        self.conditions.set_run(limit);
        self
    }

    /// How long it may be queued, from its submit (D5). A duration beyond the clock means no limit (D8).
    pub fn queue_timeout(mut self, limit: Duration) -> Self {
        self.conditions.set_queued(limit);
        self
    }

    /// When its time is out, queued or running (D5), on the clock of [`Worker::now`](crate::Worker::now).
    pub fn deadline(mut self, at: Instant) -> Self {
        self.above.set_deadline(Some(at));
        self
    }

    /// How long it goes on after a cancel request (J5). For a call: how long its deadline is exceeded before it is left
    /// to itself, if it is [`abandonable`](Self::abandonable) (B3).
    pub fn grace(mut self, grace: Duration) -> Self {
        self.conditions.set_grace(grace);
        self
    }

    /// A token whose cancellation cancels this job too, beside the worker's own (J11). Its deadline holds as well (D1).
    pub fn parent(mut self, parent: &Token) -> Self {
        self.above.parent = Some(parent.clone());
        self
    }

    /// Dropping the handle cancels the job, instead of detaching it (X1).
    pub fn cancel_on_drop(mut self) -> Self {
        self.conditions.cancel_on_drop = true;
        self
    }

    /// A call that may be left to itself when its deadline and its grace have passed (B3).
    pub fn abandonable(mut self) -> Self {
        self.conditions.abandonable = true;
        self
    }

    /// What becomes of a value that comes too late (J9). Default: it is delivered.
    pub fn late(mut self, policy: LatePolicy) -> Self {
        self.conditions.late = policy;
        self
    }

    /// The name it was given.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.conditions.name
    }
}

impl<W> fmt::Debug for Job<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("conditions", &self.conditions).field("above", &self.above).finish_non_exhaustive()
    }
}
