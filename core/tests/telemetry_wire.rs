//! What is written is what an independent reader of protobuf reads.
#![cfg(feature = "std")]

#[path = "held/packet.rs"]
mod packet;

use std::collections::BTreeMap;

use countermand_core::catalogue::Reading;
use countermand_core::{
    Event, Format, HealthParts, HealthStatus, HexId, Level, Metric, Packet, PacketEvent, PacketId, PacketParts,
    Priority, Span, SpanParts, Timestamp,
};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use prost::Message as _;

/// The schema, as the recorded system has it.
mod schema {
    use std::collections::BTreeMap;

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct Timestamp {
        #[prost(int64, tag = "1")]
        pub(crate) seconds: i64,
        #[prost(int32, tag = "2")]
        pub(crate) nanos: i32,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct MetricPoint {
        #[prost(string, tag = "1")]
        pub(crate) name: String,
        #[prost(double, tag = "2")]
        pub(crate) value: f64,
        #[prost(string, tag = "3")]
        pub(crate) unit: String,
        #[prost(btree_map = "string, string", tag = "4")]
        pub(crate) attributes: BTreeMap<String, String>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct TelemetryEvent {
        #[prost(string, tag = "1")]
        pub(crate) event_id: String,
        #[prost(string, tag = "2")]
        pub(crate) description: String,
        #[prost(int32, tag = "3")]
        pub(crate) level: i32,
        #[prost(btree_map = "string, string", tag = "4")]
        pub(crate) attributes: BTreeMap<String, String>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct TraceSpan {
        #[prost(string, tag = "1")]
        pub(crate) span_id: String,
        #[prost(string, tag = "2")]
        pub(crate) parent_span_id: String,
        #[prost(string, tag = "3")]
        pub(crate) name: String,
        #[prost(message, optional, tag = "4")]
        pub(crate) start_time: Option<Timestamp>,
        #[prost(message, optional, tag = "5")]
        pub(crate) end_time: Option<Timestamp>,
        #[prost(btree_map = "string, string", tag = "6")]
        pub(crate) attributes: BTreeMap<String, String>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct SystemHealth {
        #[prost(int32, tag = "1")]
        pub(crate) status: i32,
        #[prost(string, tag = "2")]
        pub(crate) summary: String,
        #[prost(btree_map = "string, string", tag = "3")]
        pub(crate) indicators: BTreeMap<String, String>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(crate) struct TelemetryPacket {
        #[prost(string, tag = "1")]
        pub(crate) packet_id: String,
        #[prost(message, optional, tag = "2")]
        pub(crate) timestamp: Option<Timestamp>,
        #[prost(string, tag = "3")]
        pub(crate) source_subsystem: String,
        #[prost(int32, tag = "4")]
        pub(crate) level: i32,
        #[prost(message, repeated, tag = "10")]
        pub(crate) metrics: Vec<MetricPoint>,
        #[prost(message, repeated, tag = "20")]
        pub(crate) events: Vec<TelemetryEvent>,
        #[prost(message, repeated, tag = "30")]
        pub(crate) spans: Vec<TraceSpan>,
        #[prost(message, optional, tag = "40")]
        pub(crate) system_health: Option<SystemHealth>,
    }
}

fn at(time: Timestamp) -> schema::Timestamp {
    schema::Timestamp { seconds: time.seconds(), nanos: i32::try_from(time.nanos()).expect("less than a second") }
}

fn map<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn read(bytes: &[u8]) -> schema::TelemetryPacket {
    schema::TelemetryPacket::decode(bytes).expect("a packet")
}

#[test]
fn what_devices_write_is_read() {
    packet::write_one();
    let expected = schema::TelemetryPacket {
        packet_id: "1f".into(),
        timestamp: Some(at(Timestamp::new(1_759_039_389, 0))),
        source_subsystem: "pump".into(),
        level: 4,
        events: vec![schema::TelemetryEvent {
            event_id: "evt-1".into(),
            description: "brownout".into(),
            level: 4,
            attributes: map([("millivolts", "2900")]),
        }],
        ..Default::default()
    };
    assert_eq!(read(packet::WRITTEN), expected);
}

#[test]
fn an_event_is_a_packet_of_one() {
    let event = Event::new("prefetch_timeout", Level::Critical)
        .describe("no answer in 5 s")
        .with("in_flight", 3)
        .with("empty", "");
    let now = Timestamp::new(1_759_039_389, 296_622_000);
    let id = HexId::of(PacketId::new(0xc0ffee));
    let packet = PacketParts::of_event(&id, now, "tamiyo", &event).expect("it has an id");
    let mut buffer = [0xff; 512];
    let read = read(packet.encode(&mut buffer).expect("room"));
    let expected = schema::TelemetryPacket {
        packet_id: PacketId::new(0xc0ffee).to_string(),
        timestamp: Some(at(now)),
        source_subsystem: "tamiyo".into(),
        level: 4,
        events: vec![schema::TelemetryEvent {
            event_id: "evt-1".into(),
            description: "prefetch_timeout".into(),
            level: 4,
            attributes: map([("message", "no answer in 5 s"), ("in_flight", "3"), ("empty", "")]),
        }],
        ..Default::default()
    };
    assert_eq!(read, expected);
    let payload = packet.to_payload();
    let length = packet.encoded_len();
    assert_eq!((payload.format(), payload.bytes()), (Format::Protobuf, &buffer[..length]));
    let mut behind = b"head".to_vec();
    packet.append(&mut behind);
    assert_eq!((&behind[..4], &behind[4..]), (&b"head"[..], &buffer[..length]));
}

#[test]
fn nothing_of_an_event_is_lost_on_the_way() {
    const KEYS: [&str; 10] = ["message", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let event =
        KEYS.iter().fold(Event::new("e", Level::Info), |event, key| event.with(key, key)).describe("a sentence");
    let packet = PacketParts::of_event("p", Timestamp::default(), "s", &event).expect("it has an id");
    let attributes = &read(packet.to_payload().bytes()).events[0].attributes;
    let own = KEYS[..8].iter().map(|key| (*key, *key));
    assert_eq!(attributes, &map(own.chain([("sentence", "a sentence"), ("attributes_left_out", "2")])));
    // And the same where it becomes part of a packet with a heap.
    assert_eq!(map(pairs(&PacketEvent::numbered(1, &event).attributes)), *attributes);
}

fn pairs(attributes: &countermand_core::Attributes) -> impl Iterator<Item = (&str, &str)> {
    attributes.iter().map(|(key, value)| (key.as_ref(), value.as_ref()))
}

#[test]
fn a_buffer_that_is_too_small_gets_nothing() {
    let event = Event::new("e", Level::Error).describe("d".repeat(200)).with("k", "v");
    let events = [event, Event::new("f", Level::Info)];
    let readings = [Reading::new("m", "s", 0.5).with("k", "v"), Reading::new("zero", "", 0.0)];
    let packet = PacketParts::new("p-1", Timestamp::new(-1, 7), "tolaria", Level::Info)
        .expect("it has an id")
        .events(&events)
        .readings(&readings);
    let needed = packet.encoded_len();
    for given in 0..needed {
        let mut buffer = vec![0xaa; given];
        let error = packet.encode(&mut buffer).expect_err("it is too small");
        assert_eq!((error.needed, error.given), (needed, given));
        assert!(buffer.iter().all(|byte| *byte == 0xaa), "something was written into {given} bytes");
    }
    let mut buffer = vec![0xaa; needed + 3];
    assert_eq!(packet.encode(&mut buffer).map(<[u8]>::len), Ok(needed));
    assert_eq!(buffer[needed..], [0xaa; 3]);
    assert_eq!(read(&buffer[..needed]).metrics.len(), 2);
    let small = packet.encode(&mut [0; 3]).expect_err("it is too small");
    assert_eq!(small.to_string(), format!("a packet of {needed} bytes, where the buffer has 3"));
}

#[test]
fn nobody_without_a_name_gets_through() {
    let said = |error: countermand_core::EmptyId| error.to_string();
    let parts = |id, source| PacketParts::new(id, Timestamp::default(), source, Level::Info).map(|_| ()).map_err(said);
    assert_eq!(parts("", "s"), Err("packet_id is empty".into()));
    assert_eq!(parts("p", ""), Err("source_subsystem is empty".into()));
    assert_eq!(SpanParts::new("", "n").map(|_| ()).map_err(said), Err("span_id is empty".into()));
    let packet = |id, source| Packet::new(id, Timestamp::default(), source, Level::Info).map(|_| ()).map_err(said);
    assert_eq!(packet("", "s"), Err("packet_id is empty".into()));
    assert_eq!(packet("p", ""), Err("source_subsystem is empty".into()));
    assert_eq!(PacketEvent::new("", "e", Level::Info).map(|_| ()).map_err(said), Err("event_id is empty".into()));
    assert_eq!(Span::new("", "n").map(|_| ()).map_err(said), Err("span_id is empty".into()));
}

#[test]
fn lengths_of_one_two_and_three_bytes_are_right() {
    for length in
        [0, 1, 60, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130, 16_380, 16_383, 16_384, 16_390, 70_000]
    {
        let text = "x".repeat(length);
        let metric = Metric::new(text.clone(), -0.0).unit("u").with(text.clone(), text.clone());
        let packet = Packet::new("p", Timestamp::default(), "s", Level::Info).expect("it has an id").metric(metric);
        let bytes = packet.to_protobuf();
        assert_eq!(bytes.len(), packet.protobuf_len());
        let read = read(&bytes);
        assert_eq!((read.metrics[0].name.len(), read.metrics[0].attributes[&text].len()), (length, length));
        assert_eq!(read.metrics[0].value.to_bits(), (-0.0_f64).to_bits());
    }
}

fn texts() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(".{0,12}", ".{0,140}", 0..5)
}

fn times() -> impl Strategy<Value = Timestamp> {
    (any::<i64>(), 0..1_000_000_000_u32).prop_map(|(seconds, nanos)| Timestamp::new(seconds, nanos))
}

fn levels() -> impl Strategy<Value = Level> {
    prop::sample::select(Level::ALL.to_vec())
}

prop_compose! {
    fn metrics()(name in ".{0,30}", value in prop::num::f64::NORMAL | prop::num::f64::ZERO, unit in ".{0,5}", texts in texts()) -> Metric {
        texts.into_iter().fold(Metric::new(name, value).unit(unit), |metric, (key, text)| metric.with(key, text))
    }
}

prop_compose! {
    fn events()(id in ".{1,9}", name in ".{0,30}", level in levels(), texts in texts()) -> PacketEvent {
        let event = PacketEvent::new(id, name, level).expect("it has an id");
        texts.into_iter().fold(event, |event, (key, text)| event.with(key, text))
    }
}

prop_compose! {
    fn spans()(id in ".{1,9}", parent in ".{0,9}", name in ".{0,30}", times in prop::option::of((times(), times())), texts in texts()) -> Span {
        let span = Span::new(id, name).expect("it has an id").part_of(parent);
        let span = match times {
            Some((start, end)) => span.between(start, end),
            None => span,
        };
        texts.into_iter().fold(span, |span, (key, text)| span.with(key, text))
    }
}

prop_compose! {
    fn packets()(
        id in ".{1,40}", time in times(), source in ".{1,20}", level in levels(),
        metrics in vec(metrics(), 0..4), events in vec(events(), 0..4), spans in vec(spans(), 0..4),
        health in prop::option::of((prop::sample::select(HealthStatus::ALL.to_vec()), ".{0,20}", texts())),
    ) -> Packet {
        let mut packet = Packet::new(id, time, source, level).expect("it has an id");
        packet.metrics = metrics;
        packet.events = events;
        packet.spans = spans;
        if let Some((status, summary, texts)) = health {
            let health = countermand_core::Health::new(status).summary(summary);
            packet.health = Some(texts.into_iter().fold(health, |health, (name, text)| health.indicator(name, text)));
        }
        packet
    }
}

fn expected(packet: &Packet) -> schema::TelemetryPacket {
    schema::TelemetryPacket {
        packet_id: packet.packet_id().into(),
        timestamp: Some(at(packet.timestamp)),
        source_subsystem: packet.source().into(),
        level: packet.level.number().into(),
        metrics: packet.metrics.iter().map(metric).collect(),
        events: packet.events.iter().map(event).collect(),
        spans: packet.spans.iter().map(span).collect(),
        system_health: packet.health.as_ref().map(|health| schema::SystemHealth {
            status: health.status.number().into(),
            summary: health.summary.to_string(),
            indicators: map(pairs(&health.indicators)),
        }),
    }
}

fn metric(metric: &Metric) -> schema::MetricPoint {
    schema::MetricPoint {
        name: metric.name.to_string(),
        value: metric.value,
        unit: metric.unit.to_string(),
        attributes: map(pairs(&metric.attributes)),
    }
}

fn event(event: &PacketEvent) -> schema::TelemetryEvent {
    schema::TelemetryEvent {
        event_id: event.event_id().into(),
        description: event.description.to_string(),
        level: event.level.number().into(),
        attributes: map(pairs(&event.attributes)),
    }
}

fn span(span: &Span) -> schema::TraceSpan {
    schema::TraceSpan {
        span_id: span.span_id().into(),
        parent_span_id: span.parent_span_id.to_string(),
        name: span.name.to_string(),
        start_time: span.start_time.map(at),
        end_time: span.end_time.map(at),
        attributes: map(pairs(&span.attributes)),
    }
}

proptest! {
    #[test]
    fn a_packet_is_read_as_it_was_written(packet in packets()) {
        let bytes = packet.to_protobuf();
        prop_assert_eq!(bytes.len(), packet.protobuf_len());
        prop_assert_eq!(&read(&bytes), &expected(&packet));
        let payload = packet.to_payload();
        prop_assert_eq!(payload.bytes(), &bytes[..]);
        // The other one leaves out the same, and takes as many bytes.
        prop_assert_eq!(expected(&packet).encoded_len(), bytes.len());
    }

    #[test]
    fn borrowed_parts_are_the_same_packet(
        id in ".{1,40}", time in times(), source in ".{1,20}", level in levels(),
        said in vec((".{0,300}", vec(".{0,140}", 0..10), levels()), 0..4),
        values in vec(any::<f64>().prop_filter("equal to itself", |value| !value.is_nan()), 0..3),
        summary in ".{0,20}", priority in prop::option::of(prop::sample::select(Priority::ALL.to_vec())),
    ) {
        const KEYS: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        let events: Vec<Event> = said
            .iter()
            .map(|(sentence, texts, level)| {
                let event = Event::new("some.event", *level).describe(sentence);
                KEYS.iter().zip(texts).fold(event, |event, (key, text)| event.with(key, text))
            })
            .collect();
        let readings: Vec<Reading<'_>> =
            values.iter().map(|value| Reading::new("m", "1", *value).with("id", &id).with("source", &source)).collect();
        let attributes = [("k", "v"), ("empty", "")];
        let mut spans = [SpanParts::new("s-1", "work").expect("it has an id")];
        spans[0].start_time = Some(time);
        spans[0].end_time = Some(time);
        spans[0].parent_span_id = &source;
        spans[0].attributes = &attributes;
        let health = HealthParts { status: HealthStatus::Degraded, summary: &summary, indicators: &attributes, priority };
        let parts = PacketParts::new(&id, time, &source, level).expect("it has an id");
        let parts = parts.events(&events).readings(&readings).spans(&spans).health(health);

        let mut whole = Packet::new(id.clone(), time, source.clone(), level).expect("it has an id");
        whole.metrics = readings.iter().map(|reading| Metric::from(*reading)).collect();
        whole = events.iter().fold(whole, |packet, event| packet.event(event));
        let mut span = Span::new("s-1", "work").expect("it has an id").with("k", "v").with("empty", "");
        span.start_time = Some(time);
        span.end_time = Some(time);
        span.parent_span_id = source.clone().into();
        whole = whole.span(span);
        let health = countermand_core::Health::new(HealthStatus::Degraded).summary(summary.clone());
        whole = whole.health(health.indicator("k", "v").indicator("empty", ""));
        if let Some(priority) = priority {
            whole = whole.priority(priority);
        }
        prop_assert_eq!(parts.encoded_len(), whole.protobuf_len());
        prop_assert_eq!(read(parts.to_payload().bytes()), expected(&whole));
    }
}
