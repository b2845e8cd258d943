//! What the lock of a worker without a heap guards: a card for each slot, and a hub. Every method is one step, which runs no code of
//! users'; it says what is to be polled, dropped or woken when the lock is open.
//!
//! Invariants, whenever the lock is open:
//! 1. `running` cards are `Running` and were started: at most as many as there are lanes (Q1).
//! 2. The places of the `queued` cards are 0, 1, 2 … in the order of their submits (Q2).
//! 3. Whoever gives the driver something to do sets `rung`, and takes its waker; the driver leaves its waker only while `rung` is not set (L5).
//! 4. Once `closed` is set, no card is filled (S1); the time of an abort only ever becomes earlier (S5).
#![allow(unsafe_code, reason = "cards and hub are touched under one lock, and wakers find both from a card")]

use core::mem::offset_of;
use core::ptr::NonNull;
use core::task::{Context, RawWaker, RawWakerVTable, Waker};

use super::HeldWorker;
use super::body::Functions;
use super::card::{Card, Stage, Times};
use super::counts::Tally;
use super::nap::{Look, Naps};
use crate::held::wake;
use crate::sync::{UnsafeCell, alone};
use crate::{Instant, Panic, Priority, RejectReason};

/// What all slots have in common. In this order for the same reason as a card.
#[repr(C)]
pub(super) struct Hub {
    rung: bool,
    closed: bool,
    /// Whether a new job comes before the lanes in this step; alternates (L2).
    new_first: bool,
    attended: bool,
    /// Whether the driver has gone: nobody has a grace then (S6).
    gone: bool,
    queued: u8,
    running: u8,
    /// The card that was polled last (L2).
    last: u8,
    /// Of whoever steps the driver, while it is parked.
    waker: Option<Waker>,
    pub(super) naps: Naps,
    /// Looks through the naps; set by the first, so that whoever never sleeps does not carry it.
    pub(super) look: Option<Look>,
    /// When the step began that is in progress, or was the last.
    pub(super) now: Instant,
    /// When what is not over is cancelled: so long before the last nanosecond, which is never. So a worker in a static is all zeros, and weighs nothing in flash.
    abort_before_never: u64,
    pub(super) tally: Tally,
}

/// The hub first, so that it is found from a card.
#[repr(C)]
pub(super) struct State<const N: usize> {
    pub(super) hub: Hub,
    pub(super) cards: [Card; N],
}

/// See the head of the file.
pub(super) struct Board<const N: usize>(UnsafeCell<State<N>>);

// SAFETY: what is in it is touched under the lock. Wakers are `Send`; a body that is not is polled, dropped and read by one thread, as whoever puts it in promises.
unsafe impl<const N: usize> Sync for Board<N> {}
// SAFETY: as above.
unsafe impl<const N: usize> Send for Board<N> {}

/// What the driver is to do.
pub(super) enum Next {
    /// Poll this one, or drop it, if it was asked to stop.
    Take(u8, bool, &'static Functions),
    /// Wake who slept.
    Wake(Waker),
    /// Nothing before this time.
    Park(Instant),
    Closed,
}

/// Whom a settling wakes when the lock is open; a panic that is left is nobody's to read. `Err`: there is a value that nobody will read; drop it, and
/// settle then (X4).
pub(super) type Settled = Result<Option<Waker>, ()>;

impl<const N: usize> Board<N> {
    pub(super) const fn new() -> Self {
        let hub = Hub {
            waker: None,
            now: Instant::ORIGIN,
            abort_before_never: 0,
            naps: Naps::new(),
            look: None,
            tally: Tally::NONE,
            queued: 0,
            running: 0,
            last: 0,
            closed: false,
            rung: false,
            new_first: false,
            attended: false,
            gone: false,
        };
        Self(UnsafeCell::new(State { hub, cards: [const { Card::FREE }; N] }))
    }

    /// Runs `f` on what is guarded, under the lock.
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut State<N>) -> R) -> R {
        // SAFETY: under the lock, which `f` does not take again.
        alone(|| self.0.with_mut(|state| f(unsafe { &mut *state })))
    }

    /// One card of a board that is there for ever, with its hub. The index is one that this board gave out.
    pub(super) fn seat(&'static self, index: u8) -> Seat {
        // No reference on the way: the pointer may be used for all of the board.
        // SAFETY: within the board, which is there.
        Seat(self.0.with_mut(|state| unsafe {
            NonNull::new_unchecked((&raw mut (*state).cards).cast::<Card>().add(usize::from(index)))
        }))
    }
}

/// A card of a board that is there for ever.
#[derive(Clone, Copy)]
pub(super) struct Seat(NonNull<Card>);

// SAFETY: what it names is touched under the lock.
unsafe impl Send for Seat {}
// SAFETY: as above.
unsafe impl Sync for Seat {}

