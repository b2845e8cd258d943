//! What a worker does at the edges: others' code that panics where nobody expects it, ends that meet, waits from inside.

mod common;

use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::bench::{Bench, Hand, take};
use common::gate::Gate;
use common::{poll, waker_fn};
use countermand_core::{
    Assembly, Cause, Class, FullPolicy, Handle, Instant, Job, JobInfo, LatePolicy, Observer, Outcome, Phase, Priority,
    Shutdown, Step, Token, WaitReason, WorkerConfig,
};

const SECOND: Duration = Duration::from_secs(1);

fn config() -> WorkerConfig {
    WorkerConfig::new().lanes(2).drivers(1).capacity(8)
}

/// Its destructor panics.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a destructor");
    }
}

#[test]
fn a_callback_that_never_ran_and_panics_when_it_is_dropped_harms_no_driver() {
    // P4: the last of the job's token goes with the job, on its driver.
    let mut bench = Bench::new(config());
    let job = Job::task_with(|cx| async move {
        let bomb = Bomb;
        drop(cx.token().on_cancel(move |_| drop(bomb)));
    });
    drop(bench.worker.try_submit(job).expect("a place"));
    let mut other = bench.worker.try_submit(Job::task(pending::<()>())).expect("a place");
    bench.run();
    assert!(!other.is_finished() && !bench.worker.is_closed(), "the driver went with a destructor that panicked");
    assert_eq!(bench.worker.counts().contained_panics, 1);
    other.cancel();
    bench.run();
    assert!(matches!(take(&mut other), Outcome::Cancelled { cause: Cause::REQUESTED, started: true }));
}

/// Cancels, as soon as it is told of a start.
struct Eager(Token);

impl Observer for Eager {
    fn started(&self, _: &JobInfo) {
        self.0.cancel();
    }
}

#[test]
fn a_job_that_is_cancelled_by_the_hook_that_tells_of_its_start_is_not_started() {
    // J2: there is a poll between what is told and what is seen only if it was made.
    let token = Token::new();
    let mut bench = Bench::new(config().observer(Arc::new(Eager(token.clone()))));
    let polls = Arc::new(AtomicUsize::new(0));
    let inside = polls.clone();
    let job = Job::task(async move { inside.fetch_add(1, Ordering::Relaxed) });
    let mut handle = bench.worker.try_submit(job.parent(&token).grace(SECOND)).expect("a place");
    bench.run();
    assert!(matches!(take(&mut handle), Outcome::Cancelled { cause: Cause::REQUESTED, started: false }));
    assert_eq!(polls.load(Ordering::Relaxed), 0);
}

#[test]
fn a_callback_that_panics_in_the_midst_of_an_abort_strands_no_handle() {
    // P4, J8: somebody who is woken by the root, before the sweep has come to the job, has the driver go on.
    let crew = Bench::new(config());
    let worker = crew.worker.clone();
    let lane: Arc<Mutex<Option<Waker>>> = Arc::default();
    let note = lane.clone();
    let job = Job::task_with(|cx| async move {
        drop(cx.token().on_cancel(|_| panic!("a callback")));
        std::future::poll_fn(move |cx| {
            *note.lock().expect("free") = Some(cx.waker().clone());
            Poll::<()>::Pending
        })
        .await;
    });
    let mut handle = worker.try_submit(job).expect("a place");
    let crew = Arc::new(Mutex::new(crew));
    crew.lock().expect("free").run();
    let inside = crew.clone();
    let waker = waker_fn(move || {
        if let Some(lane) = lane.lock().expect("free").take() {
            lane.wake();
            inside.lock().expect("free").turn();
        }
    });
    let token = worker.token();
    let mut cancelled = Box::pin(token.cancelled());
    assert!(poll(cancelled.as_mut(), &waker).is_pending());
    let wait = catch_unwind(AssertUnwindSafe(|| worker.shutdown(Shutdown::Abort)));
    crew.lock().expect("free").run();
    assert!(matches!(take(&mut handle), Outcome::Cancelled { cause: Cause::SHUTDOWN, .. }));
    let mut wait = wait.expect("a callback of a job is not the canceller's");
    assert_eq!(take(&mut wait).counts.unsettled, 0);
}

