//! What a reporter was told and nobody has written down yet.
//!
//! Writing an event down as a packet costs more than all the rest of telling it. So a teller only leaves a copy here, and whoever next looks into the
//! router writes it down: an outlet at its turn, or somebody who offers a packet, asks for the ledger, or closes. By then it is as if it had been
//! written at once: the packets of a reporter come in the order in which it was told (E3), at the time at which it was told, and every figure has them.
//!
//! ```text
//!   take ─► told ──copied──► written, under no lock ──► the first of told leaves, its packet is taken in
//!            │ ▲                                          │ it is not the first any more: somebody else has done it
//!            │ └──────────── the next, until those that were there are through ◄──┘
//!            └─► behind it came as many as there is room for: shed, and never written
//! ```
//!
//! Invariants:
//! 1. An event leaves in the same step, under both locks, in which its packet is taken in or refused: so nobody finds it in neither, and the order is
//!    that of telling, however many write. One that is shed here is in `shed` until a desk counts it, as taken in and shed.
//! 2. `untold`, which all inboxes of a router share, counts those that have something; it is changed under the inbox's lock.
//! 3. A row has what is of one priority, in the order of telling; each number is in one row once. Ends of jobs fill a row up to the room of their
//!    priority: one more would push the oldest out of every line that takes it, so the oldest goes. Events, which are large, are at the most [`MOST`] at a time.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::mem;

use super::config::RouterConfig;
use crate::catalogue::Said;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Arc, Latched};
use crate::telemetry::catalogue::kept::Kept;
use crate::telemetry::{Ended, Event, JobEnd, Label, PacketId, Source, Urgency};
use crate::{Instant, Level, Priority, Text};

/// How many events an inbox holds. The teller of one more writes down what is there.
const MOST: usize = 128;

/// How many events are written down at a time.
const COPIES: usize = 16;

/// What was told, and when, and as which of all that was.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) number: u64,
    pub(super) at: Instant,
    pub(super) what: What,
}

#[derive(Clone)]
pub(super) enum What {
    Event(Box<Event>),
    Said(Box<Kept>),
    /// The subsystem is that of this number.
    End(u32, Ended),
}

/// What waits of one priority.
struct Row {
    told: VecDeque<Told>,
    /// How many ends of jobs may be in it; none: they are written down as events are, because what is shed may not be told here.
    room: usize,
    /// How many were shed here that no desk has counted yet.
    shed: u64,
}

/// The priorities of what waits here: an alarm does not.
pub(super) const WAITING: [Priority; 2] = [Priority::Normal, Priority::High];
const NORMAL: usize = 0;
const HIGH: usize = 1;

/// See the head of the file.
pub(super) struct Inbox {
    source: Source,
    seed: u64,
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
    state: Latched<State>,
    pub(super) refused: AtomicU64,
}

struct State {
    /// How many events were given a number.
    numbers: u64,
    rows: [Row; WAITING.len()],
    /// How many are in the rows.
    waiting: usize,
    /// Those that are events, or the fields of one.
    events: usize,
    /// Those of events that have left, to be filled again: most of an event is room.
    #[expect(clippy::vec_box, reason = "they go where they are wanted without being moved")]
    spare: Vec<Box<Event>>,
    /// The same of fields.
    #[expect(clippy::vec_box, reason = "as above")]
    spare_fields: Vec<Box<Kept>>,
    /// Whose the jobs were that have ended. Each once; emptied when nothing waits.
    subsystems: Vec<Arc<Source>>,
}

/// What became of an event that was to be left.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// It is the only one.
    Alone,
    /// There are others before it.
    Behind,
    /// There is no room for it.
    Full,
}

impl Inbox {
    pub(super) fn new(
        source: Source,
        seed: u64,
        clock: Box<dyn Fn() -> Instant + Send + Sync>,
        config: &RouterConfig,
    ) -> Self {
        let rows = WAITING.map(|priority| Row {
            told: VecDeque::new(),
            // Where HIGH goes by how many wait, those must be there to be counted.
            room: config.high_overflow.map_or(config.rooms[priority.index()].packets as usize, |_| 0),
            shed: 0,
        });
        let state = State {
            numbers: 0,
            rows,
            waiting: 0,
            events: 0,
            spare: Vec::new(),
            spare_fields: Vec::new(),
            subsystems: Vec::new(),
        };
        Self { source, seed, clock, state: Latched::new(state), refused: AtomicU64::new(0) }
    }

    pub(super) const fn source(&self) -> Source {
        self.source
    }

    /// The clock that the outlets are driven by.
    pub(super) fn now(&self) -> Instant {
        (self.clock)()
    }

    /// A number for an event that does not wait here.
    pub(super) fn number(&self) -> u64 {
        self.state.with(State::number)
    }

    /// What a router knows of the event with this number.
    pub(super) fn label(&self, number: u64, event: &Event) -> Label {
        // Below the top bit, which is the router's own.
        let id = PacketId::new((u128::from(self.seed) << 64 | u128::from(number)) & !(1 << 127));
        Label::new(id, self.source, event.level()).subject(Text::cut(event.name()))
    }

    /// Leaves a copy of an event that was told at `at`.
    pub(super) fn leave(&self, at: Instant, event: &Event, untold: &AtomicUsize) -> Left {
        self.state.with(|state| {
            if state.events == MOST {
                return Left::Full;
            }
            state.events += 1;
            let mut place = state.spare.pop().unwrap_or_else(|| Box::new(Event::new("", Level::Info)));
            place.copy_from(event);
            state.push(row_of(event.level()), at, What::Event(place), untold)
        })
    }

