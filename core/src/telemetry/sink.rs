//! Where packets go: a batch goes in, an answer for each packet comes out.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;

use super::{Label, Level};
use crate::Instant;
use crate::sync::Arc;

/// A packet on its way: its label, when it was taken in, its body.
#[derive(Debug)]
#[non_exhaustive]
pub struct Parcel<B> {
    /// What is known of it.
    pub label: Label,
    /// When the router took it in, on the router's clock.
    pub accepted: Instant,
    /// The packet itself.
    pub body: B,
}

impl<B> Parcel<B> {
    /// A packet that was taken in at `accepted`.
    pub const fn new(label: Label, accepted: Instant, body: B) -> Self {
        Self { label, accepted, body }
    }
}

/// One packet of a batch.
#[derive(Debug)]
#[non_exhaustive]
pub struct Delivery<B> {
    /// The packet. Told together with repeats, it is the first of them.
    pub parcel: Arc<Parcel<B>>,
    /// How often it was tried before.
    pub attempts: u32,
    /// The packets that are told together with it, if any.
    pub repeats: Option<Repeats>,
    /// Why it is a dead letter, if it is one.
    pub dead: Option<DeadReason>,
}

impl<B> Delivery<B> {
    /// The first try of a packet that stands for itself.
    pub const fn new(parcel: Arc<Parcel<B>>) -> Self {
        Self { parcel, attempts: 0, repeats: None, dead: None }
    }
}

impl<B> Clone for Delivery<B> {
    fn clone(&self) -> Self {
        Self { parcel: self.parcel.clone(), attempts: self.attempts, repeats: self.repeats, dead: self.dead.clone() }
    }
}

/// Packets of one source about the same, told as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repeats {
    /// How many, with the one that tells them.
    pub count: u64,
    /// When the first was taken in.
    pub first: Instant,
    /// When the last was.
    pub last: Instant,
    /// The highest level among them.
    pub highest: Level,
}

impl Repeats {
    /// The first of them.
    #[must_use]
    pub const fn of(at: Instant, level: Level) -> Self {
        Self { count: 1, first: at, last: at, highest: level }
    }

    /// One more.
    pub fn add(&mut self, at: Instant, level: Level) {
        self.count += 1;
        self.first = self.first.min(at);
        self.last = self.last.max(at);
        self.highest = self.highest.max(level);
    }
}

/// Why a packet is a dead letter, and where it was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadReason {
    /// The sink that would not have it, or whoever took it in.
    pub sink: Cow<'static, str>,
    /// Why.
    pub reason: Cow<'static, str>,
    /// How often it was tried.
    pub attempts: u32,
}

impl DeadReason {
    /// Refused by `sink` for this reason at the first try.
    pub fn new(sink: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { sink: sink.into(), reason: reason.into(), attempts: 1 }
    }
}

impl fmt::Display for DeadReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (tried {} times)", self.sink, self.reason, self.attempts)
    }
}

