//! The way of a job into the queue, and back out if it is not accepted.
#![allow(unsafe_code, reason = "a job is made with the functions of its type, and its slot has one reader")]

use crate::sync::Arc;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::config::FullPolicy;
use crate::handle::Handle;
use crate::job::Job;
use crate::job::cell::{Exit, JobCell};
use crate::job::head::{Desk, Head, JobRef};
use crate::job::runner::Runner;
use crate::job::work::Work;
use crate::observer::{JobInfo, Kind, Observer};
use crate::queue::{Entry, Standing};
use crate::shared::Shared;
use crate::shelf::Key;
use crate::{Instant, Priority, RejectReason, Rejected};

/// What becomes of a submit: the handle of an accepted job, or the job back with the reason.
pub type SubmitResult<W> = Result<Handle<<W as Work>::Value, <W as Work>::Error>, Rejected<Job<W>>>;

/// A job made ready for the queue, but not in it.
pub(crate) struct Candidate<W: Work> {
    runner: Runner,
    job: JobRef,
    exit: Exit<W::Value, W::Error>,
}

// SAFETY: a runner, a counted reference to its job and the reader's end of its slot, which may be used on any thread.
unsafe impl<W: Work> Send for Candidate<W> {}
// SAFETY: as above.
unsafe impl<W: Work> Sync for Candidate<W> {}

impl<W: Work> Candidate<W> {
    /// Makes the job's cell and token. From here on its queue time-out counts (D5).
    pub(crate) fn new(shared: &Arc<Shared>, job: Job<W>) -> Result<Self, Rejected<Job<W>>> {
        if W::KIND == Kind::Call && !shared.host.has_threads() {
            let priority = job.conditions.priority;
            return Err(turn_away(shared, job, RejectReason::NoThreads, priority));
        }
        if shared.books.is_closed() {
            let priority = job.conditions.priority;
            return Err(turn_away(shared, job, RejectReason::Closed, priority));
        }
        let Job { work, conditions, above } = job;
        // SAFETY: the root is in `shared`, which the job holds; the table is that of `W`.
        let (runner, job, exit) = unsafe {
            let (desk, ops) = (shared.clone(), &JobCell::<W>::OPS);
            let defaults = &shared.defaults;
            JobCell::create(|at| Head::write(at, conditions, above, &shared.root, desk, defaults, ops), work)
        };
        Ok(Self { runner, job, exit })
    }

    fn priority(&self) -> Priority {
        self.runner.head().priority()
    }

    /// Puts the job into the queue.
    pub(crate) fn enter(
        self,
        shared: &Arc<Shared>,
        entry: Entry,
    ) -> Result<Handle<W::Value, W::Error>, (Self, RejectReason)> {
        let Self { runner, job, exit } = self;
        let head = runner.head();
        let due = Instant::earlier(head.queue_due(), head.due());
        head.attend();
        let waited = matches!(entry, Entry::Granted);
        match shared.queue.push(runner, entry, due, &shared.books) {
            Err((runner, reason)) => {
                runner.head().dismiss();
                Err((Self { runner, job, exit }, reason))
            }
            Ok(accepted) => {
                let head = &*job;
                let tell = |observer: &dyn Observer, job: &JobInfo| observer.submitted(job);
                if waited {
                    head.tell_now(&**shared, tell)
                } else {
                    head.tell_at_once(&**shared, tell)
                }
                shared.ring_for(accepted.ring, head.submitted());
                if accepted.sooner {
                    shared.keeper.port.ring();
                }
                if let Some(evicted) = accepted.evicted {
                    evicted.head().tell_now(&**shared, |observer, job| observer.evicted(job));
                    shared.keeper.evicted.with(|list| list.push_back(evicted));
                    if !shared.keeper.port.ring() {
                        // It has left, and has looked at the list before or after this one came to be on it (S6).
                        shared.settle_evicted(shared.host.now());
                    }
                }
                // The token may have been cancelled before it had anybody to tell.
                if head.token.is_cancelled() {
                    head.notice(&job);
                }
                // SAFETY: both are of one job, and nobody else reads.
                Ok(unsafe { Handle::new(job, exit) })
            }
        }
    }

