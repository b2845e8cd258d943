//! What is done to a worker and its jobs, read from bytes.

use countermand_core::{Discipline, FullPolicy, LatePolicy, Priority, WorkerConfig};

/// What is done, and its four choices.
pub(crate) type Step = [u8; 5];

/// How a worker is set up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    pub(super) lanes: usize,
    pub(super) capacity: usize,
    /// Places for High and Critical alone.
    pub(super) reserved: usize,
    pub(super) discipline: Discipline,
    pub(super) full: FullPolicy,
}

/// One thing that is done. Jobs and parents are named by their numbers, modulo how many there are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    /// Submits a job; in line, where the worker is set up to wait and `tries` is not set.
    Submit {
        plan: Plan,
        tries: bool,
    },
    /// Opens the gate at which a job waits.
    Open(usize),
    Cancel(usize),
    CancelParent(usize),
    /// Drops the handle of a job, or a submit that waits in line.
    Drop(usize),
    /// Lets so many units of time pass, one by one.
    Advance(u8),
    Close,
    Abort,
}

/// A job: it waits at its gate, then ends as planned. Times are in units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) end: End,
    pub(super) priority: Priority,
    pub(super) run_timeout: Option<u64>,
    pub(super) queue_timeout: Option<u64>,
    pub(super) deadline: Option<u64>,
    pub(super) grace: u64,
    pub(super) parent: Option<usize>,
    pub(super) cancel_on_drop: bool,
    pub(super) late: LatePolicy,
    /// Whether its gate is open from the start.
    pub(super) open: bool,
}

/// How a job ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Value,
    Error,
    Panic,
    /// A value, and a destructor that panics whenever it is run.
    PanicInDrop,
    /// It cancels itself, then returns a value in the same poll.
    CancelItself,
}

/// How many parents there are.
pub(super) const PARENTS: usize = 3;

impl Setup {
    pub(super) fn read([lanes, capacity, reserved, discipline, full]: Step) -> Self {
        let capacity = usize::from(capacity % 5) + 1;
        Self {
            lanes: usize::from(lanes % 3) + 1,
            capacity,
            reserved: usize::from(reserved) % capacity,
            discipline: match discipline % 3 {
                0 => Discipline::Strict,
                1 => Discipline::Weighted([1, 2, 4, 8]),
                _ => Discipline::Weighted([1, 1, 1, 1]),
            },
            full: [FullPolicy::Wait, FullPolicy::Reject, FullPolicy::EvictLowest][usize::from(full % 3)],
        }
    }

    pub(super) fn config(self) -> WorkerConfig {
        WorkerConfig::new()
            .lanes(self.lanes)
            .drivers(1)
            .capacity(self.capacity)
            .reserve(Priority::High, self.reserved)
            .discipline(self.discipline)
            .full(self.full)
            .watchdog(None)
    }
}

impl Act {
    pub(super) fn read(step: Step) -> Self {
        let [what, which, ..] = step;
        let number = usize::from(which);
        match what % 32 {
            0..14 => Self::Submit { plan: Plan::read(step), tries: what >= 160 },
            14..20 => Self::Open(number),
            20..23 => Self::Cancel(number),
            23 => Self::CancelParent(number),
            24..26 => Self::Drop(number),
            26..31 => Self::Advance(which % 3 + 1),
            // What ends everything is seldom.
            _ => match which {
                0..16 => Self::Close,
                16..32 => Self::Abort,
                _ => Self::Open(number),
            },
        }
    }
}

impl Plan {
    fn read([what, a, b, c, d]: Step) -> Self {
        // Two bits for whether there is one, three for how long: short, so that times meet.
        let sometimes = |choice: u8| choice.is_multiple_of(4).then_some(u64::from(choice / 4 % 5));
        Self {
            end: match a % 16 {
                0..9 => End::Value,
                9..11 => End::Error,
                11..13 => End::Panic,
                13 => End::PanicInDrop,
                _ => End::CancelItself,
            },
            priority: Priority::ALL[usize::from(a / 16) % Priority::COUNT],
            run_timeout: sometimes(b),
            queue_timeout: sometimes(c),
            deadline: sometimes(d),
            grace: if b >= 128 { u64::from(b % 5) } else { 0 },
            parent: (c >= 160).then_some(usize::from(c) % PARENTS),
            cancel_on_drop: d >= 128,
            late: [LatePolicy::Deliver, LatePolicy::Mark, LatePolicy::Discard][usize::from(d) / 32 % 3],
            open: a >= 192 && what % 2 == 0,
        }
    }
}