#[test]
fn an_evicted_job_settles_though_the_keeper_left_in_between() {
    // S6: the observer's hook runs between the eviction and its being handed to the keeper.
    struct Leaves(Mutex<Option<Box<dyn FnOnce() + Send>>>);
    impl countermand_core::Observer for Leaves {
        fn evicted(&self, _: &countermand_core::JobInfo) {
            if let Some(leave) = self.0.lock().expect("free").take() {
                leave();
            }
        }
    }
    let leaves = Arc::new(Leaves(Mutex::new(None)));
    let config = WorkerConfig::new().lanes(1).drivers(1).capacity(1).full(FullPolicy::EvictLowest);
    let Bench { worker, attendants, .. } = Bench::new(config.observer(leaves.clone()));
    let mut low = worker.try_submit(Job::task(pending::<()>()).priority(Priority::Low)).expect("a place");
    *leaves.0.lock().expect("free") = Some(Box::new(move || drop(attendants)));
    let mut high = worker.try_submit(Job::task(pending::<()>()).priority(Priority::High)).expect("a place");
    assert!(take(&mut low).is_cancelled());
    assert!(take(&mut high).is_cancelled());
    assert_eq!(worker.counts().unsettled, 0);
}

#[test]
fn a_job_in_its_grace_that_waits_for_the_end_of_the_abort_is_told() {
    // S5, for an abort without any limit.
    let mut bench = Bench::new(config());
    let door = bench.worker.clone();
    let job = Job::task_with(|cx| async move {
        cx.shielded(|_| async move { door.shutdown(Shutdown::AbortWithin(Duration::MAX)).await.counts.unsettled }).await
    });
    let mut handle = bench.worker.try_submit(job.grace(SECOND)).expect("a place");
    bench.run();
    assert!(matches!(take(&mut handle), Outcome::Completed(1)));
    assert_eq!(take(&mut bench.worker.shutdown(Shutdown::Drain)).counts.unsettled, 0);
}

