//! What every job has, whatever it does: its conditions, its token, and the marks of its way through the worker.
//!
//! ```text
//!   QUEUED ──out of the queue──► TAKEN ──► RUNNING ──► SETTLED
//!      └────────────────reaped, evicted────────────────────┘
//! ```
//!
//! Whoever cancels the job's token cancels its word first and then looks at the state, to know whom to tell: of a queued job the keeper, of one in a lane that
//! lane. Whoever takes the job out of the queue sets the state first and then looks at the word. All four in one order, so one of them sees the other (T6, J2).
#![allow(unsafe_code, reason = "where a job stands in the queue lies in the job, and a node that the job hosts")]

mod settle;
mod stop;

use alloc::borrow::Cow;
use core::fmt;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;

use super::conditions::{Above, Conditions, Defaults};
use super::desk::Desk;
use super::hold::{JobRef, Ops};
use super::links::Links;
use super::loan::{End, Loan};
use super::told::Told;
use crate::observer::{JobInfo, JobState, Kind, Observer};
use crate::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use crate::sync::{Arc, UnsafeCell};
use crate::token::hosted::Hosted;
use crate::{Instant, JobId, Priority, Token};

const QUEUED: u8 = 0;
/// In a lane, and not polled yet.
const TAKEN: u8 = 1;
const RUNNING: u8 = 2;
const SETTLED: u8 = 3;

/// See the head of the file. In the order of use: what a cancel looks at lies together, and so does what a turn does.
#[repr(C)]
pub(crate) struct Head {
    /// First: the node of its token, and the count of those who hold it.
    pub(crate) hosted: Hosted,
    state: AtomicU8,
    pub(super) loan: Loan,
    pub(crate) kind: Kind,
    /// Whether there is an observer to be told.
    observed: bool,
    /// Which class its outcome has, once that is fixed.
    ended: AtomicU8,
    /// In which lane of which driver it is.
    driver: AtomicU32,
    lane: AtomicU32,
    /// How many shielded sections it is in (R9).
    shields: AtomicU32,
    /// Goes last, when the job is released.
    pub(crate) desk: ManuallyDrop<Arc<dyn Desk>>,
    /// The token that `hosted` is.
    pub(crate) token: ManuallyDrop<Token>,
    /// When its time is out, in nanoseconds, `u64::MAX` for never: the deadline of its token, which never changes, and from its start also its run time-out.
    due: AtomicU64,
    /// Written by its lane only.
    polls: AtomicU64,
    /// Set under the queue's lock, before anybody else sees the job.
    id: AtomicU64,
    /// Its place in the queue. The queue's, under its lock.
    pub(crate) links: UnsafeCell<Links>,
    pub(crate) conditions: Conditions,
    submitted: Instant,
    /// When it was first polled, plus one nanosecond; 0 before.
    started: AtomicU64,
    /// When it was asked to stop by somebody who knew the time, in nanoseconds; `u64::MAX` before.
    asked: AtomicU64,
    pub(crate) told: Told,
}

// SAFETY: `links` is guarded by the queue's lock; all else is Sync by itself.
unsafe impl Sync for Head {}

