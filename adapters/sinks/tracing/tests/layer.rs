//! What the layer makes of events and spans.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use countermand_core::{Format, Label, Level, Payload, Priority, SubsystemId};
use countermand_tracing::{Figures, Outgoing, Tally, TelemetryLayer, quiet};
use countermand_wire::proto::{TelemetryEvent, TelemetryLevel, TelemetryPacket, TraceSpan};
use countermand_wire::{Limits, decode, read};
use tracing::field::Empty;
use tracing::{Span, debug, error, event, info, info_span, trace, warn};
use tracing_subscriber::layer::SubscriberExt as _;

type Sent = Arc<Mutex<Vec<(Label, TelemetryPacket)>>>;
/// A time that only a test moves: seconds since 1970.
type Clock = Arc<AtomicU64>;
type Anybody = Arc<dyn Outgoing + Send + Sync>;

/// Takes all, and looks whether each is what its label says.
fn into(sent: &Sent) -> impl Outgoing + Send + Sync + use<> {
    let sent = sent.clone();
    move |label: Label, payload: Payload| {
        assert_eq!(payload.format(), Format::Protobuf);
        let limits = Limits::default();
        assert_eq!(read(Format::Protobuf, payload.bytes(), &limits).expect("a packet").label, label);
        let packet = decode(Format::Protobuf, payload.bytes(), &limits).expect("a packet");
        sent.lock().expect("nobody panicked with it").push((label, packet));
        true
    }
}

fn source() -> SubsystemId {
    "mill".parse().expect("an id")
}

/// What `work` sends, with what is changed at the layer, and the figures at its end.
fn sent_by<F>(change: F, work: impl FnOnce(&Clock)) -> (Vec<(Label, TelemetryPacket)>, Figures)
where
    F: FnOnce(TelemetryLayer<Anybody>) -> TelemetryLayer<Anybody>,
{
    let (sent, clock) = (Sent::default(), Clock::new(AtomicU64::new(100)));
    let time = clock.clone();
    let layer = TelemetryLayer::new(source(), Arc::new(into(&sent)) as Anybody)
        .clock(move || UNIX_EPOCH + Duration::from_secs(time.load(Ordering::Relaxed)));
    let layer = change(layer);
    let tally = layer.tally();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || work(&clock));
    let sent = std::mem::take(&mut *sent.lock().expect("nobody panicked with it"));
    (sent, tally.figures())
}

fn sent(work: impl FnOnce(&Clock)) -> Vec<(Label, TelemetryPacket)> {
    sent_by(|layer| layer, work).0
}

/// The only event of a packet.
fn event_of(packet: &TelemetryPacket) -> &TelemetryEvent {
    assert_eq!((packet.events.len(), packet.spans.len()), (1, 0));
    &packet.events[0]
}

fn span_of(packet: &TelemetryPacket) -> &TraceSpan {
    assert_eq!((packet.events.len(), packet.spans.len()), (0, 1));
    &packet.spans[0]
}

#[test]
fn levels_are_mapped_and_a_priority_raises() {
    let (sent, figures) = sent_by(
        |layer| layer,
        |_| {
            trace!("0");
            debug!("1");
            info!("2");
            warn!("3");
            error!("4");
            info!(priority = "high", "5");
            error!(priority = "critical", "6");
            info!(priority = "MESSAGE_PRIORITY_LOW", "7");
            error!(priority = %Priority::Low, "8");
            warn!(priority = "urgent", "9");
            info!(priority = 3, "10");
        },
    );
    let expected = [
        (Level::Info, Priority::Normal),
        (Level::Info, Priority::Normal),
        (Level::Info, Priority::Normal),
        (Level::Warning, Priority::High),
        (Level::Error, Priority::High),
        (Level::Info, Priority::High),
        (Level::Error, Priority::Critical),
        (Level::Info, Priority::Low),
        (Level::Error, Priority::High),
        (Level::Warning, Priority::High),
        (Level::Info, Priority::Normal),
    ];
    assert_eq!(sent.len(), expected.len());
    for (number, ((label, packet), expected)) in sent.iter().zip(expected).enumerate() {
        assert_eq!((label.level, label.priority), expected, "{number}");
        assert_eq!((label.subject.as_str(), label.source.as_str()), (number.to_string().as_str(), "mill"));
        assert_eq!(event_of(packet).level, i32::from(expected.0.number()));
        assert_eq!(packet.timestamp.expect("a time").seconds, 100);
        assert_eq!(label.unknown_priority, number >= 9);
    }
    assert_eq!((figures.taken, figures.unknown_priority), (11, 2));
    let mut ids: Vec<&str> = sent.iter().map(|(_, packet)| packet.packet_id.as_str()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 11, "each has an id of its own");
}

