//! What the router takes in, by hand: where it goes, what it makes room for, who is told no.
#![cfg(feature = "std")]

mod common;

use core::num::NonZeroU32;
use core::time::Duration;

use common::router::{at, batch, deliver, label, offer, rooms, router, streams};
use countermand_core::*;

#[test]
fn each_priority_to_its_stream_and_high_ahead() {
    let (router, mut outlets) = router(rooms(9), streams());
    for (id, level) in
        [(1, Level::Info), (2, Level::Critical), (3, Level::Warning), (4, Level::Info), (5, Level::Error)]
    {
        offer(&router, at(0), label(id, "a", level)).forget();
    }
    offer(&router, at(0), label(6, "a", Level::Info).urgency(Urgency::of(Level::Info, Some("LOW")))).forget();
    assert_eq!(deliver(&mut outlets[0], at(0)), ["3", "5", "1", "4", "6"]);
    assert_eq!(deliver(&mut outlets[1], at(0)), ["2"]);
    let ledger = router.ledger();
    assert_eq!((ledger.accepted, ledger.delivered), ([1, 2, 2, 1], [1, 2, 2, 1]));
}

#[test]
fn critical_is_never_shed_but_told_no() {
    let (router, mut outlets) = router(rooms(2), streams());
    for id in 1..=2 {
        offer(&router, at(0), label(id, "a", Level::Critical)).forget();
    }
    let refused = router.offer(at(0), label(3, "a", Level::Critical), "third".into()).expect_err("no room");
    assert_eq!((refused.reason, &*refused.body), (RefuseReason::Full, "third"));
    assert_eq!((router.ledger().refused[3], router.ledger().shed[3]), (1, 0));
    assert_eq!(deliver(&mut outlets[1], at(0)), ["1", "2"]);
    offer(&router, at(0), label(3, "a", Level::Critical)).forget();
}

#[test]
fn a_stuck_sink_delays_no_other_and_no_alarm() {
    let mut outlets = streams();
    outlets[1] = OutletConfig::new("journal", Stream::Emergency).keeps();
    outlets.push(OutletConfig::new("stuck", Stream::Emergency));
    let (router, mut outlets) = router(rooms(2), outlets);
    let mut stuck = None;
    for id in 1..=9 {
        let receipt = offer(&router, at(0), label(id, "a", Level::Critical));
        assert_eq!(deliver(&mut outlets[1], at(0)), [id.to_string()]);
        assert_eq!(receipt.fate(), Some(Fate::Delivered), "it is durable");
        stuck.get_or_insert_with(|| batch(&mut outlets[2], at(0)));
    }
    let ledger = router.ledger();
    assert_eq!((ledger.accepted[3], ledger.delivered[3], ledger.pending[3], ledger.shed[3]), (9, 7, 2, 0));
    assert!(ledger.balances());
}

#[test]
fn priorities_lend_each_other_no_room() {
    let (router, mut outlets) = router(rooms(1), streams());
    for id in 1..=5 {
        offer(&router, at(0), label(id, "flood", Level::Info)).forget();
    }
    offer(&router, at(0), label(6, "a", Level::Error)).forget();
    offer(&router, at(0), label(7, "a", Level::Critical)).forget();
    assert_eq!(router.ledger().pending, [0, 1, 1, 1]);
    // The report makes no room for itself at the cost of what is HIGH but by the rule for HIGH: the oldest goes.
    assert_eq!(deliver(&mut outlets[1], at(0)), ["7"]);
}

#[test]
fn closed_it_takes_nothing_and_ends_when_all_is_delivered() {
    let mut outlets = streams();
    outlets[0].linger = Duration::from_secs(1);
    outlets.push(OutletConfig::dead_letters("graves"));
    let (router, mut outlets) = router(rooms(9), outlets);
    offer(&router, at(0), label(1, "a", Level::Info)).forget();
    router.close();
    let refused = router.post(at(0), label(2, "a", Level::Info), "late".into()).expect_err("closed");
    assert_eq!(refused.to_string(), format!("packet {:032x} of a was not taken in: the router is closed", 2));
    assert!(matches!(outlets[1].turn(at(0), None), OutletTurn::Done));
    assert!(matches!(outlets[2].turn(at(0), None), OutletTurn::Wait(_)), "a letter may still come");
    assert_eq!(deliver(&mut outlets[0], at(0)), ["1"], "nothing lingers");
    assert!(matches!(outlets[0].turn(at(0), None), OutletTurn::Done));
    assert!(matches!(outlets[2].turn(at(0), None), OutletTurn::Done));
}

