//! Corners of a worker where its neighbours meet: two workers in one thread, a host that lends little or throws calls away, a keeper that is told in time.
#![cfg(feature = "std")]

mod common;

use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use common::bench::{Bench, Hand, take};
use common::gate::Gate;
use common::{Count, poll};
use countermand_core::{
    Alarm, Assembly, Cause, Host, Instant, Job, JobInfo, Observer, Outcome, RejectReason, Shutdown, Step, Worker,
    WorkerConfig,
};

const SECOND: Duration = Duration::from_secs(1);

fn config() -> WorkerConfig {
    WorkerConfig::new().lanes(2).drivers(1).capacity(8)
}

/// A host that lends a clock which stands still, and what else it is made of.
#[derive(Default)]
struct Still {
    says_it_has_threads: bool,
}

impl Alarm for Still {
    fn poll_at(self: Pin<&mut Self>, _: Instant, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Host for Still {
    type Alarm = Self;

    fn now(&self) -> Instant {
        Instant::ORIGIN
    }

    fn alarm(&self) -> Self {
        Self::default()
    }

    fn has_threads(&self) -> bool {
        self.says_it_has_threads
    }
}

/// As little as a host may be.
struct Bare;

impl Host for Bare {
    type Alarm = Still;

    fn now(&self) -> Instant {
        Instant::ORIGIN
    }

    fn alarm(&self) -> Still {
        Still::default()
    }
}

#[test]
fn b1_where_there_are_no_threads_a_call_is_refused_and_one_that_nobody_takes_settles() {
    let (worker, _attendants) = Assembly::new(config(), Arc::new(Bare)).expect("a good config").into_parts();
    assert_eq!(worker.try_submit(Job::call(|_| ())).expect_err("no threads").reason, RejectReason::NoThreads);
    let quiet = Arc::new(Still::default());
    let (worker, _attendants) = Assembly::new(config(), quiet).expect("a good config").into_parts();
    assert_eq!(worker.try_submit(Job::call(|_| ())).expect_err("no threads").reason, RejectReason::NoThreads);
    // One that says it has some, and gives every call back.
    let boasts = Arc::new(Still { says_it_has_threads: true });
    let (worker, mut drivers, _keeper) = Assembly::new(config(), boasts).expect("a good config").into_machine();
    let mut handle = worker.try_submit(Job::call(|_| ())).expect("a place");
    while drivers[0].step(&mut Context::from_waker(Waker::noop()), Instant::ORIGIN) == Step::Again {}
    assert!(matches!(take(&mut handle), Outcome::Cancelled { cause: Cause::SHUTDOWN, started: false }));
}

#[test]
fn b1_a_call_that_is_thrown_away_settles_and_its_lane_is_free() {
    let mut bench = Bench::with_threads(config().lanes(1));
    for _ in 0..3 {
        let captured = Arc::new(());
        let inside = captured.clone();
        let mut handle = bench.worker.try_submit(Job::call(move |_| drop(inside))).expect("a place");
        bench.run();
        bench.host.throw_calls_away();
        bench.run();
        assert!(matches!(take(&mut handle), Outcome::Cancelled { started: false, .. }));
        assert_eq!((Arc::strong_count(&captured), bench.worker.running()), (1, 0));
    }
}

/// S5: a job has a number within its worker, and another worker's job with the same number is another job.
#[test]
fn s5_whoever_waits_for_another_worker_is_none_of_its_jobs() {
    let (mut one, mut other) = (Bench::new(config()), Bench::new(config()));
    let gate = Gate::default();
    let pass = gate.clone();
    let runs = other.worker.try_submit(Job::task(async move { pass.pass().await })).expect("a place");
    other.run();
    let door = other.worker.clone();
    let waits = Job::task(async move { door.shutdown(Shutdown::Drain).await.counts });
    let mut waits = one.worker.try_submit(waits).expect("a place");
    assert_eq!(runs.id(), waits.id(), "both are the first");
    for _ in 0..3 {
        one.run();
        other.run();
    }
    assert!(!waits.is_finished(), "a job of the other worker goes on");
    gate.open();
    other.run();
    one.run();
    let Outcome::Completed(counts) = take(&mut waits) else { panic!("it waited") };
    assert_eq!((counts.completed, counts.unsettled), (1, 0));
}

/// C3: only the drivers of its own worker are needed for a job to end.
#[test]
fn c3_a_callback_of_one_worker_may_wait_for_a_job_of_another() {
    let (mut one, other) = (Bench::new(config()), Arc::new(Mutex::new(Bench::new(config()))));
    let stuck = other.lock().expect("free").worker.try_submit(Job::task(async { 7 })).expect("a place");
    let (told, stuck) = (Arc::new(Mutex::new(None)), Mutex::new(Some(stuck)));
    let (tell, drive) = (told.clone(), other.clone());
    let quick = one.worker.try_submit(Job::task(async {})).expect("a place");
    quick.on_done(move |_| {
        let handle = stuck.lock().expect("free").take().expect("once");
        // Somebody else's thread drives the other worker meanwhile.
        let driver = std::thread::spawn(move || drive.lock().expect("free").run());
        *tell.lock().expect("free") = Some(handle.wait().map(Outcome::completed).map_err(|error| error.reason));
        driver.join().expect("it does not panic");
    });
    one.run();
    assert_eq!(told.lock().expect("free").take(), Some(Ok(Some(7))));
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

/// L2: where both there are, new jobs and the lanes have every second step.
#[test]
fn l2_new_jobs_and_lanes_alternate() {
    let mut bench = Bench::new(WorkerConfig::new().lanes(16).drivers(1).capacity(16));
    let log: Arc<Mutex<Vec<char>>> = Arc::default();
    let note = |what: char| {
        let log = log.clone();
        move || log.lock().expect("free").push(what)
    };
    let lane = note('l');
    let spins = poll_fn(move |cx| {
        lane();
        cx.waker().wake_by_ref();
        Poll::<()>::Pending
    });
    let spins = bench.worker.try_submit(Job::task(spins)).expect("a place");
    bench.turn();
    let handles: Vec<_> = (0..8)
        .map(|_| {
            let new = note('n');
            bench.worker.try_submit(Job::task(async move { new() })).expect("a place")
        })
        .collect();
    log.lock().expect("free").clear();
    bench.turn();
    let log: String = log.lock().expect("free").iter().collect();
    assert!(handles.iter().all(|handle| handle.is_finished()));
    let first = log.find('n').expect("they ran");
    assert!(log[first..].starts_with("nlnlnlnlnlnlnlnl") && first <= 1, "{log}");
    spins.cancel();
    bench.run();
}

/// Writes down who is said to hold up a driver.
#[derive(Default)]
struct Stalls(AtomicUsize);

impl Observer for Stalls {
    fn stalled(&self, _: &JobInfo, _: Duration) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// L3: a keeper that rests is told when a poll begins, each time, and says when it looks again; and it looks only then.
#[test]
fn l3_a_keeper_that_rests_is_told_of_a_poll_and_looks_in_time() {
    let stalls = Arc::new(Stalls::default());
    let host = Arc::new(Hand::default());
    let config = config().watchdog(Some(SECOND)).observer(stalls.clone());
    let (worker, mut drivers, keeper) = Assembly::new(config, host.clone()).expect("a good config").into_machine();
    let (told, keepers) = Count::new();
    let keeper = Arc::new(Mutex::new(keeper));
    let rest = {
        let (host, keeper) = (host.clone(), keeper.clone());
        move || {
            let mut keeper = keeper.lock().expect("free");
            loop {
                match keeper.step(&mut Context::from_waker(&keepers), Host::now(&*host)) {
                    Step::Again => {}
                    Step::Parked(until) => break until,
                    Step::Closed => panic!("it is open"),
                }
            }
        }
    };
    assert_eq!(rest(), None);
    for round in 1..=3 {
        let before = told.get();
        let (own, clock, inside, own_told) = (rest.clone(), host.clone(), stalls.clone(), told.clone());
        let held = poll_fn(move |_| {
            assert!(own_told.get() > before, "round {round}: nobody told the keeper");
            let begun = Host::now(&*clock);
            let look_at = own().expect("it looks after this poll");
            assert_eq!(look_at.saturating_since(begun), SECOND);
            clock.pass(SECOND - Duration::from_nanos(1));
            own();
            assert_eq!(inside.0.load(Ordering::SeqCst), round - 1);
            clock.pass(Duration::from_nanos(1));
            own();
            assert_eq!(inside.0.load(Ordering::SeqCst), round);
            Poll::Ready(())
        });
        let mut handle = worker.try_submit(Job::task(held)).expect("a place");
        while drivers[0].step(&mut Context::from_waker(Waker::noop()), Host::now(&*host)) == Step::Again {}
        assert!(matches!(take(&mut handle), Outcome::Completed(())), "round {round}");
        // Everybody rests, and the keeper, having seen it, looks no more.
        host.pass(SECOND);
        rest();
        host.pass(SECOND);
        assert_eq!(rest(), None, "round {round}");
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

/// When it goes, it comes to the same list again.
struct Nosy(Worker);

impl Wake for Nosy {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Nosy {
    fn drop(&mut self) {
        let mut wait = self.0.shutdown(Shutdown::Drain);
        assert!(poll(Pin::new(&mut wait), Waker::noop()).is_pending());
    }
}

/// T8: whoever gives a wait up has its waker dropped under no lock.
#[test]
fn t8_the_waker_of_a_wait_that_is_dropped_may_come_back() {
    let mut bench = Bench::new(config());
    let stuck = bench.worker.try_submit(Job::task(pending::<()>())).expect("a place");
    bench.run();
    let mut wait = bench.worker.shutdown(Shutdown::Drain);
    let waker = Waker::from(Arc::new(Nosy(bench.worker.clone())));
    assert!(poll(Pin::new(&mut wait), &waker).is_pending());
    drop(waker);
    drop(wait);
    stuck.cancel();
    bench.run();
    assert!(bench.worker.is_closed() && stuck.is_finished());
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
