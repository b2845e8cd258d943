//! What every job has, whatever it does: its conditions, its token, and the marks of its way through the worker.

use crate::sync::Arc;
use core::fmt;
use core::mem;
use core::task::Waker;
use core::time::Duration;

use super::Conditions;
use crate::books::Books;
use crate::observer::{JobInfo, JobState, Kind, Observer};
use crate::shelf::Key;
use crate::sync::Lock;
use crate::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use crate::{Cause, CauseKind, Instant, JobId, Priority, Token};

/// What a job needs of its worker.
pub(crate) trait Desk: Send + Sync {
    /// Asks the keeper to look at the queued job with this key: its token was cancelled (Q4, X3).
    fn reap(&self, key: Key);
    /// The host's clock.
    fn now(&self) -> Instant;
    /// Blocks the calling thread, where the host allows it (C3).
    #[cfg(feature = "std")]
    fn block(&self, wait: &mut dyn FnMut()) -> Result<(), crate::WouldDeadlock>;
    /// The worker's count.
    fn books(&self) -> &Books;
    /// This job is cancelled because its worker shuts down.
    fn cut_off(&self, job: &dyn Fn() -> JobInfo);
    /// The job's outcome is fixed, and everything that belonged to it is gone.
    fn finished(&self, job: JobId);
    /// Who is told.
    fn observer(&self) -> Option<&dyn Observer>;
    /// Tells this worker from others, see [`Current`](crate::turn::Current).
    fn address(&self) -> usize {
        core::ptr::from_ref(self).cast::<()>().addr()
    }
}

const QUEUED: u8 = 0;
const RUNNING: u8 = 1;
const SETTLED: u8 = 2;

/// See the head of the file.
pub(crate) struct Head {
    pub(crate) desk: Arc<dyn Desk>,
    pub(crate) token: Token,
    pub(crate) kind: Kind,
    pub(crate) conditions: Conditions,
    pub(crate) run_timeout: Option<Duration>,
    pub(crate) grace: Duration,
    /// When its queue time-out is due.
    pub(crate) queue_due: Option<Instant>,
    submitted: Instant,
    /// Set under the queue's lock, before anybody else sees the job.
    id: AtomicU64,
    /// Its place in the queue. Set under the queue's lock.
    key: Lock<Option<Key>>,
    /// When it was first polled, plus one nanosecond; 0 before.
    started: AtomicU64,
    /// When its run time-out is due, in nanoseconds; `u64::MAX` for never.
    run_due: AtomicU64,
    /// When it was asked to stop by somebody who knew the time, in nanoseconds; `u64::MAX` before.
    asked: AtomicU64,
    polls: AtomicU64,
    state: AtomicU8,
    /// How many shielded sections it is in (R9).
    shields: AtomicUsize,
    /// Whether the closure of a call ended after its time was out.
    ended_late: AtomicBool,
}

impl Head {
    pub(crate) fn new(
        conditions: Conditions,
        kind: Kind,
        token: Token,
        desk: Arc<dyn Desk>,
        defaults: &crate::WorkerConfig,
    ) -> Self {
        let submitted = desk.now();
        let queue_timeout = conditions.queue_timeout.or(defaults.queue_timeout);
        Self {
            desk,
            token,
            kind,
            run_timeout: conditions.run_timeout.or(defaults.run_timeout),
            grace: conditions.grace.unwrap_or(defaults.grace),
            queue_due: queue_timeout
                .filter(|_| !mutant!(QueueTimeoutFromTheStart))
                .and_then(|limit| submitted.checked_add(limit)), // D5, D8
            submitted,
            conditions,
            id: AtomicU64::new(0),
            key: Lock::new(None),
            started: AtomicU64::new(0),
            run_due: AtomicU64::new(u64::MAX),
            asked: AtomicU64::new(u64::MAX),
            polls: AtomicU64::new(0),
            state: AtomicU8::new(QUEUED),
            shields: AtomicUsize::new(0),
            ended_late: AtomicBool::new(false),
        }
    }

