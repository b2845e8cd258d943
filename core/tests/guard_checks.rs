//! The guard's checks: what is missing is named and reported once, before anything is done (G2).

mod common;

use std::sync::Arc;

use common::log::Log;
use countermand_core::{
    BlueprintId, Choice, DependencyPolicy, Event, Guard, Identifier, KernelId, Level, Reason, Registry, SubsystemId,
    TrainingRunId, Violation,
};

fn id<K: Identifier>(text: &str) -> K {
    text.parse().expect("an identifier")
}

fn guard() -> (Arc<Log>, Guard<Arc<Log>>) {
    let log = Arc::new(Log::default());
    let policy = DependencyPolicy::new("kernel").and_then(|policy| policy.allow("eager", "no compiler here"));
    let guard = Guard::new(id("kasmina"), log.clone()).with_policy(policy.expect("a policy")).expect("room");
    (log, guard)
}

/// That the violation says this, and that this one event was told of it.
fn reported(log: &Log, violation: &Violation, dependency: &str, identifier: &str, reason: Reason) {
    assert_eq!(violation.subsystem().as_str(), "kasmina");
    assert_eq!((violation.dependency(), violation.identifier(), violation.reason()), (dependency, identifier, reason));
    assert!(violation.is_reported());
    let events = log.drain();
    assert_eq!(events, [Event::from(violation)], "one event, this one");
    let event = &events[0];
    assert_eq!((event.name(), event.level()), ("dependency_guard.violation", Level::Critical));
    let attributes: Vec<_> = event.attributes().collect();
    let expected = [
        ("subsystem", "kasmina"),
        ("dependency", dependency),
        ("identifier", identifier),
        ("reason", reason.name()),
        ("details", violation.more()),
    ];
    assert_eq!(attributes, expected);
    assert_eq!(event.description(), violation.to_string());
}

struct Shelf(&'static [&'static str]);

impl Registry<KernelId> for Shelf {
    fn knows(&self, id: &KernelId) -> bool {
        self.0.contains(&id.as_str())
    }
}

#[test]
fn what_is_there_passes_and_nothing_is_told() {
    let (log, guard) = guard();
    assert_eq!(*guard.require("setting", "PORT", Some(6379)).expect("it is there"), 6379);
    assert_eq!(guard.identify::<KernelId>("k1").expect("an identifier"), id("k1"));
    assert_eq!(*guard.known(id("k1"), &Shelf(&["k1"])).expect("it is known"), id("k1"));
    assert_eq!(*guard.known(id::<BlueprintId>("b"), &|_: &BlueprintId| true).expect("it is known"), id("b"));
    assert_eq!(*guard.find(id::<KernelId>("k1"), |id| Some(id.as_str().len())).expect("it is found"), 2);
    let prefetch = guard.prefetch(id("bp/1"), Some(id("t1"))).expect("it is for a run").into_inner();
    assert_eq!((prefetch.blueprint, prefetch.training_run), (id("bp/1"), id::<TrainingRunId>("t1")));
    assert_eq!(log.drain(), []);
    assert_eq!(guard.counts(), countermand_core::GuardCounts::default());
}

#[test]
fn what_was_checked_is_shown_as_it_is() {
    let (_, guard) = guard();
    let port = guard.require("setting", "PORT", Some(7)).expect("it is there");
    assert_eq!(format!("{port}, {port:>3}"), "7,   7");
}

