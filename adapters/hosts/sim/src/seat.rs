//! The seat: the one thread that gives the turns, and moves the clock when there is no turn to give.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use countermand_core::Instant;

use crate::place::{Place, Role};
use crate::stalled::{self, StallKind, Stalled};
use crate::standing::Standing;
use crate::world::{Kind, Payload, State, TaskFuture, World, nanos, wake_all};

/// How far to drive.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// Until the future of `block_on` is ready.
    Root,
    /// Until nobody is ready.
    Idle,
    /// Until nobody is ready at this time, and the clock shows it.
    Until(Instant),
}

/// What to do next.
enum Next {
    Root(Waker),
    Task(u64, TaskFuture, Waker),
    Call(u64),
    /// The alarms that are due; perhaps none.
    Wake(Vec<Waker>),
    Panic(Payload),
    Done,
    Stalled(Stalled),
}

/// The right to drive, held by one thread at a time.
pub(crate) struct Seat<'w> {
    world: &'w Arc<World>,
    _place: Place,
}

impl<'w> Seat<'w> {
    /// Takes the seat.
    ///
    /// # Panics
    ///
    /// If it is taken: by this thread, further up its stack, or by another.
    pub(crate) fn take(world: &'w Arc<World>) -> Self {
        let here = thread::current().id();
        let taken = {
            let mut state = world.lock();
            let taken = state.seat;
            if taken.is_none() {
                state.seat = Some(here);
                state.home = here;
            }
            taken
        };
        match taken {
            None => Self { world, _place: Place::take(world, Role::Seat) },
            Some(by) if by == here => panic!("a task of a sim cannot drive the same sim; await the future instead"),
            Some(_) => panic!("another thread drives this sim at the moment; spawn the future instead"),
        }
    }

