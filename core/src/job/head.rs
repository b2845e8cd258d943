//! What every job has, whatever it does: its conditions, its token, and the marks of its way through the worker; what can be done with it by its type, and whom it needs.
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
mod way;

use alloc::borrow::Cow;
use core::fmt;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use core::task::{Context, Poll};

use super::conditions::{Above, Conditions, Defaults};
use super::links::Links;
use super::loan::Loan;
use super::told::Told;
use super::verdict::Verdict;
use crate::books::{Account, Books};
use crate::clockwork::Clockwork;
use crate::observer::{JobInfo, Kind, Observer};
use crate::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use crate::sync::{Arc, UnsafeCell};
use crate::token::hosted::{Hooks, Hosted};
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
    pub(crate) links: UnsafeCell<Links<Self>>,
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

/// A counted reference to a job: see `hold`.
#[repr(transparent)]
pub(crate) struct JobRef(pub(super) NonNull<Head>);

// SAFETY: a head is shared between threads; what is in it is immutable, atomic, or guarded. The body is reached only by its runner.
unsafe impl Send for JobRef {}
// SAFETY: as above.
unsafe impl Sync for JobRef {}

/// What can be done with a job, by its type. Laid out as written: a node that a job hosts knows its hooks, which are the first field, and so all of it. All but `begin`, `refuse` and `abandon` are for the one who has the exclusive right to its body.
#[repr(C)]
pub(crate) struct Ops {
    pub(crate) hooks: Hooks,
    pub(crate) kind: Kind,
    /// Polls the body once. `Ready` also for a panic; afterwards the body is gone.
    pub(crate) poll: unsafe fn(&JobRef, &mut Context<'_>, &Arc<Clockwork>) -> Poll<()>,
    /// Drops the body where it lies.
    pub(crate) discard: unsafe fn(&JobRef),
    /// Fixes the outcome.
    pub(crate) settle: unsafe fn(&JobRef, Verdict, Instant, Account),
    /// Settles a call that has begun as abandoned (B3, B4). False if it has not begun, or has ended.
    pub(crate) abandon: unsafe fn(&JobRef, Instant) -> bool,
    /// Runs the closure of a call that is lent, on the thread that it was lent to, and settles the job. True if its lane is to be told.
    pub(crate) begin: unsafe fn(&JobRef) -> bool,
}

/// What a job needs of its worker.
pub(crate) trait Desk: Send + Sync {
    /// Asks the keeper to look at the queued job: its token was cancelled (Q4, X3).
    fn reap(&self, job: JobRef);
    /// Gives this lane of this driver a turn: the token of the job in it was cancelled.
    fn ring(&self, driver: usize, lane: usize);
    /// A call of this driver has ended, and takes no place any more.
    fn free_call(&self, driver: usize);
    /// The call in this lane of this driver has ended, and its thread is through with it.
    fn end_lane(&self, driver: usize, lane: usize);
    /// The host's clock.
    fn now(&self) -> Instant;
    /// A reading of the host's clock that is as old as the step that a driver is in, or as a ring that is not answered yet, where there is one. Cheaper.
    fn recent(&self) -> Instant;
    /// Blocks the calling thread, where the host allows it (C3).
    #[cfg(feature = "std")]
    fn block(&self, wait: &mut dyn FnMut()) -> Result<(), crate::WouldDeadlock>;
    /// The worker's count.
    fn books(&self) -> &Books;
    /// This job is cancelled because its worker shuts down.
    fn cut_off(&self, job: &dyn Fn() -> JobInfo);
    /// The worker is closed, and this job has ended: it waits for nothing any more.
    fn forget(&self, job: JobId);
    /// The worker is closed, and may have come to its end.
    fn ring_keeper(&self);
    /// Who is told.
    fn observer(&self) -> Option<&dyn Observer>;
    /// Tells this worker from others, see [`Current`](crate::turn::Current).
    fn address(&self) -> usize {
        core::ptr::from_ref(self).cast::<()>().addr()
    }
}

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

    /// What there is to know about the job at `now`.
    #[inline]
    pub(crate) fn info(&self, now: Instant) -> JobInfo {
        JobInfo {
            id: self.id(),
            name: match self.conditions.name {
                Cow::Borrowed(name) => Cow::Borrowed(name),
                Cow::Owned(ref name) => copied(name),
            },
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

    /// Tells the observer of its worker, which is `desk`, if there is one; a panic of its hook is contained and counted (P4).
    #[inline]
    pub(crate) fn tell<D: Desk + ?Sized>(&self, desk: &D, now: Instant, hook: impl FnOnce(&dyn Observer, &JobInfo)) {
        if self.observed {
            if let Some(observer) = desk.observer() {
                self.tell_observer(observer, desk.books(), now, hook);
            }
        }
    }

    /// [`tell`](Self::tell) at the time that it is now.
    #[inline]
    pub(crate) fn tell_now<D: Desk + ?Sized>(&self, desk: &D, hook: impl FnOnce(&dyn Observer, &JobInfo)) {
        if self.observed {
            self.tell(desk, desk.now(), hook);
        }
    }

    /// [`tell`](Self::tell) at the time at which it was submitted, which is just now: it costs no reading of the clock.
    #[inline]
    pub(crate) fn tell_at_once<D: Desk + ?Sized>(&self, desk: &D, hook: impl FnOnce(&dyn Observer, &JobInfo)) {
        self.tell(desk, self.submitted, hook);
    }

    /// What is told is made within what contains the hook, so that neither is moved.
    #[cold]
    pub(super) fn tell_observer(
        &self,
        observer: &dyn Observer,
        books: &Books,
        now: Instant,
        hook: impl FnOnce(&dyn Observer, &JobInfo),
    ) {
        let tell = || hook(observer, &self.info(now));
        if mutant!(HookPanicsAreNotContained) {
            tell();
        } else {
            books.contain(tell);
        }
    }
}

/// Apart, as most names are borrowed for ever.
#[cold]
fn copied(name: &str) -> Cow<'static, str> {
    Cow::Owned(name.into())
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("id", &self.id()).field("name", &self.name()).finish_non_exhaustive()
    }
}
