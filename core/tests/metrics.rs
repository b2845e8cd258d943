//! The figures of `Metrics`, compared with what the test knows that it did.
#![cfg(feature = "std")]

mod common;

use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use common::bench::Bench;
use countermand_core::{
    Cause, Class, Counts, Job, JobInfo, Metrics, Observer, Phase, Priority, RejectReason, Sample, Settled, Shutdown,
    WorkerConfig,
};

const SECOND: Duration = Duration::from_secs(1);

fn bench(metrics: &Arc<Metrics>) -> Bench {
    Bench::new(WorkerConfig::new().lanes(1).drivers(1).capacity(2).observer(Arc::clone(metrics) as _))
}

#[test]
fn counts_what_happened_by_priority_and_outcome() {
    let metrics = Arc::new(Metrics::new());
    let mut bench = bench(&metrics);
    // The only lane is taken for two seconds.
    let long = Job::task_with(|cx| async move { cx.sleep(2 * SECOND).await }).priority(Priority::High);
    let _long = bench.worker.try_submit(long).expect("a place");
    bench.run();
    let cancelled = bench.worker.try_submit(Job::task(async {})).expect("a place");
    let late = Job::task(async {}).priority(Priority::Low).queue_timeout(SECOND);
    let _late = bench.worker.try_submit(late).expect("a place");
    assert!(bench.worker.try_submit(Job::task(async {}).priority(Priority::Critical)).is_err());
    let midway = metrics.snapshot();
    assert_eq!(Priority::ALL.map(|level| midway.submitted(level)), [1, 1, 1, 0]);
    assert_eq!(Priority::ALL.map(|level| midway.unsettled(level)), [1, 1, 1, 0]);
    assert_eq!(Priority::ALL.map(|level| midway.started(level)), [0, 0, 1, 0]);
    assert_eq!(Priority::ALL.map(|level| midway.rejected(level)), [0, 0, 0, 1]);

    assert!(cancelled.cancel());
    bench.advance(SECOND);
    bench.advance(SECOND);
    let panicking = Job::task(async { panic!("on purpose") }).priority(Priority::Critical);
    let _panicking = bench.worker.try_submit(panicking).expect("a place");
    let failing = Job::fallible(async { Err::<(), _>("on purpose") }).priority(Priority::Critical);
    let _failing = bench.worker.try_submit(failing).expect("a place");
    bench.run();

    let figures = metrics.snapshot();
    assert_eq!(figures.settled_as(Class::Completed, Priority::High), 1);
    assert_eq!(figures.settled_as(Class::Cancelled { cause: Cause::REQUESTED, started: false }, Priority::Normal), 1);
    assert_eq!(figures.settled_as(Class::TimedOut(Phase::Queued), Priority::Low), 1);
    assert_eq!(figures.settled_as(Class::Panicked, Priority::Critical), 1);
    assert_eq!(figures.settled_as(Class::Failed, Priority::Critical), 1);
    assert_eq!(Priority::ALL.map(|level| figures.settled(level)), [1, 1, 1, 2]);
    assert_eq!(Priority::ALL.map(|level| figures.unsettled(level)), [0; 4]);
    // The one that timed out waited for a second and never ran; the long one ran for two and never waited.
    assert_eq!(figures.queued(Priority::Low).max(), Some(SECOND));
    assert_eq!(figures.running(Priority::Low).count(), 0);
    assert_eq!(figures.queued(Priority::High).max(), Some(Duration::ZERO));
    assert_eq!(figures.running(Priority::High).max(), Some(2 * SECOND));
    assert_eq!(figures.running(Priority::Critical).count(), 2);
    agrees_with_the_books(&metrics, bench.worker.counts());
}

#[test]
fn the_least_and_the_greatest_are_exact_also_within_a_bucket() {
    let metrics = Arc::new(Metrics::new());
    let mut bench = bench(&metrics);
    for nanos in [1_000_003, 1_000_001, 1_000_002, 1_000_007, 1_000_004] {
        let job = Job::task_with(move |cx| async move { cx.sleep(Duration::from_nanos(nanos)).await });
        let handle = bench.worker.try_submit(job).expect("a place");
        bench.run();
        bench.advance(Duration::from_nanos(nanos));
        assert!(handle.is_finished());
    }
    let figures = metrics.snapshot();
    let running = figures.running(Priority::Normal);
    let exact = [1_000_001, 1_000_007].map(|nanos| Some(Duration::from_nanos(nanos)));
    assert_eq!(([running.min(), running.max()], running.count()), (exact, 5));
    assert_eq!(running.sum(), Duration::from_nanos(5_000_017));
    assert_eq!(figures.settled_as(Class::Completed, Priority::Normal), 5);
    assert_eq!(figures.settled_as(Class::Failed, Priority::Normal), 0);
}

#[test]
fn every_sample_has_its_own_name_and_all_of_them_add_up() {
    let metrics = Arc::new(Metrics::new());
    let mut bench = bench(&metrics);
    for round in 0..40_u64 {
        let priority = Priority::ALL[round as usize % 4];
        let handle =
            bench.worker.try_submit(Job::task_with(|cx| async move { cx.yield_now().await }).priority(priority));
        if round % 3 == 0 {
            let _ = handle.map(|handle| handle.cancel());
        }
        if round % 5 == 0 {
            bench.run();
        }
    }
    drop(bench.worker.shutdown(Shutdown::Abort));
    bench.run();
    let figures = metrics.snapshot();
    let mut names: Vec<_> =
        figures.samples().map(|sample| (sample.name, sample.priority.index(), sample.attribute)).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "two samples go by one name");
    assert!(names.iter().all(|(name, _, _)| name.starts_with("countermand.")));
    assert_eq!(figures.histograms().count(), 8);
    agrees_with_the_books(&metrics, bench.worker.counts());
}

