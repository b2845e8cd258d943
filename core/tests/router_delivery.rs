//! An outlet served as a job: a sink that panics, is slow or never answers costs its own line time, and nobody a packet (E9, E10).
#![cfg(feature = "std")]

mod common;

use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use common::bench::{Bench, take};
use common::router::{label, offer, rooms, router, streams};
use countermand_core::*;

const SECOND: Duration = Duration::from_secs(1);

/// What the sink does with one batch.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Takes,
    RefusesForNow,
    PanicsAtOnce,
    PanicsWhenPolled,
    PanicsWhenDropped,
    NeverAnswers,
}

/// Does as it is told, one way after the other; writes down what it took.
struct Actor {
    ways: Vec<Way>,
    taken: Arc<Mutex<Vec<u128>>>,
}

/// A delivery whose destructor panics.
struct Mine(Option<Batch<String>>);

impl Future for Mine {
    type Output = Batch<String>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.take().map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Mine {
    fn drop(&mut self) {
        panic!("a delivery that panics when it is dropped");
    }
}

impl Sink<String> for Actor {
    type Delivery = Pin<Box<dyn Future<Output = Batch<String>> + Send>>;

    fn deliver(&mut self, mut batch: Batch<String>) -> Self::Delivery {
        assert!(!batch.is_empty() && batch.answers().iter().all(Option::is_none));
        assert_eq!(batch.answers().len(), batch.len());
        match self.ways.pop().unwrap_or(Way::Takes) {
            Way::PanicsAtOnce => panic!("a sink that panics"),
            Way::PanicsWhenPolled => Box::pin(async { panic!("a delivery that panics") }),
            Way::NeverAnswers => Box::pin(pending()),
            Way::RefusesForNow => {
                batch.refuse_rest(&Refusal::later("busy"));
                Box::pin(ready(batch))
            }
            way => {
                // What the router tells of itself has numbers of its own, above all others.
                let ids = batch.deliveries().iter().map(|delivery| delivery.parcel.label.id.number());
                self.taken.lock().expect("free").extend(ids.filter(|id| *id < 100));
                batch.acknowledge_rest();
                assert!(batch.answers().iter().all(Option::is_some));
                if way == Way::PanicsWhenDropped { Box::pin(Mine(Some(batch))) } else { Box::pin(ready(batch)) }
            }
        }
    }
}

#[test]
fn whatever_the_sink_does_each_packet_comes_once_it_can() {
    for way in [
        Way::Takes,
        Way::RefusesForNow,
        Way::PanicsAtOnce,
        Way::PanicsWhenPolled,
        Way::PanicsWhenDropped,
        Way::NeverAnswers,
    ] {
        let mut bench = Bench::new(WorkerConfig::new().lanes(2).drivers(1).capacity(2));
        let mut outlets = streams();
        outlets[0].patience = SECOND;
        let (router, outlets) = router(rooms(9), outlets);
        let taken: Arc<Mutex<Vec<u128>>> = Arc::default();
        let mut jobs: Vec<_> = outlets
            .into_iter()
            .map(|outlet| {
                let sink = Actor { ways: vec![way], taken: taken.clone() };
                let job = Job::task_with(move |cx| async move { outlet.run(cx, sink).await.ways.len() });
                bench.worker.try_submit(job).expect("a place")
            })
            .collect();
        bench.run();
        // Only whoever is woken has a turn: the outlet must be.
        let now = bench.worker.now();
        offer(&router, now, label(1, "a", Level::Info)).forget();
        offer(&router, now, label(2, "a", Level::Info)).forget();
        bench.run();
        for _ in 0..100 {
            bench.advance(Duration::from_millis(50));
        }
        assert_eq!(taken.lock().expect("free").as_slice(), [1, 2], "{way:?}");
        let ledger = router.ledger();
        assert!(ledger.balances() && ledger.delivered.iter().sum::<u64>() >= 2, "{way:?}: {ledger:?}");
        assert!(jobs.iter().all(|job| !job.is_finished()), "{way:?}: more may come");
        assert!(!router.is_closed());
        router.close();
        assert!(router.is_closed());
        bench.run();
        let misbehaved = matches!(way, Way::PanicsAtOnce | Way::PanicsWhenPolled | Way::NeverAnswers);
        assert_eq!(router.outlets()[0].totals.misbehaviours, u64::from(misbehaved), "{way:?}");
        let left: Vec<_> = jobs.iter_mut().map(|job| take(job).completed()).collect();
        assert_eq!(left, [Some(0), Some(1)], "{way:?}: the sinks come back");
        assert_eq!(
            bench.worker.counts().contained_panics,
            0,
            "{way:?}: what a sink panics with is nobody's but its own"
        );
    }
}

#[test]
fn a_sink_that_is_slow_is_waited_for_as_long_as_its_patience() {
    let mut bench = Bench::new(WorkerConfig::new().lanes(1).drivers(1).capacity(2));
    let mut outlets = streams();
    outlets.truncate(1);
    outlets[0].patience = SECOND;
    outlets.push(OutletConfig::new("emergency", Stream::Emergency));
    let (router, mut outlets) = router(rooms(9), outlets);
    let taken: Arc<Mutex<Vec<u128>>> = Arc::default();
    let (outlet, sink) = (outlets.remove(0), Actor { ways: vec![Way::NeverAnswers], taken: taken.clone() });
    let _job = bench
        .worker
        .try_submit(Job::task_with(move |cx| async move { drop(outlet.run(cx, sink).await) }))
        .expect("a place");
    bench.run();
    offer(&router, bench.worker.now(), label(1, "a", Level::Info)).forget();
    bench.run();
    bench.advance(SECOND - Duration::from_nanos(1));
    bench.advance(Duration::ZERO);
    assert_eq!(taken.lock().expect("free").len(), 0);
    // It is dropped with its batch, which comes again after a pause.
    bench.advance(Duration::from_nanos(1));
    assert_eq!(taken.lock().expect("free").len(), 0);
    for _ in 0..20 {
        bench.advance(Duration::from_millis(50));
    }
    assert_eq!(taken.lock().expect("free").as_slice(), [1]);
}

/// A report that pushed out what is to be told in turn, by a router that may tell at any time: its outlet does not wait for what is there.
#[test]
fn what_is_to_be_told_at_once_is_waited_for_by_nobody() {
    let mut bench = Bench::new(WorkerConfig::new().lanes(1).drivers(1).capacity(2));
    let mut config = rooms(1);
    config.report_every = Duration::ZERO;
    let mut configs = streams();
    configs[0].backoff = Backoff::new(SECOND * 60, SECOND * 60);
    let (router, mut outlets) = router(config, configs);
    let now = bench.worker.now();
    // What is HIGH comes back, and may not go for long.
    offer(&router, now, label(1, "a", Level::Error)).forget();
    let OutletTurn::Deliver(batch) = outlets[0].turn(now, None) else { panic!("there is a packet") };
    drop(batch);
    outlets[0].conclude(now, None);
    // What is NORMAL is shed, which is to be told; and the report pushes the other one out, which is to be told too.
    (2..=3).for_each(|id| offer(&router, now, label(id, "a", Level::Info)).forget());
    let actor = Actor { ways: Vec::new(), taken: Arc::default() };
    let (outlet, told) = (outlets.remove(0), || router.sources()[0].1.shed);
    let _job = bench.worker.try_submit(Job::task_with(move |cx| async move { drop(outlet.run(cx, actor).await) }));
    bench.run();
    assert_eq!(told(), [0, 1, 1, 0]);
    let own = router.sources().iter().find(|(source, _)| &**source == "countermand.router").map(|(_, own)| own.shed);
    assert_eq!(own, Some([0, 0, 1, 0]), "the second report took the place of the first");
}