    /// Leaves the fields of an event that was told at `at`. `None` if they are too long for that.
    pub(super) fn leave_said(&self, at: Instant, said: &dyn Said, untold: &AtomicUsize) -> Option<Left> {
        let level = said.level();
        self.state.with(|state| {
            if state.events == MOST {
                return Some(Left::Full);
            }
            let mut place = state.spare_fields.pop().unwrap_or_default();
            if !said.keep(&mut place) {
                state.spare_fields.push(place);
                return None;
            }
            state.events += 1;
            Some(state.push(row_of(level), at, What::Said(place), untold))
        })
    }

    /// Leaves how a job ended, which was told at `at`.
    pub(super) fn leave_end(&self, at: Instant, end: &JobEnd<'_>, untold: &AtomicUsize) -> Left {
        self.state.with(|state| {
            let row = row_of(end.level());
            let Row { told, room, .. } = &state.rows[row];
            if told.len() >= *room {
                if *room == 0 {
                    return Left::Full;
                }
                state.shed(row);
            }
            let subsystem = state.subsystem(end.owner());
            state.push(row, at, What::End(subsystem, end.keep()), untold)
        })
    }

    /// How many numbers were given: what has a smaller one was told before.
    pub(super) fn numbers(&self) -> u64 {
        self.state.with(|state| state.numbers)
    }

    /// Copies of the first that wait and have a number below `below`, some of them, in the order of telling; or, if no more than `normal` of the NORMAL ones are wanted,
    /// those that are HIGH first. What was shed here, by priority, is given to `count` before, if there is anything: in one step, so that nobody finds it nowhere.
    pub(super) fn copies(
        &self,
        below: u64,
        normal: &mut Option<usize>,
        count: impl FnOnce([u64; WAITING.len()]),
    ) -> Vec<Told> {
        self.state.with(|state| {
            if state.rows.iter().any(|row| row.shed > 0) {
                count(state.rows.each_mut().map(|row| mem::take(&mut row.shed)));
            }
            let mut at = [0; WAITING.len()];
            let mut copies = Vec::new();
            while copies.len() < COPIES {
                let next = |row: usize| state.rows[row].told.get(at[row]).filter(|told| told.number < below);
                let (row, told) = match (next(NORMAL).filter(|_| *normal != Some(0)), next(HIGH)) {
                    (Some(first), Some(high)) if normal.is_none() && first.number < high.number => (NORMAL, first),
                    (_, Some(high)) => (HIGH, high),
                    (Some(first), None) => (NORMAL, first),
                    (None, None) => break,
                };
                copies.push(told.clone());
                at[row] += 1;
                if row == NORMAL {
                    *normal = normal.map(|more| more - 1);
                }
            }
            copies
        })
    }

    /// The event that was told. Under no lock.
    pub(super) fn event(&self, what: What) -> Box<Event> {
        match what {
            What::Event(event) => event,
            What::Said(kept) => kept.event(),
            What::End(subsystem, end) => {
                let subsystem = self.state.with(|state| state.subsystems.get(subsystem as usize).cloned());
                Box::new(end.event(subsystem.as_ref().map_or("", |subsystem| subsystem.as_str())))
            }
        }
    }

    /// Takes the first that waits away, if it has this number, in one step with `f`. `None` if it is somebody else's already.
    pub(super) fn settle<R>(&self, number: u64, untold: &AtomicUsize, f: impl FnOnce() -> R) -> Option<R> {
        self.state.with(|state| {
            let is_first = |row: &Row| row.told.front().is_some_and(|told| told.number == number);
            let row = state.rows.iter().position(is_first)?;
            let result = f();
            state.take(row);
            if state.waiting == 0 {
                state.subsystems.clear();
                untold.fetch_sub(1, Ordering::SeqCst);
            }
            Some(result)
        })
    }
}

impl State {
    fn number(&mut self) -> u64 {
        let number = self.numbers;
        self.numbers += 1;
        number
    }

    #[inline]
    fn push(&mut self, row: usize, at: Instant, what: What, untold: &AtomicUsize) -> Left {
        let number = self.number();
        self.rows[row].told.push_back(Told { number, at, what });
        self.waiting += 1;
        if self.waiting == 1 {
            untold.fetch_add(1, Ordering::SeqCst);
            return Left::Alone;
        }
        Left::Behind
    }

    /// The first of a row leaves.
    fn take(&mut self, row: usize) {
        self.waiting -= 1;
        match self.rows[row].told.pop_front().map(|told| told.what) {
            Some(What::Event(event)) => {
                self.events -= 1;
                self.spare.push(event);
            }
            Some(What::Said(kept)) => {
                self.events -= 1;
                self.spare_fields.push(kept);
            }
            Some(What::End(..)) | None => {}
        }
    }

    /// The first of a row is shed.
    fn shed(&mut self, row: usize) {
        self.take(row);
        self.rows[row].shed += 1;
    }

    /// The number of a subsystem.
    #[inline]
    fn subsystem(&mut self, owner: &Arc<Source>) -> u32 {
        let known = self.subsystems.iter().position(|subsystem| Arc::ptr_eq(subsystem, owner));
        let number = known.unwrap_or_else(|| {
            self.subsystems.push(owner.clone());
            self.subsystems.len() - 1
        });
        // There are no more of them than tellers.
        number as u32
    }
}

/// The row of what is as bad as this.
#[inline]
fn row_of(level: Level) -> usize {
    let priority = Urgency::of(level, None).priority;
    if priority == Priority::High { HIGH } else { NORMAL }
}
