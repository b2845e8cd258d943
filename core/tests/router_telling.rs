//! What a reporter is told: kept, written down later, as if it had been at once.
#![cfg(feature = "std")]

mod common;

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use common::router::{at, deliver, label, offer, rooms, router, streams};
use countermand_core::*;

/// An event that says its number.
fn event(number: u64) -> Event {
    Event::new("said", Level::Info).with("number", number)
}

fn said(numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    numbers.into_iter().map(|number| event(number).to_string()).collect()
}

/// As many as an inbox holds, and more.
const MANY: u64 = 300;

#[test]
fn what_was_told_is_in_every_figure_and_comes_in_order() {
    let (router, mut outlets) = router(rooms(u32::MAX), streams());
    let reporter = router.reporter(Source::of("tolaria"), 7, || at(0));
    for number in 0..MANY {
        reporter.take(&event(number));
        assert_eq!(router.ledger().accepted[1], number + 1, "as if it had been written down at once");
    }
    (MANY..2 * MANY).for_each(|number| reporter.take(&event(number)));
    assert_eq!(router.outlets()[0].pending[1], 2 * MANY as u32);
    (2 * MANY..3 * MANY).for_each(|number| reporter.take(&event(number)));
    let mut all = Vec::new();
    while all.len() < 3 * MANY as usize {
        let more = deliver(&mut outlets[0], at(0));
        assert!(!more.is_empty(), "{} of them came", all.len());
        all.extend(more);
    }
    assert_eq!(all, said(0..3 * MANY));
    assert_eq!((reporter.refused(), router.ledger().balances()), (0, true));
}

#[test]
fn whoever_comes_by_another_door_comes_after_it() {
    let (router, mut outlets) = router(rooms(9), streams());
    let reporter = router.reporter(Source::of("tolaria"), 7, || at(0));
    reporter.take(&event(1));
    offer(&router, at(0), label(2, "tolaria", Level::Info)).forget();
    reporter.take(&event(3));
    let receipt = reporter.report(&event(4)).expect("taken in");
    reporter.take(&event(5));
    drop(reporter);
    let expected = [&said([1])[..], &["2".to_owned()], &said([3, 4, 5])].concat();
    assert_eq!(deliver(&mut outlets[0], at(0)), expected);
    assert_eq!(receipt.fate(), Some(Fate::Delivered));
}

#[test]
fn closing_loses_nothing_that_was_told_and_takes_nothing_more() {
    let (router, mut outlets) = router(rooms(9), streams());
    let reporter = router.reporter(Source::of("tolaria"), 7, || at(0));
    reporter.take(&event(1));
    router.close();
    reporter.take(&event(2));
    assert_eq!(reporter.refused(), 1);
    assert_eq!(deliver(&mut outlets[0], at(0)), said([1]));
    assert!(matches!(outlets[0].turn(at(0), None), OutletTurn::Done));
}

#[test]
fn an_alarm_is_written_at_once_and_the_rest_with_its_age() {
    let clock = Arc::new(AtomicU64::new(0));
    let ages = Arc::new(Mutex::new(Vec::new()));
    let scribe = {
        let ages = ages.clone();
        move |event: &Event, _: &Label, age: Duration| ages.lock().unwrap().push((event.level(), age.as_millis()))
    };
    let (router, mut outlets) = Router::new(rooms(9), streams(), scribe).expect("a router");
    let reporter = router.reporter(Source::of("tolaria"), 7, {
        let clock = clock.clone();
        move || at(clock.load(Ordering::Relaxed))
    });
    reporter.take(&event(1));
    clock.store(4, Ordering::Relaxed);
    reporter.take(&Event::new("alarm", Level::Critical));
    assert_eq!(*ages.lock().unwrap(), [(Level::Critical, 0)], "it does not wait, and the other one still does");
    let OutletTurn::Deliver(batch) = outlets[0].turn(at(4), None) else { panic!("there is a packet") };
    assert_eq!(ages.lock().unwrap()[1], (Level::Info, 4));
    assert_eq!(batch.deliveries()[0].parcel.accepted, at(0), "when it was told");
}

/// Counts how often it is woken.
#[derive(Default)]
struct Bell(AtomicU64);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn the_first_wakes_the_outlet_that_waits() {
    let (router, mut outlets) = router(rooms(9), streams());
    let reporter = router.reporter(Source::of("tolaria"), 7, || at(0));
    let bells: [Arc<Bell>; 2] = Default::default();
    let rings = || bells.each_ref().map(|bell| bell.0.load(Ordering::Relaxed));
    let wait = |outlet: &mut Outlet<String>, bell: &Arc<Bell>| {
        let turn = outlet.turn(at(0), Some(&Waker::from(bell.clone())));
        assert!(matches!(turn, OutletTurn::Wait(None)), "{turn:?}");
    };
    wait(&mut outlets[0], &bells[0]);
    wait(&mut outlets[1], &bells[1]);
    reporter.take(&event(1));
    reporter.take(&event(2));
    assert_eq!(rings(), [1, 0], "the one that it goes to, once");
    // Where that one is busy, another sees to it.
    let OutletTurn::Deliver(busy) = outlets[0].turn(at(0), None) else { panic!("there are packets") };
    reporter.take(&event(3));
    assert_eq!(rings(), [1, 1]);
    wait(&mut outlets[1], &bells[1]);
    outlets[0].conclude(at(0), Some(busy));
}

#[test]
fn a_scribe_that_panics_is_counted_and_the_others_come() {
    let scribe = |event: &Event, _: &Label, _| {
        assert_ne!(event.attribute("number"), Some("2"), "this one is not written");
        event.to_string()
    };
    let (router, mut outlets) = Router::new(rooms(9), streams(), scribe).expect("a router");
    let reporter = router.reporter(Source::of("tolaria"), 7, || at(0));
    (1..=3).for_each(|number| reporter.take(&event(number)));
    assert_eq!(reporter.refused(), 1);
    assert_eq!(deliver(&mut outlets[0], at(0)), said([1, 3]));
}

#[test]
fn many_write_down_what_many_tell_and_each_comes_once_in_its_order() {
    let (router, mut outlets) = router(rooms(u32::MAX), streams());
    let tellers = 4;
    std::thread::scope(|scope| {
        for teller in 0..tellers {
            let router = &router;
            scope.spawn(move || {
                let name = format!("teller-{teller}");
                let reporter = router.reporter(Source::of(name), teller, || at(0));
                for number in 0..MANY {
                    reporter.take(&event(number).with("teller", teller));
                    if number % 7 == teller {
                        assert!(router.ledger().balances());
                    }
                }
            });
        }
    });
    let mut all = Vec::new();
    while (all.len() as u64) < tellers * MANY {
        all.extend(deliver(&mut outlets[0], at(0)));
    }
    for teller in 0..tellers {
        let expected: Vec<_> = (0..MANY).map(|number| event(number).with("teller", teller).to_string()).collect();
        let mark = format!("teller={teller})");
        let own: Vec<_> = all.iter().filter(|text| text.ends_with(&mark)).cloned().collect();
        assert_eq!(own, expected, "teller {teller}");
    }
    assert_eq!(router.ledger().delivered[1], tellers * MANY);
}
