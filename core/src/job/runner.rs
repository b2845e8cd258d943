//! The exclusive right to the body of a job, and what becomes of it while the body is lent.
#![allow(unsafe_code, reason = "the runner is the proof of exclusive access that the job's functions ask for")]

use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use core::task::{Context, Poll};

use super::head::Head;
use super::hold::JobRef;
use super::loan::State;
use crate::books::Account;
use crate::clockwork::Clockwork;
use crate::host::Call;
use crate::sync::Arc;
use crate::{Cause, Instant};

/// How a job is to be settled.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    /// By what its body returned; `late` if its time was out before.
    Returned { late: bool },
    /// As what its recorded cause says (D6); its body was discarded.
    Requested { cause: Cause, started: bool },
}

/// The exclusive right to the body of one job. Whoever holds it polls, discards and settles.
pub(crate) struct Runner(JobRef);

impl Runner {
    /// # Safety
    ///
    /// There is no other runner of this job, and its body is not lent.
    pub(super) unsafe fn new(job: JobRef) -> Self {
        Self(job)
    }

    /// # Safety
    ///
    /// The address is one that [`into_address`](Self::into_address) gave, and has not come back yet.
    pub(crate) unsafe fn from_address(job: NonNull<Head>) -> Self {
        // SAFETY: promised by the caller; the count that was given up goes to this one.
        Self(unsafe { JobRef::from_address(job) })
    }

    /// The right to the body as an address, with a count of the job.
    pub(crate) fn into_address(self) -> NonNull<Head> {
        ManuallyDrop::new(self.0).address()
    }

    #[inline]
    pub(crate) fn head(&self) -> &Head {
        &self.0
    }

    /// The job without the right to its body.
    pub(crate) const fn job(&self) -> &JobRef {
        &self.0
    }

    /// Polls the body once; a panic is `Ready`. Afterwards the body is gone and the job is to be settled.
    #[inline]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, clockwork: &Arc<Clockwork>) -> Poll<()> {
        self.0.count_poll();
        // SAFETY: this is the one runner, held exclusively; a task is never lent.
        unsafe { (self.0.ops().poll)(&self.0, cx, clockwork) }
    }

    /// Drops the body, here and now. A panic of its destructor becomes the outcome (P2).
    pub(crate) fn discard(&mut self) {
        // SAFETY: this is the one runner, held exclusively; while the body is lent there is a `Lent` instead.
        unsafe { (self.0.ops().discard)(&self.0) }
    }

    /// Fixes the outcome.
    #[inline]
    pub(crate) fn settle(self, verdict: Verdict, now: Instant, account: Account) {
        // SAFETY: this is the one runner, held exclusively; while the body is lent there is a `Lent` instead.
        unsafe { (self.0.ops().settle)(&self.0, verdict, now, account) }
    }

    /// Lends the body of a call to a thread of the host's; the job's lane is given a turn when it is over.
    pub(crate) fn lend(self) -> (Call, Lent) {
        // SAFETY: this is the one runner; it comes back only when the loan is over.
        let call = unsafe { self.0.lend() };
        (call, Lent(self.0))
    }
}

/// A [`Runner`] whose body is lent.
pub(crate) struct Lent(JobRef);

/// What became of a loan.
pub(crate) enum Loan {
    /// Not back yet.
    Out(Lent),
    /// The closure was never run: the job is to be discarded.
    Refused(Runner),
    /// The closure has ended, and the job is settled by whoever ran it, or was abandoned: nothing is left to do but to let go of it.
    Over(Lent),
}

impl Lent {
    pub(crate) fn head(&self) -> &Head {
        &self.0
    }

    /// Looks whether the loan is over.
    pub(crate) fn ask(self) -> Loan {
        match self.0.loan.state() {
            State::Refused => Loan::Refused(Runner(self.0)),
            State::Gone => Loan::Over(self),
            State::Out => Loan::Out(self),
        }
    }

    /// Whether the closure has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.0.loan.state() == State::Gone
    }

    /// Takes the body back, if the call has not begun (B2).
    pub(crate) fn withdraw(self) -> Result<Runner, Self> {
        if self.0.loan.withdraw() { Ok(Runner(self.0)) } else { Err(self) }
    }

    /// Leaves the call to itself. False if it has not begun, or has ended.
    pub(crate) fn abandon(&self, now: Instant) -> bool {
        self.0.abandon(now)
    }
}
