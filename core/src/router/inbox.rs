//! What a reporter was told and nobody has written down yet.
//!
//! Writing an event down as a packet costs more than all the rest of telling it. So a teller only leaves a copy here, and whoever next looks into the
//! router writes it down: an outlet at its turn, or somebody who offers a packet, asks for the ledger, or closes. By then it is as if it had been
//! written at once: the packets of a reporter come in the order in which it was told (E3), at the time at which it was told, and every figure has them.
//!
//! ```text
//!   take ─► told ──copied──► written, under no lock ──► the first of told leaves, its packet is taken in
//!             ▲                                            │ it is not the first any more: somebody else has done it
//!             └──────────── the next, until those that were there are through ◄──┘
//! ```
//!
//! Invariants:
//! 1. An event leaves in the same step, under both locks, in which its packet is taken in or refused: so nobody finds it in neither, and the order is
//!    that of telling, however many write.
//! 2. `untold`, which all inboxes of a router share, counts those that have something; it is changed under the inbox's lock.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::sync::Lock;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use crate::telemetry::{Event, Label, PacketId, Source};
use crate::{Instant, Text};

/// How many events an inbox holds. The teller of one more writes down what is there.
pub(super) const MOST: usize = 128;

/// How many events are written down at a time.
const COPIES: usize = 16;

/// An event that was told.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) number: u64,
    pub(super) at: Instant,
    pub(super) event: Event,
}

/// See the head of the file.
pub(super) struct Inbox {
    source: Source,
    seed: u64,
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
    state: Lock<State>,
    pub(super) refused: AtomicU64,
}

struct State {
    /// How many events were given a number.
    numbers: u64,
    /// Those at `begin..end` were told and wait. The others are there to be filled again: most of an event is room.
    places: Vec<Told>,
    begin: usize,
    end: usize,
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
    pub(super) fn new(source: Source, seed: u64, clock: Box<dyn Fn() -> Instant + Send + Sync>) -> Self {
        let state = State { numbers: 0, places: Vec::new(), begin: 0, end: 0 };
        Self { source, seed, clock, state: Lock::new(state), refused: AtomicU64::new(0) }
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
            if state.end == MOST {
                return Left::Full;
            }
            let number = state.number();
            match state.places.get_mut(state.end) {
                Some(place) => {
                    place.number = number;
                    place.at = at;
                    place.event.copy_from(event);
                }
                None => state.places.push(Told { number, at, event: *event }),
            }
            state.end += 1;
            if state.end - state.begin > 1 {
                return Left::Behind;
            }
            untold.fetch_add(1, Ordering::SeqCst);
            Left::Alone
        })
    }

    /// How many numbers were given: what has a smaller one was told before.
    pub(super) fn numbers(&self) -> u64 {
        self.state.with(|state| state.numbers)
    }

    /// Copies of the first that wait and have a number below `below`, some of them.
    pub(super) fn copies(&self, below: u64) -> Vec<Told> {
        self.state.with(|state| {
            let waiting = state.places[state.begin..state.end].iter();
            waiting.take_while(|told| told.number < below).take(COPIES).cloned().collect()
        })
    }

    /// Takes the first that waits away, if it has this number, in one step with `f`. `None` if it is somebody else's already.
    pub(super) fn settle<R>(&self, number: u64, untold: &AtomicUsize, f: impl FnOnce() -> R) -> Option<R> {
        self.state.with(|state| {
            state.places[state.begin..state.end].first().filter(|told| told.number == number)?;
            let result = f();
            state.begin += 1;
            if state.begin == state.end {
                (state.begin, state.end) = (0, 0);
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
}
