//! The router itself, a state machine over the given time: what is taken in, which outlet has what, what became of it.

mod settle;

use alloc::vec::Vec;
use core::task::Waker;

use super::after::After;
use super::config::{OutletConfig, RouterConfig, Takes};
use super::docket::{Case, Docket};
use super::inbox::WAITING;
use super::line::{Going, Item, Line};
use super::notes::Notes;
use crate::sync::Arc;
use crate::telemetry::RefuseReason;
use crate::telemetry::{Batch, Label, Parcel, Source};
use crate::telemetry::{Fate, Ledger};
use crate::{Instant, Priority, Stream};

/// What an outlet does next.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "whoever serves a sink by hand matches on all of them")]
pub enum OutletTurn<B> {
    /// Gives this batch to the sink.
    Deliver(Batch<B>),
    /// Waits until there is more to do: until this time, or for as long as it is not woken.
    Wait(Option<Instant>),
    /// Ends: the router is closed, and everything is delivered.
    Done,
}

/// See the head of the file.
pub(super) struct Desk<B> {
    config: RouterConfig,
    pub(super) lines: Vec<Line<B>>,
    pub(super) docket: Docket,
    pub(super) ledger: Ledger,
    pub(super) notes: Notes,
    closed: bool,
}

impl<B> Desk<B> {
    pub(super) fn new(config: RouterConfig, outlets: Vec<OutletConfig>) -> Self {
        let emergency = Takes::Stream(Stream::Emergency);
        let kept = outlets.iter().any(|outlet| outlet.keeps && outlet.takes == emergency);
        let notes = Notes::new(&config, outlets.len());
        let lines = outlets.into_iter().map(|outlet| Line::new(outlet, &config.rooms, kept)).collect();
        Self { config, lines, docket: Docket::new(), ledger: Ledger::default(), notes, closed: false }
    }

    /// Takes a packet in, or says why not.
    pub(super) fn take_in(
        &mut self,
        parcel: &Arc<Parcel<B>>,
        held: bool,
        own: bool,
        after: &mut After<B>,
    ) -> Result<Case, RefuseReason> {
        self.admit(&parcel.label)?;
        Ok(self.accept(parcel, held, own, after))
    }

    /// Looks whether the packet is taken in at all; what is refused is no part of the balance.
    fn admit(&mut self, label: &Label) -> Result<(), RefuseReason> {
        let reason = self.refusal(label);
        if let Some(reason) = reason {
            self.ledger.refused[label.priority.index()] += 1;
            return Err(reason);
        }
        Ok(())
    }

    /// Takes in a packet that was admitted.
    fn accept(&mut self, parcel: &Arc<Parcel<B>>, held: bool, own: bool, after: &mut After<B>) -> Case {
        let label = &parcel.label;
        let priority = label.priority;
        if label.unknown_priority {
            self.notes.unknown_priority(label.source);
        }
        self.ledger.accept(priority);
        let takes = Takes::Stream(self.stream_of(label));
        let mut in_the_way = Vec::new();
        let mut places = 0;
        let mut worst = Fate::Delivered;
        for line in self.lines.iter_mut().filter(|line| line.config.takes == takes) {
            let sheds = may_shed(priority) && line.can_have_room(priority, label.weight);
            while sheds && !line.has_room(priority, label.weight) {
                let Some(oldest) = line.shed(priority) else { break };
                in_the_way.push(oldest);
            }
            if line.has_room(priority, label.weight) {
                places += 1;
            } else if may_shed(priority) {
                // All its room is out with the sink.
                worst = Fate::Shed;
            }
        }
        for item in in_the_way {
            if !own && self.docket.is_own(item.case) {
                self.notes.lost();
            }
            self.leave(item, Fate::Shed, false, after);
        }
        let case = self.docket.open(places, worst, held, own);
        if places == 0 {
            self.end(label, worst, own);
            if !held {
                self.docket.detach(case);
            }
            return case;
        }
        for line in self.lines.iter_mut().filter(|line| line.config.takes == takes) {
            if line.push(Item::new(parcel.clone(), case)).is_ok() {
                after.wake.extend(line.waker.take());
            }
        }
        self.spread(after);
        case
    }

    /// So many of each priority that may wait to be written down were told by `source`, and had no room behind those that were told later: they are taken in and
    /// shed in one step. How many of them were refused, as the router is closed.
    pub(super) fn shed(&mut self, source: Source, counts: [u64; WAITING.len()], after: &mut After<B>) -> u64 {
        for (priority, count) in WAITING.into_iter().zip(counts).filter(|(_, count)| *count > 0) {
            if self.closed {
                self.ledger.refused[priority.index()] += count;
                continue;
            }
            self.ledger.shed_at_once(priority, count);
            self.notes.shed(source, priority, count, false);
        }
        self.spread(after);
        if self.closed { counts.iter().sum() } else { 0 }
    }