impl Head {
    /// Writes the head of a job that is cancelled with `root`, and with its own parent if it has one, to where it stays: it is large, and not moved.
    ///
    /// # Safety
    ///
    /// At `place` is memory for it. `root` is there for as long as `desk` is.
    pub(crate) unsafe fn write(
        place: NonNull<Self>,
        mut conditions: Conditions,
        above: Above,
        root: &Token,
        desk: Arc<dyn Desk>,
        defaults: &Defaults,
        ops: &'static Ops,
    ) {
        conditions.complete(defaults);
        let observed = defaults.observed;
        let exact = !conditions.queued.is_none() || observed;
        let submitted = if exact { desk.now() } else { desk.recent() };
        let (never, parent) = (Token::never(), above.parent.as_ref());
        let nobodys = mutant!(TokenIsNobodysChild);
        let (root, parent) = if nobodys { (&never, None) } else { (root, parent) };
        // SAFETY: the job lets go of `desk` last. It is told that it has settled in by `JobCell::create`.
        let hosted = unsafe { Hosted::new(root, parent, above.deadline, NonNull::from(ops).cast()) };
        let head = Self {
            hosted,
            desk: ManuallyDrop::new(desk),
            token: ManuallyDrop::new(Token::never()),
            submitted,
            conditions,
            id: AtomicU64::new(0),
            links: UnsafeCell::new(Links::OUT),
            driver: AtomicU32::new(0),
            lane: AtomicU32::new(0),
            started: AtomicU64::new(0),
            due: AtomicU64::new(u64::MAX),
            asked: AtomicU64::new(u64::MAX),
            polls: AtomicU64::new(0),
            told: Told::new(),
            shields: AtomicU32::new(0),
            state: AtomicU8::new(QUEUED),
            ended: AtomicU8::new(0),
            loan: Loan::new(),
            kind: ops.kind,
            observed,
        };
        // SAFETY: promised by the caller.
        unsafe { place.write(head) };
    }

