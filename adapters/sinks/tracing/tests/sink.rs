//! How the sink shows packets.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use countermand_core::{
    Answer, Batch, DeadReason, Delivery, Format, Instant, Label, Level, PacketId, Parcel, Payload, Refusal, Repeats,
    Sink, Source,
};
use countermand_tracing::{TARGET, TracingSink};
use countermand_wire::{Limits, read};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// Level, and all fields as they are shown.
type Shown = (tracing::Level, BTreeMap<&'static str, String>);

/// A layer that remembers what it is shown, and panics at the message "poison".
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<Shown>>>);

struct Fields<'f>(&'f mut BTreeMap<&'static str, String>);

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl<S: Subscriber> Layer<S> for Memory {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        assert_eq!(event.metadata().target(), TARGET);
        let mut fields = BTreeMap::new();
        event.record(&mut Fields(&mut fields));
        assert_ne!(fields["message"], "poison");
        self.0.lock().expect("nobody panicked with it").push((*event.metadata().level(), fields));
    }
}

fn delivery(json: &str) -> Delivery<Payload> {
    let incoming = read(Format::Json, json.as_bytes(), &Limits::default()).expect("a packet");
    Delivery::new(Arc::new(Parcel::new(incoming.label, Instant::ORIGIN, incoming.payload)))
}

fn simple(level: u8, about: &str) -> Delivery<Payload> {
    delivery(&format!(
        r#"{{"packet_id":"p","source_subsystem":"mill","level":{level},"events":[{{"description":"{about}"}}]}}"#
    ))
}

/// What is shown of these, and the answers.
fn show(deliveries: Vec<Delivery<Payload>>) -> (Vec<Shown>, Vec<Option<Answer>>) {
    let memory = Memory::default();
    let subscriber = tracing_subscriber::registry().with(memory.clone());
    let batch = Batch::new(3, deliveries);
    let batch = tracing::subscriber::with_default(subscriber, || TracingSink::new().deliver(batch)).into_inner();
    assert_eq!((batch.number(), batch.astray()), (3, 0));
    let shown = std::mem::take(&mut *memory.0.lock().expect("nobody panicked with it"));
    (shown, batch.into_answers())
}

#[test]
fn levels_are_mapped_and_an_alarm_says_so() {
    let (shown, answers) = show((1..=4).map(|level| simple(level, "turn")).collect());
    let levels: Vec<_> =
        shown.iter().map(|(level, fields)| (*level, &*fields["priority"], &*fields["level"])).collect();
    use tracing::Level as At;
    assert_eq!(
        levels,
        [
            (At::INFO, "NORMAL", "INFO"),
            (At::WARN, "HIGH", "WARNING"),
            (At::ERROR, "HIGH", "ERROR"),
            (At::ERROR, "CRITICAL", "CRITICAL"),
        ]
    );
    assert!(answers.iter().all(|answer| *answer == Some(Answer::Acknowledged)));
}

#[test]
fn a_packet_is_shown_with_what_is_in_it() {
    let json = r#"{"packet_id":"p-1","source_subsystem":"mill","level":2,"metrics":[{},{}],
        "events":[{"description":"too\u001b[31m hot","attributes":{"at":"left\nside","by":"8 K"}}],
        "system_health":{"status":"HEALTH_STATUS_DEGRADED","summary":"smoke","indicators":{"priority":"CRITICAL"}}}"#;
    let delivery = delivery(&json.replace('\n', ""));
    let id = delivery.parcel.label.id.to_string();
    let (shown, _) = show(vec![delivery]);
    let expected = [
        ("message", "too\u{fffd}[31m hot"),
        ("source", "mill"),
        ("priority", "CRITICAL"),
        ("level", "WARNING"),
        ("packet_id", "p-1"),
        ("packet", &*id),
        ("attributes", "at=left\u{fffd}side by=8 K"),
        ("events", "1"),
        ("metrics", "2"),
        ("spans", "0"),
        ("health", "DEGRADED"),
        ("summary", "smoke"),
    ];
    let expected = expected.into_iter().map(|(key, value)| (key, String::from(value))).collect();
    assert_eq!(shown, [(tracing::Level::WARN, expected)]);
}

#[test]
fn what_the_router_knows_is_shown_too() {
    let mut again = simple(3, "turn");
    again.attempts = 2;
    again.repeats = Some(Repeats::of(Instant::ORIGIN, Level::Error));
    again.dead = Some(DeadReason::new("journal", "full"));
    let (shown, _) = show(vec![again]);
    let fields = &shown[0].1;
    assert_eq!((&*fields["attempts"], &*fields["repeats"]), ("2", "1"));
    assert_eq!(fields["dead"], "journal: full (tried 1 times)");
}

#[test]
fn bytes_that_cannot_be_read_are_shown_by_their_label() {
    let label = Label::new(PacketId::new(9), Source::of("mill"), Level::Critical).subject("fire".try_into().unwrap());
    let payload = Payload::new(Format::Protobuf, *b"\xff");
    let (shown, answers) = show(vec![Delivery::new(Arc::new(Parcel::new(label, Instant::ORIGIN, payload)))]);
    let (level, fields) = &shown[0];
    assert_eq!((*level, &*fields["message"], &*fields["priority"]), (tracing::Level::ERROR, "fire", "CRITICAL"));
    assert!(fields["unreadable"].contains("varint"), "{}", fields["unreadable"]);
    assert!(!fields.contains_key("packet_id"));
    assert_eq!(answers, [Some(Answer::Acknowledged)]);
}

#[test]
fn a_subscriber_that_panics_is_a_refusal_of_the_rest() {
    let (shown, answers) = show(vec![simple(1, "one"), simple(1, "poison"), simple(1, "three")]);
    assert_eq!(shown.len(), 1);
    let later = Some(Answer::Refused(Refusal::later("the subscriber of tracing panicked")));
    assert_eq!(answers, [Some(Answer::Acknowledged), later.clone(), later]);
}
