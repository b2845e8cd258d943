//! The router's outlets, by hand: order, refusals, dead letters, breakers, rates, ages.
#![cfg(feature = "std")]

mod common;

use core::num::NonZeroU32;
use core::time::Duration;

use common::router::{at, batch, deliver, ids, label, next_batch, offer, rooms, router, streams, waits};
use countermand_core::*;

#[test]
fn what_is_refused_for_now_comes_again_in_order_under_the_same_id() {
    let (router, mut outlets) = router(rooms(9), streams());
    for id in 1..=4 {
        offer(&router, at(0), label(id, "a", Level::Info)).forget();
    }
    let mut first = batch(&mut outlets[0], at(0));
    first.acknowledge(0);
    first.refuse(1, Refusal::later("busy"));
    outlets[0].conclude(at(0), Some(first));
    offer(&router, at(0), label(5, "a", Level::Info)).forget();
    let again = waits(&mut outlets[0], at(0)).expect("it comes again");
    assert!(again >= at(100) && again <= at(200), "{again:?}");
    let second = batch(&mut outlets[0], again);
    assert_eq!(ids(&second), [2, 3, 4, 5]);
    let attempts: Vec<u32> = second.deliveries().iter().map(|delivery| delivery.attempts).collect();
    assert_eq!(attempts, [1, 1, 1, 0], "those without an answer count as refused");
    outlets[0].conclude(again, Some(second));
    assert!(router.ledger().balances());
}

#[test]
fn while_high_waits_nothing_lower_goes() {
    let (router, mut outlets) = router(rooms(9), streams());
    offer(&router, at(0), label(1, "a", Level::Error)).forget();
    let mut first = batch(&mut outlets[0], at(0));
    first.refuse_rest(&Refusal::later("busy"));
    outlets[0].conclude(at(0), Some(first));
    offer(&router, at(1), label(2, "a", Level::Info)).forget();
    let again = waits(&mut outlets[0], at(1)).expect("it comes again");
    assert_eq!(deliver(&mut outlets[0], again), ["1", "2"]);
}

#[test]
fn what_is_refused_for_good_is_a_dead_letter_with_its_reason() {
    let mut outlets = streams();
    outlets.push(OutletConfig::dead_letters("graves"));
    let (router, mut outlets) = router(rooms(9), outlets);
    let receipt = offer(&router, at(0), label(1, "a", Level::Critical));
    let mut refused = batch(&mut outlets[1], at(0));
    refused.refuse(0, Refusal::never("bad signature"));
    outlets[1].conclude(at(0), Some(refused));
    assert_eq!((receipt.fate(), router.ledger().pending[3]), (None, 1), "nobody has it yet");
    let mut letters = batch(&mut outlets[2], at(0));
    let dead = letters.deliveries()[0].dead.clone().expect("a reason");
    assert_eq!(dead.to_string(), "emergency: bad signature (tried 1 times)");
    letters.acknowledge(0);
    outlets[2].conclude(at(0), Some(letters));
    assert_eq!(receipt.fate(), Some(Fate::DeadLettered));
    assert_eq!(router.ledger().dead_lettered, [0, 0, 0, 1]);
    assert!(router.ledger().balances());
}

#[test]
fn without_a_place_for_dead_letters_an_alarm_goes_on_being_tried() {
    let (router, mut outlets) = router(rooms(9), streams());
    offer(&router, at(0), label(1, "a", Level::Critical)).forget();
    offer(&router, at(0), label(2, "a", Level::Error)).forget();
    let mut now = at(0);
    for _ in 0..100 {
        let (then, mut refused) = next_batch(&mut outlets[1], now);
        now = then;
        assert_eq!(ids(&refused), [1]);
        refused.refuse(0, Refusal::never("ugly"));
        outlets[1].conclude(now, Some(refused));
    }
    let mut refused = batch(&mut outlets[0], at(0));
    refused.refuse(0, Refusal::never("ugly"));
    outlets[0].conclude(at(0), Some(refused));
    let ledger = router.ledger();
    assert_eq!((ledger.pending[3], ledger.dead_lettered), (1, [0, 0, 1, 0]));
}

