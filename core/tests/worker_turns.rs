//! Whose turn it is in a worker, who is told of a poll that lasts, and what calls take.
#![cfg(feature = "std")]

mod common;

use std::future::{pending, poll_fn};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use common::Count;
use common::bench::{Bench, Hand, take};
use common::gate::Gate;
use countermand_core::{Assembly, Cause, Handle, Host, Instant, Job, JobInfo, Observer, Outcome, Step, WorkerConfig};

const SECOND: Duration = Duration::from_secs(1);

fn config() -> WorkerConfig {
    WorkerConfig::new().lanes(2).drivers(1).capacity(8)
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

/// Runs `f` when it is dropped.
struct Last<F: Fn()>(F);

impl<F: Fn() + Send + Sync> Wake for Last<F> {
    fn wake(self: Arc<Self>) {}
}

impl<F: Fn()> Drop for Last<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// L3: a driver that was idle, and as it parks again finds a job for which somebody else was rung, may not be rung for the next one in its own poll.
#[test]
fn l3_who_finds_anothers_job_as_it_parks_is_idle_no_more_in_its_next_poll() {
    let assembly = Assembly::new(config().lanes(6).drivers(3), Arc::new(Hand::default())).expect("a good config");
    let (worker, mut drivers, _keeper) = assembly.into_machine();
    let (told, others) = Count::new();
    let mut step =
        |driver: usize, waker: &Waker| drivers[driver].step(&mut Context::from_waker(waker), Instant::ORIGIN);
    let lane: Arc<Mutex<Option<Waker>>> = Arc::default();
    let (own, inside, rung) = (lane.clone(), worker.clone(), told.clone());
    let held = poll_fn(move |cx| {
        if own.lock().expect("free").replace(cx.waker().clone()).is_none() {
            return Poll::Pending;
        }
        let before = rung.get();
        drop(inside.try_submit(Job::task(async {})).expect("a place"));
        assert_eq!(rung.get(), before + 1, "the third is idle, and is to be rung");
        Poll::Ready(())
    });
    let mut held = worker.try_submit(Job::task(held)).expect("a place");
    let door = worker.clone();
    let restless = move || {
        let restless = poll_fn(|cx| {
            cx.waker().wake_by_ref();
            Poll::<()>::Pending
        });
        drop(door.try_submit(Job::task(restless)).expect("a place"));
    };
    // It is dropped when the driver parks with another one.
    assert_eq!(step(1, &Waker::from(Arc::new(Last(restless)))), Step::Parked(None));
    assert_eq!(step(2, &others), Step::Parked(None));
    assert_eq!(step(0, Waker::noop()), Step::Parked(None));
    assert_eq!(step(1, Waker::noop()), Step::Again, "there is a job, for which the first was rung");
    assert_eq!(step(0, Waker::noop()), Step::Again, "it has the job, which wants another turn");
    lane.lock().expect("free").as_ref().expect("it was polled").wake_by_ref();
    step(1, Waker::noop());
    assert!(matches!(take(&mut held), Outcome::Completed(())));
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

#[test]
fn drivers_are_numbered_and_a_yield_gives_way() {
    let assembly = Assembly::new(config().drivers(2), Arc::new(Hand::default())).expect("a good config");
    let (worker, attendants) = assembly.into_parts();
    let numbers: Vec<_> = attendants.iter().map(countermand_core::Drive::index).collect();
    assert_eq!(numbers, [Some(0), Some(1), None]);
    drop((worker, attendants));

    let mut bench = Bench::new(config());
    let turns: Arc<Mutex<Vec<u32>>> = Arc::default();
    let jobs: Vec<_> = [0, 1]
        .map(|own| {
            let turns = turns.clone();
            let job = Job::task_with(move |cx| async move {
                for turn in 0..3 {
                    turns.lock().expect("free").push(turn * 10 + own);
                    cx.yield_now().await;
                }
            });
            bench.worker.try_submit(job).expect("a place")
        })
        .into();
    bench.run();
    let turns = turns.lock().expect("free").clone();
    let place = |turn: u32| turns.iter().position(|one| *one == turn);
    assert!(place(0) < place(10) && place(10) < place(20) && place(1) < place(20), "{turns:?}");
    assert!(jobs.iter().all(Handle::is_finished));
}
