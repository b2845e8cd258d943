//! What the host runs: a driver turns its lanes, one poll a step.
//!
//! A driver is stepped, not run. Each step answers what to do next: again, parked until a time, or closed. A call too many does
//! no harm. The order within a step: timers that are due, then in turn a new job for a free lane or a lane that wants a turn; and if nothing else is seen
//! then, it parks in the same step, by the same reading of the clock. What came to be due meanwhile is the alarm's to say.
//!
//! Invariants:
//! 1. A lane is taken from the start of a job until its body is gone; its place is freed before the job settles (J7).
//! 2. Before the driver polls, it passes on what lies in the queue and might have been meant for it (L3).
//! 3. Before it parks, it announces that, and then looks at everything once more (L5, L6).

mod due_lanes;
mod rest;

use crate::sync::Arc;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;
use core::task::{Context, Waker};

use crate::books::Account;
use crate::clockwork::{Clockwork, Due};
use crate::contain::contain;
use crate::driver_port::{DriverPort, LaneBell};
use crate::job::head::Desk;
use crate::job::runner::Runner;
use crate::job::verdict::Verdict;
use crate::lane::{self, Occupant, Turn, admit};
use crate::observer::Kind;
use crate::shared::Shared;
use crate::sync::atomic::Ordering;
use crate::turn::{Current, InStep, InTurn};
use crate::{Instant, JobId, Step};

use due_lanes::DueLanes;

/// One task or thread of the host: some of the worker's lanes, and the timers of the jobs in them.
///
/// Dropping it settles the jobs in its lanes as cancelled by shutdown; when the last driver is dropped, those in the queue
/// too (S6).
pub struct Driver {
    shared: Arc<Shared>,
    port: Arc<DriverPort>,
    index: usize,
    lanes: Box<[Option<Occupant>]>,
    /// A waker for each lane, made when it is needed first.
    wakers: Box<[Option<Waker>]>,
    free: Vec<usize>,
    /// How many lanes calls are in, until it sees that they have ended.
    calls: usize,
    /// When the jobs in the lanes must have a turn.
    due: DueLanes,
    /// Where to look for the next ready lane (L2).
    next: usize,
    /// Whether a new job comes before the lanes in this step; alternates (L2).
    new_first: bool,
    /// Whether it is on the queue's list of idle drivers, or was until somebody took it off to ring it.
    idle: bool,
    /// Whether the lanes were told of the abort.
    aborted: bool,
    left: bool,
}

impl Driver {
    pub(crate) fn new(shared: Arc<Shared>, index: usize, lanes: usize) -> Self {
        let port = shared.drivers[index].clone();
        Self {
            shared,
            port,
            index,
            lanes: (0..lanes).map(|_| None).collect(),
            wakers: (0..lanes).map(|_| None).collect(),
            free: (0..lanes).rev().collect(),
            calls: 0,
            due: DueLanes::new(lanes),
            next: 0,
            new_first: true,
            idle: false,
            aborted: false,
            left: false,
        }
    }

    /// Its number within its worker, from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// One step at the time `now`: at most one poll of one job. Answers what to do next; a step too many does no harm.
    ///
    /// The waker in `cx` is woken when there is something to do before the time in the answer.
    pub fn step(&mut self, cx: &mut Context<'_>, now: Instant) -> Step {
        if self.left {
            return Step::Closed;
        }
        let _here = InStep::enter(self.shared.address());
        self.port.clockwork.begin();
        let now = self.port.clockwork.set_now(now);
        self.fire(now);
        self.notice_abort();
        self.let_go();
        let new_first = mem::replace(&mut self.new_first, false);
        if new_first && self.start_one(now) {
            return self.go_on(cx, now);
        }
        self.new_first = true;
        let from = if mutant!(LowestLaneFirst) { 0 } else { self.next };
        if let Some(lane) = self.port.ready.take_next(from) {
            self.next = lane + 1;
            self.pass_on();
            self.turn(lane, now);
            return self.go_on(cx, now);
        }
        if !new_first && self.start_one(now) {
            return self.go_on(cx, now);
        }
        self.park(cx, now)
    }

