//! What the lock of a worker without a heap guards: a card for each slot, a hub, and what its policy needs. Every method is one step, which runs no code of
//! users'; it says what is to be polled, dropped or woken when the lock is open.
//!
//! Invariants, whenever the lock is open:
//! 1. `running` cards are `Running` and were started: at most as many as there are lanes (Q1).
//! 2. The places of the `queued` cards are 0, 1, 2 … in the order of their submits (Q2).
//! 3. Whoever gives the driver something to do sets `rung`, and takes its waker; the driver leaves its waker only while `rung` is not set (L5).
//! 4. Once `closed` is set, no card is filled (S1); the time of an abort only ever becomes earlier (S5).
//! 5. Of a priority at most as many come in as it may have (Q8); who waits for a slot: see `line`.
#![allow(unsafe_code, reason = "cards and hub are touched under one lock")]

use core::mem::offset_of;
use core::ptr::NonNull;
use core::task::Waker;

use super::body::Functions;
use super::card::Card;
use super::hub::{DROPPED, Hub};
use super::policy::{HeldFull, HeldOrder, HeldPolicy, limits};
use super::seat::Seat;
use super::stage::Stage;
use crate::sync::{UnsafeCell, alone};
use crate::{CauseKind, Instant, Priority, RejectReason};

/// The hub first, so that it is found from a card.
#[repr(C)]
pub(super) struct State<const N: usize, P: HeldPolicy> {
    pub(super) hub: Hub,
    pub(super) cards: [Card; N],
    order: <P::Order as HeldOrder>::State,
    line: <P::Full as HeldFull>::Line,
}

/// See the head of the file.
pub(super) struct Board<const N: usize, P: HeldPolicy>(UnsafeCell<State<N, P>>);

// SAFETY: what is in it is touched under the lock. Wakers are `Send`; a body that is not is polled, dropped and read by one thread, as whoever puts it in promises.
unsafe impl<const N: usize, P: HeldPolicy> Sync for Board<N, P> {}
// SAFETY: as above.
unsafe impl<const N: usize, P: HeldPolicy> Send for Board<N, P> {}

/// How a job comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// It does not wait: when there is no slot, it goes back.
    Now,
    /// It would wait.
    First,
    /// A slot was promised to it while it waited.
    Granted,
}

/// What the driver is to do.
pub(super) enum Next {
    /// Poll this one, or drop it, if it was asked to stop.
    Take(NonNull<Card>, u8, bool, &'static Functions),
    /// Wake who slept, or may come in.
    Wake(Waker),
    /// Nothing before this time.
    Park(Instant),
    Closed,
}

impl<const N: usize, P: HeldPolicy> Board<N, P> {
    pub(super) const fn new() -> Self {
        // So that too many reserved do not compile, and a hub is found from its cards.
        let _ = const { State::<N, P>::LIMITS };
        const { assert!(offset_of!(State<N, P>, hub) == 0 && offset_of!(State<N, P>, cards) == Hub::TO_CARDS) }
        Self(UnsafeCell::new(State {
            hub: Hub::new(),
            cards: [const { Card::FREE }; N],
            order: <P::Order as HeldOrder>::NONE,
            line: <P::Full as HeldFull>::EMPTY,
        }))
    }

    /// Runs `f` on what is guarded, under the lock.
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut State<N, P>) -> R) -> R {
        // SAFETY: under the lock, which `f` does not take again.
        alone(|| self.0.with_mut(|state| f(unsafe { &mut *state })))
    }

    /// This card of the board, which is there for ever, with its hub.
    pub(super) fn seat(&'static self, card: NonNull<Card>) -> Seat {
        // SAFETY: a place in a static. No reference on the way: the pointer may be used for all of the board.
        let board = self.0.with_mut(|state| unsafe { NonNull::new_unchecked(state) });
        Seat::new(board.cast::<Card>().with_addr(card.addr()))
    }

    /// Any of its cards, for the hub.
    pub(super) fn first(&'static self) -> Seat {
        // SAFETY: within the board, which is there.
        self.seat(self.0.with_mut(|state| unsafe { NonNull::new_unchecked((&raw mut (*state).cards).cast()) }))
    }
}

impl<const N: usize, P: HeldPolicy> State<N, P> {
    /// For each priority, how many slots may be taken when one more job of it comes in.
    const LIMITS: [usize; Priority::COUNT] = limits(P::RESERVED, N);

    /// Whether a free slot may not be for whoever comes.
    const CHOOSES: bool = P::Full::WAITS || Self::LIMITS[0] < N;

    /// Fills a slot for a newcomer; its place in the queue is the last. Which, and who is to be woken.
    pub(super) fn open(
        &mut self,
        priority: Priority,
        deadline: Instant,
        entry: Entry,
    ) -> Result<(&mut Card, Option<Waker>), RejectReason> {
        let admitted = !Self::CHOOSES || self.admits(priority, entry);
        let Self { hub, cards, .. } = self;
        let free = (0..).zip(cards).find(|(_, card)| card.stage == Stage::Free);
        match free {
            Some((index, card)) if !hub.closed && admitted => {
                card.fill(priority, deadline);
                card.index = index;
                card.place = hub.queued;
                hub.queued += 1;
                hub.tally.accept();
                Ok((card, hub.ring()))
            }
            _ if entry == Entry::First && !hub.closed => Err(RejectReason::Full),
            _ => {
                hub.tally.reject();
                Err(if hub.closed { RejectReason::Closed } else { RejectReason::Full }) // S1, Q5
            }
        }
    }

