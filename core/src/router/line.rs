//! What waits for one outlet, and what is out with its sink.
//!
//! ```text
//!  push ─► waiting ─► take ─► out ─► conclude ─► through
//!             ▲ shed, expire    │ refused for now
//!             └── returned ◄────┘ (ahead of all that waits: the order stays, E3)
//! ```
//!
//! Invariants:
//! 1. `used` of a row counts its packets and bytes in `waiting`, `returned` and `out`; never more than the room holds. `out` of a row counts the bytes in `out`.
//! 2. Of one priority all in `out` are older than all in `returned`, and those older than all in `waiting`.
//! 3. One batch is out at a time.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::mem;
use core::task::Waker;
use core::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use super::breaker::Breaker;
use super::config::{Backoff, OutletConfig, Room};
use super::docket::Case;
use super::rate::Bucket;
use crate::size::Heap;
use crate::sync::Arc;
use crate::telemetry::{DeadReason, Delivery, Parcel, Repeats};
use crate::{Instant, Priority, Shelf};

/// A packet in a line.
pub(super) struct Item<B> {
    pub(super) parcel: Arc<Parcel<B>>,
    pub(super) case: Case,
    pub(super) attempts: u32,
    pub(super) dead: Option<Box<DeadReason>>,
    /// Those that are told together with it.
    pub(super) folded: Option<Box<Folded<B>>>,
}

/// Repeats of a packet, in the order in which they were taken in.
pub(super) struct Folded<B> {
    pub(super) items: Vec<Item<B>>,
    repeats: Repeats,
}

impl<B> Item<B> {
    pub(super) const fn new(parcel: Arc<Parcel<B>>, case: Case) -> Self {
        Self { parcel, case, attempts: 0, dead: None, folded: None }
    }

    pub(super) fn priority(&self) -> Priority {
        self.parcel.label.priority
    }

    fn bytes(&self) -> u64 {
        u64::from(self.parcel.label.weight)
    }

    /// The room that it takes, with all that are told together with it.
    fn takes(&self) -> Room {
        let folded = self.folded.iter().flat_map(|folded| &folded.items);
        folded.fold(Room::new(1, self.bytes()), |sum, item| Room::new(sum.packets + 1, sum.bytes + item.bytes()))
    }

    fn delivery(&self) -> Delivery<B> {
        let mut delivery = Delivery::new(self.parcel.clone());
        delivery.attempts = self.attempts;
        delivery.repeats = self.folded.as_ref().map(|folded| folded.repeats);
        delivery.dead = self.dead.as_deref().cloned();
        delivery
    }

    /// Takes a repeat in.
    fn fold(&mut self, repeat: Self) {
        let label = &self.parcel.label;
        let folded = self.folded.get_or_insert_with(|| {
            Box::new(Folded { items: Vec::new(), repeats: Repeats::of(self.parcel.accepted, label.level) })
        });
        folded.repeats.add(repeat.parcel.accepted, repeat.parcel.label.level);
        folded.items.push(repeat);
    }
}

/// What one outlet has of one priority.
struct Row<B> {
    room: Room,
    used: Room,
    /// The bytes of `used` that are with the sink.
    out: u64,
    returned: VecDeque<Item<B>>,
    breaker: Breaker,
    /// `None` is without limit.
    bucket: Option<Bucket>,
    /// The delays of the present run of failures.
    delays: Option<ExponentialBackoff>,
    /// Not before this; `None` at any time.
    not_before: Option<Instant>,
}

/// What may go out now, and if nothing may, when to look again.
pub(super) enum Going<B> {
    Batch(u64, Vec<Delivery<B>>),
    Wait(Option<Instant>),
}

/// See the head of the file.
pub(super) struct Line<B> {
    pub(super) config: OutletConfig,
    rows: [Row<B>; Priority::COUNT],
    waiting: Shelf<Item<B>, Heap>,
    out: Vec<Item<B>>,
    batches: u64,
    /// Whether an outlet serves it.
    pub(super) served: bool,
    /// Of the outlet that has nothing to do.
    pub(super) waker: Option<Waker>,
    /// Repeats may be told together: another outlet keeps each of them.
    folds: bool,
}

impl<B> Line<B> {
    pub(super) fn new(config: OutletConfig, rooms: &[Room; Priority::COUNT], folds: bool) -> Self {
        let capacity = rooms.iter().map(|room| room.packets as usize).fold(0, usize::saturating_add);
        let rows = Priority::ALL.map(|priority| {
            let exempt = priority == Priority::Critical && config.keeps;
            Row {
                room: rooms[priority.index()],
                used: Room::new(0, 0),
                out: 0,
                returned: VecDeque::new(),
                breaker: Breaker::new(config.breaker),
                bucket: config.rates[priority.index()].filter(|_| !exempt).map(Bucket::new),
                delays: None,
                not_before: None,
            }
        });
        let waiting = Shelf::with_capacity(capacity);
        let folds = folds || config.kept_elsewhere;
        Self { config, rows, waiting, out: Vec::new(), batches: 0, served: false, waker: None, folds }
    }

