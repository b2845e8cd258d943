//! A packet of its own, on the wire.

use alloc::vec::Vec;

use super::super::metric::Attributes;
use super::super::{Format, Health, Metric, Packet, PacketEvent, Payload, Span};
use super::field::{Message, Tail, double_len, message_len, messages_len, number_len, text_len};
use crate::sync::Arc;

/// A message as a payload. The bytes are written where they stay.
pub(super) fn payload(message: &impl Message) -> Payload {
    let mut bytes: Arc<[u8]> = core::iter::repeat_n(0, message.len()).collect();
    if let Some(bytes) = Arc::get_mut(&mut bytes) {
        Tail::fill(bytes, message);
    }
    Payload::new(Format::Protobuf, bytes)
}

/// Writes a message behind what is in `bytes`.
pub(super) fn append(message: &impl Message, bytes: &mut Vec<u8>) {
    let start = bytes.len();
    bytes.resize(start + message.len(), 0);
    Tail::fill(&mut bytes[start..], message);
}

impl Packet {
    /// How many bytes its protobuf form has.
    #[must_use]
    pub fn protobuf_len(&self) -> usize {
        self.len()
    }

    /// Its protobuf form.
    #[must_use]
    pub fn to_protobuf(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        append(self, &mut bytes);
        bytes
    }

    /// Its protobuf form as a payload, in one piece of memory.
    #[must_use]
    pub fn to_payload(&self) -> Payload {
        payload(self)
    }
}

fn pairs(attributes: &Attributes) -> impl DoubleEndedIterator<Item = (&str, &str)> {
    attributes.iter().map(|(key, value)| (key.as_ref(), value.as_ref()))
}

impl Message for Packet {
    fn len(&self) -> usize {
        text_len(1, self.packet_id())
            + message_len(2, &self.timestamp)
            + text_len(3, self.source())
            + number_len(4, self.level.number().into())
            + messages_len(10, &self.metrics)
            + messages_len(20, &self.events)
            + messages_len(30, &self.spans)
            + messages_len(40, &self.health)
    }

    fn put(&self, out: &mut Tail<'_>) {
        out.messages(40, &self.health);
        out.messages(30, &self.spans);
        out.messages(20, &self.events);
        out.messages(10, &self.metrics);
        out.number(4, self.level.number().into());
        out.text(3, self.source());
        out.message(2, &self.timestamp);
        out.text(1, self.packet_id());
    }
}

impl Message for Metric {
    fn len(&self) -> usize {
        text_len(1, &self.name)
            + double_len(2, self.value)
            + text_len(3, &self.unit)
            + messages_len(4, pairs(&self.attributes))
    }

    fn put(&self, out: &mut Tail<'_>) {
        out.messages(4, pairs(&self.attributes));
        out.text(3, &self.unit);
        out.double(2, self.value);
        out.text(1, &self.name);
    }
}

impl Message for PacketEvent {
    fn len(&self) -> usize {
        text_len(1, self.event_id())
            + text_len(2, &self.description)
            + number_len(3, self.level.number().into())
            + messages_len(4, pairs(&self.attributes))
    }

    fn put(&self, out: &mut Tail<'_>) {
        out.messages(4, pairs(&self.attributes));
        out.number(3, self.level.number().into());
        out.text(2, &self.description);
        out.text(1, self.event_id());
    }
}

impl Message for Span {
    fn len(&self) -> usize {
        text_len(1, self.span_id())
            + text_len(2, &self.parent_span_id)
            + text_len(3, &self.name)
            + messages_len(4, self.start_time)
            + messages_len(5, self.end_time)
            + messages_len(6, pairs(&self.attributes))
    }

    fn put(&self, out: &mut Tail<'_>) {
        out.messages(6, pairs(&self.attributes));
        out.messages(5, self.end_time);
        out.messages(4, self.start_time);
        out.text(3, &self.name);
        out.text(2, &self.parent_span_id);
        out.text(1, self.span_id());
    }
}

impl Message for Health {
    fn len(&self) -> usize {
        number_len(1, self.status.number().into())
            + text_len(2, &self.summary)
            + messages_len(3, pairs(&self.indicators))
    }

    fn put(&self, out: &mut Tail<'_>) {
        out.messages(3, pairs(&self.indicators));
        out.text(2, &self.summary);
        out.number(1, self.status.number().into());
    }
}
