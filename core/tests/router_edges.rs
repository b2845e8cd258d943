//! What a router owes where it is seldom looked at: figures to the last one, wakers of those that wait, numbers of packets, reports that are lost.
#![cfg(feature = "std")]

mod common;

use core::num::NonZeroU32;
use core::pin::Pin;
use core::time::Duration;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use common::router::{at, batch, counting, deliver, ids, label, offer, rooms, router, streams, waits};
use common::{Count, poll};
use countermand_core::catalogue::events::PrefetchReady;
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

/// By whichever door it is told, it is kept, and written down by who delivers it: also when as many as an inbox holds have come and gone.
#[test]
fn an_inbox_that_was_emptied_keeps_as_many_as_before() {
    let (written, scribe) = counting();
    let (router, mut outlets) = Router::new(rooms(9), streams(), scribe).expect("a router");
    let reporter = router.reporter(Source::of("tolaria"), 7, || at(0));
    let said =
        |number| PrefetchReady { subsystem: "tolaria", request: "r", in_flight: number, latency: Duration::ZERO };
    for number in 0..400 {
        let before = written.load(Ordering::SeqCst);
        if number % 2 == 0 {
            reporter.take(&event(number))
        } else {
            reporter.take_said(&said(number))
        }
        assert_eq!(written.load(Ordering::SeqCst), before, "{number} was written down by its teller");
        assert_eq!(deliver(&mut outlets[0], at(0)).len(), 1);
        assert_eq!(written.load(Ordering::SeqCst), before + 1);
    }
    drop(outlets);
    assert_eq!((router.ledger().delivered[1], router.ledger().balances()), (400, true));
}

#[test]
fn an_alarm_or_a_full_batch_or_what_was_refused_waits_for_no_company() {
    let mut configs = streams();
    for config in &mut configs {
        (config.linger, config.batch) = (Duration::from_secs(10), 2);
        config.backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(1));
    }
    let (router, mut outlets) = router(rooms(9), configs);
    offer(&router, at(0), label(1, "a", Level::Critical)).forget();
    assert_eq!(deliver(&mut outlets[1], at(0)), ["1"], "an alarm");
    offer(&router, at(0), label(2, "a", Level::Info)).forget();
    assert_eq!(waits(&mut outlets[0], at(0)), Some(at(10_000)));
    offer(&router, at(0), label(3, "a", Level::Info)).forget();
    let mut full = batch(&mut outlets[0], at(0));
    full.acknowledge(0);
    full.refuse(1, Refusal::later("busy"));
    outlets[0].conclude(at(0), Some(full));
    let again = waits(&mut outlets[0], at(0)).expect("after a pause");
    assert!(again < at(1_000), "{again:?}");
    assert_eq!(deliver(&mut outlets[0], again), ["3"]);
}

#[test]
fn a_batch_that_was_given_up_is_another_one_than_that_which_is_out() {
    let (router, mut outlets) = router(rooms(9), streams());
    let receipt = offer(&router, at(0), label(1, "a", Level::Info));
    let mut late = batch(&mut outlets[0], at(0));
    let again = waits(&mut outlets[0], at(0)).expect("it is tried again");
    let out = batch(&mut outlets[0], again);
    assert_ne!(late.number(), out.number());
    late.acknowledge_rest();
    outlets[0].conclude(again, Some(late));
    assert_eq!((receipt.fate(), router.outlets()[0].totals.misbehaviours), (None, 1));
}

#[test]
fn a_rate_counts_what_is_of_its_priority_and_says_when_there_is_more() {
    let mut configs = streams();
    configs[0].rates[1] = Some(Rate::new(NonZeroU32::new(3).expect("three"), Duration::from_secs(3)));
    let (router, mut outlets) = router(rooms(9), configs);
    assert_eq!(router.outlets()[0].open, [false; 4]);
    for id in 1..=2 {
        offer(&router, at(0), label(id, "a", Level::Error)).forget();
    }
    (3..=7).for_each(|id| offer(&router, at(0), label(id, "a", Level::Info)).forget());
    // What is HIGH has no rate, and takes nothing of the other's.
    assert_eq!(deliver(&mut outlets[0], at(0)), ["1", "2", "3", "4", "5"]);
    let next = waits(&mut outlets[0], at(0)).expect("there will be more");
    assert!(next > at(0) && next <= at(1_000), "{next:?}");
    assert_eq!(deliver(&mut outlets[0], next), ["6"]);
}