impl Seat {
    /// Runs `f` on the hub and the card, under the lock.
    pub(super) fn with<R>(self, f: impl FnOnce(&mut Hub, &mut Card) -> R) -> R {
        // SAFETY: under the lock, which `f` does not take again; the hub lies before the first card.
        alone(|| unsafe {
            let card = self.0.as_ptr();
            let first = card.sub(usize::from((*card).index));
            let hub = first.byte_sub(offset_of!(State<1>, cards)).cast::<Hub>();
            f(&mut *hub, &mut *card)
        })
    }

    /// The waker of the card's job: it needs no count, as the board is there for ever.
    pub(super) fn waker(self) -> Waker {
        // SAFETY: the functions of the table take a card of a board that is there for ever.
        unsafe { Waker::from_raw(self.raw_waker()) }
    }

    /// The card of the job that is polled, as it is polled by the driver.
    pub(super) fn of(cx: &Context<'_>) -> Option<Self> {
        let waker = cx.waker();
        let card = NonNull::new(waker.data().cast_mut().cast())?;
        core::ptr::eq(waker.vtable(), &BELL).then_some(Self(card))
    }

    /// Whether its job was asked to stop, or there is none.
    pub(super) fn is_asked(self) -> bool {
        self.with(|_, card| card.is_asked())
    }

    /// A waker with functions of its own, which are given the card.
    pub(super) fn waker_by(self, table: &'static RawWakerVTable) -> RawWaker {
        RawWaker::new(self.0.as_ptr().cast_const().cast(), table)
    }

    /// # Safety
    ///
    /// It is what a function of such a table was given.
    pub(super) unsafe fn from_data(card: *const ()) -> Self {
        // SAFETY: promised by the caller.
        Self(unsafe { NonNull::new_unchecked(card.cast_mut().cast()) })
    }

    fn raw_waker(self) -> RawWaker {
        self.waker_by(&BELL)
    }
}

static BELL: RawWakerVTable = RawWakerVTable::new(|card| RawWaker::new(card, &BELL), ring_card, ring_card, |_| {});

/// Wakes the job of a card: a late or double wake is harmless (L5).
fn ring_card(card: *const ()) {
    // SAFETY: it was made of a seat.
    let seat = unsafe { Seat::from_data(card) };
    wake(seat.with(|hub, card| {
        card.ready = true;
        hub.ring()
    }));
}

impl Hub {
    /// Tells the driver to look. Whoever calls it wakes what it gives when the lock is open.
    pub(super) fn ring(&mut self) -> Option<Waker> {
        self.rung = true;
        self.waker.take()
    }

    /// The one driver is given out.
    pub(super) fn attend(&mut self) -> bool {
        !core::mem::replace(&mut self.attended, true)
    }

    /// Accepts nothing more, and cancels at this time what is not over by then (S4, S5).
    pub(super) fn close(&mut self, abort_at: Instant) -> Option<Waker> {
        self.closed = true;
        let before = !abort_at.as_nanos();
        self.abort_before_never =
            if mutant!(DrainRelaxesAnAbort) { before } else { self.abort_before_never.max(before) };
        self.ring()
    }

    /// The worker whose hub this is.
    ///
    /// # Safety
    ///
    /// It is one of these sizes, and its address was exposed.
    pub(super) unsafe fn worker<'a, const LANES: usize, const SLOTS: usize, const BYTES: usize>(
        &self,
    ) -> &'a HeldWorker<LANES, SLOTS, BYTES> {
        let address = core::ptr::from_ref(self).addr();
        // SAFETY: promised by the caller; the board is the first of a worker, and the hub the first of a board. What of it is guarded lies in cells.
        unsafe { &*core::ptr::with_exposed_provenance(address) }
    }

    /// The driver goes: all is cancelled at once.
    pub(super) fn leave(&mut self) -> Option<Waker> {
        self.gone = true;
        self.close(Instant::ORIGIN)
    }

    fn abort_at(&self) -> Instant {
        let at = Instant::from_nanos(!self.abort_before_never);
        if mutant!(DrainLimitIsIgnored) && at != Instant::ORIGIN { Instant::NEVER } else { at }
    }

    /// Leaves the waker of the driver, which found nothing to do. The one that is not needed comes back; the new one if somebody rang meanwhile.
    pub(super) fn park(&mut self, waker: Waker) -> Result<Option<Waker>, Waker> {
        if self.rung && !mutant!(ParksWithoutLooking) {
            return Err(waker);
        }
        Ok(self.waker.replace(waker))
    }

    /// The one atomic transition that fixes an outcome (J1).
    pub(super) fn settle(
        &mut self,
        card: &mut Card,
        ended: Stage,
        panic: &mut Option<Panic>,
        emptied: bool,
    ) -> Settled {
        let detached = card.detached && !mutant!(DetachedResultsPileUp);
        if detached && !emptied {
            return Err(());
        }
        card.stage = if detached { Stage::Free } else { ended };
        self.running -= u8::from(card.started);
        self.tally.settle(ended, panic.is_some(), card.is_timed_out());
        if !detached {
            card.panic = panic.take();
        }
        Ok(card.reader.take())
    }
}

