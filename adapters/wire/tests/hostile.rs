//! Bytes that are no packet: an error that says what is wrong and where, whatever they are.

use countermand_core::{Format, Priority};
use countermand_wire::proto::{MetricPoint, SystemHealth, TelemetryEvent, TelemetryLevel, TelemetryPacket, TraceSpan};
use countermand_wire::{Incoming, Limits, WireError, WireFault as Fault, open, pack, read};
use pbjson_types::Timestamp;
use prost::Message as _;

const HEAD: &str = r#"{"packet_id":"a","source_subsystem":"b","level":"TELEMETRY_LEVEL_INFO""#;

fn json(text: impl AsRef<[u8]>) -> Result<Incoming, WireError> {
    read(Format::Json, text.as_ref(), &Limits::default())
}

fn binary(bytes: &[u8]) -> Result<Incoming, WireError> {
    read(Format::Protobuf, bytes, &Limits::default())
}

fn packet() -> TelemetryPacket {
    TelemetryPacket {
        packet_id: "a".into(),
        timestamp: Some(Timestamp { seconds: 1, nanos: 2 }),
        source_subsystem: "b".into(),
        level: TelemetryLevel::Warning as i32,
        metrics: vec![MetricPoint { name: "m".into(), value: 0.5, ..MetricPoint::default() }],
        events: vec![TelemetryEvent { event_id: "e".into(), ..TelemetryEvent::default() }],
        spans: vec![TraceSpan { span_id: "s".into(), ..TraceSpan::default() }],
        system_health: Some(SystemHealth {
            summary: "fine".into(),
            indicators: [("priority".into(), "HIGH".into())].into(),
            ..SystemHealth::default()
        }),
    }
}

