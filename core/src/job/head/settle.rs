//! How the outcome of a job is fixed, and what is done about that whatever the type of the job.

use core::time::Duration;

use super::{Head, SETTLED};
use crate::books::{Account, Books};
use crate::observer::{JobInfo, Kind, Settled};
use crate::sync::atomic::Ordering;
use crate::{Cause, CauseKind, Class, Instant, Phase};

const COMPLETED: u8 = 1;
const FAILED: u8 = 2;
const UNSTARTED: u8 = 3;
const CANCELLED: u8 = 4;
const LATE_QUEUED: u8 = 5;
const LATE_RUNNING: u8 = 6;
const PANICKED: u8 = 7;
const ABANDONED: u8 = 8;

impl Head {
    /// The one transition that fixes the outcome: true for the first caller, and for nobody else (J1).
    #[inline]
    pub(crate) fn fix(&self) -> bool {
        if self.kind == Kind::Task && !mutant!(SettlesTwice) {
            // Its runner is the only one who can.
            debug_assert_ne!(self.state.load(Ordering::Relaxed), SETTLED, "a task settles once");
            self.state.store(SETTLED, Ordering::Release);
            return true;
        }
        self.state.swap(SETTLED, Ordering::SeqCst) != SETTLED || mutant!(SettlesTwice)
    }

    /// Fixes the outcome, then books it and tells the observer. False if it was fixed before.
    #[inline(always)]
    pub(crate) fn settle(&self, class: &Class, late: bool, now: Instant, books: &Books, account: Account) -> bool {
        let before = self.state.load(Ordering::Relaxed);
        if !self.fix() {
            return false;
        }
        self.dismiss();
        self.ended.store(code(class), Ordering::Relaxed);
        if matches!(class, Class::Cancelled { cause, .. } if cause.kind() == CauseKind::Shutdown) {
            self.desk.cut_off(&|| JobInfo { state: Self::station(before), ..self.info(now) });
        }
        books.settle(class, account);
        if self.is_observed() {
            self.tell_end(*class, late, now, books);
        }
        true
    }

    #[cold]
    fn tell_end(&self, class: Class, late: bool, now: Instant, books: &Books) {
        let started = self.started();
        if started.is_none() && mutant!(UnstartedEndsUntold) {
            return;
        }
        let Some(observer) = self.desk.observer() else { return };
        self.tell_observer(observer, books, now, |observer, job| {
            let settled = Settled {
                class,
                queued: started.unwrap_or(now).saturating_since(self.submitted()),
                running: started.map_or(Duration::ZERO, |started| now.saturating_since(started)),
                polls: self.polls(),
                late,
            };
            observer.settled(job, &settled);
        });
    }

    /// Of what class its outcome is. To be asked when that was published. The cause is its token's (D6).
    pub(crate) fn class(&self) -> Class {
        let cancelled = |started| Class::Cancelled { cause: self.token.cause().unwrap_or(Cause::REQUESTED), started };
        match self.ended.load(Ordering::Relaxed) {
            COMPLETED => Class::Completed,
            FAILED => Class::Failed,
            UNSTARTED => cancelled(false),
            CANCELLED => cancelled(true),
            LATE_QUEUED => Class::TimedOut(Phase::Queued),
            LATE_RUNNING => Class::TimedOut(Phase::Running),
            PANICKED => Class::Panicked,
            _ => Class::Abandoned,
        }
    }

    /// Everything that belonged to it is gone.
    #[inline]
    pub(crate) fn finish(&self, books: &Books, account: Account) {
        if books.is_closed() {
            self.desk.forget(self.id());
        }
        books.finish(account);
        if books.is_closed() {
            self.desk.ring_keeper();
        }
    }
}

#[inline]
const fn code(class: &Class) -> u8 {
    match class {
        Class::Completed => COMPLETED,
        Class::Failed => FAILED,
        Class::Cancelled { started: false, .. } => UNSTARTED,
        Class::Cancelled { started: true, .. } => CANCELLED,
        Class::TimedOut(Phase::Queued) => LATE_QUEUED,
        Class::TimedOut(Phase::Running) => LATE_RUNNING,
        Class::Panicked => PANICKED,
        Class::Abandoned => ABANDONED,
    }
}
