//! What the queue of a worker without a heap promises: whose turn it is, what becomes of a job when it is full, and for whom places are kept.
//!
//! All of it is a matter of types and constants: a worker carries what its policy asks for, and nothing else.

use super::line::Line;
use crate::discipline::{Turns, patience_of};
use crate::{Class, Priority};

/// The policy of a [`HeldWorker`](crate::HeldWorker). Without one it is [`HeldStrict`].
///
/// ```
/// use countermand_core::{HeldPolicy, HeldWaits, HeldWeighted, HeldWorker};
///
/// struct Fair;
///
/// impl HeldPolicy for Fair {
///     type Order = HeldWeighted<1, 2, 4, 8>; // nobody starves
///     type Full = HeldWaits; // a submit may wait for a slot
///     const RESERVED: [u8; 4] = [0, 0, 0, 1]; // and one slot is kept for what is critical
/// }
///
/// static WORKER: HeldWorker<2, 8, 64, Fair> = HeldWorker::new();
/// ```
///
/// More reserved than there are slots does not compile:
///
/// ```compile_fail,E0080
/// # use countermand_core::{HeldPolicy, HeldRefuses, HeldUrgent, HeldWorker};
/// struct Greedy;
///
/// impl HeldPolicy for Greedy {
///     type Order = HeldUrgent;
///     type Full = HeldRefuses;
///     const RESERVED: [u8; 4] = [0, 0, 4, 5];
/// }
///
/// static WORKER: HeldWorker<2, 8, 64, Greedy> = HeldWorker::new();
/// ```
pub trait HeldPolicy: 'static {
    /// Whose turn it is: [`HeldUrgent`] or [`HeldWeighted`].
    type Order: HeldOrder;

    /// What becomes of a job when there is no slot for it: [`HeldRefuses`], [`HeldWaits`] or [`HeldEvicts`].
    type Full: HeldFull;

    /// How many slots are kept for each priority, by [`Priority::index`], and those above it: what is less urgent never takes them (Q8).
    const RESERVED: [u8; Priority::COUNT] = [0; Priority::COUNT];

    /// Told of each job once, when it has settled (E7): by the driver, under no lock. Where it panics, that is contained (P4).
    fn settled(end: HeldEnd) {
        let _ = end;
    }
}

/// How a job of a [`HeldWorker`](crate::HeldWorker) ended, as its policy is [told](HeldPolicy::settled).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct HeldEnd {
    /// How urgent it was.
    pub priority: Priority,
    /// Its outcome, without the value.
    pub class: Class,
}

/// The most urgent first, always; a full pool gives the job back; no slot is kept for anybody.
#[derive(Debug)]
#[non_exhaustive]
pub struct HeldStrict;

impl HeldPolicy for HeldStrict {
    type Order = HeldUrgent;
    type Full = HeldRefuses;
}

mod sealed {
    #[expect(unnameable_types, reason = "that it cannot be named is what seals the traits")]
    pub trait Sealed {}
}

/// Whose turn it is in the queue of a [`HeldWorker`](crate::HeldWorker). Within one priority it is always first in, first out (Q2).
pub trait HeldOrder: sealed::Sealed + 'static {
    #[doc(hidden)]
    type State: Send;
    #[doc(hidden)]
    const NONE: Self::State;
    /// Whether it is asked at all.
    #[doc(hidden)]
    const WEIGHS: bool;
    /// Whose turn it is, of the priorities that have jobs: bit [`Priority::index`] each.
    #[doc(hidden)]
    fn pick(state: &mut Self::State, queued: u8) -> Option<Priority>;
}

/// The most urgent first, always: [`Discipline::Strict`](crate::Discipline::Strict). It makes no promise of the kind of Q3.
#[derive(Debug)]
#[non_exhaustive]
pub struct HeldUrgent;

impl sealed::Sealed for HeldUrgent {}

impl HeldOrder for HeldUrgent {
    type State = ();
    const NONE: () = ();
    const WEIGHS: bool = false;

    fn pick((): &mut (), queued: u8) -> Option<Priority> {
        Priority::ALL.get(queued.checked_ilog2()? as usize).copied()
    }
}

