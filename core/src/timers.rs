//! The exact timers of one attendant: what is due, in which order, and when to look again.

mod heap;

use core::fmt;

use heap::Node;

use crate::Instant;
#[cfg(feature = "alloc")]
use crate::size::Heap;
use crate::size::{Fixed, Size};

/// No place.
const NONE: u32 = u32::MAX;

/// How many runs there are.
const RUNS: usize = 4;

/// For [`Slot::next`]: the timer is in the heap.
const HEAPED: u32 = NONE - 1;

/// Timers of a driver or a keeper. Nobody is woken by them: their owner asks what is due at a time that it was given.
///
/// They are exact: an item comes out when [`Instant::is_due`] says so, neither a tick early nor rounded up (D3); the
/// earliest comes first, and among equals the one that was inserted first. Any point in time will do, a year or the end of
/// time itself. Adding, removing and taking cost a logarithm of the number of timers at the most, and the same whatever their number where they are of a few lengths only:
/// each of a length is later than the one before it. The items of a dropped `Timers` are dropped.
///
/// `S` says where the places are: [`Heap`](crate::Heap) or [`Fixed<N>`](crate::Fixed).
///
/// ```
/// use countermand_core::{Fixed, Instant, Timers};
/// let mut timers: Timers<&str, Fixed<4>> = Timers::new();
/// let nine = timers.try_insert(Instant::from_nanos(9), "nine").unwrap();
/// timers.try_insert(Instant::from_nanos(5), "five").unwrap();
/// assert_eq!(timers.next_at(), Some(Instant::from_nanos(5)));
/// assert_eq!(timers.pop_due(Instant::from_nanos(4)), None);
/// assert_eq!(timers.pop_due(Instant::from_nanos(5)), Some((Instant::from_nanos(5), "five")));
/// assert_eq!(timers.remove(nine), Some("nine"));
/// assert_eq!(timers.remove(nine), None);
/// ```
///
/// # Implementation notes
///
/// A few runs, each in order, linked through the slots, and a heap for what fits none. A timer goes to the end of the run that ends latest before it, or begins one, so that those of one
/// length make a run, and nothing is moved for any of them. The heap has four children a node, ordered by time and then by the number of the insertion; the nodes lie apart from the
/// items, so that a comparison touches nothing else. A timing wheel adds and removes in constant time, but it rounds: to know the exact next time it searches
/// a slot, an alarm set by its slots wakes early and often, and eleven levels of 64 slots are too much for a device.
///
/// Invariants:
/// 1. The first `len` nodes are in use; the node at `i` is not later than its children at `4 i + 1` to `4 i + 4`.
/// 2. The node at `i` names the `slot` of its item, whose `position` is `i` and whose `next` is `HEAPED`.
/// 3. Every slot below `used` holds an item, and is in one run or named by one node; or it is in the list of free ones.
/// 4. No two insertions get the same number, so a key that outlived its timer fits no other (D7).
/// 5. Along a run the order rises. A run knows that of its first, and the time of its last.
/// 6. `least` is the order of the earliest timer of all; `NEVER` if there is none.
pub struct Timers<T, S: Size> {
    nodes: S::Places<Node>,
    slots: S::Places<Slot<T>>,
    limit: u32,
    used: u32,
    free: u32,
    /// Of the heap.
    len: u32,
    /// Of all.
    count: u32,
    insertions: u64,
    least: u128,
    runs: [Run; RUNS],
}

/// What an insertion gives: names the timer until it is removed or taken, and nothing afterwards (D7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimerKey {
    number: u64,
    slot: u32,
}

#[cfg_attr(not(feature = "alloc"), expect(dead_code, reason = "for the machine"))]
impl TimerKey {
    /// The place that it names, for who keeps no key longer than its timer.
    pub(crate) const fn place(self) -> TimerPlace {
        TimerPlace(self.slot)
    }
}

/// A [`TimerKey`] without its number: names whichever timer has its place. For an owner that takes each timer back or out before it sets the next for the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimerPlace(u32);

#[cfg_attr(not(feature = "alloc"), expect(dead_code, reason = "for the machine"))]
impl TimerPlace {
    /// Names no timer.
    pub(crate) const NONE: Self = Self(NONE);
}

/// Where a timer comes among all: its time, then the number of its insertion. As one number, for the sake of comparisons without branches.
#[inline]
fn order(at: Instant, number: u64) -> u128 {
    u128::from(at.as_nanos()) << 64 | u128::from(number)
}

