//! One job in one allocation: its head, its body and the slot of its outcome.
//!
//! ```text
//!   stage:   Waiting ──poll──► Running ──Ready──► Returned ──settle──► Empty
//!               │                 │ ──panic──► Broken ────settle──► Empty
//!               └────discard──────┴──► Empty, or Broken if a destructor panicked
//! ```
//!
//! Who may touch the stage: whoever holds the one [`Runner`] of the cell. The queue holds it, then a lane (or the keeper,
//! to reap); it cannot be cloned. A lane lends the stage of a call to a thread of the host's and does not touch it until
//! it is returned; `loan` says where it is:
//!
//! ```text
//!   HOME ──lend──► LENT ──closure begins──► BEGUN ──closure ended──► RETURNED (the lane settles)
//!                    │                        └──abandon──► ABANDONED ──closure ended──► GONE (settled long ago; the value is
//!                    │                                                                         dropped where it ran, B3)
//!                    ├──never run──► REFUSED (the lane discards and settles)
//!                    └──withdraw──► WITHDRAWN (cancelled before it began: the lane discards and settles; the host's thread
//!                                              finds nothing to run, B2)
//! ```
#![allow(unsafe_code, reason = "the job's body is polled in place; the Runner is the proof of exclusive access")]

use crate::sync::Arc;
use alloc::boxed::Box;
use alloc::task::Wake;
use alloc::vec::Vec;
use core::cell::UnsafeCell;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::LatePolicy;
use super::context::{CallContext, JobContext};
use super::head::Head;
use super::work::Work;
use crate::contain::{Panic, contain};
use crate::host::{Call, Errand};
use crate::observer::{JobInfo, Settled};
use crate::slot::Slot;
use crate::sync::Lock;
use crate::sync::atomic::{AtomicU8, Ordering};
use crate::turn::{Current, InTurn};
use crate::{Cause, CauseKind, Class, Instant, Outcome, Phase};

/// See the head of the file.
pub(crate) struct JobCell<W: Work> {
    head: Head,
    slot: Slot<Outcome<W::Value, W::Error>>,
    done: Lock<Done>,
    loan: AtomicU8,
    /// Where to go when a loan ends.
    lender: Lock<Option<Waker>>,
    stage: UnsafeCell<Stage<W>>,
}

// SAFETY: every field but `stage` is Sync by itself. The stage is reached only through the one `Runner` or, while it is
// lent, by the one thread that runs the call; both hand it over with Acquire and Release. Its contents are `Send`.
unsafe impl<W: Work> Sync for JobCell<W> {}

enum Stage<W: Work> {
    Waiting(W),
    Running(W::Future),
    Returned(Result<W::Value, W::Error>),
    Broken(Panic),
    Empty,
}

/// Who is to be told when the outcome is fixed.
enum Done {
    Waiting(Vec<Box<dyn FnOnce(Class) + Send>>),
    Told(Class),
}

const HOME: u8 = 0;
const LENT: u8 = 1;
const RETURNED: u8 = 2;
const REFUSED: u8 = 3;
const ABANDONED: u8 = 4;
const GONE: u8 = 5;
const BEGUN: u8 = 6;
const WITHDRAWN: u8 = 7;

/// How a job is to be settled.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    /// By what its body returned; `late` if its time was out before.
    Returned { late: bool },
    /// As what its recorded cause says (D6); its body was discarded.
    Requested { cause: Cause, started: bool },
}

/// A job as the worker sees it.
pub(crate) trait AnyJob: Send + Sync {
    fn head(&self) -> &Head;

