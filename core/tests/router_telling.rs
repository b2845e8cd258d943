//! What a reporter is told: kept, written down later, as if it had been at once.
#![cfg(feature = "std")]

mod common;

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use common::router::{at, deliver, label, offer, rooms, router, streams};
use countermand_core::catalogue::events::{PrefetchReady, PrefetchTimeout};
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

/// By its fields it is the same event, in the same order, whether the fields can be kept or not.
#[test]
fn what_is_told_by_its_fields_is_as_what_is_told_as_an_event() {
    let (router, mut outlets) = router(rooms(u32::MAX), streams());
    let reporter = router.reporter(Source::of("tolaria"), 7, || at(0));
    let long = "n".repeat(100);
    let mut expected = Vec::new();
    for number in 0..MANY {
        // Every third has more text than there is room for, every fifth a time of centuries.
        let latency = if number % 5 == 0 { Duration::MAX } else { Duration::from_micros(number) };
        let request = if number % 3 == 0 { &*long } else { "r" };
        let said = PrefetchReady { subsystem: &long[..60], request, in_flight: number, latency };
        if number % 7 == 0 {
            reporter.take(&said.into())
        } else {
            reporter.take_said(&said)
        }
        assert_eq!(router.ledger().accepted[1], number + 1, "as if it had been written down at once");
        expected.push(Event::from(said).to_string());
    }
    let mut all = Vec::new();
    while all.len() < expected.len() {
        let more = deliver(&mut outlets[0], at(0));
        assert!(!more.is_empty(), "{} of them came", all.len());
        all.extend(more);
    }
    assert_eq!(all, expected);
    let alarm = PrefetchTimeout { subsystem: "tolaria", request: "r", in_flight: 1, latency: Duration::from_secs(5) };
    reporter.take_said(&alarm);
    assert_eq!(deliver(&mut outlets[1], at(0)), [Event::from(alarm).to_string()]);
    assert_eq!((reporter.refused(), router.ledger().balances()), (0, true));
}

