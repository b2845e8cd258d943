//! Any packet is the same packet in both forms, and any stream of packets the same in pieces of any size.

use std::collections::BTreeMap;

use countermand_core::Format;
use countermand_wire::proto::{MetricPoint, SystemHealth, TelemetryEvent, TelemetryPacket, TraceSpan};
use countermand_wire::{Framing, Limits, decode, detect, pack, read, to_json, to_protobuf, write_framed};
use pbjson_types::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use prost::Message as _;

fn attributes() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(".{0,6}", ".{0,6}", 0..3)
}

fn time() -> impl Strategy<Value = Option<Timestamp>> {
    let time = (-62_135_596_800_i64..=253_402_300_799, 0..1_000_000_000)
        .prop_map(|(seconds, nanos)| Timestamp { seconds, nanos });
    proptest::option::of(time)
}

/// A number that is equal to itself, and not a zero with a sign, which protobuf takes for its default.
fn number() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{INFINITE, NEGATIVE, NORMAL, POSITIVE, SUBNORMAL};
    prop_oneof![Just(0.0), NORMAL | SUBNORMAL | INFINITE | POSITIVE | NEGATIVE]
}

prop_compose! {
    fn metric()(name in ".{0,6}", value in number(), unit in "[a-z]{0,3}", attributes in attributes()) -> MetricPoint {
        MetricPoint { name, value, unit, attributes }
    }
}

prop_compose! {
    fn event()(event_id in ".{0,6}", description in ".{0,20}", level in 0..5, attributes in attributes()) -> TelemetryEvent {
        TelemetryEvent { event_id, description, level, attributes }
    }
}

prop_compose! {
    fn span()(ids in [".{0,4}", ".{0,4}"], name in ".{0,6}", times in [time(), time()], attributes in attributes()) -> TraceSpan {
        let ([span_id, parent_span_id], [start_time, end_time]) = (ids, times);
        TraceSpan { span_id, parent_span_id, name, start_time, end_time, attributes }
    }
}

prop_compose! {
    fn health()(status in 0..5, summary in ".{0,9}", indicators in attributes(), priority in proptest::option::of("(MESSAGE_PRIORITY_)?(LOW|HIGH|critical|HGIH)")) -> SystemHealth {
        let mut health = SystemHealth { status, summary, indicators };
        health.indicators.extend(priority.map(|priority| (String::from("priority"), priority)));
        health
    }
}

prop_compose! {
    fn packet()(
        packet_id in "[^ ].{0,8}[a-z]", source_subsystem in "[a-z]{1,90}", level in 1..5, timestamp in time(),
        metrics in vec(metric(), 0..4), events in vec(event(), 0..4), spans in vec(span(), 0..3),
        system_health in proptest::option::of(health()),
    ) -> TelemetryPacket {
        TelemetryPacket { packet_id, timestamp, source_subsystem, level, metrics, events, spans, system_health }
    }
}

proptest! {
    #[test]
    fn protobuf_to_json_and_back_is_the_same(packet in packet()) {
        let limits = Limits::default();
        let packed = pack(packet.clone()).expect("a valid packet");
        let bytes = packed.payload.bytes();
        prop_assert_eq!(&decode(Format::Protobuf, bytes, &limits).expect("protobuf"), &packet);
        let json = to_json(&packet).expect("a valid packet");
        prop_assert!(!json.contains('\n'));
        prop_assert_eq!(&to_protobuf(json.as_bytes(), &limits).expect("JSON"), bytes);
        prop_assert_eq!(&to_json(&decode(Format::Json, json.as_bytes(), &limits).expect("JSON")).expect("valid"), &json);
        // Both forms are labelled alike, but for what is of the bytes.
        let mut label = read(Format::Json, json.as_bytes(), &limits).expect("JSON").label;
        label.id = packed.label.id;
        label.weight = packed.label.weight;
        prop_assert_eq!(label, packed.label);
    }

    #[test]
    fn a_number_that_is_none_stays_one(before in vec(number(), 0..3), after in vec(number(), 0..3)) {
        let metric = |value| MetricPoint { value, ..MetricPoint::default() };
        let values = before.iter().copied().chain([f64::NAN]).chain(after.iter().copied());
        let packet = TelemetryPacket {
            packet_id: "a".into(), source_subsystem: "b".into(), level: 1, metrics: values.map(metric).collect(), ..TelemetryPacket::default()
        };
        let json = to_json(&packet).expect("valid");
        let again = decode(Format::Json, json.as_bytes(), &Limits::default()).expect("JSON");
        let values = |packet: &TelemetryPacket| packet.metrics.iter().map(|metric| metric.value.to_string()).collect::<Vec<_>>();
        prop_assert_eq!(values(&again), values(&packet));
    }

    #[test]
    fn streams_are_the_same_in_pieces_of_any_size(packets in vec(packet(), 1..6), size in 1_usize..200, json in any::<bool>()) {
        let format = if json { Format::Json } else { Format::Protobuf };
        let bodies: Vec<Vec<u8>> = packets.iter().map(|packet| match format {
            Format::Json => to_json(packet).expect("valid").into_bytes(),
            _ => packet.encode_to_vec(),
        }).collect();
        let mut stream = Vec::new();
        bodies.iter().for_each(|body| write_framed(format, body, &mut stream));
        prop_assert_eq!(detect(&stream), Some(format));
        let mut framing = Framing::new(format, 1 << 20);
        let mut found = Vec::new();
        for mut piece in stream.chunks(size) {
            while let Some(frame) = framing.next(&mut piece) {
                let frame = frame.expect("a frame");
                prop_assert_eq!(frame.number as usize, found.len() + 1);
                found.push(frame.bytes.to_vec());
            }
            prop_assert!(piece.is_empty());
        }
        prop_assert!(framing.finish().is_none());
        prop_assert_eq!(found, bodies);
    }

    #[test]
    fn any_bytes_have_an_answer(bytes in vec(any::<u8>(), 0..200), text in ".{0,100}") {
        for format in [Format::Protobuf, Format::Json] {
            for bytes in [&bytes[..], text.as_bytes()] {
                if let Err(error) = read(format, bytes, &Limits::default()) {
                    prop_assert!(!error.message().is_empty() && error.to_string().len() < 2_000);
                }
            }
        }
    }
}
