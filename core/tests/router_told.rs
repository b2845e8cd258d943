//! What reporters and routers tell: each under an id of its own, once, in its order.
#![cfg(feature = "std")]

mod common;

use core::num::NonZeroU32;
use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use common::router::{at, batch, counting, deliver, ids, label, offer, rooms, router, streams, waits};
use countermand_core::*;

fn event(number: u64) -> Event {
    Event::new("said", Level::Info).with("number", number)
}

/// E1: what is told by a reporter has an id of its own, whatever its seed, and none of the router's own.
#[test]
fn the_packets_of_reporters_have_ids_of_their_own() {
    let (router, mut outlets) = router(rooms(99), streams());
    let mut all = BTreeSet::new();
    for seed in [0, 7, u64::MAX - 1, u64::MAX >> 1, u64::MAX] {
        let reporter = router.reporter(Source::of("tolaria"), seed, || at(0));
        for number in 0..3 {
            reporter.take(&event(number));
            reporter.report(&event(number)).expect("taken in").forget();
            reporter.take(&Event::new("alarm", Level::Critical));
        }
        for outlet in &mut outlets {
            let mut batch = batch(outlet, at(0));
            let ids = ids(&batch);
            assert!(ids.iter().all(|id| id >> 127 == 0), "{ids:x?} are the router's own");
            all.extend(ids);
            batch.acknowledge_rest();
            outlet.conclude(at(0), Some(batch));
        }
    }
    // The seeds that differ in the top bit alone are one: it is the router's.
    assert_eq!(all.len(), 4 * 9);
}

/// Where HIGH goes by how many wait, it matters what was told first, though a reporter writes it down later.
#[test]
fn whether_high_overflows_is_seen_in_the_order_of_telling() {
    for (before, after) in [(2, 0), (0, 2), (1, 1)] {
        let mut config = rooms(9);
        config.high_overflow = NonZeroU32::new(2);
        let (router, mut outlets) = router(config, streams());
        let reporter = router.reporter(Source::of("tolaria"), 7, || at(0));
        (0..before).for_each(|number| reporter.take(&event(number)));
        reporter.take(&Event::new("grave", Level::Error));
        (0..after).for_each(|number| reporter.take(&event(number)));
        let pending = |outlet: usize| router.outlets()[outlet].pending;
        let [high, alarms] = [pending(0)[2], pending(1)[2]];
        assert_eq!([high, alarms], if before == 2 { [0, 1] } else { [1, 0] }, "{before} before, {after} after");
        assert_eq!(deliver(&mut outlets[0], at(0)).len(), 3 - alarms as usize);
    }
}

/// What one source lost is no reason to tell of another once more.
#[test]
fn only_what_is_new_is_told() {
    let mut config = rooms(1);
    config.rooms[2] = Room::new(9, 1_000);
    let (router, mut outlets) = router(config, streams());
    let told = |outlet: &mut Outlet<String>, now| {
        let all = deliver(outlet, now);
        let told: Vec<_> = all.into_iter().filter(|body| body.contains("telemetry.shed")).collect();
        told
    };
    (1..=2).for_each(|id| offer(&router, at(0), label(id, "a", Level::Info)).forget());
    assert_eq!(told(&mut outlets[0], at(0)).len(), 1);
    (3..=4).for_each(|id| offer(&router, at(1_000), label(id, "b", Level::Info)).forget());
    let second = told(&mut outlets[0], at(1_000));
    assert!(second.len() == 1 && second[0].contains("source=b"), "{second:?}");
}

