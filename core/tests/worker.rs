//! What a worker does to one job, step by step, on the smallest host there is.

mod common;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use common::bench::{Bench, take};
use countermand_core::{
    Cause, FullPolicy, Instant, Job, Outcome, Phase, Priority, RejectReason, Shutdown, WorkerConfig,
};

fn config() -> WorkerConfig {
    WorkerConfig::new().lanes(2).drivers(1).capacity(2)
}

#[test]
fn completes_cancels_and_times_out() {
    let mut bench = Bench::new(config());
    let mut value = bench.worker.try_submit(Job::task(async { 42 })).expect("a place");
    let mut stuck = bench.worker.try_submit(Job::task(std::future::pending::<()>())).expect("a place");
    bench.run();
    assert!(matches!(take(&mut value), Outcome::Completed(42)));
    assert_eq!(bench.worker.running(), 1);
    assert!(stuck.cancel());
    assert!(!stuck.cancel());
    bench.run();
    assert!(matches!(take(&mut stuck), Outcome::Cancelled { cause: Cause::REQUESTED, started: true }));
    let limit = Duration::from_secs(3);
    let mut timed =
        bench.worker.try_submit(Job::task(std::future::pending::<()>()).run_timeout(limit)).expect("a place");
    bench.run();
    bench.advance(limit - Duration::from_nanos(1));
    assert!(!timed.is_finished());
    bench.advance(Duration::from_nanos(1));
    assert!(matches!(take(&mut timed), Outcome::TimedOut { phase: Phase::Running, late: None }));
    let counts = bench.worker.counts();
    assert_eq!((counts.completed, counts.cancelled, counts.timed_out), (1, 1, 1));
}

#[test]
fn sleeps_on_the_drivers_clock() {
    let mut bench = Bench::new(config());
    let mut sleeper = bench
        .worker
        .try_submit(Job::task_with(|cx| async move {
            cx.sleep(Duration::from_secs(1)).await;
            let late = cx.timeout(Duration::from_secs(1), std::future::pending::<()>()).await;
            (cx.now(), late.is_err())
        }))
        .expect("a place");
    bench.run();
    bench.advance(Duration::from_secs(1));
    bench.advance(Duration::from_secs(1));
    assert!(matches!(take(&mut sleeper), Outcome::Completed((at, true)) if at == Instant::from_nanos(2_000_000_000)));
}

#[test]
fn full_queue_gives_the_job_back_or_waits() {
    let mut bench = Bench::new(config().full(FullPolicy::Wait));
    let mut running = Vec::new();
    for _ in 0..2 {
        running.push(bench.worker.try_submit(Job::task(std::future::pending::<()>())).expect("a place"));
        bench.run();
    }
    for _ in 0..2 {
        running.push(bench.worker.try_submit(Job::task(std::future::pending::<()>())).expect("a place"));
    }
    let rejected = bench.worker.try_submit(Job::task(async {}).name("one too many")).expect_err("full");
    assert_eq!((rejected.reason, rejected.job.label()), (RejectReason::Full, "one too many"));
    assert_eq!(rejected.to_string(), format!("the job was not accepted: {}", RejectReason::Full));
    let mut waiting = bench.worker.submit(Job::task(async { 1 }).priority(Priority::High));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(Pin::new(&mut waiting).poll(&mut cx).is_pending());
    running[3].cancel();
    bench.run();
    let mut handle = take(&mut waiting).expect("accepted");
    running[0].cancel();
    bench.run();
    assert!(matches!(take(&mut handle), Outcome::Completed(1)));
}

#[test]
fn q4_one_with_a_parent_that_waited_in_line_is_told_of_a_cancel() {
    // Its token was told to hear no more when there was no place, and has to hear again when there is one: in the queue, and in a lane.
    for in_a_lane in [false, true] {
        let mut bench = Bench::new(config().lanes(1).capacity(1).full(FullPolicy::Wait));
        let parent = countermand_core::Token::new();
        let blocker = bench.worker.try_submit(Job::task(std::future::pending::<()>())).expect("a place");
        bench.run();
        let ahead = bench.worker.try_submit(Job::task(async {})).expect("a place");
        let mut waiting = bench.worker.submit(Job::task(std::future::pending::<()>()).parent(&parent));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut waiting).poll(&mut cx).is_pending());
        ahead.cancel();
        bench.run();
        let mut handle = take(&mut waiting).expect("accepted");
        if in_a_lane {
            blocker.cancel();
        }
        bench.run();
        assert_eq!(bench.worker.queued(), usize::from(!in_a_lane));
        assert!(handle.cancel());
        bench.run();
        let started = in_a_lane;
        assert!(
            matches!(take(&mut handle), Outcome::Cancelled { cause: Cause::REQUESTED, started: s } if s == started)
        );
    }
}

#[test]
fn q6_a_place_that_was_promised_is_told_of_and_passed_on() {
    let mut bench = Bench::new(config().lanes(1).capacity(1).full(FullPolicy::Wait));
    assert!(!bench.worker.is_closed());
    let running = bench.worker.try_submit(Job::task(std::future::pending::<()>())).expect("a place");
    bench.run();
    let queued = bench.worker.try_submit(Job::task(async {})).expect("a place");
    let mut cx = Context::from_waker(Waker::noop());
    let mut waiting = [1, 2].map(|number| bench.worker.submit(Job::task(async move { number })));
    assert!(waiting.iter_mut().all(|submit| Pin::new(submit).poll(&mut cx).is_pending()));
    queued.cancel();
    bench.run();
    assert_eq!((bench.worker.promised(), bench.worker.queued()), (1, 0));
    // Whoever is late finds the place taken, though nobody is in it.
    assert!(bench.worker.try_submit(Job::task(async {}).priority(Priority::Critical)).is_err());
    let [first, mut second] = waiting;
    drop(first);
    assert_eq!(bench.worker.promised(), 1);
    let mut second = take(&mut second).expect("its place");
    assert_eq!((bench.worker.promised(), bench.worker.queued()), (0, 1));
    running.cancel();
    bench.run();
    assert!(matches!(take(&mut second), Outcome::Completed(2)));
}