    /// Drives. `root` polls the future of `block_on` and tells whether it is done.
    ///
    /// # Errors
    ///
    /// Where the goal is [`Goal::Root`] and cannot be reached, or the limit of turns is.
    ///
    /// # Panics
    ///
    /// With what a task, a call or `root` panicked with.
    pub(crate) fn drive(&self, goal: Goal, mut root: impl FnMut(&mut Context<'_>) -> bool) -> Result<u64, Stalled> {
        let started = self.world.lock().trace.turns();
        loop {
            match self.next(goal, started) {
                Next::Root(waker) => {
                    if root(&mut Context::from_waker(&waker)) {
                        break;
                    }
                }
                Next::Task(id, future, waker) => self.poll(id, future, &waker),
                Next::Call(id) => self.hand_over(id),
                Next::Wake(due) => wake_all(due),
                Next::Panic(payload) => panic::resume_unwind(payload),
                Next::Done => break,
                Next::Stalled(stalled) => return Err(stalled),
            }
        }
        Ok(self.world.lock().trace.turns() - started)
    }

    fn next(&self, goal: Goal, started: u64) -> Next {
        let mut state = self.world.lock();
        // How long it was waited, in real time, for those outside.
        let mut waited = Duration::ZERO;
        loop {
            if let Some(payload) = state.panic.take() {
                return Next::Panic(payload);
            }
            if !state.ready.is_empty() && state.trace.turns() - started >= state.settings.turn_limit {
                let turns = state.settings.turn_limit;
                return Next::Stalled(Stalled::new(StallKind::Endless { turns }, self.world, &state));
            }
            if let Some(next) = self.pick(&mut state) {
                return next;
            }
            let linger = state.settings.patience / 50;
            if state.away > 0 && waited < linger {
                (state, waited) = self.doze(state, linger);
                continue;
            }
            let alarm = state.timers.next();
            let jump = match goal {
                Goal::Idle => return Next::Done,
                Goal::Until(end) => match alarm {
                    Some(at) if at <= end => Some(at),
                    _ if self.world.now() < end => Some(end),
                    _ => return Next::Done,
                },
                Goal::Root => alarm.filter(|_| state.settings.auto_advance),
            };
            if let Some(to) = jump {
                return Next::Wake(self.world.move_clock(&mut state, to));
            }
            let patience = state.settings.patience;
            if state.away > 0 && waited < patience {
                (state, waited) = self.doze(state, patience);
                continue;
            }
            let kind = alarm.map_or(StallKind::Deadlock, |next| StallKind::Frozen { next });
            return Next::Stalled(Stalled::new(kind, self.world, &state));
        }
    }

    /// Takes the next of those that are ready out, if there is one.
    fn pick(&self, state: &mut State) -> Option<Next> {
        loop {
            let State { ready, schedule, runners, .. } = &mut *state;
            let id = ready.pick(schedule)?;
            // Those who left while they were ready are passed over.
            let Some(runner) = runners.get(&id) else { continue };
            let rank = runner.rank;
            let due = self.charge(state);
            if !due.is_empty() {
                state.ready.push(id, rank);
                return Some(Next::Wake(due));
            }
            if let Some(next) = self.give_turn(state, id) {
                return Some(next);
            }
        }
    }

    /// Moves the clock by what a turn costs; the alarms that are due by that come before the turn.
    fn charge(&self, state: &mut State) -> Vec<Waker> {
        let cost = state.settings.turn_cost;
        if cost.is_zero() {
            return Vec::new();
        }
        let cost = Duration::from_nanos(state.faults.below(nanos(cost).saturating_add(1)));
        let to = self.world.now().checked_add(cost).unwrap_or(self.world.now());
        self.world.move_clock(state, to)
    }

    fn give_turn(&self, state: &mut State, id: u64) -> Option<Next> {
        let State { runners, ready, schedule, trace, settings, baton, .. } = state;
        let runner = runners.get_mut(&id)?;
        let now = self.world.now();
        trace.turn(id, now);
        if settings.log {
            let (turn, time) = (trace.turns(), now.saturating_since(Instant::ORIGIN));
            eprintln!("countermand-sim: turn {turn} at {time:?}: {}", stalled::describe(id, runner));
        }
        runner.queued = false;
        runner.rank = ready.new_rank(schedule).unwrap_or(runner.rank);
        let waker = runner.waker.clone();
        match &mut runner.kind {
            Kind::Root => Some(Next::Root(waker)),
            // It is only away during its own turn, and then nobody picks.
            Kind::Task(future) => future.take().map(|future| Next::Task(id, future, waker)),
            Kind::Call(call) => {
                call.standing = Standing::Running;
                call.bell.notify_one();
                *baton = Some(id);
                Some(Next::Call(id))
            }
        }
    }

    fn poll(&self, id: u64, mut future: TaskFuture, waker: &Waker) {
        let polled = panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut Context::from_waker(waker))));
        if matches!(polled, Ok(Poll::Pending)) {
            let mut state = self.world.lock();
            if let Some(Kind::Task(place)) = state.runners.get_mut(&id).map(|runner| &mut runner.kind) {
                *place = Some(future);
                return;
            }
            // It was aborted, or the run stopped, during its own turn.
            drop(state);
        } else {
            self.world.dismiss(id);
        }
        let dropped = panic::catch_unwind(AssertUnwindSafe(|| drop(future)));
        if let Err(payload) = polled.map(drop).and(dropped) {
            panic::resume_unwind(payload);
        }
    }

    /// Waits until the call gives the baton back. One that keeps it for longer than the sim's patience is let go astray.
    fn hand_over(&self, id: u64) {
        let state = self.world.lock();
        let patience = state.settings.patience;
        let waited = self.world.bell.wait_timeout_while(state, patience, |state| state.baton == Some(id));
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.baton != Some(id) {
            return;
        }
        state.baton = None;
        state.away += 1;
        if let Some(call) = state.call(id) {
            call.standing = Standing::Astray;
        }
        drop(state);
        eprintln!(
            "countermand-sim: call {id} kept its turn for more than {patience:?} of real time, so the run goes on without it and \
             need not replay; if it blocks, wrap that in `Sim::blocking`, else raise `Sim::set_patience`"
        );
    }

    /// Waits, in real time, until something may have become ready. Returns how much of `limit` that counts for: all or nothing.
    fn doze<'s>(&'s self, mut state: MutexGuard<'s, State>, limit: Duration) -> (MutexGuard<'s, State>, Duration) {
        state.dozing = true;
        let unchanged = (state.away, state.timers.next());
        let waited = self.world.bell.wait_timeout_while(state, limit, |state| {
            state.ready.is_empty() && state.panic.is_none() && unchanged == (state.away, state.timers.next())
        });
        let (mut state, ended) = waited.unwrap_or_else(PoisonError::into_inner);
        state.dozing = false;
        (state, if ended.timed_out() { limit } else { Duration::ZERO })
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.world.lock().seat = None;
        if thread::panicking() && !self.world.told.swap(true, Ordering::AcqRel) {
            let (seed, trace) = (self.world.seed, self.world.lock().trace);
            eprintln!(
                "countermand-sim: this run had seed {seed} and panicked at {:?} of virtual time (trace {trace})",
                self.world.now().saturating_since(Instant::ORIGIN)
            );
        }
    }
}
