//! Every settled job is told of exactly once, as what it was (E7).
#![cfg(feature = "std")]

mod common;

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use common::bench::Bench;
use countermand_core::{Cause, Event, Job, JobReports, Level, Priority, WorkerConfig, catalogue};

const SECOND: Duration = Duration::from_secs(1);

fn config() -> WorkerConfig {
    WorkerConfig::new().lanes(1).drivers(1).capacity(4)
}

#[test]
fn e7_each_outcome_is_told_once() {
    let told: Arc<Mutex<Vec<Event>>> = Arc::default();
    let list = Arc::clone(&told);
    let reports = JobReports::new("tolaria", move |event: &Event| list.lock().expect("whole").push(*event));
    let reports = Arc::new(reports.expect("it has a name"));
    let mut bench = Bench::new(config().observer(Arc::clone(&reports) as _));
    let long = Job::task_with(|cx| async move { cx.sleep(2 * SECOND).await }).priority(Priority::High);
    let _long = bench.worker.try_submit(long.name("long")).expect("a place");
    bench.run();
    let cancelled = bench.worker.try_submit(Job::task(async {})).expect("a place");
    let late = Job::task(async {}).priority(Priority::Low).queue_timeout(SECOND);
    let _late = bench.worker.try_submit(late).expect("a place");
    assert!(cancelled.cancel_with(Cause::REQUESTED.with_text("operator pressed stop")));
    bench.run();
    bench.advance(SECOND);
    bench.advance(SECOND);
    let _panicking = bench.worker.try_submit(Job::task(async { panic!("on purpose") })).expect("a place");
    bench.run();
    let _failing = bench.worker.try_submit(Job::fallible(async { Err::<(), _>("on purpose") })).expect("a place");
    bench.run();
    // Whose handle is gone is told of as well.
    drop(bench.worker.try_submit(Job::task(async {})).expect("a place"));
    bench.run();

    let told = told.lock().expect("whole");
    let shown: Vec<String> = told.iter().map(ToString::to_string).collect();
    let expected = [
        "WARNING job.cancelled (subsystem=tolaria, job=, id=2, priority=NORMAL, cause=requested: operator pressed stop, started=false, queued=0, running=0)",
        "ERROR job.timed_out (subsystem=tolaria, job=, id=3, priority=LOW, started=false, late=false, queued=1, running=0)",
        "INFO job.completed (subsystem=tolaria, job=long, id=1, priority=HIGH, queued=0, running=2, polls=2, late=false)",
        "CRITICAL job.panicked (subsystem=tolaria, job=, id=4, priority=NORMAL, queued=0, running=0, polls=1)",
        "ERROR job.failed (subsystem=tolaria, job=, id=5, priority=NORMAL, queued=0, running=0, polls=1, late=false)",
        "INFO job.completed (subsystem=tolaria, job=, id=6, priority=NORMAL, queued=0, running=0, polls=1, late=false)",
    ];
    assert_eq!(shown, expected);
    assert_eq!(told.len() as u64, bench.worker.counts().settled());
    assert_eq!(reports.contained_panics(), 0);
    assert!(told.iter().all(|event| catalogue::EVENTS.iter().any(|entry| entry.name == event.name())));
}

#[test]
fn e7_a_call_that_is_left_to_itself_is_told_of() {
    let told: Arc<Mutex<Vec<Event>>> = Arc::default();
    let list = Arc::clone(&told);
    let reports = JobReports::new("tolaria", move |event: &Event| list.lock().expect("whole").push(*event));
    let mut bench = Bench::with_threads(config().observer(Arc::new(reports.expect("it has a name"))));
    let (open, gate) = mpsc::channel::<()>();
    let (begin, begun) = mpsc::channel::<()>();
    let stuck = Job::call(move |_| {
        begin.send(()).expect("the test waits");
        gate.recv().expect("the test opens it");
    });
    let _stuck = bench.worker.try_submit(stuck.abandonable().run_timeout(SECOND)).expect("a place");
    bench.turn();
    let host = Arc::clone(&bench.host);
    let thread = std::thread::spawn(move || host.run_calls());
    begun.recv().expect("it begins");
    bench.turn();
    bench.advance(SECOND);
    assert_eq!(bench.worker.counts().abandoned, 1);
    // What it returns then is not told of.
    open.send(()).expect("it waits");
    thread.join().expect("no panic");
    bench.run();
    let told = told.lock().expect("whole");
    let said: Vec<_> = told.iter().map(|event| (event.name(), event.level())).collect();
    assert_eq!(said, [("job.abandoned", Level::Critical)]);
}

#[test]
fn a_panic_of_the_intake_is_contained_and_counted() {
    let reports = Arc::new(JobReports::new("tolaria", |_: &Event| panic!("planted in an intake")).expect("a name"));
    let mut bench = Bench::new(config().observer(Arc::clone(&reports) as _));
    for _ in 0..3 {
        drop(bench.worker.try_submit(Job::task(async {})).expect("a place"));
        bench.run();
    }
    assert_eq!((reports.contained_panics(), bench.worker.counts().completed), (3, 3));
    assert_eq!(JobReports::new("", |_: &Event| {}).map(|_| ()).expect_err("no name").to_string(), "subsystem is empty");
}