impl<const N: usize> State<N> {
    /// Fills a slot for a newcomer at the time `now`; its place in the queue is the last. Which, and who is to be woken.
    pub(super) fn open(
        &mut self,
        priority: Priority,
        times: &Times,
        now: Instant,
    ) -> Result<(&mut Card, Option<Waker>), RejectReason> {
        let Self { hub, cards } = self;
        let free = (0..).zip(cards).find(|(_, card)| card.stage == Stage::Free);
        match free {
            Some((index, card)) if !hub.closed => {
                card.fill(priority, times, now);
                card.index = index;
                card.place = hub.queued;
                hub.queued += 1;
                hub.tally.accept();
                Ok((card, hub.ring()))
            }
            _ => {
                hub.tally.reject();
                Err(if hub.closed { RejectReason::Closed } else { RejectReason::Full }) // S1, Q5
            }
        }
    }

    /// What to do at `now`: what is to be dropped first, so that no lane need become free for that (Q4, Q7); then a new job and the lanes in turn.
    pub(super) fn next(&mut self, now: Instant, lanes: u8) -> Next {
        let Self { hub, cards } = self;
        // What is never due is not due at the last nanosecond either (D8): the clock stops before it.
        let now = Instant::from_nanos(now.as_nanos() - u64::from(now == Instant::NEVER));
        hub.rung = false;
        hub.now = now;
        let mut until = Instant::NEVER;
        if let Some(waker) = hub.look.and_then(|look| look(&mut hub.naps, now, &mut until)) {
            return Next::Wake(waker);
        }
        let abort_at = hub.abort_at();
        let aborts = abort_at.is_due(now);
        if !aborts {
            until = until.min(abort_at);
        }
        // The one whose turn it is.
        let mut best: (u32, Option<&mut Card>) = (0, None);
        for card in cards.iter_mut() {
            let rank = hub.consider(card, lanes, aborts, &mut until);
            if best.0 < rank {
                best = (rank, Some(card));
            }
        }
        let Some(card) = best.1 else {
            if hub.closed && hub.queued == 0 && hub.running == 0 {
                return Next::Closed;
            }
            return Next::Park(if mutant!(BusyWhenIdle) { now } else { until });
        };
        let (index, place, functions) = (card.index, card.place, card.functions);
        let was_queued = card.stage == Stage::Queued;
        let polls = best.0 != DROPPED && !(mutant!(CancelledEntryKeepsItsPlace) && card.is_asked());
        card.stage = Stage::Running;
        card.ready = false;
        hub.last = index;
        hub.new_first = !was_queued;
        if was_queued {
            hub.queued -= 1;
            if polls {
                card.start(now);
                hub.running += 1;
            }
            // Of those that are not queued as well, where it says nothing.
            for behind in cards.iter_mut().filter(|card| card.place > place) {
                behind.place -= 1;
            }
        }
        // SAFETY: a card that is queued or running has them.
        Next::Take(index, polls, unsafe { functions.unwrap_unchecked() })
    }
}

impl Hub {
    /// Compares a card with the clock, and says how much it is its turn: 0 is not at all. What is to be dropped comes first; else a new job and the lanes alternate, and
    /// then the most urgent, the oldest, or the next in turn. `until` is brought forward to when its time is out.
    #[inline(never)]
    fn consider(&self, card: &mut Card, lanes: u8, aborts: bool, until: &mut Instant) -> u32 {
        let queued = card.stage == Stage::Queued;
        if !queued && card.stage != Stage::Running {
            return 0;
        }
        *until = (*until).min(card.look(self.now, aborts));
        if self.is_dropped_next(card) && !(queued && mutant!(CancelledEntryKeepsItsPlace)) {
            DROPPED // J2, J4, Q4, Q7
        } else if queued {
            if self.running >= lanes + u8::from(mutant!(OneLaneMoreThanTheLimit)) {
                return 0;
            }
            let place = if mutant!(LifoWithinPriority) { card.place } else { !card.place };
            rank(self.new_first, card.priority as u8, place)
        } else {
            if !card.ready {
                return 0;
            }
            let in_turn = card.index > self.last || mutant!(LowestLaneFirst);
            rank(!self.new_first, u8::from(in_turn), !card.index)
        }
    }
}

impl Hub {
    /// Whether it was asked to stop, and is not polled any more: at once, or when it says that its grace is over (J5).
    #[inline]
    fn is_dropped_next(&self, card: &Card) -> bool {
        let has_grace = card.started && card.is_graced() && !self.gone && !mutant!(GraceIsIgnored);
        card.is_asked() && !has_grace && !is_polled_all_the_same(card.stage == Stage::Queued)
    }
}

/// Whether a job that was asked to stop is polled: a defect.
fn is_polled_all_the_same(queued: bool) -> bool {
    match queued {
        true => mutant!(PollsAJobCancelledWhileQueued),
        false => mutant!(PollsAfterTheRequest),
    }
}

/// The rank of what is to be dropped.
const DROPPED: u32 = u32::MAX;

/// What comes first counts most. Never 0.
fn rank(first: bool, second: u8, third: u8) -> u32 {
    u32::from(first) << 16 | u32::from(second) << 8 | u32::from(third)
}