    pub(crate) fn id(&self) -> JobId {
        JobId::new(self.id.load(Ordering::Relaxed))
    }

    pub(crate) fn priority(&self) -> Priority {
        self.conditions.priority
    }

    /// Whether it has a parent besides its worker, which must tell it of a cancel.
    pub(crate) fn is_linked(&self) -> bool {
        self.conditions.parent.is_some()
    }

    pub(crate) fn name(&self) -> &str {
        &self.conditions.name
    }

    /// The job was accepted under this number, and lies in the queue under this key.
    pub(crate) fn accepted(&self, id: u64, key: Key) {
        self.id.store(id, Ordering::Relaxed);
        self.key.with(|place| *place = Some(key));
    }

    /// Asks for the keeper if the job is still queued.
    pub(crate) fn ask_for_reaping(&self) {
        if self.state.load(Ordering::SeqCst) == QUEUED {
            if let Some(key) = self.key.with(|place| *place) {
                self.desk.reap(key);
            }
        }
    }

    /// The job is about to be polled for the first time.
    pub(crate) fn start(&self, now: Instant) {
        self.started.store(now.as_nanos().saturating_add(1), Ordering::Relaxed);
        self.state.store(RUNNING, Ordering::SeqCst);
    }

    /// The run time-out counts from `now` on (D5).
    pub(crate) fn start_the_clock(&self, now: Instant) {
        let from = if mutant!(RunTimeoutFromSubmit) { self.submitted } else { now };
        if let Some(due) = self.run_timeout.and_then(|limit| from.checked_add(limit)) {
            self.run_due.store(due.as_nanos(), Ordering::Relaxed); // D8
        }
    }

    /// It was on its way to be started, and is not.
    pub(crate) fn unstart(&self) {
        self.started.store(0, Ordering::Relaxed);
    }

    /// Where it is.
    pub(crate) fn state(&self) -> JobState {
        match self.state.load(Ordering::SeqCst) {
            QUEUED => JobState::Queued,
            RUNNING => JobState::Running,
            _ => JobState::Settled,
        }
    }

    /// When it was first polled.
    pub(crate) fn started(&self) -> Option<Instant> {
        self.started.load(Ordering::Relaxed).checked_sub(1).map(Instant::from_nanos)
    }

    pub(crate) fn submitted(&self) -> Instant {
        self.submitted
    }

