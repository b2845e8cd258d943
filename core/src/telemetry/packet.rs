//! A packet of telemetry.

use alloc::vec::Vec;

use super::catalogue::indicators::{self, PRIORITY};
use super::metric::Words;
use super::{
    EmptyId, Event, Health, HealthStatus, Label, Level, Metric, PacketEvent, PacketId, Source, Span, Subject,
    Timestamp, Urgency,
};
use crate::Priority;

/// A packet: what one subsystem tells at one time.
///
/// ```
/// use countermand_core::{Event, Level, Metric, Packet, PacketId, Priority, Timestamp};
/// let packet = Packet::new("epoch-17", Timestamp::new(1_759_039_389, 0), "tolaria", Level::Info)?
///     .metric(Metric::new("tolaria.training.loss", 0.38).unit("loss"))
///     .event(&Event::new("latency_high", Level::Warning))
///     .priority(Priority::High);
/// assert_eq!(packet.events[0].event_id(), "evt-1");
/// let label = packet.label(PacketId::new(17));
/// assert_eq!((label.priority, label.subject.as_str()), (Priority::High, "latency_high"));
/// assert_eq!(label.weight as usize, packet.to_protobuf().len());
/// assert!(Packet::new("", Timestamp::default(), "tolaria", Level::Info).is_err());
/// # Ok::<(), countermand_core::EmptyId>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Packet {
    packet_id: Words,
    source: Words,
    /// When it was made.
    pub timestamp: Timestamp,
    /// How bad what it tells is.
    pub level: Level,
    /// What was measured.
    pub metrics: Vec<Metric>,
    /// What happened.
    pub events: Vec<PacketEvent>,
    /// What was done.
    pub spans: Vec<Span>,
    /// How its sender is, if it says so.
    pub health: Option<Health>,
}

impl Packet {
    /// A packet that tells nothing yet.
    ///
    /// # Errors
    ///
    /// [`EmptyId`] if it has no id, or nobody has sent it.
    pub fn new(
        packet_id: impl Into<Words>,
        timestamp: Timestamp,
        source: impl Into<Words>,
        level: Level,
    ) -> Result<Self, EmptyId> {
        Ok(Self {
            packet_id: EmptyId::check("packet_id", packet_id.into())?,
            source: EmptyId::check("source_subsystem", source.into())?,
            timestamp,
            level,
            metrics: Vec::new(),
            events: Vec::new(),
            spans: Vec::new(),
            health: None,
        })
    }

    /// What its sender calls it; never empty.
    #[must_use]
    pub fn packet_id(&self) -> &str {
        &self.packet_id
    }

    /// Who sent it; never empty.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Adds something that was measured.
    #[must_use]
    pub fn metric(mut self, metric: impl Into<Metric>) -> Self {
        self.metrics.push(metric.into());
        self
    }

    /// Adds something that happened, with the next number of the packet as its id.
    #[must_use]
    pub fn event(mut self, event: &Event) -> Self {
        self.events.push(PacketEvent::numbered(self.events.len() + 1, event));
        self
    }

    /// Adds something that happened, with an id of its own.
    #[must_use]
    pub fn packet_event(mut self, event: PacketEvent) -> Self {
        self.events.push(event);
        self
    }

    /// Adds something that was done.
    #[must_use]
    pub fn span(mut self, span: Span) -> Self {
        self.spans.push(span);
        self
    }

    /// Says how its sender is. What was said of that before, indicators too, is replaced.
    #[must_use]
    pub fn health(mut self, health: Health) -> Self {
        self.health = Some(health);
        self
    }

    /// Adds an indicator to the health, which is unknown if nothing was said of it.
    #[must_use]
    pub fn indicator(mut self, name: impl Into<Words>, value: impl Into<Words>) -> Self {
        let health = self.health.take().unwrap_or_else(|| Health::new(HealthStatus::Unknown));
        self.health = Some(health.indicator(name, value));
        self
    }

    /// Says how urgent it is, by its indicator: the level can only be raised by it, and NORMAL lowered to LOW (E1).
    #[must_use]
    pub fn priority(self, priority: Priority) -> Self {
        self.indicator(PRIORITY, indicators::priority(priority))
    }

    /// How urgent it is (E1).
    #[must_use]
    pub fn urgency(&self) -> Urgency {
        let indicator = self.health.as_ref().and_then(|health| health.indicators.get(PRIORITY));
        Urgency::of(self.level, indicator.map(AsRef::as_ref))
    }

    /// What a router wants to know of it. The subject is the description of the first event or, if that is empty, its id; without either it
    /// is the summary of the health. The weight is that of the protobuf form.
    #[must_use]
    pub fn label(&self, id: PacketId) -> Label {
        let first = self.events.first();
        let subject = [
            first.map(|event| event.description.as_ref()),
            first.map(PacketEvent::event_id),
            self.health.as_ref().map(|health| health.summary.as_ref()),
        ];
        let subject = subject.into_iter().flatten().find(|text| !text.is_empty());
        Label::new(id, Source::of(&self.source), self.level)
            .urgency(self.urgency())
            .subject(subject.map_or_else(Subject::new, Subject::of))
            .weight(self.protobuf_len())
    }
}