/// A job that panicked has run if it was polled, or if it took time: one whose destructor panicked in the queue has not.
#[test]
fn a_panic_is_told_with_the_time_it_ran_if_it_did() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a destructor");
        }
    }
    let metrics = Arc::new(Metrics::new());
    let config = WorkerConfig::new().lanes(1).drivers(1).capacity(4).observer(Arc::clone(&metrics) as _);
    let mut bench = Bench::with_threads(config);
    let ran = || metrics.snapshot().running(Priority::Normal).count();
    // In its first poll, at once.
    let _at_once = bench.worker.try_submit(Job::task(async { panic!("on purpose") })).expect("a place");
    bench.run();
    assert_eq!((bench.worker.counts().panicked, ran()), (1, 1));
    // In the queue: what it captured is dropped there.
    let bomb = Bomb;
    let queued = bench.worker.try_submit(Job::task(async move { drop(bomb) })).expect("a place");
    queued.cancel();
    bench.run();
    assert_eq!((bench.worker.counts().panicked, ran()), (2, 1));
    // On a thread, which polls nothing, after a second.
    let host = bench.host.clone();
    let call = Job::call(move |_| {
        host.pass(SECOND);
        assert_eq!(1, 2, "on purpose");
    });
    let _call = bench.worker.try_submit(call).expect("a place");
    bench.run();
    bench.host.clone().run_calls();
    bench.run();
    assert_eq!((bench.worker.counts().panicked, ran()), (3, 2));
    assert_eq!(metrics.snapshot().running(Priority::Normal).max(), Some(SECOND));
}

#[test]
fn a_refusal_is_counted_under_its_reason() {
    let metrics = Arc::new(Metrics::new());
    let bench = bench(&metrics);
    let refused = |reason: RejectReason| {
        let samples = metrics.snapshot();
        let of =
            |one: &Sample| one.name == "countermand.jobs.rejected" && one.attribute == Some(("reason", reason.name()));
        samples.samples().filter(of).map(|one| one.value).sum::<u64>()
    };
    let _places = [(); 2].map(|()| bench.worker.try_submit(Job::task(async {})).expect("a place"));
    (0..3).for_each(|_| assert!(bench.worker.try_submit(Job::task(async {})).is_err()));
    assert!(bench.worker.try_submit(Job::call(|_| ())).is_err());
    bench.worker.close();
    (0..2).for_each(|_| assert!(bench.worker.try_submit(Job::task(async {})).is_err()));
    assert_eq!([RejectReason::Full, RejectReason::NoThreads, RejectReason::Closed].map(refused), [3, 1, 2]);
}

/// Writes down what it is told, to be told again elsewhere.
#[derive(Default)]
struct Note(Mutex<Vec<(JobInfo, Settled)>>);

impl Observer for Note {
    fn settled(&self, job: &JobInfo, settled: &Settled) {
        self.0.lock().expect("free").push((job.clone(), *settled));
    }
}

/// More threads than have pages of their own: those that have none count together, and nothing is lost.
#[test]
fn however_many_threads_count_all_is_counted() {
    let note = Arc::new(Note::default());
    let mut bench = Bench::new(WorkerConfig::new().observer(note.clone()));
    let _done = bench.worker.try_submit(Job::task_with(|cx| async move { cx.yield_now().await })).expect("a place");
    bench.run();
    let (job, settled) = note.0.lock().expect("free").pop().expect("it has settled");
    let (metrics, threads) = (Metrics::new(), 100);
    let all_there = Barrier::new(threads);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                metrics.submitted(&job);
                metrics.settled(&job, &settled);
                // Nobody gives its page back before all have counted.
                all_there.wait();
            });
        }
    });
    let (figures, threads) = (metrics.snapshot(), threads as u64);
    assert_eq!((figures.submitted(Priority::Normal), figures.settled(Priority::Normal)), (threads, threads));
    assert_eq!(figures.queued(Priority::Normal).count(), threads);
    assert_eq!(figures.running(Priority::Normal).count(), threads);
}

/// The worker counts for itself, elsewhere; both must agree.
fn agrees_with_the_books(metrics: &Metrics, counts: Counts) {
    let figures = metrics.snapshot();
    let sum = |name: &str, attribute: Option<&str>| -> u64 {
        let samples = figures.samples().filter(|sample| sample.name == name);
        samples
            .filter(|sample| attribute.is_none() || sample.attribute.map(|(_, value)| value) == attribute)
            .map(|sample| sample.value)
            .sum()
    };
    assert!(counts.accepted > 0 && counts.balances());
    assert_eq!(sum("countermand.jobs.submitted", None), counts.accepted);
    assert_eq!(sum("countermand.jobs.rejected", None), counts.rejected);
    let settled = ["completed", "failed", "cancelled", "timed_out", "panicked", "abandoned"]
        .map(|outcome| sum("countermand.jobs.settled", Some(outcome)));
    let books =
        [counts.completed, counts.failed, counts.cancelled, counts.timed_out, counts.panicked, counts.abandoned];
    assert_eq!(settled, books);
    let waited: u64 = Priority::ALL.iter().map(|level| figures.queued(*level).count()).sum();
    assert_eq!(waited, counts.settled());
}