#[test]
fn of_two_waits_of_one_job_one_may_be_dropped() {
    // S5
    let mut bench = Bench::new(config());
    let door = bench.worker.clone();
    let job = Job::task(async move {
        let mut dropped = door.shutdown(Shutdown::Drain);
        let mut kept = door.shutdown(Shutdown::Drain);
        std::future::poll_fn(|cx| {
            assert!(Pin::new(&mut kept).poll(cx).is_pending() && Pin::new(&mut dropped).poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        drop(dropped);
        kept.await.counts.unsettled
    });
    let mut handle = bench.worker.try_submit(job).expect("a place");
    bench.run();
    assert!(matches!(take(&mut handle), Outcome::Completed(1)));
}

#[test]
fn a_blocking_wait_in_a_callback_of_a_driver_is_refused() {
    // C3
    let mut bench = Bench::new(config());
    let stuck = bench.worker.try_submit(Job::task(pending::<()>())).expect("a place");
    let told: Arc<Mutex<Option<WaitReason>>> = Arc::default();
    let quick = bench.worker.try_submit(Job::task(async {})).expect("a place");
    let tell = told.clone();
    let stuck = Mutex::new(Some(stuck));
    quick.on_done(move |_| {
        let handle: Option<Handle<()>> = stuck.lock().expect("free").take();
        let error = handle.expect("once").wait().expect_err("its own driver is here");
        *tell.lock().expect("free") = Some(error.reason);
    });
    bench.run();
    assert_eq!(*told.lock().expect("free"), Some(WaitReason::WouldDeadlock));
}

#[test]
fn a_call_whose_time_is_out_when_its_thread_comes_to_it_is_not_begun() {
    // D2, D4: its lane has had no turn since.
    let mut bench = Bench::with_threads(config());
    let ran = Arc::new(AtomicUsize::new(0));
    let count = ran.clone();
    let call = Job::call(move |_| count.fetch_add(1, Ordering::SeqCst)).run_timeout(SECOND);
    let mut handle = bench.worker.try_submit(call).expect("a place");
    bench.run();
    bench.host.pass(SECOND);
    bench.host.run_calls();
    bench.run();
    assert_eq!(take(&mut handle).class(), Class::TimedOut(countermand_core::Phase::Queued));
    assert_eq!(ran.load(Ordering::SeqCst), 0);
}

#[test]
fn a_closure_is_late_by_when_it_ended_not_by_when_its_lane_looks() {
    // J9
    for (takes, late) in [(SECOND, true), (SECOND - Duration::from_nanos(1), false)] {
        for turn_in_between in [false, true] {
            let mut bench = Bench::with_threads(config());
            let clock = bench.host.clone();
            let call = Job::call(move |_| clock.pass(takes)).run_timeout(SECOND).late(LatePolicy::Discard);
            let mut handle = bench.worker.try_submit(call).expect("a place");
            bench.run();
            bench.host.run_calls();
            if !turn_in_between {
                bench.host.pass(SECOND);
            }
            bench.run();
            let class = take(&mut handle).class();
            let expected = if late { Class::TimedOut(countermand_core::Phase::Running) } else { Class::Completed };
            assert_eq!(class, expected, "a closure that took {takes:?} of a second");
        }
    }
}

#[test]
fn nothing_starts_through_a_scope_that_has_ended() {
    let mut bench = Bench::new(config());
    let mut escaped = None;
    let worker = bench.worker.clone();
    let mut scope = Box::pin(worker.scope(|scope| {
        escaped = Some(scope.clone());
        async move { scope.try_submit(Job::task(async { 1 })).map(drop).is_ok() }
    }));
    assert!(poll(scope.as_mut(), Waker::noop()).is_pending(), "a job of the scope has not settled");
    bench.run();
    assert_eq!(poll(scope.as_mut(), Waker::noop()), Poll::Ready(true));
    let escaped = escaped.expect("set");
    let mut late = escaped.try_submit(Job::task(async { 2 })).expect("the worker is open");
    bench.run();
    assert!(matches!(take(&mut late), Outcome::Cancelled { started: false, .. }));
}

#[test]
fn a_closed_worker_that_is_done_cancels_nothing_when_it_leaves() {
    // S2
    let mut bench = Bench::new(config());
    let mut handle = bench.worker.try_submit(Job::task(async {})).expect("a place");
    bench.worker.close();
    bench.run();
    assert!(matches!(take(&mut handle), Outcome::Completed(())));
    assert!(bench.attendants.iter().all(Option::is_none), "all have left");
    assert_eq!(bench.worker.token().cause(), None);
}

#[test]
fn what_is_due_when_the_host_goes_is_timed_out() {
    // D2
    let mut bench = Bench::new(config().lanes(1));
    let mut running = bench.worker.try_submit(Job::task(pending::<()>()).run_timeout(SECOND)).expect("a place");
    bench.run();
    let mut queued = bench.worker.try_submit(Job::task(pending::<()>()).queue_timeout(SECOND)).expect("a place");
    let parent = Token::with_deadline(Instant::from_nanos(1_000_000_000));
    let mut dated = bench.worker.try_submit(Job::task(pending::<()>()).parent(&parent)).expect("a place");
    bench.host.pass(SECOND);
    bench.attendants.clear();
    for handle in [&mut running, &mut queued, &mut dated] {
        let class = take(handle).class();
        assert!(matches!(class, Class::TimedOut(_)), "{class:?}");
    }
}

#[test]
fn a_worker_may_be_stepped_without_any_executor() {
    let host = Arc::new(Hand::default());
    let assembly = Assembly::new(config(), host.clone()).expect("a good config");
    let (worker, mut drivers, mut keeper) = assembly.into_machine();
    let nap = Job::task_with(|cx| async move { cx.sleep(SECOND).await });
    let mut handle = worker.try_submit(nap).expect("a place");
    let mut wait = worker.shutdown(Shutdown::Drain);
    let cx = &mut Context::from_waker(Waker::noop());
    let mut open = drivers.len() + 1;
    while open != 0 {
        let now = countermand_core::Host::now(&*host);
        let steps = [drivers[0].step(cx, now), keeper.step(cx, now)];
        open = steps.iter().filter(|step| **step != Step::Closed).count();
        let next = steps.iter().filter_map(|step| match step {
            Step::Parked(until) => *until,
            Step::Again | Step::Closed => None,
        });
        if !steps.contains(&Step::Again) {
            if let Some(at) = next.min() {
                host.pass(at.saturating_since(now));
            }
        }
    }
    assert!(matches!(take(&mut handle), Outcome::Completed(())));
    assert_eq!(take(&mut wait).counts.completed, 1);
    assert_eq!(countermand_core::Host::now(&*host), Instant::from_nanos(1_000_000_000));
}

#[test]
fn a_clock_reading_is_shared_until_the_ring_is_answered_and_no_longer() {
    let mut bench = Bench::new(config());
    bench.run();
    let submit = |bench: &Bench| drop(bench.worker.try_submit(Job::task(pending::<()>())).expect("a place"));
    let ages = |bench: &Bench| bench.worker.jobs().iter().map(|job| job.age.as_secs()).collect::<Vec<_>>();
    bench.host.pass(SECOND);
    submit(&bench);
    bench.host.pass(SECOND);
    // The driver was rung, and has not come: as old as that ring.
    submit(&bench);
    assert_eq!(ages(&bench), [1, 1]);
    // One whose time in the queue counts is not told the time by another (D5).
    let timed = Job::task(pending::<()>()).queue_timeout(SECOND * 9);
    let timed = bench.worker.try_submit(timed).expect("a place");
    assert_eq!(ages(&bench), [1, 1, 0]);
    bench.run();
    bench.host.pass(SECOND);
    // It has come, and rests, with its lanes full: nobody is rung for this one, and the clock is read.
    submit(&bench);
    bench.host.pass(SECOND);
    submit(&bench);
    assert_eq!(ages(&bench), [3, 3, 2, 1, 0]);
    drop(timed);
}

#[test]
fn j12_a_thread_that_waits_is_woken_and_one_with_a_limit_has_its_handle_back() {
    let mut bench = Bench::new(config());
    let gate = Gate::default();
    let pass = gate.clone();
    let job = Job::task(async move {
        pass.pass().await;
        7
    });
    let handle = bench.worker.try_submit(job).expect("a place");
    bench.run();
    let error = handle.wait_timeout(Duration::ZERO).expect_err("nobody has opened the gate");
    assert_eq!(error.reason, WaitReason::TimedOut);
    assert!(error.to_string().contains("within the limit"), "{error}");
    let handle = error.handle;
    let goes = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let going = goes.clone();
        let waits = scope.spawn(move || {
            going.store(1, Ordering::SeqCst);
            handle.wait().expect("it may wait here").completed()
        });
        // So that it mostly waits by then; that it does is not what is asserted.
        while goes.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        (0..50).for_each(|_| std::thread::yield_now());
        gate.open();
        bench.run();
        assert_eq!(waits.join().expect("no panic"), Some(7));
    });
}

#[test]
fn a_refused_job_comes_back_with_what_is_above_it() {
    // Q5: while it is tried, its parent and its deadline are its token's.
    let mut full = Bench::new(config().capacity(1).full(FullPolicy::Reject));
    let first = full.worker.try_submit(Job::task(pending::<()>())).expect("a place");
    let (parent, user) = (Token::new(), Token::new());
    let due = full.worker.now().checked_add(SECOND).expect("it is soon");
    let both = Token::linked([&parent, &user]);
    let worker = full.worker.clone();
    let refused = |job| worker.try_submit(job).expect_err("there is no place").job;
    let plain = refused(refused(Job::task(pending::<()>()).name("plain").parent(&parent)));
    let linked = refused(Job::task(pending::<()>()).parent(&both));
    let dated = refused(refused(Job::task(pending::<()>()).deadline(due)));
    let ended = refused(Job::task(pending::<()>()).deadline(due).parent(&both));
    assert_eq!(plain.label(), "plain");

    let mut other = Bench::new(config().lanes(4));
    let submit = |job| other.worker.try_submit(job).expect("a place");
    let (mut plain, mut linked, mut dated, mut ended) = (submit(plain), submit(linked), submit(dated), submit(ended));
    other.run();
    user.cancel_with(Cause::EVICTED);
    other.run();
    for handle in [&mut linked, &mut ended] {
        assert!(matches!(take(handle), Outcome::Cancelled { cause: Cause::EVICTED, started: true }));
    }
    assert!(!plain.is_finished() && !dated.is_finished());
    parent.cancel();
    other.run();
    assert!(matches!(take(&mut plain), Outcome::Cancelled { cause: Cause::REQUESTED, started: true }));
    other.host.pass(SECOND);
    other.run();
    assert!(matches!(take(&mut dated), Outcome::TimedOut { phase: Phase::Running, late: None }));
    full.run();
    drop(first);
}