/// The rest of a packet in JSON; fault, field, column, and how the message begins.
#[rustfmt::skip]
const BROKEN: &[(&str, Fault, &str, usize, &str)] = &[
    (r#","level":1}"#, Fault::Duplicate, "level", 78, "given twice"),
    (r#","packetId":"c"}"#, Fault::Duplicate, "", 81, "duplicate field `packetId`"),
    (r#","x":{"k":1,"k":2}}"#, Fault::Duplicate, "k", 85, "given twice"),
    (r#","events":[{"attributes":{"k":"1","\u006b":"2"}}]}"#, Fault::Duplicate, "k", 112, "given twice"),
    (r#","metrics":[{"name":"m"},{"value":"much"}]}"#, Fault::BadValue, "metrics[1].value", 111, "not a number"),
    (r#","metrics":[{"value":true}]}"#, Fault::BadValue, "metrics[0].value", 96, "not a number"),
    (r#","metrics":[{"value":1e999}]}"#, Fault::Malformed, "", 96, "number out of range"),
    (r#","metrics":{"value":1}}"#, Fault::BadValue, "metrics", 81, "invalid type: map, expected a sequence"),
    (r#","events":[{"level":"TELEMETRY_LEVEL_FATAL"}]}"#, Fault::BadValue, "events[0].level", 113, "unknown variant `TELEMETRY_LEVEL_FATAL`, expected one of `TELEMETRY_LEVEL_UNSPECIFIED`"),
    (r#","events":[{"level":5}]}"#, Fault::BadValue, "events[0].level", 91, "invalid value: integer `5`, expected one of: [\"TELEMETRY_LEVEL_UNSPECIFIED\""),
    (r#","events":[{"description":7}]}"#, Fault::BadValue, "events[0].description", 97, "invalid type: integer `7`, expected a string"),
    (r#","events":[{"attributes":{"k":3}}]}"#, Fault::BadValue, "events[0].attributes.k", 101, "invalid type: integer `3`, expected a string"),
    (r#","system_health":{"status":"FINE"}}"#, Fault::BadValue, "system_health.status", 103, "unknown variant `FINE`"),
    (r#","system_health":{"summary":null}}"#, Fault::BadValue, "system_health.summary", 102, "invalid type: null, expected a string"),
    (r#","timestamp":"yesterday"}"#, Fault::BadValue, "timestamp", 94, "not a time as in RFC 3339: premature end of input"),
    (r#","timestamp":1}"#, Fault::BadValue, "timestamp", 84, "invalid type: integer `1`, expected a date string"),
    (r#"} {}"#, Fault::Malformed, "", 73, "trailing characters"),
    (r#","x":[1,]}"#, Fault::Malformed, "", 79, "trailing comma"),
    (r#","ä":trap}"#, Fault::Malformed, "", 78, "expected ident"),
    (r#","x":"\ud800"}"#, Fault::Malformed, "", 83, "unexpected end of hex escape"),
    ("", Fault::Malformed, "", 70, "EOF while parsing an object"),
    (",\n\"x\":1}", Fault::Malformed, "", 72, "more than one line"),
];

#[test]
fn broken_json_is_named_with_field_and_column() {
    for (rest, fault, field, column, message) in BROKEN {
        let error = json(format!("{HEAD}{rest}")).expect_err(rest);
        let found = (error.fault(), error.field(), error.column().unwrap_or(0));
        assert_eq!(found, (*fault, *field, *column), "{rest}: {error}");
        assert!(error.message().starts_with(message), "{rest}: {error}");
    }
}

#[test]
fn what_every_packet_has_must_be_there_in_both_forms() {
    type Change = fn(&mut TelemetryPacket);
    let changes: [(Change, Fault, &str); 9] = [
        (|packet| packet.packet_id.clear(), Fault::Missing, "packet_id"),
        (|packet| packet.packet_id = " \t".into(), Fault::Missing, "packet_id"),
        (|packet| packet.source_subsystem.clear(), Fault::Missing, "source_subsystem"),
        (|packet| packet.level = 0, Fault::Missing, "level"),
        (|packet| packet.level = 5, Fault::BadValue, "level"),
        (|packet| packet.events[0].level = -1, Fault::BadValue, "events[0].level"),
        (
            |packet| packet.spans[0].end_time = Some(Timestamp { seconds: i64::MAX, nanos: 0 }),
            Fault::BadValue,
            "spans[0].end_time",
        ),
        (|packet| packet.timestamp = Some(Timestamp { seconds: 0, nanos: -1 }), Fault::BadValue, "timestamp"),
        (|packet| packet.system_health.as_mut().unwrap().status = 9, Fault::BadValue, "system_health.status"),
    ];
    for (change, fault, field) in changes {
        let mut packet = packet();
        change(&mut packet);
        for error in [binary(&packet.encode_to_vec()).unwrap_err(), pack(packet).unwrap_err()] {
            assert_eq!((error.fault(), error.field(), error.column()), (fault, field, None), "{error}");
        }
    }
    for (text, field) in [
        (r#"{"source_subsystem":"b","level":1}"#, "packet_id"),
        (r#"{"packet_id":"a","level":1}"#, "source_subsystem"),
        (r#"{"packet_id":"a","source_subsystem":"b"}"#, "level"),
        (r#"{"packet_id":"a","source_subsystem":"b","level":"TELEMETRY_LEVEL_UNSPECIFIED"}"#, "level"),
    ] {
        let error = json(text).unwrap_err();
        assert_eq!((error.fault(), error.field()), (Fault::Missing, field), "{error}");
    }
    for text in ["", " ", "null", "[]", "7", "\"packet\"", "\u{feff}{}"] {
        assert!(json(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_packet_cut_anywhere_is_refused_or_another_whole_one() {
    let whole = packet().encode_to_vec();
    let mut refused = 0;
    for end in 0..whole.len() {
        match binary(&whole[..end]) {
            // Between two fields a packet may end.
            Ok(incoming) => {
                let shorter = TelemetryPacket::decode(&whole[..end]).expect("it was read");
                assert_eq!(shorter.encode_to_vec(), incoming.payload.bytes());
            }
            Err(_) => refused += 1,
        }
    }
    assert!(refused > whole.len() / 2, "{refused} of {}", whole.len());

    let text = format!(r#"{HEAD},"metrics":[{{"value":1.5}}],"system_health":{{"indicators":{{"priority":"é"}}}}}}"#);
    for end in 0..text.len() {
        let error = json(&text.as_bytes()[..end]).expect_err("no packet in JSON is the beginning of another");
        assert_eq!(error.fault(), Fault::Malformed, "{error}");
    }
    assert!(json(&text).is_ok());
}

#[test]
fn claims_beyond_what_is_there_take_no_memory() {
    // A metric, a text, a map entry and an unknown field of 64 MiB each, with nothing behind the length.
    for claim in [&b"\x52"[..], b"\x0a", b"\xc2\x02", b"\xfa\x7f"] {
        let mut bytes = packet().encode_to_vec();
        bytes.extend_from_slice(claim);
        bytes.extend_from_slice(b"\x80\x80\x80\x20");
        assert_eq!(binary(&bytes).unwrap_err().fault(), Fault::Malformed);
    }
}

#[test]
fn size_is_limited() {
    let mut packet = packet();
    packet.system_health.as_mut().unwrap().summary = "x".repeat(1 << 20);
    let bytes = packet.encode_to_vec();
    let error = binary(&bytes).unwrap_err();
    assert_eq!(error.fault(), Fault::Limit);
    assert_eq!(error.to_string(), format!("{} bytes, where a packet has at most 1048576", bytes.len()));
    assert!(read(Format::Protobuf, &bytes, &Limits::default().bytes(bytes.len())).is_ok());
    assert_eq!(open(&bytes, &Limits::default()).unwrap_err().fault(), Fault::Limit);
}

#[test]
fn depth_is_limited_in_both_forms() {
    let nested = |depth: usize| format!(r#"{HEAD},"x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert!(json(nested(31)).is_ok());
    let error = json(nested(32)).unwrap_err();
    assert_eq!((error.fault(), error.message()), (Fault::Limit, "nested deeper than 32"));
    for depth in [1_000, 100_000] {
        assert_eq!(json(nested(depth)).unwrap_err().fault(), Fault::Limit);
        let far = Limits::default().depth(usize::MAX);
        assert_eq!(read(Format::Json, nested(depth).as_bytes(), &far).unwrap_err().fault(), Fault::Limit);
    }
    // Groups of a field that the schema does not know, a thousand deep.
    let mut bytes = packet().encode_to_vec();
    bytes.extend(std::iter::repeat_n(0x7b, 1_000).chain(std::iter::repeat_n(0x7c, 1_000)));
    assert!(binary(&bytes).unwrap_err().message().contains("recursion limit"));
}

#[test]
fn invalid_utf8_is_named() {
    let error = json([HEAD.as_bytes(), b",\"\xc3\xa4\":\"\xff\"}"].concat()).unwrap_err();
    assert_eq!((error.fault(), error.column()), (Fault::Malformed, Some(77)));
    assert_eq!(error.message(), "the byte 0xff is not UTF-8");
    let error = binary(b"\x0a\x02\xc3\x28\x1a\x01b\x20\x01").unwrap_err();
    assert!(error.message().contains("packet_id") && error.message().contains("UTF-8"), "{error}");
}

#[test]
fn wrong_wire_types_are_named() {
    let error = binary(b"\x0a\x01a\x1a\x01b\x22\x01\x01").unwrap_err();
    assert!(error.message().contains("TelemetryPacket.level") && error.message().contains("wire type"), "{error}");
}

#[test]
fn envelopes_hold_telemetry_or_are_refused() {
    let error = open(b"\x08\x03\x12\x01x", &Limits::default()).unwrap_err();
    assert_eq!((error.fault(), error.field()), (Fault::BadValue, "message_type"));
    assert_eq!(open(b"\x08\x04\x12\x01x", &Limits::default()).unwrap_err().fault(), Fault::Malformed);
    assert_eq!(open(b"\x12\x05x", &Limits::default()).unwrap_err().fault(), Fault::Malformed);
}

#[test]
fn a_valid_packet_has_its_urgency() {
    let incoming = pack(packet()).expect("valid");
    assert_eq!((incoming.label.priority, incoming.label.subject.as_str()), (Priority::High, "e"));
    assert_eq!(binary(incoming.payload.bytes()).expect("valid").label, incoming.label);
}
