//! The worker's own attendant, never occupied by a job: it reaps cancelled queued jobs, keeps the deadlines of queued jobs and
//! of watched tokens, looks after drivers that are held up, and drives shutdown.

use crate::sync::Arc;
use core::mem;
use core::task::Context;

use crate::ending::Mode;
use crate::job::head::Desk;
use crate::shared::Shared;
use crate::sync::atomic::Ordering;
use crate::turn::InStep;
use crate::watchdog::Watchdog;
use crate::wind_down::WindDown;
use crate::{Cause, Instant, Step};

/// See the head of the file. Dropping it before the worker is shut down aborts the worker (S6).
pub struct Keeper {
    shared: Arc<Shared>,
    watchdog: Watchdog,
    wind_down: WindDown,
    left: bool,
}

impl Keeper {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let (watchdog, wind_down) = (Watchdog::new(&shared), WindDown::new(&shared));
        Self { shared, watchdog, wind_down, left: false }
    }

    /// One step at the time `now`: at most one job is dropped and settled. Answers as [`Driver::step`](crate::Driver::step) does.
    pub fn step(&mut self, cx: &mut Context<'_>, now: Instant) -> Step {
        if self.left {
            return Step::Closed;
        }
        let _here = InStep::enter(self.shared.address());
        self.shared.keeper.port.begin();
        if self.reap(now) || self.expire(now) {
            return Step::Again;
        }
        if self.wind_down.step(&self.shared, now) {
            return Step::Again;
        }
        self.watchdog.look(&self.shared, now);
        self.park(cx, now)
    }

    /// Drops and settles one job that was evicted, or cancelled in the queue (Q4, Q5, X3).
    fn reap(&self, now: Instant) -> bool {
        let evicted = self.shared.keeper.evicted.with(|list| list.pop_front());
        if let Some(runner) = evicted {
            if !mutant!(EvictedJobVanishes) {
                self.shared.settle_unstarted(runner, Cause::EVICTED, now);
            }
            return true;
        }
        let job = self.shared.keeper.reap.with(|list| list.pop_front());
        if let Some(job) = &job {
            if let Some(runner) = self.shared.attend_to(self.shared.queue.remove(job)) {
                self.shared.settle_unstarted(runner, Cause::REQUESTED, now);
            }
        }
        job.is_some()
    }

    /// Settles one queued job, or cancels one watched token, whose time is out (Q7, D2).
    fn expire(&self, now: Instant) -> bool {
        if !mutant!(QueueTimeoutWaitsForALane) {
            if let Some(runner) = self.shared.attend_to(self.shared.queue.pop_due(now)) {
                runner.head().expire(now);
                self.shared.settle_unstarted(runner, Cause::DEADLINE, now);
                return true;
            }
        }
        let token = self.shared.keeper.watched.with(|watched| watched.pop_due(now));
        if let Some((_, token)) = &token {
            self.shared.books.contain(|| token.expire_due(now));
        }
        token.is_some()
    }

    fn park(&mut self, cx: &mut Context<'_>, now: Instant) -> Step {
        let shared = self.shared.clone();
        let keeper = &shared.keeper;
        keeper.port.park(cx.waker());
        let more = keeper.reap.with(|list| !list.is_empty()) || keeper.evicted.with(|list| !list.is_empty());
        if more {
            return Step::Again;
        }
        let drivers_gone = shared.drivers_left.load(Ordering::SeqCst) == 0;
        if drivers_gone || shared.ending.mode() == Mode::Over {
            // The last job may have ended, and its driver left, since the last look: then that is the end (S2).
            if self.wind_down.step(&shared, now) {
                return Step::Again;
            }
            self.leave(now);
            return Step::Closed;
        }
        let limit = self.wind_down.next_at(&shared);
        let watched = keeper.watched.with(|watched| watched.next_at());
        let queued = if mutant!(QueueTimeoutWaitsForALane) { None } else { shared.queue.next_due() };
        let until = [limit, watched, queued, self.watchdog.next_at()].into_iter().flatten().min();
        if until.is_some_and(|at| at.is_due(now)) || !keeper.port.settle_down(until) {
            return Step::Again;
        }
        Step::Parked(until)
    }

    /// Leaves for good. Without it nothing would be reaped or kept, so the worker goes too (S6).
    fn leave(&mut self, now: Instant) {
        if mem::replace(&mut self.left, true) {
            return;
        }
        let _here = InStep::enter(self.shared.address());
        self.shared.keeper.port.leave();
        if self.shared.ending.mode() != Mode::Over {
            // Closed, and all are done and have left by themselves: that is the end too, and no reason to cancel anything (S2).
            let done = self.shared.books.unfinished() == 0 && !self.shared.host_went.load(Ordering::SeqCst);
            if done { self.shared.close() } else { self.shared.begin_abort(now) }
        }
        self.shared.settle_queue(now);
        // Settled, and so nobody's to reap; a job on the list would hold the worker, and the worker the list. What comes from now on is
        // taken off by whoever puts it there: see `Desk::reap`.
        drop(self.shared.keeper.reap.with(mem::take));
        self.shared.depart();
        self.shared.keeper.port.done();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.shared.dropped(self.left);
        self.leave(self.shared.host.now());
    }
}

impl core::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}
