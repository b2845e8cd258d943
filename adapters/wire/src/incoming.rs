//! A packet that came in: its bytes, and what a router has to know of them.

use countermand_core::{Format, Label, Level, PacketId, Payload, Source, Subject, Urgency};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::error::WireError;
use crate::limits::Limits;
use crate::proto::TelemetryPacket;
use crate::{check, decode};

/// A packet that came in: its bytes, and what a router has to know of them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Incoming {
    /// What a router knows of it. Its id is made from the bytes, so that the same packet that is sent again has the same.
    pub label: Label,
    /// The bytes, as they came.
    pub payload: Payload,
    /// The sender's indicator of priority, if it names none. The level has decided; this is to be reported and counted (E1).
    pub unknown_priority: Option<String>,
    /// The sender's own name for it; not empty, and not necessarily the only one of this name.
    pub packet_id: String,
}

/// Reads one packet: checks that `bytes` are one whole valid packet, and says what a router has to know of it.
///
/// The source is cut to what fits a label. The subject is the description of the first event or, if that is empty, its id; without either
/// it is the summary of the health.
///
/// # Errors
///
/// [`WireError`], which says what is wrong and where. See the head of the crate for what a packet must be.
pub fn read(format: Format, bytes: &[u8], limits: &Limits) -> Result<Incoming, WireError> {
    let (packet, level) = decode::valid(format, bytes, limits)?;
    Ok(Incoming::of(packet, level, Payload::new(format, bytes)))
}

/// Encodes a packet of one's own in binary form, and says what a router has to know of it.
///
/// # Errors
///
/// [`WireError`] if it is not valid; see the head of the crate.
pub fn pack(packet: TelemetryPacket) -> Result<Incoming, WireError> {
    let level = check::examine(&packet)?;
    let payload = Payload::new(Format::Protobuf, packet.encode_to_vec());
    Ok(Incoming::of(packet, level, payload))
}

impl Incoming {
    fn of(packet: TelemetryPacket, level: Level, payload: Payload) -> Self {
        let health = packet.system_health.as_ref();
        let indicator = health.and_then(|health| health.indicators.get(Urgency::INDICATOR));
        let urgency = Urgency::of(level, indicator.map(String::as_str));
        let first = packet.events.first();
        let subject = [
            first.map(|event| &event.description),
            first.map(|event| &event.event_id),
            health.map(|health| &health.summary),
        ];
        let subject = subject.into_iter().flatten().find(|text| !text.is_empty());
        let label = Label::new(id_of(payload.bytes()), Source::of(&packet.source_subsystem), level)
            .urgency(urgency)
            .subject(subject.map_or_else(Subject::new, Subject::of))
            .weight(payload.bytes().len());
        let unknown_priority = indicator.filter(|_| urgency.unknown).cloned();
        Self { label, payload, unknown_priority, packet_id: packet.packet_id }
    }
}

/// The id of what consists of these bytes, a packet or not: the first half of their SHA-256, as 32 hexadecimal digits.
#[must_use]
pub fn id_of(bytes: &[u8]) -> PacketId {
    let digest = Sha256::digest(bytes);
    PacketId::new(digest.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte)))
}
