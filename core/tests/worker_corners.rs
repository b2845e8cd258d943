//! Corners of a worker where its neighbours meet: two workers in one thread, a host that lends little or throws calls away, a keeper that is told in time.
#![cfg(feature = "std")]

mod common;

use std::future::pending;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use common::bench::{Bench, Hand, take};
use common::gate::Gate;
use common::{Count, poll};
use countermand_core::{
    Alarm, Assembly, Cause, FullPolicy, Host, Instant, Job, LatePolicy, Outcome, RejectReason, Shutdown, Step, Token,
    WaitReason, Worker, WorkerConfig,
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

#[test]
fn jobs_of_two_workers_below_one_parent_go_by_their_own_workers() {
    // R7: each is cancelled with the parent, and with its own worker.
    let mut benches = [Bench::new(config()), Bench::new(config())];
    let parent = Token::new();
    let mut handles = benches.each_ref().map(|bench| {
        let job = Job::task(pending::<()>()).parent(&parent);
        bench.worker.try_submit(job).expect("a place")
    });
    benches.iter_mut().for_each(Bench::run);
    drop(benches[0].worker.shutdown(Shutdown::Abort));
    benches.iter_mut().for_each(Bench::run);
    assert!(matches!(take(&mut handles[0]), Outcome::Cancelled { cause: Cause::SHUTDOWN, .. }));
    assert!(!handles[1].is_finished(), "the other worker goes on");
    parent.cancel();
    benches[1].run();
    assert!(matches!(take(&mut handles[1]), Outcome::Cancelled { cause: Cause::REQUESTED, .. }));
}

#[test]
fn a_job_to_whose_token_others_listen_hears_of_its_parent_too() {
    let mut bench = Bench::new(config());
    let parent = Token::new();
    let calls = Arc::new(AtomicUsize::new(0));
    let count = calls.clone();
    let job = Job::task_with(move |cx| {
        drop(cx.token().on_cancel(move |_| _ = count.fetch_add(1, Ordering::Relaxed)));
        pending::<()>()
    });
    let mut handle = bench.worker.try_submit(job.parent(&parent)).expect("a place");
    bench.run();
    parent.cancel();
    bench.run();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    assert!(matches!(take(&mut handle), Outcome::Cancelled { cause: Cause::REQUESTED, started: true }));
}

#[test]
fn a_worker_that_has_refused_a_job_is_not_above_it() {
    // Q5: what comes back is below what it was below, and not below who refused it.
    let mut full = Bench::new(config().lanes(1).capacity(1).full(FullPolicy::Reject));
    let _first = full.worker.try_submit(Job::task(pending::<()>())).expect("a place");
    let parent = Token::new();
    let refused = full.worker.try_submit(Job::task(pending::<()>()).parent(&parent)).expect_err("no place").job;
    let mut other = Bench::new(config());
    let handle = other.worker.try_submit(refused).expect("a place");
    other.run();
    drop(full.worker.shutdown(Shutdown::Abort));
    full.run();
    other.run();
    assert!(!handle.token().is_cancelled() && !handle.is_finished(), "the other worker's end is its own");
    parent.cancel();
    other.run();
    assert!(handle.is_finished());
}