    /// # Safety
    ///
    /// Only through the cell's [`Runner`], and not while the stage is lent.
    unsafe fn poll(&self, cx: &mut Context<'_>, context: &mut dyn FnMut() -> JobContext) -> Poll<()>;

    /// # Safety
    ///
    /// As for [`AnyJob::poll`].
    unsafe fn discard(&self);

    /// # Safety
    ///
    /// As for [`AnyJob::poll`].
    unsafe fn settle(&self, verdict: Verdict, now: Instant);

    /// # Safety
    ///
    /// As for [`AnyJob::poll`]; the runner is then not to be used until the loan is back.
    unsafe fn lend(self: Arc<Self>, lender: Waker) -> Call;

    fn loan(&self) -> u8;

    /// Takes the body of a lent call back, if it has not begun (B2). If it did, the caller holds the right to the body again.
    fn withdraw(&self) -> bool;

    /// Settles a call that has begun as abandoned (B3, B4). False if it has not begun, or has ended.
    fn abandon(&self, now: Instant) -> bool;

    /// Calls `callback` when the outcome is fixed, or at once.
    fn on_done(&self, callback: Box<dyn FnOnce(Class) + Send>);
}

/// A job as its handle sees it.
pub(crate) trait Join<T, E>: AnyJob {
    fn slot(&self) -> &Slot<Outcome<T, E>>;
}

impl<W: Work> JobCell<W> {
    /// The only way to make one, so that there is one [`Runner`] for it.
    pub(crate) fn create(head: Head, work: W) -> (Runner, Arc<Self>) {
        let cell = Arc::new(Self {
            head,
            slot: Slot::new(),
            done: Lock::new(Done::Waiting(Vec::new())),
            loan: AtomicU8::new(HOME),
            lender: Lock::new(None),
            stage: UnsafeCell::new(Stage::Waiting(work)),
        });
        (Runner(cell.clone()), cell)
    }

    /// Takes the body back out of a job that was never accepted.
    pub(crate) fn recover(runner: Runner, cell: &Arc<Self>) -> W {
        debug_assert!(core::ptr::addr_eq(Arc::as_ptr(&runner.0), Arc::as_ptr(cell)), "the runner of another job");
        // SAFETY: the runner is consumed here, so nobody else can reach the stage.
        let stage = unsafe { mem::replace(&mut *cell.stage.get(), Stage::Empty) };
        match stage {
            Stage::Waiting(work) => work,
            _ => unreachable!("a job that was never accepted was never started"),
        }
    }

    /// Drops whatever is in the stage, in place, under `contain`, and leaves `Empty` or the panic.
    ///
    /// # Safety
    ///
    /// As for [`AnyJob::poll`].
    unsafe fn clear(&self) -> Result<(), Panic> {
        let stage = self.stage.get();
        // SAFETY: exclusive by contract. The value is dropped where it lies, as a pinned future must be, and exactly once
        // (X2): whether or not its destructor panics, it counts as dropped and is overwritten without another drop.
        unsafe {
            let dropped = contain(|| core::ptr::drop_in_place(stage));
            core::ptr::write(stage, Stage::Empty);
            dropped
        }
    }

    /// Publishes the outcome: books, observer, handle, callbacks, in this order, so that whoever sees the handle ready finds
    /// the others done. Only the first outcome counts (J1).
    fn publish(&self, outcome: Outcome<W::Value, W::Error>, late: bool, now: Instant) {
        let before = self.head.state();
        if !self.head.settle() {
            self.drop_quietly(outcome);
            return;
        }
        self.head.dismiss();
        let class = outcome.class();
        if matches!(class, Class::Cancelled { cause, .. } if cause.kind() == CauseKind::Shutdown) {
            self.head.desk.cut_off(&|| JobInfo { state: before, ..self.head.info(now) });
        }
        let books = self.head.desk.books();
        books.settle(class);
        let started = self.head.started();
        let settled = Settled {
            class,
            queued: started.unwrap_or(now).saturating_since(self.head.submitted()),
            running: started.map_or(core::time::Duration::ZERO, |started| now.saturating_since(started)),
            polls: self.head.polls(),
            late,
        };
        if started.is_some() || !mutant!(UnstartedEndsUntold) {
            self.head.tell(now, |observer, job| observer.settled(job, &settled));
        }
        if mutant!(DrainReturnsBeforeTheLastDestructor) {
            self.head.desk.finished(self.head.id());
        }
        let published = self.slot.publish(outcome);
        if mutant!(DetachedResultsPileUp) {
            mem::forget(published.unread);
        } else {
            self.drop_quietly(published.unread); // X4
        }
        if let Some(reader) = published.reader {
            books.contain(|| reader.wake());
        }
        let callbacks = self.done.with(|done| mem::replace(done, Done::Told(class)));
        if let Done::Waiting(callbacks) = callbacks {
            for callback in callbacks {
                books.contain(|| callback(class));
            }
        }
        if !mutant!(DrainReturnsBeforeTheLastDestructor) {
            self.head.desk.finished(self.head.id());
        }
    }