#[test]
fn bytes_bound_the_room_as_well_as_packets() {
    let (router, _outlets) = router(rooms(9), streams());
    let heavy = |id| label(id, "a", Level::Info).weight(400);
    for id in 1..=3 {
        offer(&router, at(0), heavy(id)).forget();
    }
    assert_eq!((router.ledger().shed[1], router.ledger().pending[1]), (1, 2));
    let refused = router.post(at(0), label(4, "a", Level::Info).weight(1_001), String::new()).expect_err("too large");
    assert_eq!(refused.reason.to_string(), "a packet of 1001 bytes, where the room has 1000");
}

#[test]
fn high_goes_to_the_emergency_stream_only_where_that_is_wanted_and_behind_alarms() {
    let mut config = rooms(9);
    config.high_overflow = NonZeroU32::new(2);
    let (router, mut outlets) = router(config, streams());
    for (id, level) in [(1, Level::Error), (2, Level::Info), (3, Level::Error), (4, Level::Critical), (5, Level::Info)]
    {
        offer(&router, at(0), label(id, "a", level)).forget();
    }
    assert_eq!(deliver(&mut outlets[1], at(0)), ["4", "3"]);
    assert_eq!(deliver(&mut outlets[0], at(0)), ["1", "2", "5"]);
    offer(&router, at(0), label(6, "a", Level::Error)).forget();
    assert_eq!(deliver(&mut outlets[0], at(0)), ["6"]);
}

#[test]
fn what_waits_is_not_shed_for_a_packet_that_finds_no_room_all_the_same() {
    let (router, mut outlets) = router(rooms(9), streams());
    let weighing = |id, bytes| label(id, "a", Level::Info).weight(bytes);
    offer(&router, at(0), weighing(1, 700)).forget();
    let out = batch(&mut outlets[0], at(0));
    let waits = offer(&router, at(0), weighing(2, 100));
    assert_eq!(offer(&router, at(0), weighing(3, 400)).fate(), Some(Fate::Shed), "700 bytes are with the sink");
    assert_eq!((waits.fate(), out.len()), (None, 1));
}

#[test]
fn a_router_that_cannot_work_is_not_made() {
    let refused =
        |outlets| Router::new(rooms(1), outlets, |_: &Event, _: &Label, _| ()).expect_err("refused").to_string();
    assert_eq!(refused(vec![]), "no outlet takes the normal stream");
    assert_eq!(refused(vec![OutletConfig::new("a", Stream::Normal)]), "no outlet takes the emergency stream");
    let mut same = streams();
    same[1].name = "normal".into();
    assert_eq!(refused(same), "two outlets are named \"normal\"");
    let mut graves = streams();
    graves.extend([OutletConfig::dead_letters("a"), OutletConfig::dead_letters("b")]);
    assert_eq!(refused(graves), "two outlets take dead letters; they would each have half of them");
}

#[test]
fn receipts_wake_whoever_waits_and_dropping_one_changes_nothing() {
    let (router, mut outlets) = router(rooms(9), streams());
    let waiting = offer(&router, at(0), label(1, "a", Level::Info));
    drop(offer(&router, at(0), label(2, "a", Level::Info)));
    let (wakes, waker) = common::Count::new();
    let mut waiting = core::pin::pin!(waiting);
    assert!(common::poll(waiting.as_mut(), &waker).is_pending());
    assert_eq!(deliver(&mut outlets[0], at(0)), ["1", "2"]);
    assert_eq!(wakes.get(), 1);
    assert_eq!(common::poll(waiting.as_mut(), &waker), core::task::Poll::Ready(Fate::Delivered));
    assert!(router.ledger().balances());
}

#[test]
fn the_settings_of_a_service_set_up_its_router() {
    let mut settings = config::TelemetrySettings::default();
    let config = RouterConfig::from(&settings);
    assert_eq!((config.ttl, config.high_overflow), (Some(Duration::from_secs(900)), None));
    let outlet = OutletConfig::new("pager", Stream::Emergency).with_settings(&settings);
    assert_eq!(outlet.rates[3], NonZeroU32::new(600).map(Rate::per_minute));
    settings.emergency_threshold = 500;
    settings.emergency_max_per_minute = 0;
    assert_eq!(RouterConfig::from(&settings).high_overflow, NonZeroU32::new(500));
    assert_eq!(outlet.with_settings(&settings).rates[3], None);
}
