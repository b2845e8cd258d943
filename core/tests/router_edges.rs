//! What a router owes where it is seldom looked at: figures to the last one, wakers of those that wait, numbers of packets, reports that are lost.
#![cfg(feature = "std")]

mod common;

use core::num::NonZeroU32;
use core::pin::Pin;
use core::time::Duration;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use common::router::{at, batch, deliver, ids, label, offer, rooms, router, streams, waits};
use common::{Count, poll};
use countermand_core::*;

fn event(number: u64) -> Event {
    Event::new("said", Level::Info).with("number", number)
}

#[test]
fn the_figures_of_an_outlet_are_those_of_its_packets() {
    let mut configs = streams();
    configs[0].attempts = 1;
    let (router, mut outlets) = router(rooms(9), configs);
    (1..=4).for_each(|id| offer(&router, at(0), label(id, "a", Level::Info)).forget());
    let in_flight = || router.outlets()[0].in_flight;
    assert_eq!(in_flight(), 0);
    let mut four = batch(&mut outlets[0], at(0));
    assert_eq!((ids(&four), in_flight()), (vec![1, 2, 3, 4], 4));
    (0..3).for_each(|index| four.acknowledge(index));
    four.refuse(3, Refusal::never("no"));
    outlets[0].conclude(at(0), Some(four));
    let totals = router.outlets()[0].totals;
    assert_eq!((in_flight(), totals.delivered, totals.dead_lettered), (0, 3, 1));
}

#[test]
fn a_turn_while_a_batch_is_out_is_as_if_nothing_had_come_back() {
    let (router, mut outlets) = router(rooms(9), streams());
    offer(&router, at(0), label(1, "a", Level::Info)).forget();
    drop(batch(&mut outlets[0], at(0)));
    let again = waits(&mut outlets[0], at(0)).expect("it is tried again some time");
    assert_eq!(router.outlets()[0].in_flight, 0);
    let batch = batch(&mut outlets[0], again);
    assert_eq!((ids(&batch), batch.deliveries()[0].attempts), (vec![1], 1));
}

#[test]
fn a_packet_as_large_as_the_room_is_taken_in_and_one_byte_more_is_not() {
    let (router, _outlets) = router(rooms(9), streams());
    offer(&router, at(0), label(1, "a", Level::Info).weight(1_000)).forget();
    let refused = router.post(at(0), label(2, "a", Level::Info).weight(1_001), String::new()).expect_err("too large");
    assert_eq!(refused.reason, RefuseReason::TooLarge { bytes: 1_001, limit: 1_000 });
}

#[test]
fn nothing_is_shed_for_what_would_find_no_room_by_its_bytes_all_the_same() {
    let mut config = rooms(9);
    config.rooms = [Room::new(9, 10); 4];
    let (router, mut outlets) = router(config, streams());
    offer(&router, at(0), label(1, "a", Level::Info)).forget();
    let out = batch(&mut outlets[0], at(0));
    offer(&router, at(0), label(2, "a", Level::Info).weight(9)).forget();
    let ten = offer(&router, at(0), label(3, "a", Level::Info).weight(10));
    assert_eq!((ten.fate(), router.ledger().pending[1]), (Some(Fate::Shed), 2));
    // And with less out than that there is room for it, what waits makes room.
    outlets[0].conclude(at(0), Some(out));
    let ten = offer(&router, at(0), label(4, "a", Level::Info).weight(10));
    assert_eq!((ten.fate(), router.ledger().pending[1]), (None, 1));
}

#[test]
fn a_room_of_no_packets_and_one_of_no_bytes_are_none() {
    for room in [Room::new(0, 9), Room::new(9, 0)] {
        let mut config = rooms(9);
        config.rooms[2] = room;
        let made = Router::new(config, streams(), |_: &Event, _: &Label, _| ());
        assert_eq!(made.err(), Some(RouterError::Zero("room")));
    }
}

#[test]
fn an_outlet_that_may_not_send_waits_for_no_longer_than_until_something_expires() {
    let mut config = rooms(9);
    config.ttl = Some(Duration::from_secs(1));
    let mut configs = streams();
    configs[0].backoff = Backoff::new(Duration::from_secs(10), Duration::from_secs(10));
    let (router, mut outlets) = router(config, configs);
    let receipt = offer(&router, at(0), label(1, "a", Level::Info));
    drop(batch(&mut outlets[0], at(0)));
    outlets[0].conclude(at(0), None);
    assert_eq!(waits(&mut outlets[0], at(1)), Some(at(1_000)));
    let _ = waits(&mut outlets[0], at(1_000));
    assert_eq!(receipt.fate(), Some(Fate::Expired));
}

#[test]
fn whoever_waits_is_woken_by_news_alone() {
    let (router, mut outlets) = router(rooms(1), streams());
    let (woken, waker) = Count::new();
    let mut rests = || assert!(matches!(outlets[1].turn(at(0), Some(&waker)), OutletTurn::Wait(_)));
    rests();
    // The one outlet is at work elsewhere; what it has to do is no business of the other.
    offer(&router, at(0), label(1, "a", Level::Info)).forget();
    assert_eq!(woken.get(), 0);
    // What is shed is to be told, and somebody sees to it in time.
    offer(&router, at(0), label(2, "a", Level::Info)).forget();
    assert_eq!(woken.get(), 1);
    assert_eq!(router.sources()[0].1.shed, [0, 1, 0, 0]);
    rests();
    offer(&router, at(0), label(3, "a", Level::Info)).forget();
    assert_eq!(woken.get(), 2, "what was told was told: this is news again");
    offer(&router, at(0), label(4, "a", Level::Info)).forget();
    assert_eq!(woken.get(), 2);
}

#[test]
fn a_receipt_that_is_dropped_keeps_no_waker() {
    let (router, _outlets) = router(rooms(9), streams());
    let (count, waker) = Count::new();
    let mut receipt = offer(&router, at(0), label(1, "a", Level::Info));
    assert!(poll(Pin::new(&mut receipt), &waker).is_pending());
    drop(waker);
    assert_eq!(Arc::strong_count(&count), 2);
    drop(receipt);
    assert_eq!((Arc::strong_count(&count), count.get()), (1, 0));
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
    let (router, mut outlets) = router(rooms(1), streams());
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

#[test]
fn a_batch_knows_whether_it_has_anything_and_a_label_how_much() {
    assert!(Batch::<()>::new(1, Vec::new()).is_empty());
    let parcels: Arc<Mutex<Vec<Delivery<String>>>> = Arc::default();
    let (router, mut outlets) = router(rooms(9), streams());
    offer(&router, at(0), label(1, "a", Level::Info)).forget();
    parcels.lock().expect("free").extend(batch(&mut outlets[0], at(0)).deliveries().iter().cloned());
    let deliveries = parcels.lock().expect("free").clone();
    assert!(!Batch::new(1, deliveries).is_empty());
    let weight = |bytes| label(1, "a", Level::Info).weight(bytes).weight;
    assert_eq!([0, 7, 1 << 31].map(weight), [0, 7, 1 << 31]);
    #[cfg(target_pointer_width = "64")]
    assert_eq!([(1 << 32) - 1, 1 << 32, usize::MAX].map(weight), [u32::MAX; 3]);
}
