//! The catalogue holds what the issue names, under these names and levels; and so does the guard.

use std::time::Duration;

use countermand_core::Level::{Critical, Error, Info, Warning};
use countermand_core::catalogue::events::{BlendState, CommandRejected, PrefetchTimeout, TelemetryShed};
use countermand_core::catalogue::{self, Entry, FieldKind, Rejection};
use countermand_core::{DependencyPolicy, Event, Guard, Level, Reason, SubsystemId, Violation};

/// Names, levels and keys, as others rely on them.
const EVENTS: [(&str, &[Level], &str); 24] = [
    ("job.completed", &[Info], "subsystem job id priority queued running polls late"),
    ("job.failed", &[Error], "subsystem job id priority queued running polls late"),
    ("job.cancelled", &[Warning], "subsystem job id priority cause started queued running"),
    ("job.timed_out", &[Error], "subsystem job id priority started late queued running"),
    ("job.panicked", &[Critical], "subsystem job id priority queued running polls"),
    ("job.abandoned", &[Critical], "subsystem job id priority queued running"),
    ("gate_failure", &[Error], "subsystem gate subject reason"),
    ("blend.state", &[Info], "subsystem subject mode alpha confidence_gate"),
    ("confidence_gate_missing_logits", &[Error], "subsystem subject reason"),
    ("command_accepted", &[Info], "subsystem command nonce latency"),
    ("command_rejected", &[Error, Critical], "subsystem command reason nonce latency"),
    ("prefetch_requested", &[Info], "subsystem request in_flight"),
    ("prefetch_ready", &[Info], "subsystem request in_flight latency"),
    ("prefetch_error", &[Error], "subsystem request reason in_flight latency"),
    ("prefetch_canceled", &[Warning], "subsystem request reason in_flight latency"),
    ("prefetch_timeout", &[Critical], "subsystem request in_flight latency"),
    ("nonce_ledger_truncated", &[Warning], "subsystem size evictions ttl"),
    ("dependency_guard.violation", &[Critical], "subsystem dependency identifier reason details"),
    ("dependency_guard.fallback", &[Warning], "subsystem dependency identifier reason details uses"),
    ("telemetry.shed", &[Warning], "subsystem source low normal high"),
    ("telemetry.schema.legacy_used", &[Warning], "subsystem source feature"),
    ("telemetry.priority_unknown", &[Warning], "subsystem source count"),
    ("telemetry.sink_failed", &[Error], "subsystem sink count"),
    ("telemetry.sink_misbehaved", &[Error], "subsystem sink count"),
];

const FIGURES: [(&str, &str, &str); 15] = [
    ("command_verifier.accepted_total", "{command}", "subsystem"),
    ("command_verifier.rejections_total", "{command}", "subsystem reason"),
    ("command_verifier.validation_latency", "s", "subsystem"),
    ("prefetch.in_flight", "{request}", "subsystem"),
    ("prefetch.latency", "s", "subsystem"),
    ("nonce_ledger.size", "{nonce}", "subsystem"),
    ("nonce_ledger.evictions_total", "{nonce}", "subsystem"),
    ("nonce_ledger.ttl", "s", "subsystem"),
    ("blend.alpha", "1", "subsystem mode"),
    ("blend.confidence_gate", "1", "subsystem mode"),
    ("coverage.fraction", "1", "subsystem item by"),
    ("coverage.covered", "{part}", "subsystem item by"),
    ("coverage.expected", "{part}", "subsystem item by"),
    ("fallback.active", "1", "subsystem dependency fallback"),
    ("telemetry.shed_total", "{packet}", "subsystem priority source"),
];

fn keys(fields: &[catalogue::Field]) -> String {
    fields.iter().map(|field| field.key).collect::<Vec<_>>().join(" ")
}

#[test]
fn it_holds_what_is_promised() {
    let held = catalogue::EVENTS.iter().map(|entry| (entry.name, entry.levels, keys(entry.fields)));
    let promised = EVENTS.map(|(name, levels, keys)| (name, levels, keys.to_owned()));
    assert_eq!(held.collect::<Vec<_>>(), promised);
    let held = catalogue::FIGURES.iter().map(|figure| (figure.name, figure.unit, keys(figure.fields)));
    let promised = FIGURES.map(|(name, unit, keys)| (name, unit, keys.to_owned()));
    assert_eq!(held.collect::<Vec<_>>(), promised);
    let indicators: Vec<_> = catalogue::INDICATORS.iter().map(|indicator| indicator.name).collect();
    assert_eq!(indicators, ["priority", "coverage.least", "coverage.types", "fallbacks", "command_verifier.last"]);
}