    /// The job as it was before.
    pub(crate) fn reject(self, shared: &Shared, reason: RejectReason) -> Rejected<Job<W>> {
        let (conditions, above) = self.runner.head().described();
        let priority = conditions.priority;
        // SAFETY: it was made with the table of `W`.
        let work = unsafe { JobCell::<W>::recover(self.runner) };
        turn_away(shared, Job { work, conditions, above }, reason, priority)
    }
}

fn turn_away<W>(shared: &Shared, job: Job<W>, reason: RejectReason, priority: Priority) -> Rejected<Job<W>> {
    shared.books.reject();
    if let Some(observer) = shared.observer() {
        shared.books.contain(|| observer.rejected(reason, priority));
    }
    Rejected { job, reason }
}

/// A submit under way: gives the handle, or the job back.
///
/// Nothing is enqueued before the first poll. Where the policy is to wait and the queue is full, it waits for a place, in the
/// order of arrival within a priority (Q9).
///
/// # Cancellation
///
/// Dropping it enqueues nothing and loses no capacity: a place it was granted goes to the next in line (Q6). The job is dropped
/// with it.
#[must_use = "a submit does nothing until it is awaited"]
pub struct Submit<W: Work> {
    shared: Arc<Shared>,
    state: State<W>,
}

enum State<W: Work> {
    New(Job<W>),
    /// In line, under this key.
    Waiting(Candidate<W>, Key),
    Done,
}

impl<W: Work> Submit<W> {
    pub(crate) fn new(shared: Arc<Shared>, job: Job<W>) -> Self {
        Self { shared, state: State::New(job) }
    }

    /// Takes the job back from a submit that was not awaited to its end. `None` if it has been accepted.
    #[cfg(feature = "std")]
    pub(crate) fn recover(&mut self, reason: RejectReason) -> Option<Rejected<Job<W>>> {
        match core::mem::replace(&mut self.state, State::Done) {
            State::New(job) => {
                let priority = job.conditions.priority;
                Some(turn_away(&self.shared, job, reason, priority))
            }
            State::Waiting(candidate, key) => {
                self.shared.leave_line(key);
                Some(candidate.reject(&self.shared, reason))
            }
            State::Done => None,
        }
    }
}

impl<W: Work> Future for Submit<W> {
    type Output = SubmitResult<W>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // Before anything is taken out: the waker may panic when it is cloned, and the place in line is left by drop (P3).
        let standing = match &this.state {
            State::Waiting(_, key) => this.shared.queue.stand(*key, cx.waker()),
            State::New(_) | State::Done => Standing::Granted,
        };
        if standing == Standing::Waiting {
            return Poll::Pending;
        }
        let (candidate, entry) = match core::mem::replace(&mut this.state, State::Done) {
            State::Done => return Poll::Pending,
            State::New(job) => match Candidate::new(&this.shared, job) {
                Ok(candidate) => (candidate, Entry::New),
                Err(rejected) => return Poll::Ready(Err(rejected)),
            },
            State::Waiting(candidate, _) if standing == Standing::Closed => {
                return Poll::Ready(Err(candidate.reject(&this.shared, RejectReason::Closed)));
            }
            State::Waiting(candidate, _) => (candidate, Entry::Granted),
        };
        match candidate.enter(&this.shared, entry) {
            Ok(handle) => Poll::Ready(Ok(handle)),
            Err((candidate, RejectReason::Full))
                if this.shared.config.full == FullPolicy::Wait || mutant!(WaitsAgainstThePolicy) =>
            {
                let Some(key) = this.shared.queue.wait(candidate.priority()) else {
                    return Poll::Ready(Err(candidate.reject(&this.shared, RejectReason::Closed)));
                };
                this.state = State::Waiting(candidate, key);
                // The place may have been granted at once: look again, and leave the waker.
                self.poll(cx)
            }
            Err((candidate, reason)) => Poll::Ready(Err(candidate.reject(&this.shared, reason))),
        }
    }
}

// The job inside is never pinned: it is not polled before it is in its cell.
impl<W: Work> Unpin for Submit<W> {}

impl<W: Work> Drop for Submit<W> {
    fn drop(&mut self) {
        if let State::Waiting(_, key) = &self.state {
            self.shared.leave_line(*key);
        }
    }
}

impl<W: Work> fmt::Debug for Submit<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submit").finish_non_exhaustive()
    }
}
