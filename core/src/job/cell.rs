//! One job in one allocation: its head, the slot of its outcome and its body.
//!
//! ```text
//!   stage:   Waiting ──poll──► Running ──Ready──► Returned ──settle──► Empty
//!               │                 │ ──panic──► Broken ────settle──► Empty
//!               └────discard──────┴──► Empty, or Broken if a destructor panicked
//! ```
//!
//! Who may touch the stage: whoever holds the one [`Runner`] of the cell. The queue holds it, then a lane (or the keeper,
//! to reap); it cannot be cloned. A lane lends the stage of a call to a thread of the host's and does not touch it until
//! it is returned; [`loan`](super::loan) says where it is.
#![allow(unsafe_code, reason = "the job's body is polled in place; the Runner is the proof of exclusive access")]

mod call;

use core::alloc::Layout;
use core::cell::UnsafeCell;
use core::mem::{self, ManuallyDrop};
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};

use super::LatePolicy;
use super::context::JobContext;
use super::head::Head;
use super::hold::{JobRef, Ops, hooks};
use super::runner::{Runner, Verdict};
use super::work::Work;
use crate::books::{Account, Books};
use crate::clockwork::Clockwork;
use crate::contain::{Panic, contain};
use crate::slot::{Published, Slot};
use crate::stock;
use crate::sync::Arc;
use crate::token::hosted::Hosted;
use crate::{Cause, CauseKind, Class, Instant, Outcome, Phase};

/// See the head of the file.
#[repr(C)]
pub(crate) struct JobCell<W: Work> {
    /// First, so that its address is the cell's.
    head: Head,
    slot: Slot<Fixed<W>>,
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

/// How a job ended, by the type of its body.
type Fixed<W> = Outcome<<W as Work>::Value, <W as Work>::Error>;

/// The reader's end of a job's slot. Good for as long as the job is held.
pub(crate) type Exit<T, E> = NonNull<Slot<Outcome<T, E>>>;

/// The cell of a job whose type is `W`.
///
/// # Safety
///
/// It is the job of a table that was made for `W`.
unsafe fn cell<W: Work>(job: &JobRef) -> &JobCell<W> {
    // SAFETY: promised by the caller; `job` holds it.
    unsafe { job.address().cast::<JobCell<W>>().as_ref() }
}

impl<W: Work> JobCell<W> {
    /// What can be done with a job of this type.
    pub(crate) const OPS: Ops = Ops {
        hooks: hooks(Self::release),
        kind: W::KIND,
        // SAFETY: the table is that of `W`; the caller promises what `Ops` asks for.
        poll: |job, cx, clockwork| unsafe { cell::<W>(job).poll(job, cx, clockwork) },
        // SAFETY: the table is that of `W`; the caller promises what `Ops` asks for.
        discard: |job| unsafe { cell::<W>(job).discard() },
        // SAFETY: the table is that of `W`; the caller promises what `Ops` asks for.
        settle: |job, verdict, now, account| unsafe { cell::<W>(job).settle(verdict, now, account) },
        // SAFETY: the table is that of `W`; the caller promises what `Ops` asks for.
        abandon: |job, now| unsafe { cell::<W>(job).abandon(now) },
        // SAFETY: the table is that of `W`; the caller promises what `Ops` asks for.
        begin: |job| unsafe { cell::<W>(job).begin(job) },
    };

    /// The only way to make one, so that there is one [`Runner`] for it. Gives a second reference, and where its outcome comes.
    ///
    /// # Safety
    ///
    /// `write_head` writes the head of a job to where it is told to, made with the table of `W`.
    #[inline(always)]
    pub(crate) unsafe fn create(
        write_head: impl FnOnce(NonNull<Head>),
        work: W,
    ) -> (Runner, JobRef, Exit<W::Value, W::Error>) {
        let cell = stock::take(Layout::new::<Self>()).cast::<Self>();
        write_head(cell.cast());
        let head = cell.cast::<Head>();
        // SAFETY: memory for a cell, and nobody else's; its head, which is its first field, was written.
        unsafe {
            (&raw mut (*cell.as_ptr()).slot).write(Slot::new());
            (&raw mut (*cell.as_ptr()).stage).write(UnsafeCell::new(Stage::Waiting(work)));
        }
        // SAFETY: just made, and nobody else knows its address; it stays there until it is released. Its two counts go to the two references.
        unsafe {
            Hosted::settle_in(head.cast(), 2);
            (*head.as_ptr()).settle_in(Hosted::token(head.cast()));
            let exit = NonNull::new_unchecked(&raw mut (*cell.as_ptr()).slot);
            let job = JobRef::from_address(head);
            let runner = Runner::new(JobRef::from_address(head));
            (runner, job, exit)
        }
    }

