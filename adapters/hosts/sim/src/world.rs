//! What all handles of one run share: who there is, who is ready, what time it is.
//!
//! # Invariants
//!
//! 1. One lock, `state`. No user's waker, future, closure or destructor is called, polled or dropped while it is held.
//! 2. At most one thread at a time runs users' code for the sim: the *seat* (the thread inside `block_on`), or the call whose
//!    number is in `baton`. Calls that are `Away` are outside of this, and `away` counts them.
//! 3. `now` is written under the lock and never decreases; it is read without.
//! 4. A runner is in `ready` exactly if it is `queued`; numbers of runners that are gone may be left in it.

use std::any::Any;
use std::collections::BTreeMap;
use std::env;
use std::panic::Location;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use countermand_core::Instant;

use crate::order::{Order, Ready};
use crate::rng::Rng;
use crate::standing::{Body, CallState, Standing};
use crate::timers::Timers;
use crate::trace::Trace;

pub(crate) type TaskFuture = Pin<Box<dyn Future<Output = ()> + Send>>;
pub(crate) type Payload = Box<dyn Any + Send>;

pub(crate) struct World {
    pub(crate) seed: u64,
    now: AtomicU64,
    state: Mutex<State>,
    /// The seat waits at it for calls to give the baton back, or for anything to become ready.
    pub(crate) bell: Condvar,
    /// Whether somebody told the seed of this run already.
    pub(crate) told: AtomicBool,
}

pub(crate) struct State {
    pub(crate) runners: BTreeMap<u64, Runner>,
    next: u64,
    pub(crate) ready: Ready,
    pub(crate) timers: Timers,
    pub(crate) trace: Trace,
    /// Decides the schedule, and nothing else.
    pub(crate) schedule: Rng,
    /// Decides how late alarms are and how long turns take.
    pub(crate) faults: Rng,
    /// For the test's own use.
    pub(crate) lent: Rng,
    pub(crate) settings: Settings,
    /// The thread that drives, while one does.
    pub(crate) seat: Option<ThreadId>,
    /// The thread that drove last, or made the sim.
    pub(crate) home: ThreadId,
    /// The call whose turn it is; the seat waits for it.
    pub(crate) baton: Option<u64>,
    /// Calls that block where the sim cannot see, and promises made by `outsider`.
    pub(crate) away: usize,
    /// Whether the seat waits at the bell for something to become ready.
    pub(crate) dozing: bool,
    /// No task is taken on any more.
    pub(crate) stopped: bool,
    /// The owner is gone: nobody will give another turn.
    pub(crate) closed: bool,
    /// What a call panicked with; the seat goes on with it.
    pub(crate) panic: Option<Payload>,
}

pub(crate) struct Settings {
    pub(crate) auto_advance: bool,
    pub(crate) lateness: Duration,
    pub(crate) turn_cost: Duration,
    pub(crate) turn_limit: u64,
    pub(crate) patience: Duration,
    /// Whether every turn is told.
    pub(crate) log: bool,
}

/// Somebody who is given turns.
pub(crate) struct Runner {
    pub(crate) name: Option<String>,
    pub(crate) from: &'static Location<'static>,
    pub(crate) waker: Waker,
    pub(crate) queued: bool,
    pub(crate) rank: u64,
    pub(crate) kind: Kind,
}

pub(crate) enum Kind {
    /// The future of `block_on`; it lives on the seat's stack.
    Root,
    /// A spawned future; `None` while it is polled.
    Task(Option<TaskFuture>),
    /// A closure on a thread of its own.
    Call(CallState),
}

