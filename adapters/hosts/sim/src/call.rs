//! Calls: closures on real threads, of which one at a time has the baton and runs while the seat waits.
//!
//! How one stands to the schedule, and by which steps it comes from one standing to the next, is in `standing`.

use std::panic::{self, AssertUnwindSafe, Location};
use std::sync::{Arc, Condvar, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

use crate::place::{Place, Role};
use crate::standing::{Body, CallState, Standing, Unbegun};
use crate::world::{Kind, Runner, State, World};

/// The run is over: there is no next turn.
struct NoTurn;

/// Starts a thread for `body`, which begins when the schedule picks it.
///
/// # Errors
///
/// Gives `body` back if the run was stopped or the system has no thread left.
pub(crate) fn start(
    world: &Arc<World>,
    name: Option<String>,
    from: &'static Location<'static>,
    body: Body,
) -> Result<u64, Body> {
    let bell = Arc::new(Condvar::new());
    let (id, unbegun) = {
        let mut state = world.lock();
        if state.stopped {
            return Err(body);
        }
        let unbegun = Unbegun::new(body);
        let call =
            CallState { standing: Standing::Fresh, woken: false, unbegun: unbegun.clone(), bell: Arc::clone(&bell) };
        (world.admit(&mut state, Kind::Call(call), name, from), unbegun)
    };
    let thread = thread::Builder::new().name(format!("sim call {id}"));
    let spawned = {
        let (world, unbegun) = (Arc::clone(world), unbegun.clone());
        thread.spawn(move || run(&world, id, &unbegun, &bell))
    };
    if spawned.is_err() {
        world.dismiss(id);
        // If it is not there any more, the run was stopped at this moment and dropped it.
        return unbegun.take().map_or(Ok(id), Err);
    }
    world.wake(id);
    Ok(id)
}

fn run(world: &Arc<World>, id: u64, unbegun: &Unbegun, bell: &Condvar) {
    let has_turn = await_baton(world.lock(), id, bell).is_ok();
    let place = Place::take(world, Role::Call(id));
    let ended = match unbegun.take() {
        Some(body) if has_turn => panic::catch_unwind(AssertUnwindSafe(body)),
        unused => panic::catch_unwind(AssertUnwindSafe(|| drop(unused))),
    };
    drop(place);
    let mut state = world.lock();
    let mut left = state.runners.remove(&id);
    if left.as_mut().and_then(Runner::call).is_some_and(|call| call.standing.is_outside()) {
        state.away -= 1;
    }
    // After the end of the run nobody is there to go on with a panic, and most are those of `over`.
    let unheard = match ended {
        Err(payload) if !state.closed && state.panic.is_none() => state.panic.replace(payload),
        Err(payload) => Some(payload),
        Ok(()) => None,
    };
    hand_back(world, &mut state, id);
    drop(state);
    drop((left, unheard));
}

/// Waits until the call has the baton.
///
/// # Errors
///
/// Where it never will: the run is over, or the call was taken out of it.
fn await_baton(mut state: MutexGuard<'_, State>, id: u64, bell: &Condvar) -> Result<(), NoTurn> {
    loop {
        if state.baton == Some(id) {
            return Ok(());
        }
        if state.closed || state.call(id).is_none() {
            return Err(NoTurn);
        }
        state = bell.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Runs `future` on the thread of call `id`, which gives its turn away while it waits.
pub(crate) fn wait_for<F: Future>(world: &Arc<World>, id: u64, future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let Some((waker, bell)) = entrance(world, id) else { over() };
    let nested = come_back(world, id, &bell) == Some(Standing::Away);
    let mut cx = Context::from_waker(&waker);
    let output = loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            break output;
        }
        if wait_for_turn(world, id, &bell).is_err() {
            over();
        }
    };
    if nested {
        // It was called from inside `blocking`.
        leave(world, id);
    }
    output
}

/// Runs `wait`, which may block where the sim cannot see; the run goes on without call `id` meanwhile.
pub(crate) fn blocking<R>(world: &Arc<World>, id: u64, wait: impl FnOnce() -> R) -> R {
    struct Back<'w>(&'w Arc<World>, u64);
    impl Drop for Back<'_> {
        fn drop(&mut self) {
            if let Some((_, bell)) = entrance(self.0, self.1) {
                come_back(self.0, self.1, &bell);
            }
        }
    }
    let _back = leave(world, id).then(|| Back(world, id));
    wait()
}

fn entrance(world: &World, id: u64) -> Option<(Waker, Arc<Condvar>)> {
    let mut state = world.lock();
    let runner = state.runners.get_mut(&id)?;
    let waker = runner.waker.clone();
    runner.call().map(|call| (waker, Arc::clone(&call.bell)))
}

/// Gives the baton back until somebody wakes this call and the schedule picks it.
fn wait_for_turn(world: &World, id: u64, bell: &Condvar) -> Result<(), NoTurn> {
    let mut state = world.lock();
    let call = state.call(id).ok_or(NoTurn)?;
    let was = std::mem::replace(&mut call.standing, Standing::Waiting);
    let woken = std::mem::take(&mut call.woken);
    if was.is_outside() {
        state.away -= 1;
    }
    if woken {
        state.enqueue(id);
    }
    hand_back(world, &mut state, id);
    await_baton(state, id, bell)
}

fn hand_back(world: &World, state: &mut State, id: u64) {
    if state.baton == Some(id) {
        state.baton = None;
    }
    world.bell.notify_all();
}

/// Goes where the sim cannot see. Whether that was news.
fn leave(world: &World, id: u64) -> bool {
    let mut state = world.lock();
    let Some(call) = state.call(id) else { return false };
    match std::mem::replace(&mut call.standing, Standing::Away) {
        Standing::Away => return false,
        Standing::Astray => {}
        Standing::Fresh | Standing::Running | Standing::Waiting => state.away += 1,
    }
    hand_back(world, &mut state, id);
    true
}

/// Queues up for a turn, if the call was outside; where it was.
fn come_back(world: &World, id: u64, bell: &Condvar) -> Option<Standing> {
    let mut state = world.lock();
    let call = state.call(id)?;
    let was = call.standing;
    if !was.is_outside() {
        return None;
    }
    call.standing = Standing::Waiting;
    state.away -= 1;
    state.enqueue(id);
    hand_back(world, &mut state, id);
    // If the run is over nobody waits for this thread any more: it goes on freely.
    let _over = await_baton(state, id, bell);
    Some(was)
}

/// Leaves a wait that cannot end, since the run is over, by unwinding; without the message of a panic, since none is at fault.
fn over() -> ! {
    if thread::panicking() {
        // A destructor of a call that unwinds already waits for what will not come. To unwind from here would abort.
        loop {
            thread::park();
        }
    }
    panic::resume_unwind(Box::new("the sim was dropped while this call was waiting"))
}