    /// Takes the body back out of a job that was never accepted.
    ///
    /// # Safety
    ///
    /// The runner is that of a job of this type.
    pub(crate) unsafe fn recover(runner: Runner) -> W {
        // SAFETY: the runner is consumed here, so nobody else can reach the stage.
        let stage = unsafe { mem::replace(&mut *cell::<W>(runner.job()).stage.get(), Stage::Empty) };
        match stage {
            Stage::Waiting(work) => work,
            _ => unreachable!("a job that was never accepted was never started"),
        }
    }

    /// Nobody holds the job any more. Whatever is left in it is others': an outcome that nobody read, a name, callbacks that were never called. A panic of
    /// theirs is nobody's outcome (P4).
    unsafe fn release(host: NonNull<Hosted>) {
        let cell = host.cast::<Self>();
        // SAFETY: the last who had it, so all of it is ours. The desk is taken out and not dropped with the rest.
        unsafe {
            let desk = ManuallyDrop::take(&mut (*cell.as_ptr()).head.desk);
            if !(*cell.as_ptr()).is_bare() {
                desk.books().contain(|| core::ptr::drop_in_place(cell.as_ptr()));
            }
            let kept = (*cell.as_ptr()).slot.was_read();
            // Its memory, and nothing in it.
            if kept {
                stock::give(cell.cast(), Layout::new::<Self>());
            } else {
                stock::free(cell.cast(), Layout::new::<Self>()); // X4
            }
            drop(desk);
        }
    }

    /// Whether nothing is left in it that would have to be dropped: the usual case.
    fn is_bare(&mut self) -> bool {
        let empty = matches!(self.stage.get_mut(), Stage::Empty);
        empty && self.slot.is_bare() && self.head.is_bare()
    }

    /// Drops whatever is in the stage, in place, under `contain`, and leaves `Empty` or the panic.
    ///
    /// # Safety
    ///
    /// As for [`Ops::poll`].
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
    #[inline(always)]
    fn publish(&self, outcome: Fixed<W>, class: &Class, late: bool, now: Instant, account: Account) {
        let books = self.head.desk.books();
        if !self.head.settle(class, late, now, books, account) {
            self.drop_quietly(outcome);
            return;
        }
        if mutant!(DrainReturnsBeforeTheLastDestructor) {
            self.head.finish(books, account);
        }
        if mutant!(SettlesTwice) && self.slot.is_full() {
            self.drop_quietly(outcome);
            self.tell(class, books);
        } else {
            // SAFETY: whoever settles the head publishes, and that is one.
            let published = unsafe { self.slot.publish(outcome) };
            if !published.is_all() {
                // SAFETY: it was just published here.
                unsafe { self.pass_on(published, class, books) };
            }
        }
        if !mutant!(DrainReturnsBeforeTheLastDestructor) {
            self.head.finish(books, account);
        }
    }

    /// [`publish`](Self::publish), in the cases that are not the usual ones.
    #[inline(never)]
    fn publish_other(&self, outcome: Fixed<W>, late: bool, now: Instant, account: Account) {
        let class = outcome.class();
        self.publish(outcome, &class, late, now, account);
    }

    /// [`publish`](Self::publish), where the job was asked to stop.
    #[inline(never)]
    fn publish_requested(&self, cause: Cause, started: bool, now: Instant, account: Account) {
        let outcome = requested(cause, started);
        let class = outcome.class();
        self.publish(outcome, &class, false, now, account);
    }

    /// Drops what nobody will read, wakes who waits for it, calls who asked.
    ///
    /// # Safety
    ///
    /// The outcome was just published with this result.
    unsafe fn pass_on(&self, published: Published, class: &Class, books: &Books) {
        // SAFETY: promised by the caller, who is the publisher.
        let (unread, reader) = unsafe { (self.slot.unread(published), self.slot.reader(published)) };
        if mutant!(DetachedResultsPileUp) {
            mem::forget(unread);
        } else if unread.is_some() {
            self.drop_quietly(unread); // X4
        }
        if let Some(reader) = reader {
            books.contain(|| reader.wake());
        }
        if published.is_asked() {
            self.tell(class, books);
        }
    }

    fn tell(&self, class: &Class, books: &Books) {
        for callback in self.head.told.take() {
            books.contain(|| callback(*class));
        }
    }