#[test]
fn commands_that_may_be_forged_are_critical() {
    let critical = ["missing_signature", "invalid_signature", "nonce_replayed", "missing_timestamp", "stale_command"];
    for reason in Rejection::ALL {
        let said = CommandRejected {
            subsystem: "kasmina",
            command: "c-1",
            reason: *reason,
            nonce: "n-1",
            latency: Duration::from_micros(40),
        };
        let event = Event::from(said);
        let level = if critical.contains(&reason.name()) { Critical } else { Error };
        assert_eq!((event.level(), event.attribute("reason")), (level, Some(reason.name())));
        assert_eq!(event.attribute("latency"), Some("0.00004"));
    }
    assert_eq!(Rejection::ALL.iter().filter(|reason| reason.level() == Critical).count(), critical.len());
}

#[test]
fn what_is_said_is_written() {
    let latency = Duration::from_millis(5_250);
    let event = Event::from(PrefetchTimeout { subsystem: "tamiyo", request: "r-17", in_flight: 3, latency });
    let expected = "CRITICAL prefetch_timeout (subsystem=tamiyo, request=r-17, in_flight=3, latency=5.25)";
    assert_eq!(event.to_string(), expected);
    let blend = BlendState {
        subsystem: "kasmina",
        subject: "seed-1",
        mode: "confidence",
        alpha: 0.625,
        confidence_gate: f64::NAN,
    };
    let expected =
        "INFO blend.state (subsystem=kasmina, subject=seed-1, mode=confidence, alpha=0.625, confidence_gate=NaN)";
    assert_eq!(Event::from(blend).to_string(), expected);
    let shed = TelemetryShed { subsystem: "weatherlight", source: "tolaria", low: u64::MAX, normal: 0, high: 7 };
    let expected =
        "WARNING telemetry.shed (subsystem=weatherlight, source=tolaria, low=18446744073709551615, normal=0, high=7)";
    assert_eq!(Event::from(shed).to_string(), expected);
}

/// The row of an event, after a look at whether the event is as it says.
fn row(event: &Event) -> &'static Entry {
    let entry = catalogue::EVENTS.iter().find(|entry| entry.name == event.name()).expect("it is in the catalogue");
    assert!(entry.levels.contains(&event.level()), "{event}");
    let said: Vec<_> = event.attributes().map(|(key, _)| key).collect();
    assert_eq!(said.join(" "), keys(entry.fields));
    entry
}

#[test]
fn the_longest_events_of_the_guard_are_whole() {
    let long = |first: &str| format!("{first}{}", "x".repeat(95));
    let subsystem = SubsystemId::new(&long("s")).expect("an identifier of 96 bytes");
    let details = "d".repeat(128);
    let violation = Violation::new(subsystem, long("k"), Reason::UnknownIdentifier).about(long("i")).details(&details);
    let event = Event::from(&violation);
    row(&event);
    for (key, value) in [("subsystem", long("s")), ("dependency", long("k")), ("identifier", long("i"))] {
        assert_eq!(event.attribute(key), Some(&*value));
    }
    assert_eq!((event.attribute("details"), event.description().len()), (Some(&*details), Event::LONGEST_DESCRIPTION));

    let reason = "r".repeat(96);
    let policy = DependencyPolicy::new(&long("k")).and_then(|policy| policy.allow(&long("f"), &reason));
    let told = std::sync::Mutex::new(Vec::new());
    let guard = Guard::new(subsystem, |event: &Event| told.lock().expect("whole").push(*event))
        .with_policy(policy.expect("a policy"))
        .expect("room");
    guard.fallback(&long("k"), &long("f"), || ()).expect("it is allowed").into_inner();
    let told = told.lock().expect("whole");
    assert_eq!(row(&told[0]).fields.last().map(|field| field.kind), Some(FieldKind::Count));
    assert_eq!(told[0].attribute("reason"), Some(&*reason));
    assert_eq!((told.len(), told[0].attribute("uses")), (1, Some("1")));
}
