//! A packet out of borrowed parts, for who has no heap or does not want to use it.

use core::fmt;

use super::super::catalogue::indicators::{self, PRIORITY};
use super::super::{EmptyId, Event, HealthStatus, Level, Timestamp};
use super::event::Numbered;
use super::field::{Message, Tail, double_len, message_len, messages_len, number_len, text_len};
use crate::Priority;
use crate::catalogue::Reading;

/// A packet out of borrowed parts: what lies where it lies is written as a packet, into a buffer of the caller's.
///
/// ```
/// use countermand_core::{Event, Level, PacketParts, Timestamp};
/// let event = Event::new("prefetch_timeout", Level::Critical).with("in_flight", 3);
/// let packet = PacketParts::of_event("p-1", Timestamp::new(1_759_039_389, 0), "tamiyo", &event)?;
/// let mut buffer = [0; 128];
/// let bytes = packet.encode(&mut buffer)?;
/// assert_eq!(bytes.len(), packet.encoded_len());
/// assert_eq!(packet.encode(&mut [0; 8]).unwrap_err().needed, packet.encoded_len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "parts do nothing before they are written"]
pub struct PacketParts<'a> {
    packet_id: &'a str,
    timestamp: Timestamp,
    source: &'a str,
    level: Level,
    readings: &'a [Reading<'a>],
    events: &'a [Event],
    spans: &'a [SpanParts<'a>],
    health: Option<HealthParts<'a>>,
}

/// A span out of borrowed parts.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SpanParts<'a> {
    span_id: &'a str,
    /// The id of the span that it is part of; empty where there is none.
    pub parent_span_id: &'a str,
    /// What was done.
    pub name: &'a str,
    /// When it began.
    pub start_time: Option<Timestamp>,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// What else there is to say, each key once.
    pub attributes: &'a [(&'a str, &'a str)],
}

impl<'a> SpanParts<'a> {
    /// A span of this name that is part of none.
    ///
    /// # Errors
    ///
    /// [`EmptyId`] if it has no id.
    pub fn new(span_id: &'a str, name: &'a str) -> Result<Self, EmptyId> {
        let span_id = EmptyId::check("span_id", span_id)?;
        Ok(Self { span_id, parent_span_id: "", name, start_time: None, end_time: None, attributes: &[] })
    }

    /// Which one it is; never empty.
    #[must_use]
    pub const fn span_id(&self) -> &'a str {
        self.span_id
    }
}

/// Health out of borrowed parts.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "these are the fields of the schema")]
pub struct HealthParts<'a> {
    /// How well it is.
    pub status: HealthStatus,
    /// Why, in a word or a sentence.
    pub summary: &'a str,
    /// What it can be told from, each name once, without `priority`.
    pub indicators: &'a [(&'a str, &'a str)],
    /// How urgent the packet is, if not as its level says (E1); the indicator `priority`.
    pub priority: Option<Priority>,
}

/// A packet is longer than the buffer that it should go into. Nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BufferTooSmall {
    /// How many bytes the packet has.
    pub needed: usize,
    /// How many the buffer has.
    pub given: usize,
}

impl fmt::Display for BufferTooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a packet of {} bytes, where the buffer has {}", self.needed, self.given)
    }
}

impl core::error::Error for BufferTooSmall {}

impl<'a> PacketParts<'a> {
    /// A packet that tells nothing yet.
    ///
    /// # Errors
    ///
    /// [`EmptyId`] if it has no id, or nobody sends it.
    pub fn new(packet_id: &'a str, timestamp: Timestamp, source: &'a str, level: Level) -> Result<Self, EmptyId> {
        Ok(Self {
            packet_id: EmptyId::check("packet_id", packet_id)?,
            source: EmptyId::check("source_subsystem", source)?,
            timestamp,
            level,
            readings: &[],
            events: &[],
            spans: &[],
            health: None,
        })
    }

    /// A packet that tells this event, and is as bad as that.
    ///
    /// # Errors
    ///
    /// [`EmptyId`] if it has no id, or nobody sends it.
    pub fn of_event(
        packet_id: &'a str,
        timestamp: Timestamp,
        source: &'a str,
        event: &'a Event,
    ) -> Result<Self, EmptyId> {
        Ok(Self::new(packet_id, timestamp, source, event.level())?.events(core::slice::from_ref(event)))
    }