    fn drop_quietly<T>(&self, value: T) {
        self.head.desk.books().contain(|| drop(value));
    }

    /// # Safety
    ///
    /// As for [`Ops::poll`].
    unsafe fn poll(&self, job: &JobRef, cx: &mut Context<'_>, clockwork: &Arc<Clockwork>) -> Poll<()> {
        let stage = self.stage.get();
        // Outside of what is contained, so that it is not dropped by a panic of the destructor that comes after it.
        let mut result = None;
        let polled = contain(|| {
            // SAFETY: exclusive by contract. A future, once in `Running`, is never moved: it is dropped where it lies, here or by `clear`.
            unsafe {
                if matches!(*stage, Stage::Waiting(_)) {
                    if let Stage::Waiting(work) = mem::replace(&mut *stage, Stage::Empty) {
                        let future = work.begin(|| JobContext::new(job.clone(), clockwork.clone()));
                        core::ptr::write(stage, Stage::Running(future));
                    }
                }
                match &mut *stage {
                    Stage::Running(future) => match Pin::new_unchecked(future).poll(cx) {
                        Poll::Pending => return,
                        Poll::Ready(value) => result = Some(value),
                    },
                    _ => unreachable!("a job is polled only until it returns"),
                }
                core::ptr::drop_in_place(stage);
            }
        });
        let next = match (polled, result) {
            (Ok(()), None) => return Poll::Pending,
            (Ok(()), Some(result)) => Stage::Returned(result),
            (Err(panic), Some(result)) => {
                self.drop_quietly(result);
                Stage::Broken(panic)
            }
            (Err(panic), None) => {
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
        // SAFETY: exclusive by contract. What was in the stage counts as dropped, whether or not its destructor has panicked (X2).
        unsafe { core::ptr::write(stage, next) };
        Poll::Ready(())
    }

    /// # Safety
    ///
    /// As for [`Ops::poll`].
    unsafe fn discard(&self) {
        if mutant!(OutcomeBeforeDrop) {
            return;
        }
        // SAFETY: exclusive by contract.
        if let Err(panic) = unsafe { self.clear() } {
            if mutant!(DestructorPanicStrandsTheHandle) {
                let _ = self.head.fix();
                return;
            }
            // SAFETY: exclusive by contract; the stage is `Empty`.
            unsafe { core::ptr::write(self.stage.get(), Stage::Broken(panic)) }; // P2
        }
    }

    /// # Safety
    ///
    /// As for [`Ops::poll`].
    unsafe fn settle(&self, verdict: Verdict, now: Instant, account: Account) {
        if mutant!(OutcomeBeforeDrop) {
            if let Verdict::Requested { cause, started } = verdict {
                self.publish_other(requested(cause, started), false, now, account);
                // SAFETY: exclusive by contract.
                let _ = unsafe { self.clear() };
                return;
            }
        }
        let stage = self.stage.get();
        // SAFETY: exclusive by contract. No future is moved: it was discarded, or has returned.
        let stage = unsafe { mem::replace(&mut *stage, Stage::Empty) };
        let (outcome, late) = match (stage, verdict) {
            (Stage::Returned(Ok(value)), Verdict::Returned { late: false }) => {
                // The usual case.
                return self.publish(Outcome::Completed(value), &Class::Completed, false, now, account);
            }
            (Stage::Broken(panic), _) => (Outcome::Panicked(panic), false),
            (Stage::Returned(result), Verdict::Returned { late }) => (self.returned(result, late), late),
            (Stage::Empty, Verdict::Requested { .. })
                if mutant!(ClassifiedByTheClock) && self.head.token.deadline().is_some_and(|at| at.is_due(now)) =>
            {
                (Outcome::TimedOut { phase: Phase::Running, late: None }, false)
            }
            (Stage::Empty, Verdict::Requested { cause, started }) => {
                return self.publish_requested(cause, started, now, account);
            }
            (Stage::Waiting(_) | Stage::Running(_) | Stage::Returned(_) | Stage::Empty, _) => {
                unreachable!("a job is settled after its body has returned or was discarded")
            }
        };
        self.publish_other(outcome, late, now, account);
    }

    fn abandon(&self, now: Instant) -> bool {
        let won = self.head.loan.abandon();
        if won {
            self.publish_other(Outcome::Abandoned, false, now, Account::Common);
        }
        won
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
    fn returned(&self, result: Result<W::Value, W::Error>, late: bool) -> Fixed<W> {
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