/// Why a sink does not take a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "either it can come again or it cannot")]
pub enum Refusal {
    /// Not now: it stays, and is tried again later, under the same id.
    Later(Cow<'static, str>),
    /// Never: it becomes a dead letter.
    Never(Cow<'static, str>),
}

impl Refusal {
    /// Not now, and why.
    pub fn later(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Later(reason.into())
    }

    /// Never, and why.
    pub fn never(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Never(reason.into())
    }
}

/// The answer for one packet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a packet is taken or it is not")]
pub enum Answer {
    /// The sink has it, as safely as this sink has anything: where it is durable, it has been synced.
    Acknowledged,
    /// The sink does not have it.
    Refused(Refusal),
}

/// Packets on their way into a sink, and its answers.
///
/// The most urgent come first; within one priority they are in the order in which they were taken in. What the sink does not answer counts as
/// refused for now.
#[derive(Debug)]
pub struct Batch<B> {
    number: u64,
    deliveries: Vec<Delivery<B>>,
    answers: Vec<Option<Answer>>,
    /// Answers that fit no packet.
    astray: u64,
}

impl<B> Batch<B> {
    /// A batch with a number of its giver's choice, by which it knows it again.
    #[must_use]
    pub fn new(number: u64, deliveries: Vec<Delivery<B>>) -> Self {
        let answers = deliveries.iter().map(|_| None).collect();
        Self { number, deliveries, answers, astray: 0 }
    }

    /// The packets, in order.
    #[must_use]
    pub fn deliveries(&self) -> &[Delivery<B>] {
        &self.deliveries
    }

    /// How many packets there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.deliveries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.deliveries.is_empty()
    }

    /// The sink has the packet at `index`. A packet's first answer counts.
    pub fn acknowledge(&mut self, index: usize) {
        self.answer(index, Answer::Acknowledged);
    }

    /// The sink has all packets that it has not answered yet.
    pub fn acknowledge_rest(&mut self) {
        self.answers.iter_mut().for_each(|answer| {
            answer.get_or_insert(Answer::Acknowledged);
        });
    }

    /// The sink does not take the packet at `index`. A packet's first answer counts.
    pub fn refuse(&mut self, index: usize, refusal: Refusal) {
        self.answer(index, Answer::Refused(refusal));
    }

    /// The sink takes none of the packets that it has not answered yet.
    pub fn refuse_rest(&mut self, refusal: &Refusal) {
        self.answers.iter_mut().for_each(|answer| {
            answer.get_or_insert_with(|| Answer::Refused(refusal.clone()));
        });
    }

    /// The number that its giver gave it.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// How many answers were for no packet, or for one that was answered already.
    #[must_use]
    pub const fn astray(&self) -> u64 {
        self.astray
    }

    /// The answers, in the order of the packets; `None` where there was none.
    #[must_use]
    pub fn into_answers(self) -> Vec<Option<Answer>> {
        self.answers
    }

    /// The answers so far, in the order of the packets.
    #[must_use]
    pub fn answers(&self) -> &[Option<Answer>] {
        &self.answers
    }

    fn answer(&mut self, index: usize, answer: Answer) {
        match self.answers.get_mut(index) {
            Some(place @ None) => *place = Some(answer),
            _ => self.astray += 1,
        }
    }
}

/// Takes packets to where they are wanted: a file, a server, another part of the program.
///
/// # For users
///
/// You give a sink to an outlet of a router; you do not call it.
///
/// # For implementers
///
/// - One batch is out at a time. The batch MUST come back; it MUST be the same one.
/// - A packet is acknowledged only when the sink has it as safely as it ever will (E6). A refusal is not an acknowledgement (E10).
/// - `deliver` and its future MUST NOT block the thread: they run beside other outlets' on the same one. A sink that must block has a
///   thread of its own, and its future waits for that.
/// - A sink SHOULD take packets in their order, and after the first that it refuses for now it SHOULD refuse those of the same source and priority
///   behind it: what it acknowledges out of order arrives out of order (E3).
/// - The future may be dropped at any time; what was not acknowledged by then comes again, under the same id. So delivery is
///   at least once.
/// - Panics are contained; the packets come again.
pub trait Sink<B> {
    /// The delivery of one batch. It resolves to the batch with its answers.
    type Delivery: Future<Output = Batch<B>>;

    /// Begins to deliver a batch.
    fn deliver(&mut self, batch: Batch<B>) -> Self::Delivery;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{PacketId, Source};

    fn batch(packets: usize) -> Batch<usize> {
        let label = |id| Label::new(PacketId::new(id as u128), Source::new(), Level::Info);
        let parcel = |id| Arc::new(Parcel::new(label(id), Instant::ORIGIN, id));
        Batch::new(7, (0..packets).map(|id| Delivery::new(parcel(id))).collect())
    }

    #[test]
    fn the_first_answer_counts_and_others_are_astray() {
        let mut batch = batch(3);
        batch.acknowledge(1);
        batch.refuse(1, Refusal::never("changed its mind"));
        batch.acknowledge(3);
        batch.refuse_rest(&Refusal::later("tired"));
        batch.acknowledge_rest();
        assert_eq!((batch.number(), batch.len(), batch.astray()), (7, 3, 2));
        let later = Some(Answer::Refused(Refusal::later("tired")));
        assert_eq!(batch.into_answers(), [later.clone(), Some(Answer::Acknowledged), later]);
    }

    #[test]
    fn repeats_keep_the_ends_and_the_highest_level() {
        let at = Instant::from_nanos;
        let mut repeats = Repeats::of(at(5), Level::Error);
        repeats.add(at(9), Level::Critical);
        repeats.add(at(7), Level::Warning);
        assert_eq!(repeats, Repeats { count: 3, first: at(5), last: at(9), highest: Level::Critical });
    }
}