#[derive(Debug)]
struct Broken(&'static str, Option<Box<Broken>>);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Broken {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|error| error as _)
    }
}

#[test]
fn fields_of_all_kinds_become_attributes() {
    let broken = Broken("no flour", Some(Box::new(Broken("rain", None))));
    let long = "ö".repeat(5_000);
    let sent = sent(|_| {
        warn!(
            yes = true,
            less = -7_i64,
            more = u128::MAX,
            part = 0.5,
            text = "a \"b\"",
            shown = %Priority::High,
            debugged = ?Some("x"),
            error = &broken as &(dyn Error + 'static),
            none = None::<u32>,
            some = Some(3_u8),
            empty = Empty,
            r#type = "raw",
            long,
            tracing.level = "mine",
            "all {}",
            "kinds"
        );
    });
    let event = event_of(&sent[0].1);
    assert_eq!(event.description, "all kinds");
    let expected = [
        ("yes", "true"),
        ("less", "-7"),
        ("more", "340282366920938463463374607431768211455"),
        ("part", "0.5"),
        ("text", "a \"b\""),
        ("shown", "HIGH"),
        ("debugged", "Some(\"x\")"),
        ("error", "no flour: rain"),
        ("some", "3"),
        ("type", "raw"),
        ("tracing.level", "mine"),
        ("tracing.target", module_path!()),
    ];
    for (key, value) in expected {
        assert_eq!(event.attributes.get(key).map(String::as_str), Some(value), "{key}");
    }
    let long = &event.attributes["long"];
    let most = TelemetryLayer::<fn(Label, Payload) -> bool>::LONGEST_TEXT;
    assert!(long.len() <= most && long.len() > most - 4 && long.ends_with("ö…"));
    assert!(event.attributes["tracing.location"].contains("layer.rs:"));
    assert_eq!(event.attributes.len(), expected.len() + 2, "{:?}", event.attributes.keys());
}

#[test]
fn a_given_name_is_what_it_is_about() {
    let sent = sent(|_| {
        event!(name: "gate_failure", tracing::Level::ERROR, gate = "g2", "it is shut");
        info!(turns = 1);
    });
    let event = event_of(&sent[0].1);
    assert_eq!((event.description.as_str(), sent[0].0.subject.as_str()), ("gate_failure", "gate_failure"));
    assert_eq!(event.attributes["message"], "it is shut");
    let event = event_of(&sent[1].1);
    assert_eq!((event.description.as_str(), sent[1].0.subject.as_str()), ("", event.event_id.as_str()));
}

#[test]
fn nested_spans_have_their_times_parents_and_fields() {
    let sent = sent(|clock| {
        let outer = info_span!("grind", sack = 7, weight = Empty, priority = "low").entered();
        clock.store(110, Ordering::Relaxed);
        let between = info_span!(target: "countermand::telemetry", "between").entered();
        let inner = tracing::error_span!("turn", "of the stone").entered();
        info!("inside");
        outer.record("weight", 2.5);
        outer.record("sack", 8);
        clock.store(120, Ordering::Relaxed);
        drop((inner, between));
        clock.store(130, Ordering::Relaxed);
        drop(outer);
        info!("outside");
    });
    let names: Vec<_> = sent.iter().map(|(_, packet)| (packet.events.len(), packet.spans.len())).collect();
    assert_eq!(names, [(1, 0), (0, 1), (0, 1), (1, 0)]);
    let (inside, inner, outer) = (event_of(&sent[0].1), span_of(&sent[1].1), span_of(&sent[2].1));
    assert_eq!((inner.name.as_str(), outer.name.as_str()), ("turn", "grind"));
    assert_eq!(inside.attributes["tracing.span_id"], inner.span_id);
    // The one between makes no packet, so it is nobody's parent.
    assert_eq!((inner.parent_span_id.as_str(), outer.parent_span_id.as_str()), (outer.span_id.as_str(), ""));
    let times = |span: &TraceSpan| (span.start_time.expect("begun").seconds, span.end_time.expect("over").seconds);
    assert_eq!((times(inner), times(outer)), ((110, 120), (100, 130)));
    assert_eq!(inner.attributes["message"], "of the stone");
    assert_eq!((outer.attributes["sack"].as_str(), outer.attributes["weight"].as_str()), ("8", "2.5"));
    assert_eq!((sent[1].0.level, sent[1].0.priority), (Level::Error, Priority::High));
    assert_eq!((sent[2].0.level, sent[2].0.priority), (Level::Info, Priority::Low));
    assert_eq!(sent[2].1.level, TelemetryLevel::Info as i32);
    assert!(!event_of(&sent[3].1).attributes.contains_key("tracing.span_id"));
}

#[test]
fn spans_and_targets_can_be_left_out() {
    let (sent, figures) = sent_by(
        |layer| layer.without_spans().without_target("redis"),
        |_| {
            let _span = info_span!("grind").entered();
            info!(target: "redis", "out");
            info!(target: "redis::aio", "out");
            info!(target: "countermand::telemetry", "out");
            info!(target: "redistribute", "in");
        },
    );
    assert_eq!((sent.len(), figures.taken), (1, 1));
    assert_eq!(event_of(&sent[0].1).description, "in");
    assert!(!event_of(&sent[0].1).attributes.contains_key("tracing.span_id"));
}

struct Grumpy;

impl fmt::Debug for Grumpy {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("not in the mood")
    }
}