/// E16: whatever it told, if others push the reports out, it tells again.
#[test]
fn reports_of_every_kind_that_others_push_out_are_made_good() {
    let mut configs = streams();
    configs[1].breaker = BreakerConfig::new(1, Duration::from_secs(60));
    let mut config = rooms(5);
    config.rooms[1] = Room::new(1, 1_000);
    let (router, mut outlets) = router(config, configs);
    let unclear = Urgency::of(Level::Info, Some("URGENTEST"));
    (1..=2).for_each(|id| offer(&router, at(0), label(id, "a", Level::Info).urgency(unclear)).forget());
    offer(&router, at(0), label(3, "a", Level::Critical)).forget();
    drop(batch(&mut outlets[1], at(0)));
    // Another batch than that which is out; and the failure that opens the breaker.
    outlets[1].conclude(at(0), Some(Batch::new(77, Vec::new())));
    let all_told = |bodies: &[String]| {
        [
            ["telemetry.shed", "source=a,"],
            ["priority_unknown", "source=a,"],
            ["sink_failed", ""],
            ["sink_misbehaved", ""],
        ]
        .map(|words| bodies.iter().filter(|body| words.iter().all(|word| body.contains(word))).count())
    };
    let first = batch(&mut outlets[0], at(1_000));
    let bodies: Vec<_> = first.deliveries().iter().map(|delivery| delivery.parcel.body.clone()).collect();
    assert_eq!(all_told(&bodies), [1; 4], "{bodies:?}");
    drop(first);
    outlets[0].conclude(at(1_000), None);
    (10..15).for_each(|id| offer(&router, at(1_000), label(id, "loud", Level::Error)).forget());
    // Those that pushed them out go first, and then they are told anew, with what the router lost of its own.
    let bodies = deliver(&mut outlets[0], at(1_500));
    assert_eq!(all_told(&bodies), [0; 4], "{bodies:?}");
    let bodies = deliver(&mut outlets[0], at(2_000));
    assert_eq!((all_told(&bodies), bodies.len()), ([1; 4], 5), "{bodies:?}");
}

/// A scribe that tells something itself: it is written down before anybody rests.
#[test]
fn what_is_told_while_something_is_written_down_is_written_down_too() {
    let (written, slot) = (Arc::new(AtomicU64::new(0)), Arc::new(OnceLock::<Weak<Reporter<String>>>::new()));
    let scribe = {
        let (written, slot) = (written.clone(), slot.clone());
        move |event: &Event, _: &Label, _| {
            if written.fetch_add(1, Ordering::SeqCst) == 0 {
                let reporter = slot.get().and_then(Weak::upgrade).expect("it is there");
                reporter.take(&Event::new("of the scribe", Level::Info));
            }
            event.to_string()
        }
    };
    let (router, mut outlets) = Router::new(rooms(9), streams(), scribe).expect("a router");
    let reporter = Arc::new(router.reporter(Source::of("tolaria"), 7, || at(0)));
    slot.set(Arc::downgrade(&reporter)).expect("once");
    reporter.take(&event(1));
    // This outlet has nothing to deliver; the other one is at work elsewhere.
    assert_eq!(waits(&mut outlets[1], at(0)), None);
    assert_eq!(written.load(Ordering::SeqCst), 2);
    assert_eq!(deliver(&mut outlets[0], at(0)), [event(1).to_string(), "INFO of the scribe".to_owned()]);
}

/// A reporter that is dropped leaves nothing behind: neither what it was told, nor its clock.
#[test]
fn a_reporter_goes_with_its_clock_and_leaves_its_events() {
    let (written, scribe) = counting();
    let (router, mut outlets) = Router::new(rooms(9), streams(), scribe).expect("a router");
    let clock = Arc::new(());
    let reporter = router.reporter(Source::of("tolaria"), 7, {
        let clock = clock.clone();
        move || {
            let _clock = &clock;
            at(0)
        }
    });
    reporter.take(&event(1));
    drop(reporter);
    assert_eq!((Arc::strong_count(&clock), written.load(Ordering::SeqCst)), (1, 1));
    assert_eq!(deliver(&mut outlets[0], at(0)), [event(1).to_string()]);
}

/// What routers that were made one after the other tell of themselves has ids of its own.
#[test]
fn the_reports_of_two_routers_have_ids_of_their_own() {
    let report = |now| {
        let (router, mut outlets) = router(rooms(1), streams());
        (1..=2).for_each(|id| offer(&router, now, label(id, "a", Level::Info)).forget());
        let id = ids(&batch(&mut outlets[0], now))[0];
        assert_eq!(id >> 127, 1, "{id:x}");
        id
    };
    assert_ne!(report(at(0)), report(at(1)));
}