/// The most urgent first, but none starves: [`Discipline::Weighted`](crate::Discipline::Weighted) with these weights, whose
/// [`bound`](crate::Discipline::bound) is the promise (Q3). A weight of zero does not compile.
#[derive(Debug)]
#[non_exhaustive]
pub struct HeldWeighted<const LOW: u32, const NORMAL: u32, const HIGH: u32, const CRITICAL: u32>;

impl<const LOW: u32, const NORMAL: u32, const HIGH: u32, const CRITICAL: u32> sealed::Sealed
    for HeldWeighted<LOW, NORMAL, HIGH, CRITICAL>
{
}

impl<const LOW: u32, const NORMAL: u32, const HIGH: u32, const CRITICAL: u32> HeldOrder
    for HeldWeighted<LOW, NORMAL, HIGH, CRITICAL>
{
    type State = Account;
    const NONE: Account = {
        assert!(LOW > 0 && NORMAL > 0 && HIGH > 0 && CRITICAL > 0, "a level with the weight zero is never served");
        Account(Turns::NONE)
    };
    const WEIGHS: bool = true;

    fn pick(account: &mut Account, queued: u8) -> Option<Priority> {
        account.0.pick(&const { patience_of([LOW, NORMAL, HIGH, CRITICAL]) }, queued)
    }
}

/// Who was passed over how often.
#[derive(Debug)]
#[expect(unnameable_types, reason = "nobody's business but the policies'")]
pub struct Account(Turns);

/// What becomes of a job for which a [`HeldWorker`](crate::HeldWorker) has no slot (Q5).
pub trait HeldFull: sealed::Sealed + 'static {
    #[doc(hidden)]
    type Line: Send;
    #[doc(hidden)]
    const EMPTY: Self::Line;
    /// Whether there is a line.
    #[doc(hidden)]
    const WAITS: bool;
    /// Whether whoever joins it makes room first.
    #[doc(hidden)]
    const EVICTS: bool;
    #[doc(hidden)]
    fn line(line: &mut Self::Line) -> Option<&mut Line>;
}

/// It comes back at once.
#[derive(Debug)]
#[non_exhaustive]
pub struct HeldRefuses;

/// It may wait for a slot: [`HeldWorker::submit_or_wait`](crate::HeldWorker::submit_or_wait).
#[derive(Debug)]
#[non_exhaustive]
pub struct HeldWaits;

/// It may have a less urgent one make room: [`HeldWorker::submit_or_evict`](crate::HeldWorker::submit_or_evict).
#[derive(Debug)]
#[non_exhaustive]
pub struct HeldEvicts;

impl sealed::Sealed for HeldRefuses {}
impl sealed::Sealed for HeldWaits {}
impl sealed::Sealed for HeldEvicts {}

impl HeldFull for HeldRefuses {
    type Line = ();
    const EMPTY: () = ();
    const WAITS: bool = false;
    const EVICTS: bool = false;

    fn line((): &mut ()) -> Option<&mut Line> {
        None
    }
}

impl HeldFull for HeldWaits {
    type Line = Line;
    const EMPTY: Line = Line::new();
    const WAITS: bool = true;
    const EVICTS: bool = false;

    fn line(line: &mut Line) -> Option<&mut Line> {
        Some(line)
    }
}

impl HeldFull for HeldEvicts {
    type Line = Line;
    const EMPTY: Line = Line::new();
    const WAITS: bool = true;
    const EVICTS: bool = true;

    fn line(line: &mut Line) -> Option<&mut Line> {
        Some(line)
    }
}

/// For each priority, how many of `slots` may be taken when one more job of it comes in (Q8).
pub(super) const fn limits(reserved: [u8; Priority::COUNT], slots: usize) -> [usize; Priority::COUNT] {
    let mut limits = [slots; Priority::COUNT];
    let (mut level, mut above) = (Priority::COUNT, 0);
    while level > 0 {
        level -= 1;
        assert!(above <= slots, "more slots are reserved than there are");
        limits[level] = slots - above;
        above += reserved[level] as usize;
    }
    assert!(above <= slots, "more slots are reserved than there are");
    limits
}
