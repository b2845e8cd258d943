//! The router, by hand: packets in, turns of outlets, answers, and the books.
#![cfg(feature = "std")]

mod common;

use core::num::NonZeroU32;
use core::time::Duration;

use countermand_core::*;

fn at(millis: u64) -> Instant {
    Instant::from_nanos(millis * 1_000_000)
}

fn label(id: u128, source: &str, level: Level) -> Label {
    Label::new(PacketId::new(id), Source::of(source), level).weight(1)
}

/// Rooms for so many packets of each priority.
fn rooms(packets: u32) -> RouterConfig {
    let mut config = RouterConfig::default();
    config.rooms = [Room::new(packets, 1_000); 4];
    config.report_every = Duration::from_secs(1);
    config
}

fn streams() -> Vec<OutletConfig> {
    vec![OutletConfig::new("normal", Stream::Normal), OutletConfig::new("emergency", Stream::Emergency)]
}

type Made = (Router<String>, Vec<Outlet<String>>);

fn router(config: RouterConfig, outlets: Vec<OutletConfig>) -> Made {
    Router::new(config, outlets, |event: &Event, _: &Label| event.to_string()).expect("a router")
}

fn offer(router: &Router<String>, now: Instant, label: Label) -> Receipt {
    router.offer(now, label, label.id.number().to_string()).expect("taken in")
}

fn batch(outlet: &mut Outlet<String>, now: Instant) -> Batch<String> {
    match outlet.turn(now, None) {
        OutletTurn::Deliver(batch) => batch,
        other => panic!("no batch but {other:?}"),
    }
}

fn ids(batch: &Batch<String>) -> Vec<u128> {
    batch.deliveries().iter().map(|delivery| delivery.parcel.label.id.number()).collect()
}

fn deliver(outlet: &mut Outlet<String>, now: Instant) -> Vec<String> {
    let mut batch = batch(outlet, now);
    let bodies = batch.deliveries().iter().map(|delivery| delivery.parcel.body.clone()).collect();
    batch.acknowledge_rest();
    outlet.conclude(now, Some(batch));
    bodies
}

fn waits(outlet: &mut Outlet<String>, now: Instant) -> Option<Instant> {
    match outlet.turn(now, None) {
        OutletTurn::Wait(until) => until,
        other => panic!("no wait but {other:?}"),
    }
}

/// The next batch, and when there is one: the clock is put forward to whatever the outlet waits for.
fn next_batch(outlet: &mut Outlet<String>, mut now: Instant) -> (Instant, Batch<String>) {
    loop {
        match outlet.turn(now, None) {
            OutletTurn::Deliver(batch) => return (now, batch),
            OutletTurn::Wait(Some(until)) => {
                assert!(until > now, "it waits for what was");
                now = until;
            }
            other => panic!("no batch but {other:?}"),
        }
    }
}

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
fn a_router_that_cannot_work_is_not_made() {
    let refused = |outlets| Router::new(rooms(1), outlets, |_: &Event, _: &Label| ()).expect_err("refused").to_string();
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
