//! The rules that can be asked of a router without a heap, and of the words of telemetry. The same functions are tests here, and run on a board.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll};

use countermand_core::{
    Event, HeldPacket, HeldRouter, Label, Ledger, Level, PacketId, PacketParts, Priority, RefuseReason, Source, Stream,
    Timestamp, Urgency,
};
use portable_atomic::{AtomicU32, Ordering};

use super::rules::{Bell, Rule};

/// In the order of the contract.
pub(crate) const ALL: &[Rule] = &[
    ("E1", e1_priority_follows_the_level),
    ("E2", e2_alarms_apart_and_urgent_first),
    ("E3", e3_the_order_is_kept),
    ("E4", e4_an_alarm_is_never_dropped),
    ("E5", e5_what_is_shed_is_counted_and_told),
    ("E8", e8_the_ledger_balances),
    ("E9", e9_a_stuck_sink_delays_no_other),
    ("E10", e10_a_refusal_is_no_acknowledgement),
    ("E11", e11_nothing_waits_for_the_next),
    ("E15", e15_priorities_do_not_borrow),
    ("E16", e16_the_router_cannot_feed_itself),
];

/// What the packets are here: a number.
type Router = HeldRouter<u32, 2>;
type Packet<'r> = HeldPacket<'r, u32, 2>;

fn label(number: u32, level: Level) -> Label {
    Label::new(PacketId::new(number.into()), Source::of("pump"), level)
}

fn offer(router: &Router, number: u32, level: Level) -> bool {
    router.offer(label(number, level), number).is_ok()
}

fn next(router: &Router, stream: Stream) -> Option<u32> {
    let packet = router.take(stream)?;
    let number = packet.body().copied();
    packet.acknowledge();
    number
}

/// How many there are of each priority, urgent first.
fn of(column: [u64; Priority::COUNT]) -> [u64; Priority::COUNT] {
    let [low, normal, high, critical] = column;
    [critical, high, normal, low]
}

fn ledger(router: &Router) -> Ledger {
    let ledger = router.ledger();
    assert!(ledger.balances(), "{ledger:?}");
    ledger
}

fn e1_priority_follows_the_level() {
    let by_level = [Level::Info, Level::Warning, Level::Error, Level::Critical].map(|level| Urgency::of(level, None));
    assert_eq!(
        by_level.map(|urgency| urgency.priority),
        [Priority::Normal, Priority::High, Priority::High, Priority::Critical]
    );
    assert_eq!(Urgency::of(Level::Info, Some("CRITICAL")).priority, Priority::Critical);
    assert_eq!(Urgency::of(Level::Info, Some("low")).priority, Priority::Low);
    assert_eq!(Urgency::of(Level::Error, Some("LOW")).priority, Priority::High);
    // One that there is not is counted, and told; the level decides.
    let router = Router::new();
    let misspelt = label(1, Level::Critical).urgency(Urgency::of(Level::Critical, Some("CRITCAL")));
    assert!(router.offer(misspelt, 1).is_ok());
    assert_eq!(next(&router, Stream::Emergency), Some(1));
    let news = router.news("router").expect("there is something to tell");
    assert_eq!((news.name(), news.attribute("count")), ("telemetry.priority_unknown", Some("1")));
    assert!(router.news("router").is_none());
}

fn e2_alarms_apart_and_urgent_first() {
    let router = Router::new();
    let order = [(1, Level::Info), (2, Level::Critical), (3, Level::Warning), (4, Level::Critical), (5, Level::Error)];
    assert!(order.iter().all(|&(number, level)| offer(&router, number, level)));
    let low = label(6, Level::Info).urgency(Urgency::of(Level::Info, Some("LOW")));
    assert!(router.offer(low, 6).is_ok());
    let normal = [(); 5].map(|()| next(&router, Stream::Normal));
    assert_eq!(normal, [Some(3), Some(5), Some(1), Some(6), None]);
    let emergency = [(); 3].map(|()| next(&router, Stream::Emergency));
    assert_eq!(emergency, [Some(2), Some(4), None]);
}