/// After every timer, as there is no insertion of that number.
const NEVER: u128 = u128::MAX;

/// Timers in their order, linked through their slots.
#[derive(Clone, Copy)]
struct Run {
    head: u32,
    tail: u32,
    /// The order of the first; [`NEVER`] for a run that is empty.
    first: u128,
    /// The time of the last; the origin of the clock for a run that is empty.
    last: Instant,
}

/// Room for an item.
struct Slot<T> {
    /// Of the insertion that filled it last.
    number: u64,
    at: Instant,
    /// Where the node is, or the one before it in its run; the next free slot, where there is no item.
    position: u32,
    /// The next in its run, or `HEAPED`.
    next: u32,
    item: Option<T>,
}

impl Run {
    const EMPTY: Self = Self { head: NONE, tail: NONE, first: NEVER, last: Instant::ORIGIN };
}

impl<T> Slot<T> {
    const FREE: Self = Self { number: 0, at: Instant::ORIGIN, position: NONE, next: NONE, item: None };

    #[inline]
    fn order(&self) -> u128 {
        order(self.at, self.number)
    }
}

#[cfg(feature = "alloc")]
impl<T> Timers<T, Heap> {
    /// No timers, and no allocation before the first.
    #[must_use]
    pub const fn growing() -> Self {
        Self::of(alloc::vec::Vec::new(), alloc::vec::Vec::new(), NONE - 1)
    }

    /// Adds a timer that is due at `at`, which may be past.
    ///
    /// # Panics
    ///
    /// With more than four billion timers.
    pub fn insert(&mut self, at: Instant, item: T) -> TimerKey {
        match self.try_insert(at, item) {
            Ok(key) => key,
            Err(_) => panic!("more than four billion timers"),
        }
    }
}

impl<T, const N: usize> Timers<T, Fixed<N>> {
    /// Room for `N` timers.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(N < NONE as usize, "at most 4,294,967,294 timers") }
        Self::of([Node::NONE; N], [const { Slot::FREE }; N], N as u32)
    }
}

impl<T, const N: usize> Default for Timers<T, Fixed<N>> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, S: Size> Timers<T, S> {
    const fn of(nodes: S::Places<Node>, slots: S::Places<Slot<T>>, limit: u32) -> Self {
        let runs = [Run::EMPTY; RUNS];
        Self { nodes, slots, limit, used: 0, free: NONE, len: 0, count: 0, insertions: 0, least: NEVER, runs }
    }

    /// The number of timers.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there is no timer.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds a timer that is due at `at`, which may be past.
    ///
    /// # Errors
    ///
    /// Gives `item` back when there is no room.
    pub fn try_insert(&mut self, at: Instant, item: T) -> Result<TimerKey, T> {
        let number = self.insertions + 1;
        let run = self.run_for(at);
        let (position, next) = run.map_or((NONE, HEAPED), |run| (self.runs[run].tail, NONE));
        let filled = Slot { number, at, position, next, item: Some(item) };
        let mut slot = self.free;
        if let Some(free) = S::all_mut(&mut self.slots).get_mut(slot as usize) {
            self.free = free.position;
            *free = filled;
        } else {
            slot = self.used;
            if let Err(Slot { item: Some(item), .. }) = S::open(&mut self.slots, slot, self.limit, filled) {
                return Err(item);
            }
            self.used += 1;
        }
        self.insertions = number;
        self.count += 1;
        self.least = self.least.min(order(at, number));
        match run {
            Some(run) => self.append(run, slot, at, number),
            None => self.push(Node { at, number, slot }),
        }
        Ok(TimerKey { number, slot })
    }

    /// Takes the timer that `key` names.
    pub fn remove(&mut self, key: TimerKey) -> Option<T> {
        self.named(key)?;
        self.take(key.slot).map(|(_, item)| item)
    }

    /// Takes the timer in this place, if there is one.
    #[cfg_attr(not(feature = "alloc"), expect(dead_code, reason = "for the machine"))]
    #[inline]
    pub(crate) fn remove_at(&mut self, TimerPlace(slot): TimerPlace) -> Option<T> {
        if slot == NONE { None } else { self.take(slot).map(|(_, item)| item) }
    }

    /// The item of the timer that `key` names.
    #[must_use]
    pub fn get_mut(&mut self, key: TimerKey) -> Option<&mut T> {
        self.named(key)?;
        S::all_mut(&mut self.slots).get_mut(key.slot as usize)?.item.as_mut()
    }