    /// Whether a packet of this weight finds room.
    pub(super) fn has_room(&self, priority: Priority, bytes: u32) -> bool {
        let row = &self.rows[priority.index()];
        row.used.packets < row.room.packets && row.used.bytes + u64::from(bytes) <= row.room.bytes
    }

    /// Whether a packet of this weight finds room once everything is shed that is not with the sink.
    pub(super) fn can_have_room(&self, priority: Priority, bytes: u32) -> bool {
        let row = &self.rows[priority.index()];
        // Where as many packets are out as there is room for, nothing waits that could be shed.
        row.out + u64::from(bytes) <= row.room.bytes
    }

    /// Takes a packet for which there is room; gives it back if there is none.
    pub(super) fn push(&mut self, item: Item<B>) -> Result<(), Item<B>> {
        let priority = item.priority();
        if !self.has_room(priority, item.parcel.label.weight) {
            return Err(item);
        }
        let bytes = item.bytes();
        self.waiting.push(priority, item)?;
        self.count_in(priority, bytes);
        Ok(())
    }

    /// Takes the oldest packet of this priority out that is not with the sink, to make room.
    pub(super) fn shed(&mut self, priority: Priority) -> Option<Item<B>> {
        let item = self.rows[priority.index()].returned.pop_front().or_else(|| self.waiting.pop(priority))?;
        self.count_out(&item);
        Some(item)
    }