fn e3_the_order_is_kept() {
    let router = Router::new();
    assert!(offer(&router, 1, Level::Error) && offer(&router, 2, Level::Warning));
    // One that comes back is the next; while it is out, no other of its stream is.
    let out = router.take(Stream::Normal).expect("one waits");
    assert!(router.take(Stream::Normal).is_none());
    drop(out);
    assert_eq!([(); 3].map(|()| next(&router, Stream::Normal)), [Some(1), Some(2), None]);
    for round in 0..300 {
        assert!(offer(&router, round, Level::Info) && offer(&router, round + 1, Level::Info));
        assert_eq!([(); 2].map(|()| next(&router, Stream::Normal)), [Some(round), Some(round + 1)]);
    }
}

fn e4_an_alarm_is_never_dropped() {
    let router = Router::new();
    assert!(offer(&router, 1, Level::Critical) && offer(&router, 2, Level::Critical));
    let refused = router.offer(label(3, Level::Critical), 3).expect_err("there is no room");
    assert_eq!((refused.reason, refused.body, refused.label.id), (RefuseReason::Full, 3, PacketId::new(3)));
    assert_eq!(ledger(&router).refused, [0, 0, 0, 1]);
    router.close();
    let refused = router.offer(label(4, Level::Critical), 4).expect_err("it is closed");
    assert_eq!(refused.reason, RefuseReason::Closed);
    assert_eq!([(); 3].map(|()| next(&router, Stream::Emergency)), [Some(1), Some(2), None]);
}

fn e5_what_is_shed_is_counted_and_told() {
    let router = Router::new();
    for number in 0..5 {
        assert!(offer(&router, number, Level::Info));
    }
    let other = Label::new(PacketId::new(9), Source::of("valve"), Level::Error);
    for number in 0..3 {
        assert!(router.offer(other, number).is_ok());
    }
    assert_eq!(of(ledger(&router).shed), [0, 1, 3, 0], "the oldest that wait make room");
    let mut told = 0;
    while let Some(news) = router.news("router") {
        let counts = ["low", "normal", "high"].map(|of| news.attribute(of));
        match news.attribute("source") {
            Some("pump") => assert_eq!(counts, [Some("0"), Some("3"), Some("0")]),
            Some("valve") => assert_eq!(counts, [Some("0"), Some("0"), Some("1")]),
            source => panic!("nothing of {source:?} was shed"),
        }
        assert_eq!((news.name(), news.attribute("subsystem")), ("telemetry.shed", Some("router")));
        told += 1;
    }
    assert_eq!(told, 2);
    // More sources than are told one by one.
    for source in ["a", "b", "c", "d", "e"] {
        for _ in 0..3 {
            let label = Label::new(PacketId::new(1), Source::of(source), Level::Info);
            assert!(router.offer(label, 0).is_ok());
        }
    }
    let mut others = false;
    while let Some(news) = router.news("router") {
        others |= news.attribute("source") == Some("(others)");
    }
    assert!(others, "those beyond the number of sources are together");
}

fn e8_the_ledger_balances() {
    let router = Router::new();
    for round in 0..10 {
        for level in [Level::Info, Level::Error, Level::Critical] {
            let _ = offer(&router, round, level);
            ledger(&router);
        }
        let stream = if round % 2 == 0 { Stream::Normal } else { Stream::Emergency };
        let out = router.take(stream).expect("one waits");
        ledger(&router);
        match round % 3 {
            0 => drop(out),
            1 => out.acknowledge(),
            _ => assert!(out.dead_letter().is_some()),
        }
        ledger(&router);
    }
    let ledger = ledger(&router);
    let sum = |column: [u64; Priority::COUNT]| column.iter().sum::<u64>();
    assert_eq!(
        (sum(ledger.accepted) + sum(ledger.refused), sum(ledger.delivered), sum(ledger.dead_lettered)),
        (30, 3, 3)
    );
    assert!(sum(ledger.shed) > 0 && sum(ledger.pending) > 0);
}

fn e9_a_stuck_sink_delays_no_other() {
    let router = Router::new();
    assert!(offer(&router, 1, Level::Error) && offer(&router, 2, Level::Critical));
    let _stuck = router.take(Stream::Normal).expect("one waits");
    for round in 0..10 {
        assert!(offer(&router, round, Level::Info), "it is taken in");
        assert!(next(&router, Stream::Emergency).is_some(), "it is delivered");
        assert!(offer(&router, round, Level::Critical));
    }
}