    /// When the earliest timer is due.
    #[must_use]
    #[inline]
    pub fn next_at(&self) -> Option<Instant> {
        if self.is_empty() { None } else { Some(Instant::from_nanos((self.least >> 64) as u64)) }
    }

    /// The earliest timer.
    #[cfg_attr(not(feature = "alloc"), expect(dead_code, reason = "for the machine"))]
    pub(crate) fn first(&self) -> Option<(Instant, &T)> {
        let slot = S::all(&self.slots).get(self.first_slot()? as usize)?;
        slot.item.as_ref().map(|item| (slot.at, item))
    }

    /// Takes the earliest timer if it is due at `now`, with the time for which it was set.
    pub fn pop_due(&mut self, now: Instant) -> Option<(Instant, T)> {
        let at = self.next_at()?;
        let due = if mutant!(ClockWraps) {
            // Milliseconds in 32 bits: 49.7 days.
            (at.as_nanos() / 1_000_000) as u32 <= (now.as_nanos() / 1_000_000) as u32
        } else {
            at.is_due(now)
        };
        if due { self.take(self.first_slot()?) } else { None }
    }

    /// Where the earliest timer is.
    #[inline]
    fn first_slot(&self) -> Option<u32> {
        // No two have the same order, and an empty run has that of none.
        let run = self.runs.iter().find(|run| run.first == self.least);
        match run {
            Some(run) => S::all(&self.slots).get(run.head as usize).map(|_| run.head),
            None => self.nodes().first().map(|node| node.slot),
        }
    }

    fn named(&self, key: TimerKey) -> Option<&Slot<T>> {
        let slot = S::all(&self.slots).get(key.slot as usize)?;
        let fits = slot.number == key.number || mutant!(StaleTimerHitsNext);
        (fits && slot.item.is_some()).then_some(slot)
    }

    /// The run at whose end a timer for `at` goes: of those that end no later the one that ends latest, or an empty one.
    #[inline]
    fn run_for(&self, at: Instant) -> Option<usize> {
        let (mut found, mut latest) = (None, 0);
        for (index, run) in self.runs.iter().enumerate() {
            // One more than the time, so that there is none for those that end later. That of an empty one is the origin of the clock.
            let end = if run.last <= at { run.last.as_nanos().saturating_add(1) } else { 0 };
            if end > latest {
                (found, latest) = (Some(index), end);
            }
        }
        found
    }

    /// Puts the timer in `slot`, whose links are set, at the end of a run.
    #[inline]
    fn append(&mut self, run: usize, slot: u32, at: Instant, number: u64) {
        let run = &mut self.runs[run];
        run.last = at;
        let before = core::mem::replace(&mut run.tail, slot);
        match S::all_mut(&mut self.slots).get_mut(before as usize) {
            Some(before) => before.next = slot,
            None => (run.head, run.first) = (slot, order(at, number)),
        }
    }

    /// Takes the timer in `slot` out of its run, in which these are beside it.
    #[inline]
    fn unlink(&mut self, slot: u32, before: u32, next: u32) {
        let slots = S::all_mut(&mut self.slots);
        let mut first = NEVER;
        if let Some(next) = slots.get_mut(next as usize) {
            next.position = before;
            first = next.order();
        } else if let Some(run) = self.runs.iter_mut().find(|run| run.tail == slot) {
            run.tail = before;
            run.last = slots.get(before as usize).map_or(Instant::ORIGIN, |before| before.at);
        }
        if let Some(before) = slots.get_mut(before as usize) {
            before.next = next;
        } else if let Some(run) = self.runs.iter_mut().find(|run| run.head == slot) {
            (run.head, run.first) = (next, first);
        }
    }

    fn take(&mut self, slot: u32) -> Option<(Instant, T)> {
        let taken = S::all_mut(&mut self.slots).get_mut(slot as usize)?;
        let (at, order, position, next) = (taken.at, taken.order(), taken.position, taken.next);
        let item = taken.item.take()?;
        taken.position = core::mem::replace(&mut self.free, slot);
        self.count -= 1;
        if next == HEAPED {
            self.pull(position);
        } else {
            self.unlink(slot, position, next);
        }
        if order == self.least {
            let heaped = self.nodes().first().map_or(NEVER, Node::order);
            self.least = self.runs.iter().fold(heaped, |least, run| least.min(run.first));
        }
        Some((at, item))
    }
}

impl<T, S: Size> fmt::Debug for Timers<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timers").field("len", &self.count).field("next_at", &self.next_at()).finish_non_exhaustive()
    }
}