#[test]
fn what_is_missing_is_named_and_told_once() {
    let (log, guard) = guard();
    let missing = guard.require::<u16>("setting", "PORT", None).expect_err("it is not there");
    reported(&log, &missing, "setting", "PORT", Reason::MissingValue);
    assert_eq!(missing.to_string(), "kasmina: setting PORT is required, and is not there");
    let invalid = guard.identify::<KernelId>("k 1").expect_err("no identifier");
    reported(&log, &invalid, "kernel", "\"k 1\"", Reason::InvalidIdentifier);
    assert!(invalid.more().contains("has ' ' at byte 1"), "{invalid}");
    let unknown = guard.known(id("k2"), &Shelf(&["k1"])).expect_err("it is not known");
    reported(&log, &unknown, "kernel", "k2", Reason::UnknownIdentifier);
    assert_eq!(unknown.to_string(), "kasmina: kernel k2 is not known");
    let lost = guard.find(id::<BlueprintId>("bp/1"), |_| None::<()>).expect_err("it is not found");
    reported(&log, &lost, "blueprint", "bp/1", Reason::UnknownIdentifier);
    let runless = guard.prefetch(id("bp/1"), None).expect_err("it is for no run");
    reported(&log, &runless, "training_run", "bp/1", Reason::MissingValue);
    assert_eq!(guard.counts().violations, 5);
}

#[test]
fn a_violation_is_reported_once_through_however_many_hands() {
    let (log, guard) = guard();
    let own = Violation::new(id("kasmina"), "redis", Reason::CheckFailed).about("localhost:6379").details("refused");
    assert!(!own.is_reported());
    let first = guard.report(own);
    let again = guard.report(guard.report(first.clone()));
    reported(&log, &again, "redis", "localhost:6379", Reason::CheckFailed);
    assert_eq!(guard.counts().violations, 1);
    let as_error: Box<dyn std::error::Error> = Box::new(again);
    assert_eq!(as_error.to_string(), "kasmina: redis localhost:6379 did not pass (refused)");
    assert!(size_of::<Violation>() <= size_of::<usize>(), "with a heap it is a pointer wide");
}

#[test]
fn a_kernel_is_what_was_asked_for_or_an_allowed_fallback_that_is_known() {
    let (log, guard) = guard();
    let (fused, eager, stub) = (id::<KernelId>("fused"), id::<KernelId>("eager"), id::<KernelId>("stub"));
    let all = Shelf(&["fused", "eager", "stub"]);
    assert_eq!(*guard.known_or(fused, Some(stub), &all).expect("it is known"), Choice::Asked(fused));
    assert_eq!(log.drain(), [], "a fallback that is not used is nobody's business");

    let rest = Shelf(&["eager", "stub"]);
    assert_eq!(*guard.known_or(fused, Some(eager), &rest).expect("it may fall back"), Choice::Fallback(eager));
    let told = log.drain();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].name(), told[0].level()), ("dependency_guard.fallback", Level::Warning));
    assert_eq!(told[0].attribute("details"), Some("instead of fused, which is not known"));

    let refused = guard.known_or(fused, Some(stub), &rest).expect_err("stub is not allowed");
    reported(&log, &refused, "kernel", "stub", Reason::FallbackNotAllowed);
    let neither = guard.known_or(fused, Some(eager), &Shelf(&["stub"])).expect_err("neither is known");
    reported(&log, &neither, "kernel", "eager", Reason::UnknownIdentifier);
    let alone = guard.known_or(fused, None, &rest).expect_err("there is no fallback");
    reported(&log, &alone, "kernel", "fused", Reason::UnknownIdentifier);
    assert_eq!((guard.counts().fallbacks, guard.uses("kernel", "eager")), (1, 1));
}

#[test]
fn a_panicking_intake_is_contained_and_counted() {
    let guard = Guard::new(id::<SubsystemId>("tamiyo"), |_: &Event| panic!("planted in an intake"));
    let violation = guard.require::<()>("setting", "X", None).expect_err("it is not there");
    assert!(violation.is_reported());
    let counts = guard.counts();
    assert_eq!((counts.violations, counts.contained_panics), (1, 1));
}

#[test]
fn reasons_have_stable_names() {
    let names = Reason::ALL.map(Reason::name);
    let expected = [
        "missing_value",
        "invalid_identifier",
        "unknown_identifier",
        "fallback_not_allowed",
        "check_failed",
        "check_timed_out",
        "check_panicked",
        "check_cancelled",
        "check_rejected",
    ];
    assert_eq!(names, expected);
}
