//! A script: how a worker is set up, and what is done to it, drawn from a seed.

use std::fmt;
use std::time::Duration;

use countermand_core::{Discipline, FullPolicy, LatePolicy, Priority, Shutdown, WorkerConfig};
use fastrand::Rng;

/// One script. The same seed always draws the same.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) setup: Setup,
    pub(crate) acts: Vec<Act>,
}

/// The worker of a script.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    lanes: usize,
    drivers: usize,
    capacity: usize,
    reserved: usize,
    weighted: bool,
    full: FullPolicy,
}

/// One thing that is done. Jobs and parents are named by their numbers, modulo how many there are.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Submits a job; waits in line where the worker is set up to.
    Submit(Plan),
    /// Opens the gate at which a job waits.
    Open(usize),
    /// Cancels a job by its handle.
    Cancel(usize),
    /// Cancels a parent of jobs.
    CancelParent(usize),
    /// Drops the handle of a job, or the submit that still waits in line.
    Drop(usize),
    /// Lets time pass: so many times [`UNIT`].
    Advance(u32),
    /// Closes the worker.
    Close,
    /// Shuts the worker down.
    ShutDown(Shutdown),
}

/// A job of a script. It waits at its gate, then ends as planned.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) end: End,
    pub(crate) is_call: bool,
    pub(crate) priority: Priority,
    pub(crate) run_timeout: Option<Duration>,
    pub(crate) queue_timeout: Option<Duration>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) grace: Option<Duration>,
    pub(crate) parent: Option<usize>,
    pub(crate) cancel_on_drop: bool,
    pub(crate) abandonable: bool,
    pub(crate) late: LatePolicy,
    /// Whether its gate is open from the start.
    pub(crate) open: bool,
}

/// How a job ends by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Value,
    Error,
    Panic,
    /// A value, and a destructor that panics whenever it is run.
    PanicInDrop,
    /// It cancels itself, then returns a value in the same poll.
    CancelItself,
}

/// How many parents a script has.
pub(crate) const PARENTS: usize = 3;

/// The unit of the times of jobs: they meet often, and exactly.
pub(crate) const UNIT: Duration = Duration::from_millis(10);

/// How far time goes at once: a quarter of a unit. The limits of shutdowns lie between the times of jobs: a drain that turns into an abort at
/// the very moment at which a lane becomes free may or may not see the next job start. A drain's limit is due at a quarter after whole units,
/// that of an abort at a half; at three quarters, if the abort began at a quarter.
pub(crate) const STEP: Duration = Duration::from_micros(2_500);

impl Script {
    /// Draws a script. Without `calls` it has tasks only.
    pub(crate) fn draw(seed: u64, calls: bool) -> Self {
        let rng = &mut Rng::with_seed(seed);
        let lanes = rng.usize(1..=3);
        let capacity = rng.usize(1..=5);
        let setup = Setup {
            lanes,
            drivers: rng.usize(1..=lanes),
            capacity,
            reserved: rng.usize(0..capacity),
            weighted: rng.bool(),
            full: [FullPolicy::Wait, FullPolicy::Reject, FullPolicy::EvictLowest][rng.usize(0..3)],
        };
        let length = rng.usize(6..30);
        let mut acts: Vec<Act> = (0..length).map(|_| Act::draw(rng, calls)).collect();
        // Shutting down ends most of what can happen, so that it comes late or not at all.
        if rng.bool() {
            acts.push(Act::draw_end(rng));
            acts.extend((0..rng.usize(0..6)).map(|_| Act::draw(rng, calls)));
        }
        Self { setup, acts }
    }
}

impl Setup {
    pub(crate) fn config(self) -> WorkerConfig {
        let discipline = if self.weighted { Discipline::Weighted([1, 2, 4, 8]) } else { Discipline::Strict };
        WorkerConfig::new()
            .lanes(self.lanes)
            .drivers(self.drivers)
            .capacity(self.capacity)
            .reserve(Priority::High, self.reserved)
            .discipline(discipline)
            .full(self.full)
            .shutdown_limit(UNIT * 3 + STEP * 2)
            .watchdog(None)
    }
}

impl Act {
    fn draw(rng: &mut Rng, calls: bool) -> Self {
        match rng.u32(0..100) {
            0..45 => Self::Submit(Plan::draw(rng, calls)),
            45..62 => Self::Open(rng.usize(..)),
            62..74 => Self::Cancel(rng.usize(..)),
            74..78 => Self::CancelParent(rng.usize(..)),
            78..84 => Self::Drop(rng.usize(..)),
            _ => Self::Advance(rng.u32(1..4)),
        }
    }

    fn draw_end(rng: &mut Rng) -> Self {
        match rng.u32(0..5) {
            0 => Self::Close,
            1 => Self::ShutDown(Shutdown::Drain),
            2 => Self::ShutDown(Shutdown::DrainFor(UNIT * rng.u32(0..4) + STEP)),
            3 if rng.bool() => Self::ShutDown(Shutdown::AbortWithin(Duration::ZERO)),
            3 => Self::ShutDown(Shutdown::Abort),
            _ => Self::ShutDown(Shutdown::AbortWithin(UNIT * rng.u32(0..4) + STEP * 2)),
        }
    }
}

impl Plan {
    fn draw(rng: &mut Rng, calls: bool) -> Self {
        let sometimes = |rng: &mut Rng| (rng.u32(0..4) == 0).then(|| UNIT * rng.u32(0..5));
        Self {
            end: match rng.u32(0..20) {
                0..12 => End::Value,
                12..15 => End::Error,
                15..17 => End::Panic,
                17..18 => End::PanicInDrop,
                _ => End::CancelItself,
            },
            is_call: calls && rng.u32(0..6) == 0,
            priority: Priority::ALL[rng.usize(0..Priority::COUNT)],
            run_timeout: sometimes(rng),
            queue_timeout: sometimes(rng),
            deadline: sometimes(rng),
            grace: sometimes(rng),
            parent: (rng.u32(0..4) == 0).then(|| rng.usize(0..PARENTS)),
            cancel_on_drop: rng.bool(),
            abandonable: rng.bool(),
            late: [LatePolicy::Deliver, LatePolicy::Mark, LatePolicy::Discard][rng.usize(0..3)],
            open: rng.u32(0..4) == 0,
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Submit(plan) => write!(f, "submit {plan:?}"),
            Self::Open(number) => write!(f, "open {number}"),
            Self::Cancel(number) => write!(f, "cancel {number}"),
            Self::CancelParent(number) => write!(f, "cancel parent {number}"),
            Self::Drop(number) => write!(f, "drop {number}"),
            Self::Advance(units) => write!(f, "advance {:?}", UNIT * *units),
            Self::Close => f.write_str("close"),
            Self::ShutDown(how) => write!(f, "shut down {how:?}"),
        }
    }
}