#[test]
fn enough_attempts_make_a_dead_letter_but_never_of_an_alarm() {
    let mut outlets = streams();
    for outlet in &mut outlets {
        outlet.attempts = 3;
        outlet.breaker = BreakerConfig::new(0, Duration::ZERO);
    }
    outlets.push(OutletConfig::dead_letters("graves"));
    let (router, mut outlets) = router(rooms(9), outlets);
    offer(&router, at(0), label(1, "a", Level::Info)).forget();
    offer(&router, at(0), label(2, "a", Level::Critical)).forget();
    for outlet in outlets.iter_mut().take(2) {
        let mut now = at(0);
        for _ in 0..3 {
            let (then, mut refused) = next_batch(outlet, now);
            now = then;
            refused.refuse_rest(&Refusal::later("busy"));
            outlet.conclude(now, Some(refused));
        }
    }
    let letters = batch(&mut outlets[2], at(1_000_000));
    assert_eq!(letters.deliveries()[0].dead.clone().expect("a reason").to_string(), "normal: busy (tried 3 times)");
    assert_eq!(router.outlets()[1].pending, [0, 0, 0, 1]);
}

#[test]
fn the_breaker_lets_a_sink_alone_and_tells_of_it_once() {
    let mut outlets = streams();
    outlets[0].breaker = BreakerConfig::new(2, Duration::from_secs(60));
    let (router, mut outlets) = router(rooms(9), outlets);
    for id in 1..=3 {
        offer(&router, at(0), label(id, "a", Level::Info)).forget();
    }
    let mut now = at(0);
    for _ in 0..2 {
        let (then, refused) = next_batch(&mut outlets[0], now);
        now = then;
        outlets[0].conclude(now, Some(refused));
    }
    assert!(router.outlets()[0].open[Priority::Normal.index()]);
    assert_eq!(router.outlets()[0].totals.failures, 1);
    // The report is HIGH, whose own breaker is closed.
    assert_eq!(
        deliver(&mut outlets[0], now),
        ["ERROR telemetry.sink_failed (subsystem=countermand.router, sink=normal, count=1)"]
    );
    let (resting, probe) = next_batch(&mut outlets[0], now);
    assert!(resting >= now.checked_add(Duration::from_secs(60)).expect("soon"), "{resting:?}");
    assert_eq!(ids(&probe), [1], "one packet tries");
    outlets[0].conclude(resting, None);
    let (again, mut probe) = next_batch(&mut outlets[0], resting);
    assert_eq!(ids(&probe), [1]);
    probe.acknowledge(0);
    outlets[0].conclude(again, Some(probe));
    assert_eq!(deliver(&mut outlets[0], again), ["2", "3"]);
    assert_eq!(router.outlets()[0].totals.failures, 1);
}

#[test]
fn another_batch_or_answers_for_nothing_are_no_acknowledgement() {
    let (router, mut outlets) = router(rooms(9), streams());
    offer(&router, at(0), label(1, "a", Level::Info)).forget();
    drop(batch(&mut outlets[0], at(0)));
    let mut forged = Batch::new(77, Vec::new());
    forged.acknowledge_rest();
    outlets[0].conclude(at(0), Some(forged));
    assert_eq!(router.ledger().pending[1], 1);
    assert_eq!(
        deliver(&mut outlets[0], at(0)),
        ["ERROR telemetry.sink_misbehaved (subsystem=countermand.router, sink=normal, count=1)"]
    );
    let mut astray = batch(&mut outlets[0], at(300));
    astray.acknowledge(5);
    astray.acknowledge(0);
    outlets[0].conclude(at(300), Some(astray));
    assert_eq!((router.ledger().delivered[1], router.outlets()[0].totals.misbehaviours), (1, 2));
}

#[test]
fn what_is_out_with_a_service_that_is_gone_comes_again() {
    let (router, mut outlets) = router(rooms(9), streams());
    for id in 1..=3 {
        offer(&router, at(0), label(id, "a", Level::Info)).forget();
    }
    assert!(router.outlet("normal").is_none(), "it is served");
    let out = batch(&mut outlets[0], at(0));
    outlets.remove(0);
    drop(out);
    let mut next = router.outlet("normal").expect("nobody serves it");
    assert_eq!(deliver(&mut next, at(0)), ["1", "2", "3"]);
}

#[test]
fn what_is_old_expires_but_never_an_alarm() {
    let mut config = rooms(9);
    config.ttl = Some(Duration::from_millis(50));
    let (router, mut outlets) = router(config, streams());
    let receipt = offer(&router, at(0), label(1, "a", Level::Info));
    offer(&router, at(0), label(2, "a", Level::Critical)).forget();
    offer(&router, at(20), label(3, "a", Level::Info)).forget();
    assert_eq!(deliver(&mut outlets[0], at(50)), ["3"]);
    assert_eq!(receipt.fate(), Some(Fate::Expired));
    assert_eq!(deliver(&mut outlets[1], at(1_000_000)), ["2"]);
    assert_eq!(router.ledger().expired, [0, 1, 0, 0]);
    assert!(router.ledger().balances());
}

