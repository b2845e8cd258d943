//! What all slots of a board have in common, and whose turn it is among them.
#![allow(unsafe_code, reason = "a worker is found from its hub")]

use core::task::Waker;

use super::HeldWorker;
use super::card::Card;
use super::counts::Tally;
use super::naps::{Look, Naps};
use super::policy::HeldPolicy;
use super::stage::Stage;
use crate::{Instant, Panic};

/// What all slots have in common. In this order for the same reason as a card.
#[repr(C)]
pub(super) struct Hub {
    pub(super) rung: bool,
    pub(super) closed: bool,
    /// Whether a new job comes before the lanes in the next step: what was taken last was none (L2).
    pub(super) new_first: bool,
    driver: Attendance,
    /// Whether the job that is polled is within a section that is shielded (R9). Between two polls it says nothing.
    pub(super) shielded: bool,
    pub(super) queued: u8,
    pub(super) running: u8,
    /// The card that was polled last (L2).
    pub(super) last: u8,
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

/// Where the driver is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attendance {
    /// It was not given out.
    Awaited = 0,
    There,
    /// Nobody has a grace any more (S6).
    Gone,
}

/// Whom a settling wakes when the lock is open; a panic that is left is nobody's to read. `Err`: there is a value that nobody will read; drop it, and
/// settle then (X4).
pub(super) type Settled = Result<Option<Waker>, ()>;

impl Hub {
    /// How many bytes from a hub to the first card of its board.
    pub(super) const TO_CARDS: usize = size_of::<Self>().next_multiple_of(align_of::<Card>());

    pub(super) const fn new() -> Self {
        Self {
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
            driver: Attendance::Awaited,
            shielded: false,
        }
    }

    /// Tells the driver to look. Whoever calls it wakes what it gives when the lock is open.
    pub(super) fn ring(&mut self) -> Option<Waker> {
        self.rung = true;
        self.waker.take()
    }

    /// The one driver is given out.
    pub(super) fn attend(&mut self) -> bool {
        // Where it has gone there is no job any more, and never will be: that it has is of no interest then.
        core::mem::replace(&mut self.driver, Attendance::There) == Attendance::Awaited
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
    pub(super) unsafe fn worker<'a, const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy>(
        &self,
    ) -> &'a HeldWorker<LANES, SLOTS, BYTES, P> {
        let address = core::ptr::from_ref(self).addr();
        // SAFETY: promised by the caller; the board is the first of a worker, and the hub the first of a board. What of it is guarded lies in cells.
        unsafe { &*core::ptr::with_exposed_provenance(address) }
    }

    /// Whether the job that is polled is polled for the first time.
    pub(super) fn starts(&self) -> bool {
        !self.new_first
    }

    /// The driver goes: all is cancelled at once.
    pub(super) fn leave(&mut self) -> Option<Waker> {
        self.driver = Attendance::Gone;
        self.close(Instant::ORIGIN)
    }

    fn abort_at(&self) -> Instant {
        let at = Instant::from_nanos(!self.abort_before_never);
        if mutant!(DrainLimitIsIgnored) && at != Instant::ORIGIN { Instant::NEVER } else { at }
    }

    /// Leaves the waker of the driver, which found nothing to do, in exchange for the one that was there. Not if somebody rang meanwhile.
    pub(super) fn park(&mut self, waker: &mut Option<Waker>) -> bool {
        let parks = !self.rung || mutant!(ParksWithoutLooking);
        if parks {
            core::mem::swap(&mut self.waker, waker);
        }
        parks
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
        self.tally.settle(ended);
        if !detached {
            card.panic = panic.take();
        }
        Ok(card.reader.take())
    }
}

impl Hub {
    /// Compares a card with the clock, and says how much it is its turn: 0 is not at all. What is to be dropped comes first; else a new job and the lanes alternate, and
    /// then the most urgent, the oldest, or the next in turn. `until` is brought forward to when its time is out.
    #[inline(never)]
    pub(super) fn consider(&self, card: &mut Card, lanes: u8, until: &mut Instant) -> u32 {
        let queued = card.stage == Stage::Queued;
        if !queued && card.stage != Stage::Running {
            return 0;
        }
        card.look(self.now, self.abort_at(), until);
        if self.is_dropped_next(card) && !(queued && mutant!(CancelledEntryKeepsItsPlace)) {
            DROPPED // J2, J4, Q4, Q7
        } else if queued {
            if self.running >= lanes + u8::from(mutant!(OneLaneMoreThanTheLimit)) {
                return 0;
            }
            let place = if mutant!(LifoWithinPriority) { !card.place } else { card.place };
            self.rank(queued, card.priority as u8, place)
        } else {
            if !card.ready {
                return 0;
            }
            let in_turn = card.index > self.last || mutant!(LowestLaneFirst);
            self.rank(queued, u8::from(in_turn), card.index)
        }
    }
}

impl Hub {
    /// Whether it was asked to stop, and is not polled any more: at once, or when it says that its grace is over (J5).
    #[inline]
    fn is_dropped_next(&self, card: &Card) -> bool {
        if !card.is_asked() || is_polled_all_the_same(card.stage == Stage::Queued) {
            return false;
        }
        !card.started || self.driver == Attendance::Gone || !card.is_graced() || mutant!(GraceIsIgnored)
    }

    /// What comes first counts most; of equals, who has the smaller number. Never 0.
    #[inline]
    fn rank(&self, queued: bool, level: u8, number: u8) -> u32 {
        u32::from(queued == self.new_first) << 16 | u32::from(level) << 8 | u32::from(!number)
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
pub(super) const DROPPED: u32 = u32::MAX;
