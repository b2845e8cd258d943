//! A call as the host's thread sees it to which it is lent.
#![allow(unsafe_code, reason = "the thread has the stage until it gives it back; the loan says so")]

use core::mem;

use super::super::context::CallContext;
use super::super::head::JobRef;
use super::super::loan::End;
use super::super::verdict::Verdict;
use super::super::work::Work;
use super::{JobCell, Stage};
use crate::Instant;
use crate::books::Account;
use crate::contain::contain;
use crate::turn::{Current, InStep, InTurn};

impl<W: Work> JobCell<W> {
    /// # Safety
    ///
    /// As for `Ops::begin`.
    pub(super) unsafe fn begin(&self, job: &JobRef) -> bool {
        // B2, and D4 by the clock: the lane may not have had its turn since the time was out.
        self.head.expire_running(self.head.desk.now());
        let cancelled = self.head.token.is_cancelled() && !mutant!(CancelledCallBeginsAllTheSame);
        if cancelled || !self.head.loan.begin() {
            self.head.refuse();
            return false;
        }
        let stage = self.stage.get();
        // SAFETY: the loan is BEGUN: this call, which exists once, has the stage; the lane does not touch it until it is returned.
        let work = unsafe { mem::replace(&mut *stage, Stage::Empty) };
        let context = CallContext::new(job.clone());
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
        let now = self.head.desk.now();
        let late = self.head.note_end(now);
        drop((context, in_turn));
        // SAFETY: still lent to this call; the stage is `Empty`.
        unsafe { core::ptr::write(stage, next) };
        let end = self.head.loan.end_of_run();
        // Whoever hears of the end here must not wait for the worker, as on its drivers (C3).
        let _here = InStep::enter(self.head.desk.address());
        if end == End::Over {
            self.head.free_place(); // before anybody hears of it (J7)
            // SAFETY: the loan has ended with this call, so the stage is nobody else's; what the closure returned is in it.
            unsafe { self.settle_run(late, now) };
        } else {
            // What an abandoned call brought is dropped here, where it ran, and counted (B3).
            // SAFETY: an abandoned loan leaves the stage to the call.
            let stage = unsafe { mem::replace(&mut *self.stage.get(), Stage::Empty) };
            match stage {
                Stage::Returned(result) if mutant!(SettlesTwice) => {
                    self.publish_other(self.returned(result, false), false, self.head.desk.now(), Account::Common);
                }
                // Nobody's outcome any more (P4).
                Stage::Broken(panic) => self.head.desk.books().note_panic(panic),
                Stage::Returned(result) => {
                    self.head.desk.books().discard_late();
                    self.drop_quietly(result);
                }
                stage => self.drop_quietly(stage),
            }
            self.head.free_place(); // when nothing of it is left (X2)
            self.head.loan.is_gone();
        }
        true
    }

    /// Settles the job by what its closure returned.
    ///
    /// # Safety
    ///
    /// As for `Ops::settle`, and the closure has run.
    unsafe fn settle_run(&self, late: bool, now: Instant) {
        let mut verdict = Verdict::Returned { late }; // B1
        if mutant!(CancelledCallLosesItsValue) {
            if let Some(cause) = self.head.cause() {
                // SAFETY: promised by the caller.
                unsafe { self.discard() };
                verdict = Verdict::Requested { cause, started: true };
            }
        }
        // SAFETY: promised by the caller.
        unsafe { self.settle(verdict, now, Account::Common) };
    }
}
