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
    Alarm, Assembly, Cause, Handle, Host, Instant, Job, JobInfo, JobState, LatePolicy, Observer, Outcome, RejectReason,
    Shutdown, Step, WaitReason, Worker, WorkerConfig,
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

/// L2: a lane that is always ready has no more turns than another.
#[test]
fn l2_lanes_that_are_always_ready_take_turns() {
    let mut bench = Bench::new(WorkerConfig::new().lanes(3).drivers(1).capacity(3));
    let polls: [Arc<AtomicUsize>; 3] = Default::default();
    let spins = polls.clone().map(|polls| {
        let spin = poll_fn(move |cx| {
            polls.fetch_add(1, Ordering::SeqCst);
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        bench.worker.try_submit(Job::task(spin)).expect("a place")
    });
    (0..10).for_each(|_| bench.turn());
    let polls = polls.map(|polls| polls.load(Ordering::SeqCst));
    let (least, most) = (polls.iter().min().expect("three"), polls.iter().max().expect("three"));
    assert!(*least > 10 && most - least <= 2, "{polls:?}");
    spins.iter().for_each(|spin| assert!(spin.cancel()));
    bench.run();
}

/// L3: a driver that begins a poll is idle no more, so that what comes meanwhile goes to another one.
#[test]
fn l3_what_comes_while_a_driver_is_in_a_poll_goes_to_another_one() {
    let host = Arc::new(Hand::default());
    let config = WorkerConfig::new().lanes(4).drivers(2).capacity(8);
    let (worker, mut drivers, _keeper) = Assembly::new(config, host.clone()).expect("a good config").into_machine();
    let wakers = [(); 2].map(|()| Count::new());
    let mut rest = |which: usize| {
        while drivers[which].step(&mut Context::from_waker(&wakers[which].1), Host::now(&*host)) == Step::Again {}
    };
    let gate = Gate::default();
    let (pass, door) = (gate.clone(), worker.clone());
    let told: Arc<Mutex<Vec<[usize; 2]>>> = Arc::default();
    let (note, counts) = (told.clone(), [0, 1].map(|which: usize| wakers[which].0.clone()));
    let holds = Job::task(async move {
        pass.pass().await;
        // In a poll that takes long.
        let woken = || counts.each_ref().map(|count| count.get());
        let before = woken();
        let other = door.try_submit(Job::task(async {})).expect("a place");
        let after = woken();
        note.lock().expect("free").push([after[0] - before[0], after[1] - before[1]]);
        Some(other)
    });
    let mut holds = worker.try_submit(holds).expect("a place");
    rest(0);
    rest(1);
    gate.open();
    rest(0);
    assert_eq!(*told.lock().expect("free"), [[0, 1]], "the one that is not in a poll is rung");
    rest(1);
    let Outcome::Completed(Some(other)) = take(&mut holds) else { panic!("it returned") };
    assert!(other.is_finished());
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

#[test]
fn what_runs_is_counted_task_or_call() {
    let mut bench = Bench::with_threads(config());
    let call = bench.worker.try_submit(Job::call(|_| ())).expect("a place");
    let task = bench.worker.try_submit(Job::task(pending::<()>())).expect("a place");
    bench.run();
    assert_eq!(bench.worker.running(), 2);
    bench.host.run_calls();
    bench.run();
    assert_eq!(bench.worker.running(), 1);
    task.cancel();
    bench.run();
    assert_eq!((bench.worker.running(), call.is_finished()), (0, true));
}

/// Its destructor panics.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a destructor");
    }
}

/// P2, J9: a late value that nobody is given is others' code when it is dropped.
#[test]
fn p2_a_late_value_that_panics_when_it_is_discarded_harms_no_driver() {
    let mut bench = Bench::new(config());
    let clock = bench.host.clone();
    let late = Job::task_with(move |cx| async move {
        cx.token().cancelled().await;
        clock.pass(SECOND);
        Bomb
    });
    let late = late.run_timeout(SECOND).grace(SECOND * 9).late(LatePolicy::Discard);
    let mut late = bench.worker.try_submit(late).expect("a place");
    bench.run();
    bench.advance(SECOND);
    assert!(matches!(take(&mut late), Outcome::TimedOut { late: None, .. }));
    assert_eq!((bench.worker.counts().contained_panics, bench.worker.is_closed()), (1, false));
    let mut next = bench.worker.try_submit(Job::task(async { 7 })).expect("a place");
    bench.run();
    assert!(matches!(take(&mut next), Outcome::Completed(7)));
}

/// B2: a call that is cancelled before its thread comes to it settles at once, and is not begun.
#[test]
fn b2_a_call_that_is_cancelled_before_it_begins_settles_without_its_thread() {
    let mut bench = Bench::with_threads(config());
    let ran = Arc::new(AtomicUsize::new(0));
    let count = ran.clone();
    let mut call = bench.worker.try_submit(Job::call(move |_| count.fetch_add(1, Ordering::SeqCst))).expect("a place");
    bench.run();
    assert!(call.cancel());
    bench.run();
    assert!(matches!(take(&mut call), Outcome::Cancelled { cause: Cause::REQUESTED, started: false }));
    bench.host.run_calls();
    bench.run();
    assert_eq!((ran.load(Ordering::SeqCst), bench.worker.running()), (0, 0));
}

/// B3: only a call whose time is out is left to itself, and its lane is free when its closure has ended.
#[test]
fn b3_a_call_that_may_be_abandoned_is_when_its_time_is_out_and_not_before() {
    for (times_out, grace) in [(false, Duration::ZERO), (false, SECOND * 9), (true, Duration::ZERO)] {
        let bench = Bench::with_threads(config().lanes(1));
        let (worker, host) = (bench.worker.clone(), bench.host.clone());
        let bench = Arc::new(Mutex::new(bench));
        let (inside, door) = (bench.clone(), worker.clone());
        let call = Job::call(move |cx| {
            let mut bench = inside.lock().expect("free");
            bench.run();
            assert_eq!(door.counts().abandoned, 0);
            if times_out {
                bench.advance(SECOND);
                assert!(cx.is_cancelled());
            } else {
                bench.advance(SECOND / 2);
                assert!(!cx.is_cancelled());
            }
            assert_eq!(door.counts().abandoned, u64::from(times_out));
        });
        let call = call.abandonable().grace(grace).run_timeout(SECOND);
        let mut call = worker.try_submit(call).expect("a place");
        bench.lock().expect("free").run();
        host.run_calls();
        bench.lock().expect("free").run();
        assert_eq!(matches!(take(&mut call), Outcome::Abandoned), times_out);
        // The one lane is free again.
        let mut next = worker.try_submit(Job::task(async { 7 })).expect("a place");
        bench.lock().expect("free").run();
        assert!(matches!(take(&mut next), Outcome::Completed(7)), "after one that timed out: {times_out}");
    }
}

/// B3: one that is merely asked to stop is waited for.
#[test]
fn b3_a_call_that_may_be_abandoned_and_is_cancelled_is_waited_for() {
    for grace in [Duration::ZERO, SECOND * 9] {
        let bench = Bench::with_threads(config());
        let (worker, host) = (bench.worker.clone(), bench.host.clone());
        let (bench, handle) = (Arc::new(Mutex::new(bench)), Arc::new(Mutex::new(None::<Handle<()>>)));
        let (inside, door, own) = (bench.clone(), worker.clone(), handle.clone());
        let call = Job::call(move |cx| {
            let mut bench = inside.lock().expect("free");
            assert!(own.lock().expect("free").as_ref().is_some_and(Handle::cancel));
            bench.run();
            assert!(cx.is_cancelled());
            bench.advance(SECOND);
            assert_eq!(door.counts().abandoned, 0, "{grace:?}");
        });
        *handle.lock().expect("free") = Some(worker.try_submit(call.abandonable().grace(grace)).expect("a place"));
        bench.lock().expect("free").run();
        host.run_calls();
        bench.lock().expect("free").run();
        let mut handle = handle.lock().expect("free").take().expect("it was submitted");
        assert!(matches!(take(&mut handle), Outcome::Completed(())), "a value wins (J3)");
    }
}

/// J5: grace counts from when its time was out, not from when its lane saw that.
#[test]
fn j5_the_grace_of_a_job_whose_time_is_out_counts_from_then() {
    let mut bench = Bench::new(config());
    let ignores = Job::task(pending::<()>()).run_timeout(SECOND).grace(SECOND * 5);
    let mut ignores = bench.worker.try_submit(ignores).expect("a place");
    bench.run();
    bench.host.pass(SECOND * 3);
    bench.run();
    bench.advance(SECOND * 3 - Duration::from_nanos(1));
    assert!(!ignores.is_finished());
    bench.advance(Duration::from_nanos(1));
    assert!(matches!(take(&mut ignores), Outcome::TimedOut { .. }), "six seconds after it began");
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

/// C3: a thread that a driver needs has its job back instead of waiting; one that runs a call may wait.
#[test]
fn c3_who_may_block_waits_and_who_may_not_is_told() {
    let (mut one, other) = (Bench::with_threads(config()), Bench::new(config().capacity(1)));
    let stuck = other.worker.try_submit(Job::task(pending::<()>())).expect("a place");
    // In a poll: neither for a job of another worker, nor for a place in its queue.
    let door = other.worker.clone();
    let polls = Job::task(async move {
        let rejected = door.submit_blocking(Job::task(async { 5 })).expect_err("it is full");
        let waits = stuck.wait_timeout(SECOND).expect_err("a poll does not block");
        (rejected.reason, waits.reason)
    });
    let mut polls = one.worker.try_submit(polls).expect("a place");
    one.run();
    let Outcome::Completed(told) = take(&mut polls) else { panic!("it returned") };
    assert_eq!(told, (RejectReason::WouldDeadlock, WaitReason::WouldDeadlock));
    // In a call: also for a job of its own worker.
    let next = one.worker.try_submit(Job::task(async { 7 })).expect("a place");
    let one = Arc::new(Mutex::new(one));
    let drive = one.clone();
    let waits = Job::call(move |_| {
        let driver = std::thread::spawn(move || drive.lock().expect("free").run());
        let seven = next.wait().map(Outcome::completed).map_err(|error| error.reason);
        driver.join().expect("it does not panic");
        seven
    });
    let (worker, host) = {
        let one = one.lock().expect("free");
        (one.worker.clone(), one.host.clone())
    };
    let mut waits = worker.try_submit(waits).expect("a place");
    one.lock().expect("free").turn();
    host.run_calls();
    assert!(matches!(take(&mut waits), Outcome::Completed(Ok(Some(7)))));
}

/// D7: a token whose time is not out takes its timer with it.
#[test]
fn d7_a_token_with_a_deadline_that_is_dropped_sets_no_timer() {
    let host = Arc::new(Hand::default());
    let (worker, mut drivers, mut keeper) =
        Assembly::new(config().watchdog(None), host.clone()).expect("a good config").into_machine();
    let dropped = Job::task_with(|cx| async move { drop(cx.child_with_timeout(SECOND)) });
    let dropped = worker.try_submit(dropped).expect("a place");
    drop(worker.child_with_timeout(SECOND));
    let cx = &mut Context::from_waker(Waker::noop());
    let rests = |step: &mut dyn FnMut(&mut Context<'_>) -> Step, cx: &mut Context<'_>| {
        (0..50).find_map(|_| match step(cx) {
            Step::Parked(until) => Some(until),
            _ => None,
        })
    };
    assert_eq!(rests(&mut |cx| drivers[0].step(cx, Instant::ORIGIN), cx), Some(None));
    assert_eq!(rests(&mut |cx| keeper.step(cx, Instant::ORIGIN), cx), Some(None));
    assert!(dropped.is_finished());
}

/// C5: a scope ends when the last of its jobs has settled, and whoever waits for it is woken then.
#[test]
fn c5_a_scope_ends_with_the_last_of_its_jobs() {
    let mut bench = Bench::new(config());
    let gates: [Gate; 3] = Default::default();
    let inside = gates.clone();
    let mut scope = Box::pin(bench.worker.scope(|scope| async move {
        for gate in inside {
            drop(scope.try_submit(Job::task(async move { gate.pass().await })).expect("a place"));
        }
    }));
    let (woken, waker) = Count::new();
    for gate in &gates {
        assert!(poll(scope.as_mut(), &waker).is_pending());
        bench.run();
        let before = woken.get();
        gate.open();
        bench.run();
        let is_last = std::ptr::eq(gate, &gates[2]);
        assert_eq!(woken.get() > before, is_last);
    }
    assert!(poll(scope.as_mut(), &waker).is_ready());
}
