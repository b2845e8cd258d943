//! The handle on a run.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countermand_core::Instant;

use crate::alarm::SimAlarm;
use crate::order::Order;
use crate::rng::Rng;
use crate::sleep::{Sleep, YieldNow};
use crate::trace::Trace;
use crate::world::{World, wake_all};
use crate::{ending, place};

/// A run of the deterministic test host: tasks, calls and a clock, and one seed that decides everything.
///
/// What [`new`](Self::new) returns owns the run: when it is dropped, all tasks are dropped, and calls that wait for a turn unwind.
/// Clones are handles on the same run, for tasks and for other threads; they keep nothing alive but themselves.
///
/// ```
/// use countermand_sim::Sim;
/// use std::time::Duration;
/// let sim = Sim::new(42);
/// let nap = sim.spawn({ let sim = sim.clone(); async move { sim.sleep(Duration::from_secs(86_400)).await; sim.now() } });
/// let woke = sim.block_on(nap).unwrap();
/// assert_eq!(woke.as_nanos(), 86_400_000_000_000);
/// ```
///
/// # Implementation notes
///
/// One type for owner and handle, since a host is passed to a worker by value and a separate handle type would have to repeat
/// every method. Clones that owned the run would be kept by the run's own tasks, and nothing would ever be dropped.
pub struct Sim {
    pub(crate) world: Arc<World>,
    owner: bool,
}

/// Setting up and looking.
impl Sim {
    /// A new run, its clock at the origin.
    ///
    /// The calling thread is taken for the one that will drive it: a blocking wait there is refused with
    /// [`WouldDeadlock`](countermand_core::WouldDeadlock).
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { world: World::new(seed), owner: true }
    }

    /// The run whose task or call the calling thread executes at this moment.
    #[must_use]
    pub fn current() -> Option<Self> {
        place::current().map(|world| Self { world, owner: false })
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.world.seed
    }

    /// The fingerprint of the run so far.
    #[must_use]
    pub fn trace(&self) -> Trace {
        self.world.lock().trace
    }

    /// Puts `text` into the trace, so that runs that differ in it have different traces.
    pub fn note(&self, text: impl AsRef<str>) {
        self.world.lock().trace.note(text.as_ref());
    }

    /// Tells every turn on the standard error from now on, or stops that. At first it does if the environment variable
    /// `COUNTERMAND_SIM_LOG` is set, which is how one looks at a replay.
    pub fn set_log(&self, on: bool) {
        self.world.lock().settings.log = on;
    }

    /// A number below `end`, drawn from the seed; 0 if `end` is 0. It changes nothing in the schedule.
    #[must_use]
    pub fn random(&self, end: u64) -> u64 {
        self.world.lock().lent.below(end)
    }

    /// A generator of one's own, drawn from the seed.
    #[must_use]
    pub fn rng(&self) -> Rng {
        self.world.lock().lent.fork()
    }

    /// Picks by another rule from now on. At first it is uniform or biased, as the seed has it.
    pub fn set_order(&self, order: Order) {
        let mut state = self.world.lock();
        let state = &mut *state;
        let runners = &state.runners;
        state.ready.reorder(order, |id| runners.get(&id).map_or(0, |runner| runner.rank));
    }

    /// Ends a `block_on`, or another drive, with [`Stalled`](crate::Stalled) after this many turns. At first ten million.
    pub fn set_turn_limit(&self, turns: u64) {
        self.world.lock().settings.turn_limit = turns;
    }

    /// How long, in real time, the sim waits for a call that neither ends nor blocks in a way it knows, before it goes on without it.
    /// At first 5 s. Where somebody outside the sim may wake it, it waits a fiftieth of this before it moves the clock, and all of
    /// it before it reports a stall.
    pub fn set_patience(&self, patience: Duration) {
        self.world.lock().settings.patience = patience;
    }
}

/// The end.
impl Sim {
    /// Stops the run, as a runtime that goes away: drops all tasks and all calls that were not begun, in an order drawn from the seed,
    /// and takes on no more. The clock goes on, and so do calls that run and the future of a `block_on`.
    ///
    /// # Panics
    ///
    /// With the first panic of a destructor, after all were dropped.
    pub fn stop(&self) {
        ending::stop(&self.world);
    }

    /// Whether the run was stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.world.lock().stopped
    }
}

/// Time.
impl Sim {
    /// The time on the virtual clock.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.world.now()
    }

    /// Waits for this long on the virtual clock. Longer than the clock can show is for ever.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(SimAlarm::new(&self.world), self.now().checked_add(duration))
    }

    /// Waits until the virtual clock shows `at`.
    pub fn sleep_until(&self, at: Instant) -> Sleep {
        Sleep::new(SimAlarm::new(&self.world), Some(at))
    }

    /// Lets others have a turn.
    pub fn yield_now(&self) -> YieldNow {
        YieldNow::default()
    }

    /// Moves the clock at once, as on a machine that was suspended: nobody has a turn at the times between, and all alarms that are
    /// due then ring together. See [`run_for`](Self::run_for) for time that passes. Past its end the clock stays at its end.
    pub fn advance(&self, by: Duration) {
        let to = self.now().checked_add(by).unwrap_or(Instant::from_nanos(u64::MAX));
        let due = self.world.move_clock(&mut self.world.lock(), to);
        wake_all(due);
    }

    /// Whether the clock moves to the next alarm by itself when nobody is ready. At first it does; otherwise time stands still until
    /// [`advance`](Self::advance) or [`run_for`](Self::run_for).
    pub fn set_auto_advance(&self, on: bool) {
        self.world.lock().settings.auto_advance = on;
        self.world.bell.notify_all();
    }

    /// Makes alarms that are set from now on ring late, each by a time between nothing and `at_most`. At first they are punctual.
    pub fn set_lateness(&self, at_most: Duration) {
        self.world.lock().settings.lateness = at_most;
    }

    /// Makes every turn take a time between nothing and `at_most` on the virtual clock. At first turns take none.
    pub fn set_turn_cost(&self, at_most: Duration) {
        self.world.lock().settings.turn_cost = at_most;
    }

    /// How many alarms are set.
    #[must_use]
    pub fn alarms_set(&self) -> usize {
        self.world.lock().timers.len()
    }
}

impl Clone for Sim {
    /// A handle on the same run; it does not own it.
    fn clone(&self) -> Self {
        Self { world: Arc::clone(&self.world), owner: false }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        if self.owner {
            ending::close(&self.world);
        }
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace, runners) = {
            let state = self.world.lock();
            (state.trace, state.runners.len())
        };
        f.debug_struct("Sim")
            .field("seed", &self.seed())
            .field("now", &self.now())
            .field("trace", &trace)
            .field("runners", &runners)
            .finish_non_exhaustive()
    }
}