    /// Whether a job of this priority may have a slot that is free (Q8, Q9).
    fn admits(&mut self, priority: Priority, entry: Entry) -> bool {
        let mut taken = self.taken();
        if let Some(line) = P::Full::line(&mut self.line) {
            if entry == Entry::Granted {
                line.granted -= 1;
                return true;
            }
            if line.is_before(priority) {
                return false;
            }
            taken += line.granted;
        }
        let limits = if mutant!(FloodFillsTheReserve) { [N; Priority::COUNT] } else { Self::LIMITS };
        taken < limits[priority.index()]
    }

    fn taken(&self) -> usize {
        self.cards.iter().filter(|card| card.stage != Stage::Free).count()
    }

    /// The line of those who wait for a slot, and the hub, for the driver to be rung.
    pub(super) fn line(&mut self) -> Option<(&mut super::line::Line, &mut Hub)> {
        Some((P::Full::line(&mut self.line)?, &mut self.hub))
    }

    /// Asks the youngest queued job of the lowest priority, if that is below `priority`, to make room (Q5). Whether there is one.
    pub(super) fn evict_below(&mut self, priority: Priority) -> bool {
        let queued = self.cards.iter_mut().filter(|card| card.stage == Stage::Queued && !card.is_asked());
        let lowest = queued.min_by_key(|card| (card.priority, !card.place));
        let equals = mutant!(EvictsItsEquals);
        lowest.is_some_and(|card| {
            (card.priority < priority || equals && card.priority == priority) && card.stop(CauseKind::Evicted)
        })
    }

    /// What to do at `now`: what is to be dropped first, so that no lane need become free for that (Q4, Q7); then a new job and the lanes in turn.
    pub(super) fn next(&mut self, now: Instant, lanes: u8) -> Next {
        let taken = if P::Full::WAITS { self.taken() } else { 0 };
        let Self { hub, cards, order, line } = self;
        // What is never due is not due at the last nanosecond either (D8): the clock stops before it.
        let now = Instant::from_nanos(now.as_nanos() - u64::from(now == Instant::NEVER));
        hub.rung = false;
        hub.now = now;
        let line = P::Full::line(line);
        if let Some(waker) = line.and_then(|line| line.grant(taken, &Self::LIMITS, hub.closed)) {
            return Next::Wake(waker);
        }
        let mut until = Instant::NEVER;
        if let Some(waker) = hub.look.and_then(|look| look(&mut hub.naps, now, &mut until)) {
            return Next::Wake(waker);
        }
        // The one whose turn it is.
        let mut best: (u32, Option<&mut Card>) = (0, None);
        for card in cards.iter_mut() {
            let rank = hub.consider(card, lanes, &mut until);
            if best.0 < rank {
                best = (rank, Some(card));
            }
        }
        let Some(mut card) = best.1 else {
            if hub.closed && hub.queued == 0 && hub.running == 0 {
                return Next::Closed;
            }
            return Next::Park(if mutant!(BusyWhenIdle) { now } else { until });
        };
        let was_queued = card.stage == Stage::Queued;
        let polls = best.0 != DROPPED && !(mutant!(CancelledEntryKeepsItsPlace) && card.is_asked());
        if P::Order::WEIGHS && was_queued && polls {
            let index = card.index;
            card = by_weight::<P::Order>(order, cards, index);
        }
        let (taken, index, place, functions) = (NonNull::from(&*card), card.index, card.place, card.functions);
        card.stage = Stage::Running;
        card.ready = false;
        hub.last = index;
        hub.new_first = !was_queued;
        if was_queued {
            hub.queued -= 1;
            if polls {
                card.started = true;
                hub.running += 1;
            }
            // Of those that are not queued as well, where it says nothing.
            for behind in cards.iter_mut().filter(|card| card.place > place) {
                behind.place -= 1;
            }
        }
        // SAFETY: a card that is queued or running has them.
        Next::Take(taken, index, polls, unsafe { functions.unwrap_unchecked() })
    }
}

/// The queued card whose turn it is by the weights (Q3), where the most urgent is that of the index `strict`. Nothing is to be dropped.
fn by_weight<'a, O: HeldOrder>(order: &mut O::State, cards: &'a mut [Card], strict: u8) -> &'a mut Card {
    let is_queued = |card: &&mut Card| card.stage == Stage::Queued;
    let queued = cards.iter_mut().filter(is_queued).fold(0, |levels, card| levels | 1 << card.priority.index());
    let level = O::pick(order, queued);
    let of_level = cards.iter_mut().filter(is_queued).filter(|card| Some(card.priority) == level);
    let oldest = of_level.min_by_key(|card| if mutant!(LifoWithinPriority) { !card.place } else { card.place });
    let index = oldest.map_or(strict, |card| card.index);
    &mut cards[usize::from(index)]
}