#[test]
fn s6_the_last_door_that_is_dropped_ends_everything() {
    let Bench { host, worker, mut attendants, .. } = Bench::new(config().lanes(1));
    let mut running = worker.try_submit(Job::task(std::future::pending::<()>())).expect("a place");
    let mut queued = worker.try_submit(Job::task(std::future::pending::<()>())).expect("a place");
    let mut cx = Context::from_waker(Waker::noop());
    attendants.iter_mut().flatten().for_each(|one| assert!(one.as_mut().poll(&mut cx).is_pending()));
    let other = worker.clone();
    drop(worker);
    attendants.iter_mut().flatten().for_each(|one| assert!(one.as_mut().poll(&mut cx).is_pending()));
    assert!(!running.is_finished(), "there is another door");
    drop(other);
    for _ in 0..3 {
        for place in &mut attendants {
            if place.as_mut().is_some_and(|one| one.as_mut().poll(&mut cx).is_ready()) {
                *place = None;
            }
        }
    }
    assert!(matches!(take(&mut running), Outcome::Cancelled { cause: Cause::SHUTDOWN, started: true }));
    assert!(matches!(take(&mut queued), Outcome::Cancelled { cause: Cause::SHUTDOWN, started: false }));
    assert!(attendants.iter().all(Option::is_none), "they have left");
    drop(host);
}

#[test]
fn shuts_down() {
    let mut bench = Bench::new(config());
    let mut one = bench.worker.try_submit(Job::task(std::future::pending::<()>())).expect("a place");
    bench.run();
    let mut wait = bench.worker.shutdown(Shutdown::DrainFor(Duration::from_secs(5)));
    bench.run();
    assert!(bench.worker.try_submit(Job::task(async {})).is_err());
    bench.advance(Duration::from_secs(5));
    let report = take(&mut wait);
    assert!(report.counts.balances());
    assert_eq!((report.counts.cancelled, report.cut_off.len(), report.survivors.len()), (1, 1, 0));
    assert!(matches!(take(&mut one), Outcome::Cancelled { cause: Cause::SHUTDOWN, started: true }));
}

#[test]
fn asks_at_the_call_for_an_abort_and_names_who_is_cut_off() {
    let mut bench = Bench::new(config());
    let mut stuck = bench.worker.try_submit(Job::task(std::future::pending::<()>()).name("stuck")).expect("a place");
    bench.run();
    let mut abort = bench.worker.shutdown(Shutdown::Abort);
    assert_eq!(stuck.token().cause(), Some(Cause::SHUTDOWN));
    bench.run();
    assert!(matches!(take(&mut stuck), Outcome::Cancelled { cause: Cause::SHUTDOWN, started: true }));
    let cut_off: Vec<_> = take(&mut abort).cut_off.into_iter().map(|job| job.name).collect();
    assert_eq!(cut_off, ["stuck"]);
}

#[test]
fn settles_everything_when_its_host_goes() {
    let mut bench = Bench::new(config());
    let mut handles: Vec<_> =
        (0..2).map(|_| bench.worker.try_submit(Job::task(std::future::pending::<()>())).expect("a place")).collect();
    bench.run();
    handles.push(bench.worker.try_submit(Job::task(std::future::pending::<()>())).expect("a place"));
    bench.attendants.clear();
    for (index, mut handle) in handles.into_iter().enumerate() {
        let started = index < 2;
        assert!(matches!(take(&mut handle), Outcome::Cancelled { cause: Cause::SHUTDOWN, started: s } if s == started));
    }
    assert!(take(&mut bench.worker.shutdown(Shutdown::Drain)).counts.balances());
}

#[test]
fn a_worker_whose_host_went_is_released() {
    // X4: the last driver settles what is queued, and by that asks the keeper to reap it, who goes next and will not.
    let mut bench = Bench::new(config());
    let handle = bench.worker.try_submit(Job::task(std::future::pending::<()>())).expect("a place");
    bench.attendants.clear();
    drop(handle);
    let host = std::sync::Arc::downgrade(&bench.host);
    drop(bench);
    assert_eq!(host.strong_count(), 0, "something of the worker still holds its host");
}

#[test]
fn grace_counts_from_the_request_not_from_the_lane() {
    // J5
    let mut bench = Bench::new(config());
    let grace = Duration::from_secs(2);
    let mut stuck = bench.worker.try_submit(Job::task(std::future::pending::<()>()).grace(grace)).expect("a place");
    bench.run();
    assert!(stuck.cancel());
    // Nobody has had a turn since, and all but a nanosecond of the grace has passed when the lane comes to see the request.
    bench.advance(grace - Duration::from_nanos(1));
    assert!(!stuck.is_finished());
    bench.advance(Duration::from_nanos(1));
    assert!(matches!(take(&mut stuck), Outcome::Cancelled { cause: Cause::REQUESTED, started: true }));
}
