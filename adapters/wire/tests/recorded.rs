//! Recorded packets, and others of the same make, go through byte for byte and get the priorities of rule E1.

use std::fs;
use std::path::Path;

use countermand_core::{Format, Level, PacketId, Priority, Urgency};
use countermand_wire::proto::TelemetryPacket;
use countermand_wire::{Incoming, Limits, Lines, decode, open, read, seal, to_json, to_protobuf};
use prost::Message as _;

/// Of our own writing: numbers of all kinds, escapes, white space, fields that the schema does not know, both spellings of names.
const OWN: &[(&str, Level, Priority)] = &[
    (
        r#"{"packet_id":"mill-1","timestamp":"2026-11-25T08:00:00.123456789Z","source_subsystem":"mill","level":"TELEMETRY_LEVEL_INFO","metrics":[{"name":"mill.turns","value":0.1,"unit":"1"},{"name":"mill.idle"},{"name":"mill.heat","value":"-Infinity","attributes":{"side":"left"}}],"events":[{"event_id":"e1","description":"mill.started","level":"TELEMETRY_LEVEL_INFO","attributes":{"by":"h\u00fcne \"2\""}}],"system_health":{"status":"HEALTH_STATUS_HEALTHY","summary":"turning","indicators":{"priority":"MESSAGE_PRIORITY_HIGH"}}}"#,
        Level::Info,
        Priority::High,
    ),
    (
        r#" { "level" : 1 , "sourceSubsystem" : "mill", "packetId" : "mill-2", "system_health":{"indicators":{"priority":"low"}} } "#,
        Level::Info,
        Priority::Low,
    ),
    (
        "{\"packet_id\":\"mill-3\",\"source_subsystem\":\"mill\",\"level\":\"TELEMETRY_LEVEL_WARNING\",\"later\":{\"a\":[{}]}}\r",
        Level::Warning,
        Priority::High,
    ),
    (
        r#"{"packet_id":"mill-4","source_subsystem":"mill","level":"TELEMETRY_LEVEL_ERROR","system_health":{"indicators":{"priority":"LOW"}}}"#,
        Level::Error,
        Priority::High,
    ),
    (
        r#"{"packet_id":"mill-5","source_subsystem":"mill","level":"TELEMETRY_LEVEL_CRITICAL","spans":[{"span_id":"s","name":"grind","start_time":"2026-11-25T09:00:00+01:00","end_time":"2026-11-25T09:00:01+01:00"}]}"#,
        Level::Critical,
        Priority::Critical,
    ),
];

