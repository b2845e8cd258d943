//! Writes an event of this program down as a packet of the schema.

use std::time::SystemTime;

use countermand::{Event, Format, Label, Payload};
use serde_json::{Map, Value, json};

use crate::body::Body;

/// The packet that tells of `event`, which happened at `at`.
pub(crate) fn packet(event: &Event, label: &Label, at: SystemTime) -> Body {
    let mut attributes: Map<String, Value> =
        event.attributes().map(|(key, value)| (key.to_owned(), value.into())).collect();
    if !event.description().is_empty() {
        attributes.insert("details".to_owned(), event.description().into());
    }
    let level = format!("TELEMETRY_LEVEL_{}", event.level());
    let packet = json!({
        "packet_id": label.id.to_string(),
        "timestamp": humantime::format_rfc3339_nanos(at).to_string(),
        "source_subsystem": label.source.as_str(),
        "level": level,
        "events": [{
            "event_id": label.id.to_string(),
            "description": event.name(),
            "level": level,
            "attributes": attributes,
        }],
    });
    Body { payload: Payload::new(Format::Json, packet.to_string().into_bytes()), fault: None }
}

#[cfg(test)]
mod tests {
    use countermand::{Level, PacketId, Source};
    use countermand_wire::{Limits, read};

    use super::*;

    #[test]
    fn what_this_program_tells_of_itself_is_a_packet_like_any_other() {
        let event =
            Event::new("weatherlight.part_failed", Level::Error).describe("a \"quoted\"\nreason").with("part", "page");
        let label = Label::new(PacketId::new(7), Source::of("weatherlight"), event.level());
        let body = packet(&event, &label, SystemTime::now());
        let incoming = read(Format::Json, body.payload.bytes(), &Limits::default()).unwrap();
        assert_eq!((incoming.label.source, incoming.label.priority), (label.source, label.priority));
        assert_eq!(incoming.label.subject, "weatherlight.part_failed");
    }
}