/// Uses the span that it is a field of, while it is shown.
struct Nosy(Span);

impl fmt::Debug for Nosy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.record("seen", true);
        self.0.in_scope(|| info!("while shown"));
        f.write_str("nosy")
    }
}

#[test]
fn a_value_that_panics_while_it_is_shown_hurts_nobody() {
    let sent = sent(|_| {
        let span = info_span!("grind", grumpy = ?Grumpy, later = Empty);
        span.record("later", tracing::field::debug(Grumpy));
        error!(grumpy = ?Grumpy, fine = 1, "on");
        drop(span);
        info!("and on");
    });
    let told = "(panicked while it was shown)";
    let event = event_of(&sent[0].1);
    assert_eq!((event.attributes["grumpy"].as_str(), event.attributes["fine"].as_str()), (told, "1"));
    let span = span_of(&sent[1].1);
    assert_eq!((span.attributes["grumpy"].as_str(), span.attributes["later"].as_str()), (told, told));
    assert_eq!(event_of(&sent[2].1).description, "and on");
}

#[test]
fn a_value_may_use_its_own_span_while_it_is_shown() {
    let sent = sent(|_| {
        let span = info_span!("grind", nosy = Empty, seen = Empty);
        span.record("nosy", tracing::field::debug(Nosy(span.clone())));
        info!(nosy = ?Nosy(span.clone()), "on");
    });
    assert_eq!(event_of(&sent[0].1).attributes["nosy"], "nosy");
    assert_eq!(span_of(&sent[1].1).attributes["nosy"], "nosy");
}

#[test]
fn what_is_not_taken_is_counted() {
    let answer = |label: Label, _: Payload| match label.subject.as_str() {
        "panic" => panic!("no"),
        subject => subject == "yes",
    };
    let layer = TelemetryLayer::new(source(), answer);
    let tally: Tally = layer.tally();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        info!("yes");
        info!("no");
        info!("panic");
        quiet(|| info!("yes"));
        let span = info_span!("span");
        quiet(|| drop(span));
        info!("yes");
    });
    let Figures { taken, refused, panicked, quiet, .. } = tally.figures();
    assert_eq!((taken, refused, panicked, quiet), (2, 1, 1, 2));
}

#[test]
fn two_layers_on_one_subscriber_see_the_same_spans() {
    let sent = [Sent::default(), Sent::default()];
    let layer = |sent: &Sent| TelemetryLayer::new(source(), into(sent));
    let subscriber = tracing_subscriber::registry().with(layer(&sent[0])).with(layer(&sent[1]));
    tracing::subscriber::with_default(subscriber, || {
        let _span = info_span!("grind", sack = 7).entered();
        info!("inside");
    });
    let [first, second] = sent.map(|sent| std::mem::take(&mut *sent.lock().expect("nobody panicked with it")));
    assert_eq!((first.len(), second.len()), (2, 2));
    assert_eq!(span_of(&first[1].1).span_id, span_of(&second[1].1).span_id);
    assert_eq!(event_of(&second[0].1).attributes["tracing.span_id"], span_of(&first[1].1).span_id);
    assert_ne!(first[0].1.packet_id, second[0].1.packet_id);
}

#[test]
fn its_time_is_the_system_s_unless_told_otherwise() {
    let sent = Sent::default();
    let before = SystemTime::now();
    let layer = TelemetryLayer::new(source(), into(&sent));
    assert!(format!("{layer:?}").contains("mill"));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || info!("now"));
    let time = sent.lock().expect("nobody panicked with it")[0].1.timestamp.expect("a time").seconds;
    let before = before.duration_since(UNIX_EPOCH).expect("after 1970").as_secs() as i64;
    assert!(time >= before, "{time} {before}");
}
