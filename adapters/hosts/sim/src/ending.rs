//! The end of a run: a runtime that goes away, and an owner that does.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;

use crate::place;
use crate::world::{Kind, Runner, State, World, contain_all};

/// Drops all tasks and all calls that were not begun, in an order drawn from the seed, and takes on no more.
pub(crate) fn stop(world: &World) {
    let left = {
        let mut state = world.lock();
        state.stopped = true;
        let mut leaving: Vec<u64> = state.runners.keys().copied().collect();
        for last in (1..leaving.len()).rev() {
            let other = usize::try_from(state.schedule.below(last as u64 + 1)).unwrap_or(last);
            leaving.swap(last, other);
        }
        let left: Vec<_> = leaving.into_iter().filter_map(|id| state.withdraw(id)).collect();
        left
    };
    contain_all(left, drop);
}

/// Ends the run for good: after `stop`, the calls that wait for a turn unwind, and are waited for.
pub(crate) fn close(world: &Arc<World>) {
    let stopped = panic::catch_unwind(AssertUnwindSafe(|| stop(world)));
    let mut state = world.lock();
    state.closed = true;
    for runner in state.runners.values() {
        if let Kind::Call(call) = &runner.kind {
            call.bell.notify_one();
        }
    }
    // A call that drops the sim would wait for itself, a task for the seat it sits in.
    if place::role_in(world).is_none() {
        let (patience, inside) = (state.settings.patience, |runner: &Runner| match &runner.kind {
            Kind::Call(call) => !call.standing.is_outside(),
            Kind::Root | Kind::Task(_) => false,
        });
        let waiting = |state: &mut State| state.runners.values().any(inside);
        drop(world.bell.wait_timeout_while(state, patience, waiting));
    } else {
        drop(state);
    }
    if let Err(payload) = stopped {
        if !thread::panicking() {
            panic::resume_unwind(payload);
        }
    }
}