    fn drop_quietly<T>(&self, value: T) {
        self.head.desk.books().contain(|| drop(value));
    }
}

impl<W: Work> AnyJob for JobCell<W> {
    fn head(&self) -> &Head {
        &self.head
    }

    unsafe fn poll(&self, cx: &mut Context<'_>, context: &mut dyn FnMut() -> JobContext) -> Poll<()> {
        let stage = self.stage.get();
        let polled = contain(|| {
            // SAFETY: exclusive by contract. A future, once in `Running`, is never moved: it leaves only by `clear`.
            unsafe {
                if matches!(*stage, Stage::Waiting(_)) {
                    if let Stage::Waiting(work) = mem::replace(&mut *stage, Stage::Empty) {
                        let future = work.begin(context);
                        core::ptr::write(stage, Stage::Running(future));
                    }
                }
                match &mut *stage {
                    Stage::Running(future) => Pin::new_unchecked(future).poll(cx),
                    _ => unreachable!("a job is polled only until it returns"),
                }
            }
        });
        let next = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            // SAFETY: exclusive by contract.
            Ok(Poll::Ready(result)) => match unsafe { self.clear() } {
                Ok(()) => Stage::Returned(result),
                Err(panic) => {
                    self.drop_quietly(result);
                    Stage::Broken(panic)
                }
            },
            Err(panic) => {
                if mutant!(PanickedTaskIsForgotten) {
                    // SAFETY: exclusive by contract.
                    unsafe { core::ptr::write(stage, Stage::Empty) };
                }
                // SAFETY: exclusive by contract.
                if let Err(second) = unsafe { self.clear() } {
                    // The first panic is the outcome; the second is counted.
                    self.head.desk.books().note_panic(second);
                }
                Stage::Broken(panic)
            }
        };
        // SAFETY: exclusive by contract; the stage is `Empty`, so nothing is overwritten without being dropped.
        unsafe { core::ptr::write(stage, next) };
        Poll::Ready(())
    }

    unsafe fn discard(&self) {
        if mutant!(OutcomeBeforeDrop) {
            return;
        }
        // SAFETY: exclusive by contract.
        if let Err(panic) = unsafe { self.clear() } {
            if mutant!(DestructorPanicStrandsTheHandle) {
                let _ = self.head.settle();
                return;
            }
            // SAFETY: exclusive by contract; the stage is `Empty`.
            unsafe { core::ptr::write(self.stage.get(), Stage::Broken(panic)) }; // P2
        }
    }

    unsafe fn settle(&self, verdict: Verdict, now: Instant) {
        if mutant!(OutcomeBeforeDrop) {
            if let Verdict::Requested { cause, started } = verdict {
                self.publish(requested(cause, started), false, now);
                // SAFETY: exclusive by contract.
                let _ = unsafe { self.clear() };
                return;
            }
        }
        // SAFETY: exclusive by contract. No future is moved: it was discarded, or has returned.
        let stage = unsafe { mem::replace(&mut *self.stage.get(), Stage::Empty) };
        let (outcome, late) = match (stage, verdict) {
            (Stage::Broken(panic), _) => (Outcome::Panicked(panic), false),
            (Stage::Returned(result), Verdict::Returned { late }) => (self.returned(result, late), late),
            (Stage::Empty, Verdict::Requested { .. })
                if mutant!(ClassifiedByTheClock) && self.head.token.deadline().is_some_and(|at| at.is_due(now)) =>
            {
                (Outcome::TimedOut { phase: Phase::Running, late: None }, false)
            }
            (Stage::Empty, Verdict::Requested { cause, started }) => (requested(cause, started), false),
            (Stage::Waiting(_) | Stage::Running(_) | Stage::Returned(_) | Stage::Empty, _) => {
                unreachable!("a job is settled after its body has returned or was discarded")
            }
        };
        self.publish(outcome, late, now);
    }

    unsafe fn lend(self: Arc<Self>, lender: Waker) -> Call {
        self.lender.with(|place| *place = Some(lender));
        self.loan.store(LENT, Ordering::Release);
        Call::new(self)
    }