    /// Whether it has nothing at all.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.out.is_empty() && self.rows.iter().all(|row| row.returned.is_empty())
    }

    /// How many packets it has, also those with the sink.
    pub(super) fn len(&self) -> usize {
        self.rows.iter().map(|row| row.used.packets as usize).sum()
    }

    /// How many packets of this priority it has, also those with the sink.
    pub(super) const fn len_of(&self, priority: Priority) -> u32 {
        self.rows[priority.index()].used.packets
    }

    /// How many packets are with the sink.
    pub(super) const fn in_flight(&self) -> usize {
        self.out.len()
    }

    /// Whether the sink is let alone with this priority.
    pub(super) const fn is_open(&self, priority: Priority) -> bool {
        self.rows[priority.index()].breaker.open_until().is_some()
    }

    /// Takes the next packet that is not worth delivering any more; its time is out at `now`.
    pub(super) fn expire(&mut self, ttl: Duration, now: Instant) -> Option<Item<B>> {
        let priority =
            Priority::ALL.into_iter().filter(|priority| *priority != Priority::Critical).find(|priority| {
                let oldest = self.oldest(*priority).and_then(|oldest| oldest.checked_add(ttl));
                oldest.is_some_and(|at| at.is_due(now))
            })?;
        self.shed(priority)
    }

    /// When the next packet is not worth delivering any more.
    pub(super) fn next_expiry(&self, ttl: Duration) -> Option<Instant> {
        let worldly = Priority::ALL.into_iter().filter(|priority| *priority != Priority::Critical);
        worldly.filter_map(|priority| self.oldest(priority)?.checked_add(ttl)).min()
    }

    /// Takes what may go out at `now`.
    ///
    /// The most urgent first; while something of a priority may not go, nothing of a lower one does (E2).
    pub(super) fn take(&mut self, now: Instant, closing: bool) -> Going<B> {
        let mut again: Option<Instant> = None;
        let mut due = closing;
        let mut going: Vec<(Priority, usize)> = Vec::new();
        let mut room = self.config.batch;
        let mut order = Priority::ALL;
        order.reverse();
        if mutant!(NormalAheadOfHigh) {
            order.swap(1, 2);
        }
        for priority in order {
            let row = &self.rows[priority.index()];
            let there = row.returned.len() + self.waiting.len_of(priority);
            if there == 0 || room == 0 {
                continue;
            }
            let held = row.not_before.filter(|at| !at.is_due(now));
            let may = if held.is_some() { 0 } else { row.breaker.allows(now).min(row.available(now)) };
            let goes = there.min(may).min(room);
            if goes > 0 {
                going.push((priority, goes));
                room -= goes;
                due |= priority == Priority::Critical || goes >= self.config.batch || !row.returned.is_empty();
                if !due {
                    let oldest = self.oldest(priority).filter(|_| !mutant!(FlushesOnTheNextPacketOnly));
                    let lingers = oldest.and_then(|oldest| oldest.checked_add(self.config.linger));
                    due = lingers.is_some_and(|at| at.is_due(now));
                    again = Instant::earlier(again, lingers);
                }
            }
            if goes < there && room > 0 {
                let bucket = row.bucket.as_ref().and_then(Bucket::next).filter(|at| !at.is_due(now));
                let open = row.breaker.open_until().filter(|at| !at.is_due(now));
                // Not before all of them allow it.
                again = Instant::earlier(again, held.max(open).max(bucket));
                break;
            }
        }
        if going.is_empty() || !(due || room == 0) {
            return Going::Wait(again);
        }
        for (priority, goes) in going {
            self.go(priority, goes, now);
        }
        self.batches += 1;
        Going::Batch(self.batches, self.out.iter().map(Item::delivery).collect())
    }

    /// The packets that are with the sink.
    pub(super) fn out(&self) -> &[Item<B>] {
        &self.out
    }

    /// The packets that are out with the sink, if this is their batch's number.
    pub(super) fn back(&mut self) -> Vec<Item<B>> {
        self.rows.iter_mut().for_each(|row| row.out = 0);
        mem::take(&mut self.out)
    }

    /// The number of the batch that is out.
    pub(super) const fn batch(&self) -> u64 {
        self.batches
    }

    /// The sink has it, or nobody wants it here any more: it leaves the room.
    pub(super) fn count_out(&mut self, item: &Item<B>) {
        let taken = item.takes();
        let used = &mut self.rows[item.priority().index()].used;
        used.bytes -= taken.bytes;
        used.packets -= taken.packets;
    }

    /// Refused for now: it goes back, ahead of all that waits. In the order of the batch.
    pub(super) fn put_back(&mut self, items: impl DoubleEndedIterator<Item = Item<B>>) {
        for item in items.rev() {
            if mutant!(RefusedGoesLast) {
                let _ = self.waiting.push(item.priority(), item);
                continue;
            }
            self.rows[item.priority().index()].returned.push_front(item);
        }
    }

    /// The sink took something of this priority.
    pub(super) fn took(&mut self, priority: Priority) {
        let row = &mut self.rows[priority.index()];
        row.breaker.success();
        row.delays = None;
        row.not_before = None;
    }

    /// The sink took nothing, or not all, of this priority. True if that opens the breaker.
    pub(super) fn refused(&mut self, priority: Priority, all: bool, now: Instant) -> bool {
        let backoff = self.config.backoff;
        let seed = self.batches;
        let row = &mut self.rows[priority.index()];
        let delay = row.delays.get_or_insert_with(|| delays(backoff, seed)).next().unwrap_or(backoff.most);
        row.not_before = now.checked_add(delay);
        all && row.breaker.failure(now)
    }

    fn go(&mut self, priority: Priority, goes: usize, now: Instant) {
        let row = &mut self.rows[priority.index()];
        let begin = self.out.len();
        while self.out.len() < begin + goes {
            let Some(item) = row.returned.pop_front().or_else(|| self.waiting.pop(priority)) else { break };
            self.out.push(item);
        }
        if let Some(bucket) = &mut row.bucket {
            bucket.take(self.out.len() - begin, now);
            let folds = self.folds || mutant!(LimiterSwallowsRepeats);
            if folds && priority == Priority::Critical && bucket.available(now) == 0 {
                self.fold(begin);
            }
        }
        self.rows[priority.index()].out = self.out[begin..].iter().map(|item| item.takes().bytes).sum();
    }

    /// The rate is used up: what waits and repeats something in the batch is told with it.
    fn fold(&mut self, begin: usize) {
        let row = &mut self.rows[Priority::Critical.index()];
        let topic = |item: &Item<B>| {
            let label = &item.parcel.label;
            (!label.subject.is_empty()).then_some((label.source, label.subject))
        };
        let mut heads = BTreeMap::new();
        for (index, item) in self.out[begin..].iter().enumerate() {
            if let Some(topic) = topic(item) {
                heads.insert(topic, begin + index);
            }
        }
        let mut rest = VecDeque::new();
        while let Some(item) = row.returned.pop_front().or_else(|| self.waiting.pop(Priority::Critical)) {
            // What stands for others already was tried as it is, and comes again as it is.
            let head = topic(&item).filter(|_| item.folded.is_none()).and_then(|topic| heads.get(&topic));
            match head {
                Some(head) => self.out[*head].fold(item),
                None => rest.push_back(item),
            }
        }
        row.returned = rest;
    }

    /// When the oldest packet of this priority that is not out was taken in.
    fn oldest(&self, priority: Priority) -> Option<Instant> {
        let returned = self.rows[priority.index()].returned.front();
        returned.or_else(|| self.waiting.peek(priority)).map(|item| item.parcel.accepted)
    }

    fn count_in(&mut self, priority: Priority, bytes: u64) {
        let used = &mut self.rows[priority.index()].used;
        used.packets += 1;
        used.bytes += bytes;
    }
}

impl<B> Row<B> {
    fn available(&self, now: Instant) -> usize {
        self.bucket.as_ref().map_or(usize::MAX, |bucket| bucket.available(now))
    }
}

/// From the least delay, doubled each time up to the most, each with up to as much again by chance.
fn delays(backoff: Backoff, seed: u64) -> ExponentialBackoff {
    let builder = ExponentialBuilder::new().with_min_delay(backoff.least).with_max_delay(backoff.most);
    builder.without_max_times().with_jitter().with_jitter_seed(seed).build()
}
