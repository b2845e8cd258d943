//! Packets with coverage, verified commands and fallbacks; and what a router is told of them.
#![cfg(feature = "std")]

use std::time::Duration;

use countermand_core::catalogue::{self, Rejection};
use countermand_core::{
    CommandCounts, Coverage, Event, Fallbacks, Health, HealthStatus, Level, Metric, Packet, PacketEvent, PacketId,
    Priority, Timestamp, Verification,
};

fn packet(level: Level) -> Packet {
    Packet::new("p-1", Timestamp::new(7, 0), "tolaria", level).expect("it has an id")
}

/// Metrics as `name value key=text…`, after a look at whether each is as the catalogue says.
fn metrics(packet: &Packet) -> Vec<String> {
    let shown = |metric: &Metric| {
        let figure = catalogue::FIGURES.iter().find(|figure| figure.name == metric.name).expect("in the catalogue");
        let mut keys: Vec<&str> = figure.fields.iter().map(|field| field.key).collect();
        keys.sort_unstable();
        assert!(metric.attributes.keys().eq(keys.iter()) && metric.unit == figure.unit, "{metric:?}");
        let attributes = metric.attributes.iter().filter(|(key, _)| *key != "subsystem");
        let attributes: String = attributes.map(|(key, value)| format!(" {key}={value}")).collect();
        format!("{} {}{attributes}", metric.name, metric.value)
    };
    packet.metrics.iter().map(shown).collect()
}

fn indicators(packet: &Packet) -> Vec<(&str, &str)> {
    let health = packet.health.as_ref().expect("there is health");
    let shown = health.indicators.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
    shown.inspect(|(name, _)| assert!(catalogue::INDICATORS.iter().any(|known| known.name == *name))).collect()
}

#[test]
fn coverage_is_told_with_types() {
    let coverage = Coverage::new()
        .fraction("b", "attention", 0.5)
        .counted("a", "kernel", 3, 4)
        .counted("c", "kernel", 0, 0)
        .fraction("d", "wild", f64::NAN)
        .fraction("d", "wild", 7.0);
    assert_eq!(coverage.least(), Some(0.5));
    let packet = packet(Level::Info).coverage(&coverage);
    let expected = [
        "coverage.fraction 0.75 by=kernel item=a",
        "coverage.covered 3 by=kernel item=a",
        "coverage.expected 4 by=kernel item=a",
        "coverage.fraction 0.5 by=attention item=b",
        "coverage.fraction 1 by=kernel item=c",
        "coverage.covered 0 by=kernel item=c",
        "coverage.expected 0 by=kernel item=c",
        "coverage.fraction 1 by=wild item=d",
    ];
    assert_eq!(metrics(&packet), expected);
    let expected = [("coverage.least", "0.5"), ("coverage.types", "attention,kernel,wild")];
    assert_eq!(indicators(&packet), expected);
    let nothing = Coverage::new().fraction("x", "y", f64::NAN).fraction("z", "y", -1.0);
    assert_eq!((nothing.least(), Coverage::new().least()), (Some(0.0), None));
    assert_eq!(self::packet(Level::Info).coverage(&Coverage::new()), self::packet(Level::Info));
}