    fn loan(&self) -> u8 {
        self.loan.load(Ordering::Acquire)
    }

    fn withdraw(&self) -> bool {
        if mutant!(CancelledCallBeginsAllTheSame) {
            return false;
        }
        let won = self.loan.compare_exchange(LENT, WITHDRAWN, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if won {
            let lender = self.lender.with(|place| place.take());
            drop(lender);
        }
        won
    }

    fn abandon(&self, now: Instant) -> bool {
        // One that has not begun is withdrawn instead (B2).
        let won = self.loan.compare_exchange(BEGUN, ABANDONED, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if won {
            self.publish(Outcome::Abandoned, false, now);
        }
        won
    }

    fn on_done(&self, callback: Box<dyn FnOnce(Class) + Send>) {
        let at_once = self.done.with(|done| match done {
            Done::Waiting(callbacks) => {
                callbacks.push(callback);
                None
            }
            Done::Told(class) => Some((callback, *class)),
        });
        if let Some((callback, class)) = at_once {
            callback(class);
        }
    }
}

fn requested<T, E>(cause: Cause, started: bool) -> Outcome<T, E> {
    // D6: the recorded cause decides, never the clock.
    if cause.kind() == CauseKind::Deadline {
        Outcome::TimedOut { phase: if started { Phase::Running } else { Phase::Queued }, late: None }
    } else {
        Outcome::Cancelled { cause, started }
    }
}

impl<W: Work> JobCell<W> {
    fn returned(&self, result: Result<W::Value, W::Error>, late: bool) -> Outcome<W::Value, W::Error> {
        if late && mutant!(LateValueIsLost) {
            self.drop_quietly(result);
            return Outcome::TimedOut { phase: Phase::Running, late: None };
        }
        let policy = if late { self.head.conditions.late } else { LatePolicy::Deliver };
        match (policy, result) {
            (LatePolicy::Deliver, Ok(value)) => Outcome::Completed(value),
            (LatePolicy::Deliver, Err(error)) => Outcome::Failed(error),
            (LatePolicy::Mark, Ok(value)) => Outcome::TimedOut { phase: Phase::Running, late: Some(value) },
            (LatePolicy::Mark | LatePolicy::Discard, result) => {
                self.drop_quietly(result);
                self.head.desk.books().discard_late(); // J9
                Outcome::TimedOut { phase: Phase::Running, late: None }
            }
        }
    }
}

impl<W: Work> Join<W::Value, W::Error> for JobCell<W> {
    fn slot(&self) -> &Slot<Outcome<W::Value, W::Error>> {
        &self.slot
    }
}

/// The call as a host's thread sees it.
impl<W: Work> Errand for JobCell<W> {
    fn run(self: Arc<Self>) {
        // B2, and D4 by the clock: the lane may not have had its turn since the time was out.
        self.head.expire_running(self.head.desk.now());
        let cancelled = self.head.token.is_cancelled() && !mutant!(CancelledCallBeginsAllTheSame);
        if cancelled || self.loan.compare_exchange(LENT, BEGUN, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return self.refuse();
        }
        let stage = self.stage.get();
        // SAFETY: the loan is BEGUN: this call, which exists once, has the stage; the lane does not touch it until it is returned.
        let work = unsafe { mem::replace(&mut *stage, Stage::Empty) };
        let context = CallContext::new(self.clone());
        self.head.count_poll();
        let current = Current { worker: self.head.desk.address(), job: self.head.id().get(), in_poll: false };
        let in_turn = InTurn::enter(current); // S5
        let next = match work {
            Stage::Waiting(work) => match contain(|| work.call(&context)) {
                Ok(result) => Stage::Returned(result),
                Err(panic) => Stage::Broken(panic),
            },
            other => other,
        };
        self.head.note_end(self.head.desk.now());
        drop((context, in_turn));
        // SAFETY: still lent to this call; the stage is `Empty`.
        unsafe { core::ptr::write(stage, next) };
        self.give_back(BEGUN, RETURNED);
    }

    fn refuse(self: Arc<Self>) {
        self.give_back(LENT, REFUSED);
    }
}

impl<W: Work> JobCell<W> {
    /// Ends the loan. What an abandoned call brought is dropped here, where it ran, and counted (B3).
    fn give_back(&self, from: u8, state: u8) {
        if let Err(found) = self.loan.compare_exchange(from, state, Ordering::AcqRel, Ordering::Acquire) {
            if found == WITHDRAWN {
                return; // The lane has the stage.
            }
            debug_assert_eq!(found, ABANDONED, "a loan ends once");
            // SAFETY: an abandoned loan leaves the stage to the call.
            let stage = unsafe { mem::replace(&mut *self.stage.get(), Stage::Empty) };
            match stage {
                Stage::Returned(result) if mutant!(SettlesTwice) => {
                    self.publish(self.returned(result, false), false, self.head.desk.now());
                }
                // Nobody's outcome any more (P4).
                Stage::Broken(panic) => self.head.desk.books().note_panic(panic),
                Stage::Returned(result) => {
                    self.head.desk.books().discard_late();
                    self.drop_quietly(result);
                }
                stage => self.drop_quietly(stage),
            }
            self.loan.store(GONE, Ordering::Release);
        }
        if let Some(lender) = self.lender.with(|place| place.take()) {
            lender.wake();
        }
    }
}

/// The waker of a queued job's token: asks the keeper to reap it. Once the job runs, its lane listens instead.
impl<W: Work> Wake for JobCell<W> {
    fn wake(self: Arc<Self>) {
        self.head.ask_for_reaping();
    }
}

/// The exclusive right to the body of one job. Whoever holds it polls, discards and settles.
pub(crate) struct Runner(Arc<dyn AnyJob>);

impl Runner {
    pub(crate) fn head(&self) -> &Head {
        self.0.head()
    }

    /// The job without the right to its body.
    pub(crate) fn job(&self) -> &Arc<dyn AnyJob> {
        &self.0
    }

    /// Polls the body once; a panic is `Ready`. Afterwards the body is gone and the job is to be settled.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, context: &mut dyn FnMut() -> JobContext) -> Poll<()> {
        self.head().count_poll();
        // SAFETY: this is the one runner, held exclusively; a task is never lent.
        unsafe { self.0.poll(cx, context) }
    }

    /// Drops the body, here and now. A panic of its destructor becomes the outcome (P2).
    pub(crate) fn discard(&mut self) {
        // SAFETY: this is the one runner, held exclusively; while the body is lent there is a `Lent` instead.
        unsafe { self.0.discard() }
    }

    /// Fixes the outcome.
    pub(crate) fn settle(self, verdict: Verdict, now: Instant) {
        // SAFETY: this is the one runner, held exclusively; while the body is lent there is a `Lent` instead.
        unsafe { self.0.settle(verdict, now) }
    }

    /// Lends the body of a call to a thread of the host's; `lender` is woken when it comes back.
    pub(crate) fn lend(self, lender: Waker) -> (Call, Lent) {
        // SAFETY: this is the one runner; it comes back only when the loan is over.
        let call = unsafe { self.0.clone().lend(lender) };
        (call, Lent(self.0))
    }
}

/// A [`Runner`] whose body is lent.
pub(crate) struct Lent(Arc<dyn AnyJob>);

/// What became of a loan.
pub(crate) enum Loan {
    /// Not back yet.
    Out(Lent),
    /// The closure has ended: the job is to be settled by what it returned.
    Back(Runner),
    /// The closure was never run: the job is to be discarded.
    Refused(Runner),
    /// The job was abandoned, and its closure has ended: nothing is left to do.
    Over,
}

impl Lent {
    pub(crate) fn head(&self) -> &Head {
        self.0.head()
    }

    /// Looks whether the loan is over.
    pub(crate) fn ask(self) -> Loan {
        match self.0.loan() {
            RETURNED => Loan::Back(Runner(self.0)),
            REFUSED => Loan::Refused(Runner(self.0)),
            GONE => Loan::Over,
            _ => Loan::Out(self),
        }
    }

    /// Takes the body back, if the call has not begun.
    pub(crate) fn withdraw(self) -> Result<Runner, Self> {
        if self.0.withdraw() { Ok(Runner(self.0)) } else { Err(self) }
    }

    /// Leaves the call to itself. See [`AnyJob::abandon`].
    pub(crate) fn abandon(&self, now: Instant) -> bool {
        self.0.abandon(now)
    }
}
