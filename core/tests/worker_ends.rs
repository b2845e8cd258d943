//! How a worker ends where its parts meet: limits of a drain, drivers that go, submits that stand in line.
#![cfg(feature = "std")]

mod common;

use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::bench::{Bench, Hand, take};
use common::gate::Gate;
use common::{Count, poll};
use countermand_core::{
    Assembly, Cause, Handle, Host, Instant, Job, JobState, Outcome, RejectReason, Shutdown, Step, WorkerConfig,
};

const SECOND: Duration = Duration::from_secs(1);

fn config() -> WorkerConfig {
    WorkerConfig::new().lanes(2).drivers(1).capacity(8)
}

/// S6: the host of an idle worker goes; whoever listens to its token hears of it.
#[test]
fn s6_a_worker_whose_host_goes_is_cancelled_also_when_it_has_nothing_to_do() {
    for keeper_first in [false, true] {
        let mut bench = Bench::new(config());
        let mut done = bench.worker.try_submit(Job::task(async {})).expect("a place");
        bench.run();
        assert!(matches!(take(&mut done), Outcome::Completed(())));
        let token = bench.worker.token();
        assert!(!token.is_cancelled());
        if keeper_first {
            bench.attendants.reverse();
        }
        bench.attendants.iter_mut().for_each(|attendant| drop(attendant.take()));
        assert_eq!((token.cause(), bench.worker.is_closed()), (Some(Cause::SHUTDOWN), true));
        assert!(bench.worker.try_submit(Job::task(async {})).is_err());
    }
}

/// B4, S5: a call that was abandoned is waited for by nobody, and so its own wait is for the others.
#[test]
fn s5_an_abandoned_call_that_waits_for_the_end_waits_for_the_jobs_that_go_on() {
    let bench = Bench::with_threads(config().shutdown_limit(SECOND));
    let (worker, host) = (bench.worker.clone(), bench.host.clone());
    let gate = Gate::default();
    let pass = gate.clone();
    let goes_on = Job::task_with(move |cx| async move { cx.shielded(|_| pass.pass()).await });
    let goes_on = worker.try_submit(goes_on.grace(SECOND)).expect("a place");
    let bench = Arc::new(Mutex::new(bench));
    let (inside, door) = (bench.clone(), worker.clone());
    let call = Job::call(move |_| {
        let mut bench = inside.lock().expect("free");
        drop(door.shutdown(Shutdown::Abort));
        bench.run();
        bench.advance(SECOND);
        assert_eq!(door.counts().abandoned, 1);
        let mut wait = door.shutdown(Shutdown::Abort);
        let (_, waker) = Count::new();
        for _ in 0..3 {
            assert!(poll(Pin::new(&mut wait), &waker).is_pending(), "another job goes on");
            bench.run();
        }
        gate.open();
        bench.run();
        bench.advance(SECOND);
        assert_eq!(take(&mut wait).counts.unsettled, 0);
    });
    let mut call = worker.try_submit(call).expect("a place");
    bench.lock().expect("free").run();
    host.run_calls();
    assert!(matches!(take(&mut call), Outcome::Abandoned));
    assert!(goes_on.is_finished());
}

/// S4: one driver is held up when the limit passes, and another has a job in its lanes: that one is waited for.
#[test]
fn s4_who_is_not_held_up_is_waited_for_though_another_is() {
    let host = Arc::new(Hand::default());
    let config = WorkerConfig::new().lanes(4).drivers(2).capacity(8).shutdown_limit(SECOND);
    let (worker, drivers, keeper) = Assembly::new(config, host.clone()).expect("a good config").into_machine();
    let mut drivers = drivers.into_iter();
    let (mut first, second) = (drivers.next().expect("one"), drivers.next().expect("two"));
    let (second, keeper) = (Arc::new(Mutex::new(second)), Arc::new(Mutex::new(keeper)));
    let go = {
        let (host, second, keeper) = (host.clone(), second.clone(), keeper.clone());
        move || {
            for _ in 0..50 {
                let cx = &mut Context::from_waker(Waker::noop());
                second.lock().expect("free").step(cx, Host::now(&*host));
                keeper.lock().expect("free").step(cx, Host::now(&*host));
            }
        }
    };
    let gate = Gate::default();
    let pass = gate.clone();
    let goes_on = Job::task_with(move |cx| async move { cx.shielded(|_| pass.pass()).await });
    let goes_on = worker.try_submit(goes_on.name("goes on").grace(SECOND)).expect("a place");
    go();
    let (clock, door, all) = (host.clone(), worker.clone(), go.clone());
    let stuck = poll_fn(move |_| {
        let mut wait = door.shutdown(Shutdown::Abort);
        all();
        for _ in 0..3 {
            clock.pass(SECOND);
            all();
            assert!(poll(Pin::new(&mut wait), Waker::noop()).is_pending(), "one that is not held up goes on");
        }
        gate.open();
        for _ in 0..3 {
            clock.pass(SECOND);
            all();
        }
        let report = take(&mut wait);
        let names: Vec<_> = report.survivors.iter().map(|job| job.name.to_string()).collect();
        assert_eq!(names, ["stuck"]);
        Poll::Ready(())
    });
    let stuck = worker.try_submit(Job::task(stuck).name("stuck")).expect("a place");
    for _ in 0..20 {
        first.step(&mut Context::from_waker(Waker::noop()), Host::now(&*host));
    }
    assert!(stuck.is_finished() && goes_on.is_finished());
    go();
    assert_eq!(worker.counts().unsettled, 0);
}