#[test]
fn a_packet_waits_for_company_but_not_longer_than_it_may() {
    let mut outlets = streams();
    outlets[0].linger = Duration::from_millis(10);
    outlets[0].batch = 3;
    let (router, mut outlets) = router(rooms(9), outlets);
    offer(&router, at(5), label(1, "a", Level::Info)).forget();
    assert_eq!(waits(&mut outlets[0], at(5)), Some(at(15)));
    assert_eq!(deliver(&mut outlets[0], at(15)), ["1"]);
    for id in 2..=4 {
        offer(&router, at(20), label(id, "a", Level::Info)).forget();
    }
    assert_eq!(deliver(&mut outlets[0], at(20)), ["2", "3", "4"], "the batch is full");
}

#[test]
fn over_its_rate_the_emergency_stream_tells_repeats_together_and_keeps_each() {
    let mut outlets = streams();
    outlets[1] = OutletConfig::new("journal", Stream::Emergency).keeps();
    outlets[1].rates[3] = Some(Rate::per_minute(NonZeroU32::MIN));
    let mut pager = OutletConfig::new("pager", Stream::Emergency);
    pager.rates[3] = Some(Rate::per_minute(NonZeroU32::new(2).expect("two")));
    outlets.push(pager);
    let (router, mut outlets) = router(rooms(99), outlets);
    let about = |id, subject: &str| label(id, "kasmina", Level::Critical).subject(Subject::of(subject));
    for id in 1..=3 {
        offer(&router, at(id as u64), about(id, "prefetch_timeout")).forget();
    }
    offer(&router, at(4), about(4, "command_rejected")).forget();
    offer(&router, at(5), about(5, "prefetch_timeout")).forget();
    assert_eq!(deliver(&mut outlets[1], at(5)).len(), 5, "each is kept, and no rate holds that up");
    let first = batch(&mut outlets[2], at(5));
    assert_eq!(ids(&first), [1, 2]);
    let told = first.deliveries()[1].repeats.expect("repeats");
    assert_eq!((told.count, told.first, told.last, told.highest), (3, at(2), at(5), Level::Critical));
    assert_eq!(first.deliveries()[0].repeats, None);
    // Refused, they come again as they were.
    outlets[2].conclude(at(5), Some(first));
    let mut again = batch(&mut outlets[2], at(60_005));
    assert_eq!(ids(&again), [1, 2]);
    assert_eq!(again.deliveries()[1].repeats.map(|repeats| repeats.count), Some(3));
    again.acknowledge_rest();
    outlets[2].conclude(at(60_005), Some(again));
    assert_eq!((router.ledger().delivered[3], router.ledger().pending[3]), (4, 1));
    assert_eq!(deliver(&mut outlets[2], at(120_000)), ["4"]);
    assert!(router.ledger().balances());
}

#[test]
fn without_anybody_who_keeps_each_nothing_is_told_together() {
    let mut outlets = streams();
    outlets[1].rates[3] = Some(Rate::per_minute(NonZeroU32::MIN));
    let (router, mut outlets) = router(rooms(99), outlets);
    for id in 1..=3 {
        offer(&router, at(0), label(id, "a", Level::Critical).subject(Subject::of("same"))).forget();
    }
    for (minute, id) in ["1", "2", "3"].into_iter().enumerate() {
        assert_eq!(deliver(&mut outlets[1], at(60_000 * minute as u64)), [id]);
    }
}

#[test]
fn what_is_kept_elsewhere_is_told_together_too() {
    let mut outlets = streams();
    outlets[1].rates[3] = Some(Rate::per_minute(NonZeroU32::MIN));
    outlets[1].kept_elsewhere = true;
    let (router, mut outlets) = router(rooms(99), outlets);
    for id in 1..=3 {
        offer(&router, at(0), label(id, "a", Level::Critical).subject(Subject::of("same"))).forget();
    }
    let told = batch(&mut outlets[1], at(0));
    assert_eq!((ids(&told), told.deliveries()[0].repeats.map(|repeats| repeats.count)), (vec![1], Some(3)));
}

#[test]
fn a_turn_wakes_nobody_whose_waker_it_replaces() {
    let (router, mut outlets) = router(rooms(9), streams());
    let (wakes, waker) = common::Count::new();
    for _ in 0..3 {
        assert!(matches!(outlets[0].turn(at(0), Some(&waker)), OutletTurn::Wait(None)));
    }
    assert_eq!(wakes.get(), 0);
    offer(&router, at(0), label(1, "a", Level::Info)).forget();
    assert_eq!(wakes.get(), 1);
}