impl World {
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        let mut rng = Rng::new(seed);
        let schedule = rng.fork();
        let faults = rng.fork();
        let lent = rng.fork();
        let order = if rng.below(2) == 0 { Order::Uniform } else { Order::Biased };
        let settings = Settings {
            auto_advance: true,
            lateness: Duration::ZERO,
            turn_cost: Duration::ZERO,
            turn_limit: 10_000_000,
            patience: Duration::from_secs(5),
            log: env::var_os("COUNTERMAND_SIM_LOG").is_some(),
        };
        let state = State {
            runners: BTreeMap::new(),
            next: 0,
            ready: Ready::new(order),
            timers: Timers::default(),
            trace: Trace::EMPTY,
            schedule,
            faults,
            lent,
            settings,
            seat: None,
            home: thread::current().id(),
            baton: None,
            away: 0,
            dozing: false,
            stopped: false,
            closed: false,
            panic: None,
        };
        Arc::new(Self {
            seed,
            now: AtomicU64::new(Instant::ORIGIN.as_nanos()),
            state: Mutex::new(state),
            bell: Condvar::new(),
            told: AtomicBool::new(false),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock panics half-way; a poisoned lock is as good as a sound one (P3).
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::from_nanos(self.now.load(Ordering::Acquire))
    }

    /// Moves the clock to `to`, if that is later, and takes out the wakers of the alarms that are due then.
    pub(crate) fn move_clock(&self, state: &mut State, to: Instant) -> Vec<Waker> {
        self.now.fetch_max(to.as_nanos(), Ordering::AcqRel);
        state.timers.due(self.now())
    }

    /// Takes a new runner in. It has no turn before it is woken.
    pub(crate) fn admit(
        self: &Arc<Self>,
        state: &mut State,
        kind: Kind,
        name: Option<String>,
        from: &'static Location<'static>,
    ) -> u64 {
        let id = state.next;
        state.next += 1;
        let waker = Waker::from(Arc::new(RunnerWaker { id, world: Arc::downgrade(self) }));
        let rank = state.schedule.next_u64();
        state.runners.insert(id, Runner { name, from, waker, queued: false, rank, kind });
        id
    }

    /// Gives the runner a turn soon.
    pub(crate) fn wake(&self, id: u64) {
        let mut state = self.lock();
        if state.enqueue(id) && state.dozing {
            drop(state);
            self.bell.notify_all();
        }
    }

    /// Removes a runner. What is left of it is dropped by the caller, outside the lock.
    pub(crate) fn dismiss(&self, id: u64) -> Option<Runner> {
        self.lock().runners.remove(&id)
    }
}

impl Runner {
    pub(crate) fn call(&mut self) -> Option<&mut CallState> {
        match &mut self.kind {
            Kind::Call(call) => Some(call),
            Kind::Root | Kind::Task(_) => None,
        }
    }
}

impl State {
    pub(crate) fn call(&mut self, id: u64) -> Option<&mut CallState> {
        self.runners.get_mut(&id)?.call()
    }

    /// Puts the runner among the ready. Whether that changed anything.
    pub(crate) fn enqueue(&mut self, id: u64) -> bool {
        let Some(runner) = self.runners.get_mut(&id) else { return false };
        if let Kind::Call(call) = &mut runner.kind {
            if !call.takes_turns() {
                call.woken = true;
                return false;
            }
        }
        if runner.queued {
            return false;
        }
        runner.queued = true;
        self.ready.push(id, runner.rank);
        true
    }

    /// Takes a task, or a call that was not begun, out of the run. It is dropped by the caller, outside the lock.
    pub(crate) fn withdraw(&mut self, id: u64) -> Option<(Runner, Option<Body>)> {
        let body = match &self.runners.get(&id)?.kind {
            Kind::Task(_) => None,
            Kind::Call(call) if call.standing == Standing::Fresh => {
                call.bell.notify_one();
                call.unbegun.take()
            }
            Kind::Root | Kind::Call(_) => return None,
        };
        self.runners.remove(&id).map(|runner| (runner, body))
    }
}

/// Wakes all, also if one of them panics, and goes on with the first panic then.
pub(crate) fn wake_all(wakers: Vec<Waker>) {
    contain_all(wakers, Waker::wake);
}

/// Does `each` to all, also if one of them panics, and goes on with the first panic then, unless one is under way already.
pub(crate) fn contain_all<T>(all: Vec<T>, mut each: impl FnMut(T)) {
    let mut first = None;
    for one in all {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| each(one)));
        first = first.or(done.err());
    }
    if let Some(payload) = first {
        if !thread::panicking() {
            std::panic::resume_unwind(payload);
        }
    }
}

/// A runner's waker: made once, the same for all its turns. It may outlive the run, and does nothing then.
struct RunnerWaker {
    id: u64,
    world: Weak<World>,
}

impl Wake for RunnerWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(world) = self.world.upgrade() {
            world.wake(self.id);
        }
    }
}

/// Nanoseconds, at most all there are.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