    /// What can be done with the job.
    #[inline]
    pub(super) fn ops(&self) -> &'static Ops {
        // SAFETY: as it was given in `write`: the hooks are its first field.
        unsafe { self.hosted.table().cast::<Ops>().as_ref() }
    }

    /// Its conditions, and what is above it, as they were said.
    pub(crate) fn described(&self) -> (Conditions, Above) {
        let deadline = self.hosted.deadline().unwrap_or(Instant::NEVER).as_nanos();
        (self.conditions.clone(), Above { parent: self.hosted.own_parent(), deadline })
    }

    /// Whether nothing is in it that would have to be dropped, but for what goes by itself when the job is released.
    #[inline]
    pub(super) fn is_bare(&mut self) -> bool {
        matches!(self.conditions.name, Cow::Borrowed(_)) && self.hosted.is_bare() && self.told.is_bare()
    }

    /// The job is where it stays; this is the token that it hosts.
    #[inline]
    pub(super) fn settle_in(&mut self, token: ManuallyDrop<Token>) {
        // The worker's root has no deadline.
        if self.hosted.deadline().is_some() || self.hosted.is_linked() {
            if let Some(deadline) = token.deadline() {
                self.due = AtomicU64::new(deadline.as_nanos());
            }
        }
        self.token = token;
    }

    #[inline]
    pub(crate) fn id(&self) -> JobId {
        JobId::new(self.id.load(Ordering::Relaxed))
    }

    #[inline]
    pub(crate) fn priority(&self) -> Priority {
        self.conditions.priority
    }

    pub(crate) fn name(&self) -> &str {
        &self.conditions.name
    }

    /// The job is accepted under this number.
    #[inline]
    pub(crate) fn accept(&self, id: u64) {
        self.id.store(id, Ordering::Relaxed);
    }

    /// Its token was cancelled: tells whoever has the job.
    pub(crate) fn notice(&self, job: &JobRef) {
        match self.state.load(Ordering::SeqCst) {
            QUEUED => self.desk.reap(job.clone()),
            SETTLED => {}
            _ => self.ring_lane(),
        }
    }

    /// Gives its lane a turn. Harmless when it has left that (L5).
    pub(super) fn ring_lane(&self) {
        self.desk.ring(self.driver.load(Ordering::Relaxed) as usize, self.lane.load(Ordering::Relaxed) as usize);
    }

    /// It has come out of the queue into this lane. From here on whoever cancels it rings that; its token is to be looked at afterwards.
    #[inline]
    pub(crate) fn take(&self, driver: usize, lane: usize) {
        self.driver.store(driver as u32, Ordering::Relaxed);
        self.lane.store(lane as u32, Ordering::Relaxed);
        self.state.swap(TAKEN, Ordering::SeqCst);
    }

    /// The job is about to be polled for the first time.
    pub(crate) fn start(&self, now: Instant) {
        self.started.store(now.as_nanos().saturating_add(1), Ordering::Relaxed);
        self.state.store(RUNNING, Ordering::Release);
    }

    /// The run time-out counts from `now` on (D5).
    pub(crate) fn start_the_clock(&self, now: Instant) {
        let from = if mutant!(RunTimeoutFromSubmit) { self.submitted } else { now };
        if let Some(due) = self.conditions.run.after(from) {
            self.due.store(due.as_nanos().min(self.due.load(Ordering::Relaxed)), Ordering::Relaxed); // D1, D8
        }
    }

    /// It was on its way to be started, and is not.
    pub(crate) fn unstart(&self) {
        self.started.store(0, Ordering::Relaxed);
    }

    /// Where it is.
    pub(crate) fn state(&self) -> JobState {
        Self::station(self.state.load(Ordering::SeqCst))
    }

    const fn station(state: u8) -> JobState {
        match state {
            QUEUED | TAKEN => JobState::Queued,
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

    /// When its queue time-out is due (D5, D8).
    #[inline]
    pub(crate) fn queue_due(&self) -> Option<Instant> {
        if mutant!(QueueTimeoutFromTheStart) { None } else { self.conditions.queued.after(self.submitted) }
    }

    /// For whoever has the body.
    pub(crate) fn count_poll(&self) {
        self.polls.store(self.polls.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    pub(crate) fn polls(&self) -> u64 {
        self.polls.load(Ordering::Relaxed)
    }

    /// From now on its parent tells it of a cancel. If that has happened already, this may be where the token's callbacks run: a panic of theirs is
    /// contained and counted (P4).
    #[inline]
    pub(crate) fn attend(&self) {
        if self.hosted.is_linked() {
            self.desk.books().contain(|| self.hosted.attend());
        }
    }

    /// Nobody is told of a cancel any more.
    #[inline]
    pub(crate) fn dismiss(&self) {
        self.hosted.dismiss();
    }

    /// The call will never be run: gives the body back.
    pub(crate) fn refuse(&self) {
        if self.loan.refuse() == End::Over {
            self.ring_lane();
        }
    }

    /// The closure of the call has ended: its place is free, whenever its lane comes to see that (J7).
    pub(super) fn free_place(&self) {
        self.desk.free_call(self.driver.load(Ordering::Relaxed) as usize);
    }

    /// The thread that has run the call is through with it: gives its lane back.
    pub(super) fn end_lane(&self) {
        self.desk.end_lane(self.driver.load(Ordering::Relaxed) as usize, self.lane.load(Ordering::Relaxed) as usize);
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

    /// Whether somebody is told of what happens to the job.
    pub(crate) const fn is_observed(&self) -> bool {
        self.observed
    }

    /// [`tell`](Self::tell) at the time that it is now.
    #[inline]
    pub(crate) fn tell_now(&self, hook: impl FnOnce(&dyn Observer, &JobInfo)) {
        if self.observed {
            self.tell(self.desk.now(), hook);
        }
    }

    /// [`tell`](Self::tell) at the time at which it was submitted, which is just now: it costs no reading of the clock.
    #[inline]
    pub(crate) fn tell_at_once(&self, hook: impl FnOnce(&dyn Observer, &JobInfo)) {
        self.tell(self.submitted, hook);
    }

    /// Tells the observer, if there is one; a panic of its hook is contained and counted (P4).
    #[inline]
    pub(crate) fn tell(&self, now: Instant, hook: impl FnOnce(&dyn Observer, &JobInfo)) {
        if self.observed {
            self.tell_observer(now, hook);
        }
    }

    #[cold]
    fn tell_observer(&self, now: Instant, hook: impl FnOnce(&dyn Observer, &JobInfo)) {
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

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("id", &self.id()).field("name", &self.name()).finish_non_exhaustive()
    }
}
