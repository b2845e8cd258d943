//! Writes an event of this program down as a packet: as the core writes every event, and then in JSON, so that a stream of lines stays one.

use std::time::SystemTime;

use countermand::{Event, Format, Label, Payload, Timestamp};
use countermand_wire::{Limits, decode, timestamp, to_json};

use crate::body::Body;

/// The packet that tells of `event`, which happened at `at`.
pub(crate) fn packet(event: &Event, label: &Label, at: SystemTime) -> Body {
    let at = timestamp(at);
    // The wire's nanoseconds are never below zero.
    let written = Payload::of_event(event, label, Timestamp::new(at.seconds, at.nanos.unsigned_abs()));
    let json = decode(written.format(), written.bytes(), &Limits::default()).and_then(|packet| to_json(&packet));
    // What the core writes can be read; and if it could not, it would be told all the same.
    Body { payload: json.map_or(written, |json| Payload::new(Format::Json, json.into_bytes())), fault: None }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use countermand::{Level, PacketId, Source};
    use countermand_wire::read;

    use super::*;

    #[test]
    fn what_this_program_tells_of_itself_is_a_packet_like_any_other() {
        let event =
            Event::new("weatherlight.part_failed", Level::Error).describe("a \"quoted\"\nreason").with("part", "page");
        let label = Label::new(PacketId::new(7), Source::of("weatherlight"), event.level());
        let payload = packet(&event, &label, SystemTime::UNIX_EPOCH + Duration::from_millis(1_500)).payload;
        let incoming = read(Format::Json, payload.bytes(), &Limits::default()).unwrap();
        assert_eq!((incoming.label.source, incoming.label.priority), (label.source, label.priority));
        assert_eq!(incoming.label.subject, "weatherlight.part_failed");
        // One line, and what the core's own form says.
        assert!(!payload.bytes().contains(&b'\n'));
        let core = Payload::of_event(&event, &label, Timestamp::new(1, 500_000_000));
        let of = |payload: &Payload| decode(payload.format(), payload.bytes(), &Limits::default()).unwrap();
        assert_eq!(of(&payload), of(&core));
        assert_eq!(of(&payload).events[0].attributes["message"], "a \"quoted\"\nreason");
    }
}
