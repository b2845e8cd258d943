//! A worker and a router with something to show.

use std::sync::Arc;

use countermand_blocking::Blocking;
use countermand_core::{
    Answer, Counts, Event, Instant, Job, Label, Ledger, Level, Metrics, MetricsSnapshot, OutletConfig, OutletTurn,
    PacketId, Priority, Refusal, Router, RouterConfig, Shutdown, Source, Stream, WorkerConfig,
};
use countermand_metrics::{Board, Figures as _, Reading};

/// A name that a stranger might give itself, to break the page.
pub(crate) const STRANGER: &str = "tola\"ria\n\\} 1 # evil";

pub(crate) struct Scene {
    pub(crate) board: Board,
    pub(crate) jobs: MetricsSnapshot,
    pub(crate) counts: Counts,
    pub(crate) ledger: Ledger,
}

pub(crate) fn scene() -> Scene {
    let (jobs, counts) = worked();
    let router = routed();
    let ledger = router.ledger();
    let board = Board::new()
        .with(jobs.clone())
        .with_attributes([("worker", "ingest".to_owned())], move |reading: &mut Reading| counts.read(reading))
        .with(router);
    Scene { board, jobs: jobs.snapshot(), counts, ledger }
}

/// Jobs of two priorities that complete and panic, and one that comes too late to be taken.
fn worked() -> (Arc<Metrics>, Counts) {
    let jobs = Arc::new(Metrics::new());
    let config = WorkerConfig::new().lanes(2).observer(jobs.clone());
    let worker = Blocking::new().start(config).unwrap();
    for number in 0..3 {
        worker.submit_blocking(Job::task(async move { number }).priority(Priority::High)).unwrap().wait().unwrap();
    }
    worker
        .submit_blocking(Job::task(async { assert!(std::hint::black_box(false), "as it should") }))
        .unwrap()
        .wait()
        .unwrap();
    let report = worker.shutdown_blocking(Shutdown::Drain).unwrap();
    assert!(worker.submit_blocking(Job::task(async {})).is_err());
    let mut counts = report.counts;
    counts.rejected = worker.counts().rejected;
    (jobs, counts)
}

/// Packets that are delivered, dead, shed, refused and on their way.
fn routed() -> Router<&'static str> {
    let mut config = RouterConfig::default();
    for room in &mut config.rooms {
        room.packets = 4;
    }
    let outlets = vec![OutletConfig::new("ordinary", Stream::Normal), OutletConfig::new("alarms", Stream::Emergency)];
    let (router, mut outlets) = Router::new(config, outlets, |_: &Event, _: &Label, _| "report").unwrap();
    let now = Instant::ORIGIN;
    let mut refused = 0;
    for number in 0..7_u64 {
        for level in [Level::Info, Level::Critical] {
            let id = PacketId::new(u128::from(number) * 2 + u128::from(level == Level::Critical));
            let label = Label::new(id, Source::of(STRANGER), level);
            refused += usize::from(router.post(now, label, "packet").is_err());
        }
    }
    assert!(refused > 0 && router.ledger().shed.iter().sum::<u64>() > 0, "{:?}", router.ledger());
    let OutletTurn::Deliver(mut batch) = outlets[0].turn(now, None) else { panic!("there is something to deliver") };
    batch.acknowledge(0);
    batch.refuse(1, Refusal::never("not this one"));
    batch.refuse_rest(&Refusal::later("not now"));
    assert!(batch.answers().contains(&Some(Answer::Acknowledged)));
    outlets[0].conclude(now, Some(batch));
    let ledger = router.ledger();
    for fates in [ledger.delivered, ledger.dead_lettered, ledger.shed, ledger.pending, ledger.refused] {
        assert!(fates.iter().sum::<u64>() > 0, "{ledger:?}");
    }
    router
}