    /// Frees the lanes of calls that have ended: their jobs are settled elsewhere, and nobody is polled for that.
    #[inline]
    fn let_go(&mut self) {
        if self.calls != 0 {
            while let Some(lane) = self.port.ended.take_next(0) {
                self.look_at_call(lane);
            }
        }
    }

    fn look_at_call(&mut self, lane: usize) {
        // Whoever ran a call may say so when the lane has come to know, and another job is in it.
        if let Some(occupant) = self.lanes[lane].take_if(|occupant| occupant.has_ended()) {
            self.vacate(lane, occupant);
        }
    }

    /// Whether some lane waits for the driver.
    #[inline]
    fn has_rung_lanes(&self) -> bool {
        !self.port.ready.is_empty() || (self.calls != 0 && !self.port.ended.is_empty())
    }

    /// After the poll of a step: parks, if nothing is seen that there is to do.
    #[inline]
    fn go_on(&mut self, cx: &mut Context<'_>, now: Instant) -> Step {
        let more = self.shared.queue.len() != 0 || self.has_rung_lanes();
        if more { Step::Again } else { self.park(cx, now) }
    }

    /// Wakes the sleepers and the lanes that are due.
    fn fire(&mut self, now: Instant) {
        while let Some(lane) = self.due.pop_due(now) {
            self.port.ready.insert(lane);
        }
        while let Some(due) = self.port.clockwork.pop_due(now) {
            match due {
                Due::Wake(waker) => self.shared.wake(waker),
                Due::Expire(token) => {
                    self.shared.books.contain(|| token.expire_due(now));
                }
            }
        }
    }

    fn notice_abort(&mut self) {
        if !self.aborted && self.shared.aborting.load(Ordering::SeqCst) {
            self.aborted = true;
            for (lane, _) in self.lanes.iter().enumerate().filter(|(_, occupant)| occupant.is_some()) {
                self.port.ready.insert(lane);
            }
        }
    }

    /// Whoever rang this driver for a job may have to wait for the poll that it begins now: so it is not idle any more, and
    /// somebody else is rung for what is there (L3).
    #[inline]
    fn pass_on(&mut self) {
        if mutant!(HeldDriverKeepsItsRing) {
            return;
        }
        // One that is not on the list was rung for nothing.
        if mem::replace(&mut self.idle, false) {
            self.shared.ring_driver(self.shared.queue.withdraw(self.index));
        }
    }

    /// Takes a job from the queue into a free lane, and gives it its first turn. False if there is none, or no lane.
    fn start_one(&mut self, now: Instant) -> bool {
        if self.shared.queue.len() == 0 {
            return false;
        }
        let Some(lane) = self.free.pop() else { return false };
        self.note_taken();
        self.idle = false;
        let Some(runner) = self.shared.attend_to(self.shared.queue.pop(self.index)) else {
            self.free(lane);
            return false;
        };
        runner.head().take(self.index, lane);
        match admit(runner, now) {
            Err((runner, verdict)) => {
                self.free(lane);
                runner.settle(verdict, now, self.account());
            }
            Ok(runner) => self.start(lane, runner, now),
        }
        true
    }

    #[inline]
    fn start(&mut self, lane: usize, runner: Runner, now: Instant) {
        let head = runner.head();
        head.start(now);
        head.tell(&*self.shared, now, |observer, job| observer.started(job));
        self.port.places.enter(lane, runner.job());
        match head.kind {
            Kind::Task => {
                let turn = self.in_turn(lane, now, head.id(), |cx, clockwork| lane::first(runner, now, cx, clockwork));
                self.after(lane, turn, now);
            }
            Kind::Call => {
                let (call, lent) = runner.lend();
                let occupant = Occupant::call(lent);
                self.stay(lane, occupant);
                self.calls += 1;
                self.note_taken();
                self.port.begin_call();
                // A host that panics here has dropped the call, which comes back as refused; so does one that has no thread.
                let offloaded = contain(|| self.shared.host.offload(call));
                drop(offloaded);
            }
        }
    }