    /// The outlet `of` has its turn at `now`: first, whatever is old ends, and a batch that did not come back is refused.
    pub(super) fn begin(&mut self, of: usize, now: Instant, after: &mut After<B>) {
        if self.lines[of].in_flight() > 0 {
            self.conclude(of, now, None, after);
        }
        if let Some(ttl) = self.ttl(of) {
            while let Some(item) = self.lines[of].expire(ttl, now) {
                self.leave(item, Fate::Expired, false, after);
            }
        }
    }

    /// What the outlet `of` does next. With a waker: to be woken when there is more to do.
    pub(super) fn turn(
        &mut self,
        of: usize,
        now: Instant,
        waker: Option<Waker>,
        after: &mut After<B>,
    ) -> OutletTurn<B> {
        let closed = self.closed;
        let others_out = || self.lines.iter().any(|line| line.in_flight() > 0);
        if mutant!(SinksInSequence) && others_out() {
            return OutletTurn::Wait(now.checked_add(core::time::Duration::from_millis(1)));
        }
        let again = match self.lines[of].take(now, closed) {
            Going::Batch(number, deliveries) => return OutletTurn::Deliver(Batch::new(number, deliveries)),
            Going::Wait(again) => again,
        };
        if closed && self.is_through(of) {
            return OutletTurn::Done;
        }
        let ttl = self.ttl(of);
        let line = &mut self.lines[of];
        let expiry = ttl.and_then(|ttl| line.next_expiry(ttl));
        if let Some(waker) = waker {
            after.replaced.extend(line.waker.replace(waker));
        }
        OutletTurn::Wait(Instant::earlier(Instant::earlier(again, expiry), self.notes.next()))
    }

    /// The sink of the outlet `of` did not keep to its contract with the batch that is out. If all of that is the router's own, it is no reason for
    /// another report (E16).
    pub(super) fn misbehaved(&mut self, of: usize) {
        let own = self.lines[of].out().iter().all(|item| self.docket.is_own(item.case));
        self.notes.misbehaved(of, own);
    }

    /// From here on nothing is taken in.
    pub(super) fn close(&mut self, after: &mut After<B>) {
        self.closed = true;
        self.ring_all(after);
    }

    pub(super) const fn config(&self) -> &RouterConfig {
        &self.config
    }

    /// Under which name the router tells of itself.
    pub(super) const fn source(&self) -> Source {
        self.config.source
    }

    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// How long what the outlet `of` takes is worth delivering. A dead letter waits for as long as it takes.
    fn ttl(&self, of: usize) -> Option<core::time::Duration> {
        self.config.ttl.filter(|_| self.lines[of].config.takes != Takes::DeadLetters)
    }

    fn refusal(&self, label: &Label) -> Option<RefuseReason> {
        let priority = label.priority;
        if self.closed {
            return Some(RefuseReason::Closed);
        }
        let limit = self.config.rooms[priority.index()].bytes;
        if u64::from(label.weight) > limit {
            return Some(RefuseReason::TooLarge { bytes: label.weight, limit });
        }
        if may_shed(priority) {
            return None;
        }
        // What is durable decides; where nothing is, everybody does (E9).
        let takes = Takes::Stream(Stream::of(priority));
        let all = || self.lines.iter().filter(|line| line.config.takes == takes);
        let any_keeps = all().any(|line| line.config.keeps);
        let mut deciding = all().filter(|line| line.config.keeps || !any_keeps);
        let full = !deciding.all(|line| line.has_room(priority, label.weight));
        full.then_some(RefuseReason::Full)
    }

    fn stream_of(&self, label: &Label) -> Stream {
        if mutant!(OneCriticalReroutesTheRest) && self.ledger.accepted[Priority::Critical.index()] > 0 {
            return Stream::Emergency;
        }
        if label.priority == Priority::High && self.is_over_the_threshold() {
            return Stream::Emergency;
        }
        Stream::of(label.priority)
    }

    /// Whether the normal stream is so far behind that what is HIGH goes to the emergency stream, where that is wanted.
    fn is_over_the_threshold(&self) -> bool {
        let Some(threshold) = self.config.high_overflow else { return false };
        let normal = Takes::Stream(Stream::Normal);
        self.lines.iter().any(|line| line.config.takes == normal && line.len() >= threshold.get() as usize)
    }

    /// There is something new to tell: an outlet that waits, whichever, sees to it in time.
    fn spread(&mut self, after: &mut After<B>) {
        if self.notes.news() {
            self.ring_one(after);
        }
    }

    pub(super) fn ring_one(&mut self, after: &mut After<B>) {
        after.wake.extend(self.lines.iter_mut().find_map(|line| line.waker.take()));
    }

    fn ring_all(&mut self, after: &mut After<B>) {
        after.wake.extend(self.lines.iter_mut().filter_map(|line| line.waker.take()));
    }
}

/// A CRITICAL packet is never shed (E4).
fn may_shed(priority: Priority) -> bool {
    priority != Priority::Critical || mutant!(CriticalIsShed)
}