#[test]
fn verified_commands_are_told_and_counted() {
    let latency = Duration::from_millis(2);
    let accepted = Verification::accepted("c-1", "n-1", latency);
    let replayed = Verification::rejected("c-2", "n-1", Rejection::NonceReplayed, latency);
    let malformed = Verification::rejected("c-3", "", Rejection::Malformed, latency);
    let mut counts = CommandCounts::new();
    [accepted, accepted, replayed, malformed, replayed].iter().for_each(|verification| counts.add(verification));
    assert_eq!((counts.accepted(), counts.rejected(Rejection::NonceReplayed)), (2, 2));

    let told = packet(Level::Info).verification(&accepted);
    assert_eq!((told.level, &*told.events[0].description), (Level::Info, "command_accepted"));
    assert_eq!(indicators(&told), [("command_verifier.last", "accepted")]);
    let told = told.verification(&malformed);
    assert_eq!((told.level, told.urgency().priority), (Level::Error, Priority::High));
    let told = told.verification(&replayed).command_counts(&counts);
    assert_eq!((told.level, told.urgency().priority), (Level::Critical, Priority::Critical));
    let last = &told.events[2];
    assert_eq!((last.event_id(), &*last.description, last.level), ("evt-3", "command_rejected", Level::Critical));
    let said: Vec<_> = last.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(said, ["command=c-2", "latency=0.002", "nonce=n-1", "reason=nonce_replayed", "subsystem=tolaria"]);
    assert_eq!(indicators(&told), [("command_verifier.last", "nonce_replayed")]);
    let expected = [
        "command_verifier.validation_latency 0.002",
        "command_verifier.validation_latency 0.002",
        "command_verifier.validation_latency 0.002",
        "command_verifier.accepted_total 2",
        "command_verifier.rejections_total 2 reason=nonce_replayed",
        "command_verifier.rejections_total 1 reason=malformed",
    ];
    assert_eq!(metrics(&told), expected);
}

#[test]
fn fallbacks_are_flagged() {
    let fallbacks = Fallbacks::new().with("store", "disk").with("kernel", "eager").with("store", "memory");
    let told = packet(Level::Warning).fallbacks(&fallbacks);
    let expected =
        ["fallback.active 1 dependency=kernel fallback=eager", "fallback.active 1 dependency=store fallback=memory"];
    assert_eq!(metrics(&told), expected);
    assert_eq!(indicators(&told), [("fallbacks", "kernel=eager,store=memory")]);
    assert_eq!(packet(Level::Info).fallbacks(&Fallbacks::new()), packet(Level::Info));
}

#[test]
fn a_label_says_what_a_router_wants_to_know() {
    let id = PacketId::new(5);
    let label = packet(Level::Info).label(id);
    assert_eq!((label.id, &*label.source, &*label.subject), (id, "tolaria", ""));
    assert_eq!((label.level, label.priority), (Level::Info, Priority::Normal));

    let health = Health::new(HealthStatus::Degraded).summary("latency_high").priority(Priority::High);
    let told = packet(Level::Info).event(&Event::new("latency_high", Level::Warning)).health(health);
    let told = told.event(&Event::new("second", Level::Info));
    let label = told.label(id);
    assert_eq!((label.priority, &*label.subject, label.level), (Priority::High, "latency_high", Level::Info));
    assert_eq!(label.weight as usize, told.to_protobuf().len());

    let misspelt = packet(Level::Error).indicator("priority", "URGENT");
    let label = misspelt.label(id);
    assert_eq!((label.priority, label.unknown_priority), (Priority::High, true));
    assert_eq!(misspelt.health.map(|health| health.status), Some(HealthStatus::Unknown));

    let well = Health::new(HealthStatus::Healthy).summary("stable");
    assert_eq!(&*packet(Level::Info).health(well).label(id).subject, "stable");
    let nameless = PacketEvent::new("evt-9", "", Level::Info).expect("it has an id");
    assert_eq!(&*packet(Level::Info).packet_event(nameless).label(id).subject, "evt-9");

    let long = Packet::new("p", Timestamp::default(), "s".repeat(100), Level::Info).expect("it has an id");
    let label = long.label(id);
    assert!(label.source.len() <= 64 && label.source.ends_with('…'));
    assert_eq!(long.source().len(), 100);
}

#[test]
fn a_timestamp_has_less_than_a_second_of_nanoseconds() {
    let at = Timestamp::new(-2, 2_500_000_000);
    assert_eq!((at.seconds(), at.nanos()), (0, 500_000_000));
    assert_eq!(Timestamp::new(i64::MAX, u32::MAX).seconds(), i64::MAX);
    assert_eq!(Timestamp::since_1970(Duration::MAX).seconds(), i64::MAX);
    assert!(Timestamp::new(-1, 999_999_999) < Timestamp::default());
}