    /// What was measured.
    pub const fn readings(mut self, readings: &'a [Reading<'a>]) -> Self {
        self.readings = readings;
        self
    }

    /// What happened. The first is `evt-1`.
    pub const fn events(mut self, events: &'a [Event]) -> Self {
        self.events = events;
        self
    }

    /// What was done.
    pub const fn spans(mut self, spans: &'a [SpanParts<'a>]) -> Self {
        self.spans = spans;
        self
    }

    /// How its sender is.
    pub const fn health(mut self, health: HealthParts<'a>) -> Self {
        self.health = Some(health);
        self
    }

    /// How many bytes the packet has.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.len()
    }

    /// Writes the packet at the beginning of `buffer`.
    ///
    /// # Returns
    ///
    /// The bytes of the packet.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`], with the length that it must have; nothing was written then.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], BufferTooSmall> {
        let needed = self.len();
        let given = buffer.len();
        let Some(bytes) = buffer.get_mut(..needed) else {
            return Err(BufferTooSmall { needed, given });
        };
        Tail::fill(bytes, self);
        Ok(bytes)
    }

    /// Writes the packet behind what is in `bytes`.
    #[cfg(feature = "alloc")]
    pub fn append(&self, bytes: &mut alloc::vec::Vec<u8>) {
        super::owned::append(self, bytes);
    }

    /// The packet as a payload, in one piece of memory.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn to_payload(&self) -> super::super::Payload {
        super::owned::payload(self)
    }
}

impl PacketParts<'_> {
    /// Its events with their numbers.
    #[inline]
    fn numbered(&self) -> impl DoubleEndedIterator<Item = Numbered<'_>> {
        self.events.iter().enumerate().map(|(place, event)| Numbered(place + 1, event))
    }
}

impl Message for PacketParts<'_> {
    #[inline]
    fn len(&self) -> usize {
        text_len(1, self.packet_id)
            + message_len(2, &self.timestamp)
            + text_len(3, self.source)
            + number_len(4, self.level.number().into())
            + messages_len(10, self.readings)
            + messages_len(20, self.numbered())
            + messages_len(30, self.spans)
            + messages_len(40, self.health)
    }

    #[inline]
    fn put(&self, out: &mut Tail<'_>) {
        out.messages(40, self.health);
        out.messages(30, self.spans);
        out.messages(20, self.numbered());
        out.messages(10, self.readings);
        out.number(4, self.level.number().into());
        out.text(3, self.source);
        out.message(2, &self.timestamp);
        out.text(1, self.packet_id);
    }
}

impl Message for Timestamp {
    #[inline]
    fn len(&self) -> usize {
        number_len(1, self.seconds()) + number_len(2, self.nanos().into())
    }

    #[inline]
    fn put(&self, out: &mut Tail<'_>) {
        out.number(2, self.nanos().into());
        out.number(1, self.seconds());
    }
}

impl Message for Reading<'_> {
    fn len(&self) -> usize {
        text_len(1, self.name())
            + double_len(2, self.value())
            + text_len(3, self.unit())
            + messages_len(4, self.attributes())
    }

    fn put(&self, out: &mut Tail<'_>) {
        out.messages(4, self.attributes());
        out.text(3, self.unit());
        out.double(2, self.value());
        out.text(1, self.name());
    }
}

impl Message for SpanParts<'_> {
    fn len(&self) -> usize {
        text_len(1, self.span_id)
            + text_len(2, self.parent_span_id)
            + text_len(3, self.name)
            + messages_len(4, self.start_time)
            + messages_len(5, self.end_time)
            + messages_len(6, self.attributes)
    }

    fn put(&self, out: &mut Tail<'_>) {
        out.messages(6, self.attributes);
        out.messages(5, self.end_time);
        out.messages(4, self.start_time);
        out.text(3, self.name);
        out.text(2, self.parent_span_id);
        out.text(1, self.span_id);
    }
}

impl HealthParts<'_> {
    fn priority(&self) -> Option<(&'static str, &'static str)> {
        self.priority.map(|priority| (PRIORITY, indicators::priority(priority)))
    }
}

impl Message for HealthParts<'_> {
    fn len(&self) -> usize {
        number_len(1, self.status.number().into())
            + text_len(2, self.summary)
            + messages_len(3, self.indicators)
            + messages_len(3, self.priority())
    }

    fn put(&self, out: &mut Tail<'_>) {
        out.messages(3, self.priority());
        out.messages(3, self.indicators);
        out.text(2, self.summary);
        out.number(1, self.status.number().into());
    }
}