    /// Gives the job in `lane` its turn.
    #[inline]
    fn turn(&mut self, lane: usize, now: Instant) {
        let Some(occupant) = self.lanes[lane].take() else { return };
        let turn = self.in_turn(lane, now, occupant.head().id(), |cx, clockwork| occupant.turn(now, cx, clockwork));
        self.after(lane, turn, now);
    }

    /// Runs what may poll the job in `lane`.
    #[inline]
    fn in_turn(
        &mut self,
        lane: usize,
        now: Instant,
        job: JobId,
        turn: impl FnOnce(&mut Context<'_>, &Arc<Clockwork>) -> Turn,
    ) -> Turn {
        let waker = waker_of(&mut self.wakers, &self.port, lane);
        self.shared.watch();
        let _held = self.port.poll_of(lane, now);
        #[cfg(feature = "mutants")]
        let _one = mutant!(LanesShareOneLock).then(crate::mutant::OneLock::take);
        let worker = self.shared.address();
        let _in_turn = InTurn::enter(Current { worker, job: job.get(), in_poll: true });
        turn(&mut Context::from_waker(waker), &self.port.clockwork)
    }

    /// Does what has come of the turn of the job in `lane`.
    #[inline(always)]
    fn after(&mut self, lane: usize, turn: Turn, now: Instant) {
        match turn {
            Turn::Stay(occupant) => self.stay(lane, occupant),
            Turn::Over(runner, verdict) => self.over(lane, runner, verdict, now),
            Turn::Vacant(occupant) => self.vacate(lane, occupant),
        }
    }

    /// The job stays in its lane; its timer is set to when it must have a turn.
    #[inline]
    fn stay(&mut self, lane: usize, occupant: Occupant) {
        self.due.set(lane, occupant.next_due());
        self.lanes[lane] = Some(occupant);
    }

    /// The job is over: first its place is free, then it settles (J7).
    #[inline(always)]
    fn over(&mut self, lane: usize, runner: Runner, verdict: Verdict, now: Instant) {
        if runner.head().kind == Kind::Call {
            // It was never run: a call that was is settled by whoever ran it.
            self.calls -= 1;
            self.port.end_call();
        }
        if mutant!(PlaceFreedAfterTheOutcome) {
            self.port.places.leave(lane);
            runner.settle(verdict, now, self.account());
            self.free(lane);
            return;
        }
        if mutant!(PanicEndsTheLane) {
            self.port.places.leave(lane);
            let panics = self.shared.books.counts().panicked;
            runner.settle(verdict, now, self.account());
            if panics == self.shared.books.counts().panicked {
                self.free(lane);
            }
            return;
        }
        self.free(lane);
        runner.settle(verdict, now, self.account());
    }

    /// The closure has ended, and its job is not the lane's any more. It is let go of only now, since whoever reads the place holds what is there.
    fn vacate(&mut self, lane: usize, occupant: Occupant) {
        self.calls -= 1;
        self.free(lane);
        drop(occupant);
    }

    #[inline(always)]
    fn free(&mut self, lane: usize) {
        self.port.places.leave(lane);
        self.due.clear(lane);
        self.free.push(lane);
        self.note_taken();
    }

    fn note_taken(&self) {
        self.port.take(self.lanes.len() - self.free.len() - self.calls);
    }

    /// The account in which it counts.
    const fn account(&self) -> Account {
        Account::Driver(self.index)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.dropped(self.left);
        self.leave(self.shared.host.now());
    }
}

impl core::fmt::Debug for Driver {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Driver").field("index", &self.index).field("lanes", &self.lanes.len()).finish_non_exhaustive()
    }
}

/// The waker of a lane: made once.
#[inline]
fn waker_of<'a>(wakers: &'a mut [Option<Waker>], port: &Arc<DriverPort>, lane: usize) -> &'a Waker {
    wakers[lane].get_or_insert_with(|| Waker::from(Arc::new(LaneBell { port: port.clone(), lane })))
}
