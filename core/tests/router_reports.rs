//! What the router tells of itself, and what others tell it, by hand.
#![cfg(feature = "std")]

mod common;

use common::router::{at, batch, deliver, label, next_batch, offer, rooms, router, streams, waits};
use countermand_core::*;

#[test]
fn the_oldest_makes_room_and_is_counted_and_told() {
    let (router, mut outlets) = router(rooms(2), streams());
    let shed = offer(&router, at(0), label(1, "flood", Level::Info));
    let kept = offer(&router, at(0), label(2, "flood", Level::Info));
    offer(&router, at(0), label(3, "flood", Level::Info)).forget();
    assert_eq!((shed.fate(), kept.fate()), (Some(Fate::Shed), None));
    let ledger = router.ledger();
    assert_eq!((ledger.accepted[1], ledger.shed[1], ledger.pending[1]), (3, 1, 2));
    assert!(ledger.balances());
    // The report is HIGH, and so ahead of what it tells of.
    let told = deliver(&mut outlets[0], at(0));
    assert_eq!(
        told,
        ["WARNING telemetry.shed (subsystem=countermand.router, source=flood, low=0, normal=1, high=0)", "2", "3"]
    );
    assert_eq!(router.sources()[0].1.shed, [0, 1, 0, 0]);
    // At most once in its time, and then the total.
    for id in 4..8 {
        offer(&router, at(1), label(id, "flood", Level::Info)).forget();
    }
    assert_eq!(deliver(&mut outlets[0], at(1)), ["6", "7"]);
    assert_eq!(waits(&mut outlets[0], at(2)), Some(at(1_000)));
    let told = deliver(&mut outlets[0], at(1_000));
    assert_eq!(told, ["WARNING telemetry.shed (subsystem=countermand.router, source=flood, low=0, normal=3, high=0)"]);
    assert_eq!(waits(&mut outlets[0], at(1_000)), None);
}

#[test]
fn a_priority_that_there_is_not_is_counted_and_told() {
    let (router, mut outlets) = router(rooms(9), streams());
    let odd = Urgency::of(Level::Info, Some("URGENTEST"));
    offer(&router, at(0), label(1, "tamiyo", Level::Info).urgency(odd)).forget();
    let told = deliver(&mut outlets[0], at(0));
    assert_eq!(
        told,
        ["WARNING telemetry.priority_unknown (subsystem=countermand.router, source=tamiyo, count=1)", "1"]
    );
}

#[test]
fn sources_beyond_the_bound_are_told_together() {
    let mut config = rooms(1);
    config.sources = 2;
    let (router, outlets) = router(config, streams());
    for id in 0..10 {
        offer(&router, at(0), label(id, &format!("source {id}"), Level::Info)).forget();
    }
    drop(outlets);
    let sources = router.sources();
    assert_eq!(sources.len(), 3);
    assert_eq!((&*sources[2].0, sources[2].1.shed[1]), ("(others)", 7));
}

#[test]
fn reports_that_are_shed_make_no_more_than_a_round_of_reports_each_time() {
    let (router, mut outlets) = router(rooms(1), streams());
    offer(&router, at(0), label(1, "a", Level::Info)).forget();
    offer(&router, at(0), label(2, "a", Level::Info)).forget();
    // The report and this one fight for the one place of HIGH.
    assert_eq!(batch(&mut outlets[0], at(0)).len(), 2);
    offer(&router, at(0), label(3, "a", Level::Error)).forget();
    for second in 1..100 {
        // Nobody answers: the report is out, comes back, and is shed by what is newer.
        offer(&router, at(second * 100_000), label(100 + u128::from(second), "a", Level::Error)).forget();
        let _ = outlets[0].turn(at(second * 100_000), None);
    }
    let accepted = router.ledger().accepted.iter().sum::<u64>();
    // A round has three: what "a" lost, what the router lost itself, and that the sink fails.
    assert!(accepted <= 102 + 3 * 100, "{accepted}");
    assert!(router.ledger().balances());
}

#[test]
fn a_reporter_writes_events_as_packets_of_its_source() {
    let (router, mut outlets) = router(rooms(9), streams());
    let reporter = router.reporter(Source::of("tolaria"), 7, || at(3));
    let receipt = reporter.report(&Event::new("gate_failure", Level::Error).with("gate", "g1")).expect("taken in");
    reporter.take(&Event::new("dependency_guard.violation", Level::Critical));
    let batch = batch(&mut outlets[0], at(3));
    let label = batch.deliveries()[0].parcel.label;
    assert_eq!((&*label.source, &*label.subject, label.priority), ("tolaria", "gate_failure", Priority::High));
    assert_eq!(deliver(&mut outlets[1], at(3)), ["CRITICAL dependency_guard.violation"]);
    assert_eq!((receipt.fate(), reporter.refused()), (None, 0));
    router.close();
    reporter.take(&Event::new("late", Level::Info));
    assert_eq!(reporter.refused(), 1);
}

#[test]
fn a_sink_that_misbehaves_with_reports_alone_is_no_reason_for_another() {
    let mut outlets = streams();
    outlets[0].attempts = u32::MAX;
    let (router, mut outlets) = router(rooms(9), outlets);
    offer(&router, at(0), label(1, "a", Level::Info)).forget();
    drop(batch(&mut outlets[0], at(0)));
    outlets[0].conclude(at(0), Some(Batch::new(77, Vec::new())));
    let mut both = batch(&mut outlets[0], at(300));
    assert_eq!(both.len(), 2, "the report, and what it tells of");
    both.acknowledge(1);
    outlets[0].conclude(at(300), Some(both));
    let mut now = at(300);
    for _ in 0..20 {
        let (then, report) = next_batch(&mut outlets[0], now);
        now = then;
        assert_eq!(report.len(), 1);
        outlets[0].conclude(now, Some(Batch::new(77, Vec::new())));
    }
    assert_eq!(router.outlets()[0].totals.misbehaviours, 21, "it is counted all the same");
    assert_eq!(router.ledger().accepted.iter().sum::<u64>(), 2);
}

#[test]
fn a_report_that_others_push_out_is_made_good() {
    let (router, mut outlets) = router(rooms(1), streams());
    for id in 1..=2 {
        offer(&router, at(0), label(id, "silent", Level::Info)).forget();
    }
    // The report is out, comes back, and makes room for what is HIGH.
    drop(batch(&mut outlets[0], at(0)));
    outlets[0].conclude(at(0), None);
    offer(&router, at(0), label(3, "loud", Level::Error)).forget();
    let _ = deliver(&mut outlets[0], at(500));
    let told = deliver(&mut outlets[0], at(1_000));
    assert_eq!(told, ["WARNING telemetry.shed (subsystem=countermand.router, source=silent, low=0, normal=1, high=0)"]);
}