/// S3: whoever waits for a place when the worker is closed has its job back, told why, and leaves nobody in its place.
#[test]
fn s3_whoever_stands_in_line_when_it_is_closed_has_its_job_back() {
    let bench = Bench::new(WorkerConfig::new().lanes(1).drivers(1).capacity(1));
    let _first = bench.worker.try_submit(Job::task(pending::<()>())).expect("a place");
    let mut submits: Vec<_> = (0..2).map(|number| bench.worker.submit(Job::task(async move { number }))).collect();
    for submit in &mut submits {
        assert!(Pin::new(submit).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    bench.worker.close();
    for submit in &mut submits {
        assert_eq!(take(submit).expect_err("it is closed").reason, RejectReason::Closed);
    }
    drop(submits);
    assert_eq!((bench.worker.queued(), bench.worker.promised(), bench.worker.counts().rejected), (1, 0, 2));
}

/// S6: the last driver that goes closes the worker, and settles what lies in the queue.
#[test]
fn s6_the_last_driver_takes_the_queue_with_it() {
    let mut bench = Bench::new(WorkerConfig::new().lanes(2).drivers(2).capacity(8));
    bench.run();
    let mut queued = bench.worker.try_submit(Job::task(async {})).expect("a place");
    drop(bench.attendants[0].take());
    assert!(!bench.worker.is_closed() && !queued.is_finished(), "another one goes on");
    drop(bench.attendants[1].take());
    assert!(bench.worker.is_closed());
    assert!(matches!(take(&mut queued), Outcome::Cancelled { cause: Cause::SHUTDOWN, started: false }));
    let mut wait = bench.worker.shutdown(Shutdown::Drain);
    assert!(poll(Pin::new(&mut wait), Waker::noop()).is_pending(), "the keeper is there yet");
    drop(bench.attendants[2].take());
    assert_eq!(take(&mut wait).counts.unsettled, 0);
}

/// S4, L5: the limit of a drain wakes whoever has to see to it, and nobody else need be.
#[test]
fn s4_the_limit_of_a_drain_is_kept_though_everybody_rests() {
    let mut bench = Bench::new(config().watchdog(None));
    let mut stuck = bench.worker.try_submit(Job::task(pending::<()>()).name("stuck")).expect("a place");
    let mut queued =
        (0..4).map(|_| bench.worker.try_submit(Job::task(pending::<()>()).name("queued")).expect("a place"));
    let queued: Vec<_> = queued.by_ref().collect();
    bench.run();
    let mut wait = bench.worker.shutdown(Shutdown::DrainFor(SECOND));
    bench.run();
    bench.advance(SECOND - Duration::from_nanos(1));
    assert!(!stuck.is_finished());
    bench.advance(Duration::from_nanos(1));
    assert!(matches!(take(&mut stuck), Outcome::Cancelled { cause: Cause::SHUTDOWN, started: true }));
    assert!(queued.iter().all(Handle::is_finished));
    let report = take(&mut wait);
    let mut cut_off: Vec<_> = report.cut_off.iter().map(|job| (job.name.to_string(), job.state)).collect();
    cut_off.sort_by_key(|(name, state)| (name.clone(), *state == JobState::Running));
    let expected = [("queued", JobState::Queued), ("queued", JobState::Queued), ("queued", JobState::Queued)];
    let expected = expected.into_iter().chain([("queued", JobState::Running), ("stuck", JobState::Running)]);
    assert_eq!(cut_off, expected.map(|(name, state)| (name.to_owned(), state)).collect::<Vec<_>>());
}

#[test]
fn s4_a_limit_of_nothing_is_over_at_once() {
    let mut bench = Bench::new(config());
    let mut stuck = bench.worker.try_submit(Job::task(pending::<()>())).expect("a place");
    bench.run();
    let mut wait = bench.worker.shutdown(Shutdown::DrainFor(Duration::ZERO));
    bench.run();
    assert!(matches!(take(&mut stuck), Outcome::Cancelled { cause: Cause::SHUTDOWN, started: true }));
    assert_eq!(take(&mut wait).counts.cancelled, 1);
}

/// S6: a driver that goes hands on what it was rung for.
#[test]
fn s6_a_driver_that_goes_rings_another_for_what_it_was_rung_for() {
    let host = Arc::new(Hand::default());
    let config = WorkerConfig::new().lanes(2).drivers(2).capacity(8);
    let (worker, drivers, _keeper) = Assembly::new(config, host).expect("a good config").into_machine();
    let wakers = [(); 2].map(|()| Count::new());
    let mut drivers = drivers.into_iter().zip(&wakers).map(|(mut driver, (_, waker))| {
        while driver.step(&mut Context::from_waker(waker), Instant::ORIGIN) == Step::Again {}
        driver
    });
    let [first, mut second] = [(); 2].map(|()| drivers.next().expect("two"));
    let job = worker.try_submit(Job::task(async {})).expect("a place");
    assert_eq!(wakers.each_ref().map(|(count, _)| count.get()), [1, 0]);
    drop(first);
    assert_eq!(wakers[1].0.get(), 1);
    while second.step(&mut Context::from_waker(&wakers[1].1), Instant::ORIGIN) == Step::Again {}
    assert!(job.is_finished());
}

/// S4: when the limit has passed and somebody is held up, the keeper looks now and then, and rests in between.
#[test]
fn s4_a_keeper_that_waits_for_a_poll_to_end_rests_in_between() {
    let host = Arc::new(Hand::default());
    let (worker, mut drivers, keeper) =
        Assembly::new(config().shutdown_limit(SECOND), host.clone()).expect("a good config").into_machine();
    let keeper = Arc::new(Mutex::new(keeper));
    let (clock, door, own) = (host.clone(), worker.clone(), keeper.clone());
    let held = poll_fn(move |_| {
        let rests = || {
            let now = Host::now(&*clock);
            let mut keeper = own.lock().expect("free");
            let steps = (0..20).map(|_| keeper.step(&mut Context::from_waker(Waker::noop()), now));
            steps.into_iter().find_map(|step| match step {
                Step::Parked(Some(until)) => Some(until.saturating_since(now)),
                _ => None,
            })
        };
        drop(door.shutdown(Shutdown::Abort));
        assert_eq!(rests(), Some(SECOND), "until the limit");
        // A poll that has just begun is not held up.
        clock.pass(SECOND);
        assert!(rests().is_some_and(|until| until > Duration::ZERO && until < SECOND), "until its next look");
        Poll::Ready(())
    });
    let held = worker.try_submit(Job::task(held)).expect("a place");
    let spins = worker.try_submit(Job::task(poll_fn(|cx| {
        cx.waker().wake_by_ref();
        Poll::<()>::Pending
    })));
    for _ in 0..50 {
        drivers[0].step(&mut Context::from_waker(Waker::noop()), Host::now(&*host));
    }
    assert!(held.is_finished() && spins.is_ok_and(|spins| spins.is_finished()));
}

/// S3, Q6: submits that are dropped in line after the close leave no trace.
#[test]
fn q6_a_submit_that_is_dropped_in_line_after_the_close_leaves_nothing() {
    let bench = Bench::new(WorkerConfig::new().lanes(1).drivers(1).capacity(1));
    let _first = bench.worker.try_submit(Job::task(pending::<()>())).expect("a place");
    let mut submit = bench.worker.submit(Job::task(async {}));
    assert!(Pin::new(&mut submit).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    bench.worker.close();
    drop(submit);
    assert_eq!((bench.worker.queued(), bench.worker.promised()), (1, 0));
}