/// More than are kept: the oldest are written down by the teller.
#[test]
fn fields_that_there_is_no_room_for_are_written_down() {
    let (router, mut outlets) = router(rooms(u32::MAX), streams());
    let reporter = router.reporter(Source::of("tolaria"), 7, || at(0));
    let said =
        |number| PrefetchReady { subsystem: "tolaria", request: "r", in_flight: number, latency: Duration::ZERO };
    (0..MANY).for_each(|number| reporter.take_said(&said(number)));
    let mut all = Vec::new();
    while all.len() < MANY as usize {
        let more = deliver(&mut outlets[0], at(0));
        assert!(!more.is_empty(), "{} of them came", all.len());
        all.extend(more);
    }
    assert_eq!(all, (0..MANY).map(|number| Event::from(said(number)).to_string()).collect::<Vec<_>>());
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

/// A worker's ends of jobs told to a reporter, as a worker does.
struct Ends(JobReports<Arc<Reporter<String>>>, JobInfo, Settled);

impl Ends {
    /// Of a job that a worker has run.
    fn of(reporter: &Arc<Reporter<String>>) -> Self {
        #[derive(Default)]
        struct Last(Mutex<Option<(JobInfo, Settled)>>);
        impl Observer for Last {
            fn settled(&self, job: &JobInfo, settled: &Settled) {
                *self.0.lock().expect("whole") = Some((job.clone(), *settled));
            }
        }
        let last = Arc::new(Last::default());
        let mut bench = common::bench::Bench::new(WorkerConfig::new().observer(last.clone()));
        let name = "n".repeat(200);
        let _handle = bench.worker.try_submit(Job::task(async {}).name(name)).expect("a place");
        bench.run();
        let (job, settled) = last.0.lock().expect("whole").take().expect("it has ended");
        Self(JobReports::new("kasmina", reporter.clone()).expect("a name"), job, settled)
    }

    /// One that was polled so often, which is how they are told apart.
    fn tell(&mut self, polls: u64, class: Class) {
        (self.2.polls, self.2.class) = (polls, class);
        self.0.settled(&self.1, &self.2);
    }

    fn said(&mut self, polls: impl IntoIterator<Item = u64>) -> Vec<String> {
        let mut one = |polls| {
            (self.2.polls, self.2.class) = (polls, Class::Completed);
            self.0.event(&self.1, &self.2).to_string()
        };
        polls.into_iter().map(&mut one).collect()
    }
}

/// A scribe that writes events as text, and how many it has written.
fn counting_scribe() -> (Arc<AtomicU64>, impl Fn(&Event, &Label, Duration) -> String + Send + Sync + 'static) {
    let written = Arc::new(AtomicU64::new(0));
    let count = written.clone();
    let scribe = move |event: &Event, _: &Label, _: Duration| {
        count.fetch_add(1, Ordering::Relaxed);
        event.to_string()
    };
    (written, scribe)
}

#[test]
fn ends_of_jobs_come_in_order_between_events_and_what_has_no_room_is_never_written() {
    let (written, scribe) = counting_scribe();
    let (router, mut outlets) = Router::new(rooms(9), streams(), scribe).expect("a router");
    let reporter = Arc::new(router.reporter(Source::of("tolaria"), 7, || at(0)));
    let mut ends = Ends::of(&reporter);
    for polls in 0..MANY {
        ends.tell(polls, Class::Completed);
    }
    assert_eq!(written.load(Ordering::Relaxed), 0);
    let ledger = router.ledger();
    assert_eq!((ledger.accepted[1], ledger.shed[1], ledger.pending[1]), (MANY, MANY - 9, 9));
    assert_eq!(written.load(Ordering::Relaxed), 9, "the last ones only");
    assert_eq!(
        router.sources(),
        [(Source::of("tolaria"), {
            let mut figures = SourceFigures::default();
            figures.shed[1] = MANY - 9;
            figures
        })]
    );
    let reports =
        |all: Vec<String>| all.into_iter().filter(|text| !text.contains("telemetry.shed")).collect::<Vec<_>>();
    // The router's own report is HIGH, and takes no other's place.
    assert_eq!(reports(deliver(&mut outlets[0], at(0))), ends.said(MANY - 9..MANY));
    ends.tell(1, Class::Completed);
    reporter.take(&event(2));
    ends.tell(3, Class::Completed);
    let expected = [ends.said([1]), said([2]), ends.said([3])].concat();
    assert_eq!(deliver(&mut outlets[0], at(0)), expected);
    assert!(expected[0].contains("n…"), "{}", expected[0]);
    assert_eq!((reporter.refused(), router.ledger().balances()), (0, true));
}

#[test]
fn after_a_long_time_without_a_turn_what_is_high_is_in_the_first_batch_and_a_turn_writes_one_batch() {
    let (written, scribe) = counting_scribe();
    let mut streams = streams();
    streams[0].batch = 4;
    let (router, mut outlets) = Router::new(rooms(u32::MAX), streams, scribe).expect("a router");
    let reporter = Arc::new(router.reporter(Source::of("tolaria"), 7, || at(0)));
    let mut ends = Ends::of(&reporter);
    (0..MANY).for_each(|polls| ends.tell(polls, Class::Completed));
    ends.tell(0, Class::Failed);
    let first = deliver(&mut outlets[0], at(0));
    assert!(first[0].starts_with("ERROR job.failed"), "{first:?}");
    assert_eq!((first[1..].to_vec(), written.load(Ordering::Relaxed)), (ends.said(0..3), 5));
    let mut rest = Vec::new();
    while rest.len() + 3 < MANY as usize {
        rest.extend(deliver(&mut outlets[0], at(0)));
    }
    assert_eq!(rest, ends.said(3..MANY));
}

#[test]
fn what_has_no_room_is_refused_once_the_router_is_closed() {
    let (router, _outlets) = router(rooms(9), streams());
    let reporter = Arc::new(router.reporter(Source::of("tolaria"), 7, || at(0)));
    let mut ends = Ends::of(&reporter);
    router.close();
    (0..30).for_each(|polls| ends.tell(polls, Class::Completed));
    assert_eq!((reporter.refused(), router.ledger().refused[1], router.ledger().accepted[1]), (30, 30, 0));
}

#[test]
fn what_is_shed_of_two_priorities_is_counted_of_each() {
    let (router, _outlets) = router(rooms(2), streams());
    let reporter = Arc::new(router.reporter(Source::of("tolaria"), 7, || at(0)));
    let mut ends = Ends::of(&reporter);
    (0..5).for_each(|polls| ends.tell(polls, Class::Completed));
    (0..6).for_each(|polls| ends.tell(polls, Class::Failed));
    let ledger = router.ledger();
    assert_eq!((ledger.accepted[1..3].to_vec(), ledger.shed[1..3].to_vec()), (vec![5, 6], vec![3, 4]));
    assert!(ledger.balances());
}

/// What says nothing of fields or ends is given events, also through a shared handle.
#[test]
fn an_intake_that_keeps_nothing_is_given_events() {
    let list: Arc<Mutex<Vec<String>>> = Arc::default();
    let inside = list.clone();
    let intake = Arc::new(move |event: &Event| inside.lock().expect("whole").push(event.to_string()));
    let said = PrefetchReady { subsystem: "tolaria", request: "r", in_flight: 1, latency: Duration::ZERO };
    intake.take_said(&said);
    (*intake).take_said(&said);
    assert_eq!(*list.lock().expect("whole"), [Event::from(said).to_string(), Event::from(said).to_string()]);
}