    pub(crate) fn count_poll(&self) {
        self.polls.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn polls(&self) -> u64 {
        self.polls.load(Ordering::Relaxed)
    }

    /// The one transition that fixes the outcome: true for the first caller, and for nobody else (J1).
    pub(crate) fn settle(&self) -> bool {
        self.state.swap(SETTLED, Ordering::SeqCst) != SETTLED || mutant!(SettlesTwice)
    }

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

    /// From now on `waker` is woken when the job's token is cancelled. If that has happened already, this may be where the token's
    /// callbacks run: a panic of theirs is contained and counted (P4).
    pub(crate) fn attend(&self, waker: Waker) {
        self.desk.books().contain(|| self.token.attend(waker, self.is_linked()));
    }

    /// Nobody is told of a cancel any more. As for [`attend`](Self::attend).
    pub(crate) fn dismiss(&self) {
        self.desk.books().contain(|| self.token.dismiss());
    }

    /// Asks the job to stop, for somebody outside of its worker. True for the first who asks.
    pub(crate) fn request(&self, cause: Cause) -> bool {
        if !self.grace.is_zero() {
            self.note_request(self.desk.now());
        }
        self.token.cancel_with(cause)
    }

    /// Cancels the job's token. A callback that panics is contained and counted (P4), since nobody who could be told is above.
    pub(crate) fn cancel(&self, cause: Cause) -> Cause {
        self.desk.books().contain(|| self.token.cancel_with(cause));
        self.token.cause().unwrap_or(cause)
    }

    /// When the time of the running job is out: the earlier of its run time-out and its token's effective deadline (D1).
    pub(crate) fn due(&self) -> Option<Instant> {
        let run_due = Some(self.run_due.load(Ordering::Relaxed)).filter(|&nanos| nanos != u64::MAX);
        Instant::earlier(run_due.map(Instant::from_nanos), self.token.deadline())
    }

    /// Cancels the running job with cause `Deadline` if its time is out (D2, D6).
    pub(crate) fn expire_running(&self, now: Instant) {
        let due = self.due().is_some_and(|due| due.is_due(now)) && !mutant!(DeadlineIgnoredWhileRunning);
        if due && !self.token.is_cancelled() && !self.expire(now) {
            self.cancel(Cause::DEADLINE); // by the run time-out
        }
    }

    /// Cancels the job with cause `Deadline` if its time is out and it is still queued (D2, D6).
    pub(crate) fn expire_queued(&self, now: Instant) {
        let due = !self.expire(now) && self.queue_due.is_some_and(|at| at.is_due(now));
        if due && self.state() == JobState::Queued {
            self.cancel(Cause::DEADLINE); // by the queue time-out
        }
    }

    /// Compares the deadlines of the job's token with the clock (D2). True if the token is cancelled by one of them.
    pub(crate) fn expire(&self, now: Instant) -> bool {
        self.desk.books().contain(|| self.token.expire_due(now)).unwrap_or_else(|| self.is_timed_out())
    }

    /// The closure of the call has ended at `now`. What is due by then is due, whoever comes to see it (D2).
    pub(crate) fn note_end(&self, now: Instant) {
        self.expire_running(now);
        self.ended_late.store(self.is_timed_out(), Ordering::Relaxed);
    }

    /// Whether the closure of the call ended after its time was out. To be asked when it is back.
    pub(crate) fn ended_late(&self) -> bool {
        self.ended_late.load(Ordering::Relaxed)
    }

    /// Whether the recorded cause is a deadline (D6).
    pub(crate) fn is_timed_out(&self) -> bool {
        self.token.cause().is_some_and(|cause| cause.kind() == CauseKind::Deadline)
    }

    pub(crate) fn shield(&self) {
        self.shields.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn unshield(&self) {
        self.shields.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn is_shielded(&self) -> bool {
        self.shields.load(Ordering::Relaxed) != 0
    }

    /// What there is to know about the job at `now`.
    pub(crate) fn info(&self, now: Instant) -> JobInfo {
        JobInfo {
            id: self.id(),
            name: self.conditions.name.clone(),
            priority: self.priority(),
            kind: self.kind,
            state: self.state(),
            age: now.saturating_since(self.submitted),
            polls: self.polls(),
        }
    }

    /// [`tell`](Self::tell) at the time that it is now.
    pub(crate) fn tell_now(&self, hook: impl FnOnce(&dyn Observer, &JobInfo)) {
        if self.desk.observer().is_some() {
            self.tell(self.desk.now(), hook);
        }
    }

    /// Tells the observer, if there is one; a panic of its hook is contained and counted (P4).
    pub(crate) fn tell(&self, now: Instant, hook: impl FnOnce(&dyn Observer, &JobInfo)) {
        if let Some(observer) = self.desk.observer() {
            let info = self.info(now);
            if mutant!(HookPanicsAreNotContained) {
                hook(observer, &info);
            } else {
                self.desk.books().contain(|| hook(observer, &info));
            }
        }
    }
}

/// The last of the job's token may go with it, and with that the callbacks that never ran: users' destructors, on whatever
/// thread lets go of the job last. A panic of theirs is nobody's outcome (P4).
impl Drop for Head {
    fn drop(&mut self) {
        let token = mem::replace(&mut self.token, Token::never());
        let parent = self.conditions.parent.take();
        let books = self.desk.books();
        books.contain(|| drop(token));
        books.contain(|| drop(parent));
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("id", &self.id()).field("name", &self.name()).finish_non_exhaustive()
    }
}