fn e10_a_refusal_is_no_acknowledgement() {
    let router = Router::new();
    assert!(offer(&router, 7, Level::Critical));
    let id = |packet: &Packet<'_>| packet.label().map(|label| label.id);
    for _ in 0..5 {
        let out = router.take(Stream::Emergency).expect("it stays");
        assert_eq!(id(&out), Some(PacketId::new(7)), "with the same id");
        drop(out);
        assert_eq!(of(ledger(&router).pending), [1, 0, 0, 0]);
    }
    let out = router.take(Stream::Emergency).expect("it stays");
    let letter = out.dead_letter().map(|(label, body)| (label.id, body));
    assert_eq!(letter, Some((PacketId::new(7), 7)));
    assert!(router.take(Stream::Emergency).is_none());
}

fn e11_nothing_waits_for_the_next() {
    static BELL: Bell = Bell::new();
    let router = Router::new();
    let waker = BELL.waker();
    let mut cx = Context::from_waker(&waker);
    let mut arrival = pin!(router.arrival(Stream::Normal));
    assert!(arrival.as_mut().poll(&mut cx).is_pending());
    assert!(offer(&router, 0, Level::Critical));
    assert_eq!(BELL.woken(), 0, "it is not for this stream");
    assert!(offer(&router, 1, Level::Info));
    assert_eq!(BELL.woken(), 1, "a single packet is told at once");
    let Poll::Ready(packet) = arrival.as_mut().poll(&mut cx) else { panic!("it waits") };
    // While it is out, the next waits for that.
    assert!(offer(&router, 2, Level::Error));
    let mut second = pin!(router.arrival(Stream::Normal));
    assert!(second.as_mut().poll(&mut cx).is_pending());
    packet.acknowledge();
    assert_eq!(BELL.woken(), 2);
    assert!(second.as_mut().poll(&mut cx).is_ready());
}

fn e15_priorities_do_not_borrow() {
    let router = Router::new();
    assert!(offer(&router, 1, Level::Critical), "after which the others go where they went before");
    for number in 0..20 {
        assert!(offer(&router, number, Level::Info) && offer(&router, number, Level::Warning));
        let low = label(number, Level::Info).priority(Priority::Low);
        assert!(router.offer(low, number).is_ok());
    }
    assert!(offer(&router, 2, Level::Critical), "the room of alarms is theirs");
    let ledger = ledger(&router);
    assert_eq!((of(ledger.pending), of(ledger.shed)), ([2, 2, 2, 2], [0, 18, 18, 18]));
}

static E16_DROPPED: AtomicU32 = AtomicU32::new(0);

/// A packet as bytes.
struct Body([u8; 200]);

impl Drop for Body {
    fn drop(&mut self) {
        E16_DROPPED.fetch_add(1, Ordering::SeqCst);
    }
}

/// Encoded without a heap, as any event of a device is.
fn encoded(event: &Event) -> [u8; 200] {
    let mut buffer = [0; 200];
    let packet = PacketParts::of_event("1", Timestamp::new(1, 0), "router", event).expect("it has an id");
    let bytes = packet.encode(&mut buffer).expect("there is room for it");
    assert!(bytes.windows(14).any(|text| text == b"telemetry.shed"));
    buffer
}

fn e16_the_router_cannot_feed_itself() {
    static ROUTER: HeldRouter<Body, 1> = HeldRouter::new();
    let router = &ROUTER;
    let before = E16_DROPPED.load(Ordering::SeqCst);
    for number in 1..=2 {
        assert!(router.offer(label(number, Level::Warning), Body([0; 200])).is_ok());
    }
    let (bytes, level) = {
        let news = router.news("router").expect("one was shed");
        (encoded(&news), news.level())
    };
    for number in 0..5 {
        let own = Label::new(PacketId::new(number), Source::of("router"), level);
        assert!(router.offer_own(own, Body(bytes)).is_ok());
        // The first sheds a packet of the pump's, the others the report before them.
        assert_eq!(router.news("router").is_some(), number == 0);
    }
    assert_eq!(of(router.ledger().shed), [0, 6, 0, 0]);
    assert!(router.ledger().balances());
    let last = router.take(Stream::Normal).expect("the last waits");
    assert!(last.body().is_some_and(|body| body.0 == bytes));
    last.acknowledge();
    assert_eq!(E16_DROPPED.load(Ordering::SeqCst) - before, 7, "whatever was in it is dropped, once");
}
