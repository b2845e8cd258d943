//! A record: one packet as the journal keeps it.

use std::time::Duration;

use countermand_core::{Label, PacketId, Payload, Urgency};

use crate::codec::{Reader, Writer, number_of};
use crate::frame::{self, Kind};
use crate::{Repeated, Sequence, WallTime};

/// One packet in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Its place; the journal's name for it in acknowledgements.
    pub sequence: Sequence,
    /// What is known of it.
    pub label: Label,
    /// When the journal took it in.
    pub accepted: WallTime,
    /// The packets that it tells together with itself, if any.
    pub repeats: Option<Repeated>,
    /// The packet, as it came.
    pub payload: Payload,
}

/// A packet that is to become a record.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) label: Label,
    pub(crate) repeats: Option<Repeated>,
    pub(crate) payload: Payload,
}

const HAS_REPEATS: u8 = 1;
const UNKNOWN_PRIORITY: u8 = 2;

impl Entry {
    pub(crate) fn of(draft: Draft, sequence: u64, accepted: WallTime) -> Self {
        let Draft { label, repeats, payload } = draft;
        Self { sequence: Sequence::new(sequence), label, accepted, repeats, payload }
    }

    pub(crate) fn draft(self) -> Draft {
        Draft { label: self.label, repeats: self.repeats, payload: self.payload }
    }

    pub(crate) fn seal(&self) -> Vec<u8> {
        frame::seal(Kind::Record, 128 + self.payload.bytes().len(), |writer| self.write(writer))
    }

    /// The record in this frame.
    pub(crate) fn unseal(bytes: &[u8]) -> Option<Self> {
        Self::read(&mut Reader::new(frame::open(Kind::Record, bytes)?))
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.u64(self.sequence.number());
        writer.u64(self.accepted.as_nanos());
        writer.u128(self.label.id.number());
        writer.byte(self.label.level.number());
        writer.byte(self.label.priority as u8);
        writer.byte(number_of(self.payload.format()));
        let repeats = if self.repeats.is_some() { HAS_REPEATS } else { 0 };
        writer.byte(repeats | if self.label.unknown_priority { UNKNOWN_PRIORITY } else { 0 });
        if let Some(Repeated { count, span, highest }) = self.repeats {
            writer.u64(count);
            writer.u64(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX));
            writer.byte(highest.number());
        }
        writer.bytes(self.label.source.as_bytes());
        writer.bytes(self.label.subject.as_bytes());
        writer.bytes(self.payload.bytes());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let sequence = Sequence::new(reader.u64()?);
        let accepted = WallTime::from_nanos(reader.u64()?);
        let id = PacketId::new(reader.u128()?);
        let level = reader.level()?;
        let mut urgency = Urgency::of(level, None);
        urgency.priority = reader.priority()?;
        let format = reader.format()?;
        let flags = reader.byte()?;
        urgency.unknown = flags & UNKNOWN_PRIORITY != 0;
        let repeats = if flags & HAS_REPEATS != 0 {
            Some(Repeated::new(reader.u64()?, Duration::from_nanos(reader.u64()?), reader.level()?))
        } else {
            None
        };
        let label = Label::new(id, reader.short()?, level).urgency(urgency).subject(reader.short()?);
        let payload = reader.bytes()?;
        let label = label.weight(payload.len());
        Some(Self { sequence, label, accepted, repeats, payload: Payload::new(format, payload) })
    }
}