fn json(line: &[u8]) -> Incoming {
    read(Format::Json, line, &Limits::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// All that must hold of a packet in JSON.
fn examine(line: &[u8]) {
    let limits = Limits::default();
    let incoming = json(line);
    assert_eq!(incoming.payload.bytes(), line, "byte for byte");
    assert_eq!(incoming.payload.format(), Format::Json);
    assert_eq!(incoming.label.weight as usize, line.len());
    let packet = decode(Format::Json, line, &limits).expect("it was read");
    assert_eq!(incoming.packet_id, packet.packet_id);

    // Through protobuf, and through the bus, it is the same packet.
    let binary = to_protobuf(line, &limits).expect("it was read");
    assert_eq!(TelemetryPacket::decode(&*binary).expect("protobuf"), packet);
    assert_eq!(decode(Format::Json, to_json(&packet).expect("valid").as_bytes(), &limits).expect("JSON"), packet);
    let other = read(Format::Protobuf, &binary, &limits).expect("protobuf");
    assert_eq!(other.payload.bytes(), binary);
    assert_eq!((other.label.priority, other.label.subject), (incoming.label.priority, incoming.label.subject));
    let envelope = seal(&incoming.payload, &limits).expect("valid");
    assert_eq!(open(&envelope.to_bytes(), &limits).expect("an envelope").payload, other.payload);
    assert_eq!(seal(&other.payload, &limits).expect("valid"), envelope);
}

#[test]
fn own_packets_go_through_byte_for_byte() {
    for (line, level, priority) in OWN {
        examine(line.as_bytes());
        let label = json(line.as_bytes()).label;
        assert_eq!((label.level, label.priority, label.source.as_str()), (*level, *priority, "mill"), "{line}");
    }
}

#[test]
fn recorded_packets_go_through_byte_for_byte() {
    // They are not ours to publish: beside the repository or not there.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/telemetry");
    if !folder.is_dir() {
        eprintln!("no recorded packets in {}", folder.display());
        return;
    }
    let mut seen = Vec::new();
    for file in ["normal_epoch.jsonl", "emergency_escalation.jsonl"] {
        let bytes = fs::read(folder.join(file)).expect("a recording");
        let (mut lines, mut piece, mut again) = (Lines::new(1 << 20), &bytes[..], Vec::new());
        while let Some(line) = lines.next(&mut piece) {
            let line = line.expect("a line").bytes;
            examine(line);
            let incoming = json(line);
            countermand_wire::write_framed(Format::Json, incoming.payload.bytes(), &mut again);
            // The indicator stands in the text; all packets of the recording are INFO.
            let high = line.windows(21).any(|text| text == b"MESSAGE_PRIORITY_HIGH");
            let expected = if high { Priority::High } else { Priority::Normal };
            assert_eq!((incoming.label.level, incoming.label.priority), (Level::Info, expected));
            assert_eq!((incoming.label.source.as_str(), incoming.unknown_priority), ("tolaria", None));
            let subject = incoming.label.subject.to_string();
            assert!(
                !subject.is_empty() && line.windows(subject.len()).any(|text| text == subject.as_bytes()),
                "{subject}"
            );
            seen.push(incoming.label.priority);
        }
        assert_eq!(again, bytes, "{file} comes out as it went in");
    }
    let high = seen.iter().filter(|priority| **priority == Priority::High).count();
    assert_eq!((seen.len(), high), (6, 2));
}

#[test]
fn a_packet_that_is_sent_again_has_the_same_id() {
    let line = OWN[4].0.as_bytes();
    assert_eq!(json(line).label.id, json(line).label.id);
    assert_ne!(json(line).label.id, json(OWN[3].0.as_bytes()).label.id);
    // The first half of what `sha256sum` says of these bytes.
    let bytes = br#"{"packet_id":"a","source_subsystem":"b","level":"TELEMETRY_LEVEL_INFO"}"#;
    assert_eq!(json(bytes).label.id, ID.parse::<PacketId>().expect("an id"));
}

const ID: &str = "865057eede91b4aa74bffdacb9713c73";

#[test]
fn an_indicator_that_names_no_priority_is_told_and_the_level_decides() {
    let line = br#"{"packet_id":"a","source_subsystem":"b","level":"TELEMETRY_LEVEL_CRITICAL","system_health":{"indicators":{"priority":"URGENT"}}}"#;
    let incoming = json(line);
    assert_eq!(incoming.unknown_priority.as_deref(), Some("URGENT"));
    assert!(incoming.label.unknown_priority);
    assert_eq!(incoming.label.priority, Urgency::of(Level::Critical, None).priority);
}

#[test]
fn the_subject_is_of_the_first_event_else_of_the_health() {
    let subject = |rest: &str| {
        let line = format!(r#"{{"packet_id":"a","source_subsystem":"b","level":1{rest}}}"#);
        json(line.as_bytes()).label.subject
    };
    let health = r#","system_health":{"summary":"tired"}"#;
    assert_eq!(subject(r#","events":[{"event_id":"e","description":"d"},{"description":"x"}]"#), "d");
    assert_eq!(subject(&format!(r#","events":[{{"event_id":"e"}}]{health}"#)), "e");
    assert_eq!(subject(&format!(r#","events":[{{}}]{health}"#)), "tired");
    assert_eq!(subject(""), "");
}

#[test]
fn a_long_source_is_cut_in_the_label_only() {
    let line = format!(r#"{{"packet_id":"a","source_subsystem":"{}","level":1}}"#, "ö".repeat(100));
    let incoming = json(line.as_bytes());
    assert!(incoming.label.source.len() <= 64 && incoming.label.source.ends_with('…'));
    assert_eq!(incoming.payload.bytes(), line.as_bytes());
}