/// A sink that will never have a packet has answered: that is no failure, and ends a run of failures. What cannot be buried is a refusal.
#[test]
fn a_refusal_for_good_ends_a_run_of_failures_and_one_that_cannot_be_is_one() {
    let mut configs = streams();
    configs[0].breaker = BreakerConfig::new(2, Duration::from_secs(60));
    let (router, mut outlets) = router(rooms(9), configs);
    let mut now = at(0);
    for refusal in [Refusal::later("busy"), Refusal::never("ugly"), Refusal::later("busy")] {
        offer(&router, now, label(now.as_nanos().into(), "a", Level::Info)).forget();
        let (then, mut refused) = common::router::next_batch(&mut outlets[0], now);
        now = then;
        refused.refuse_rest(&refusal);
        outlets[0].conclude(now, Some(refused));
        assert_eq!(router.outlets()[0].open, [false; 4], "{refusal:?}");
    }
    // An alarm that nobody buries goes on being tried, after a pause each time.
    offer(&router, at(0), label(9, "a", Level::Critical)).forget();
    let mut refused = batch(&mut outlets[1], at(0));
    refused.refuse_rest(&Refusal::never("ugly"));
    outlets[1].conclude(at(0), Some(refused));
    assert!(waits(&mut outlets[1], at(0)).is_some_and(|again| again > at(0)));
}

/// E6: only who keeps it safely settles it early.
#[test]
fn a_receipt_waits_for_who_keeps_the_packet_and_not_for_a_pager() {
    let mut configs = streams();
    configs[1] = OutletConfig::new("journal", Stream::Emergency).keeps();
    configs.push(OutletConfig::new("pager", Stream::Emergency));
    let (router, mut outlets) = router(rooms(9), configs);
    let receipt = offer(&router, at(0), label(1, "a", Level::Critical));
    assert_eq!((deliver(&mut outlets[2], at(0)).len(), receipt.fate()), (1, None));
    let second = offer(&router, at(0), label(2, "a", Level::Critical));
    assert_eq!((deliver(&mut outlets[1], at(0)).len(), receipt.fate()), (2, Some(Fate::Delivered)));
    assert_eq!((second.fate(), router.ledger().pending[3]), (Some(Fate::Delivered), 1));
    // One that is refused for good by who would keep it is not kept.
    let third = offer(&router, at(0), label(3, "a", Level::Critical));
    let mut refused = batch(&mut outlets[1], at(0));
    refused.refuse_rest(&Refusal::later("full"));
    outlets[1].conclude(at(0), Some(refused));
    assert_eq!(third.fate(), None);
}

/// Those that were told together leave the room of each.
#[test]
fn what_was_told_together_leaves_all_of_its_room() {
    let mut configs = streams();
    configs[1].rates[3] = Some(Rate::per_minute(NonZeroU32::MIN));
    configs[1].kept_elsewhere = true;
    let (router, mut outlets) = router(rooms(99), configs);
    for id in 1..=5 {
        offer(&router, at(0), label(id, "a", Level::Critical).subject(Subject::of("same"))).forget();
    }
    assert_eq!(router.outlets()[1].pending[3], 5);
    assert_eq!(deliver(&mut outlets[1], at(0)), ["1"]);
    assert_eq!((router.outlets()[1].pending[3], router.ledger().delivered[3]), (0, 5));
}

#[test]
fn a_packet_that_ends_wakes_nobody_who_has_nothing_to_do_with_it() {
    let (router, mut outlets) = router(rooms(9), streams());
    let (woken, waker) = Count::new();
    assert!(matches!(outlets[1].turn(at(0), Some(&waker)), OutletTurn::Wait(None)));
    offer(&router, at(0), label(1, "a", Level::Info)).forget();
    assert_eq!((deliver(&mut outlets[0], at(0)), woken.get()), (vec!["1".to_owned()], 0));
    router.close();
    assert_eq!(woken.get(), 1);
}
