//! What a job does with its own context: its clock, its tokens, its shield, and scopes of jobs.
#![cfg(feature = "std")]

mod common;

use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use common::bench::{Bench, take};
use common::{Count, waker_fn};
use countermand_core::{
    Cause, Class, Handle, Instant, Job, JobContext, JobState, Outcome, Phase, Priority, Shutdown, WorkerConfig,
};

const SECOND: Duration = Duration::from_secs(1);

fn bench() -> Bench {
    Bench::new(WorkerConfig::new().lanes(4).drivers(1).capacity(8))
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn an_interval_skips_what_it_missed() {
    let mut bench = bench();
    let mut ticks = bench
        .worker
        .try_submit(Job::task_with(|cx| async move {
            let mut interval = cx.interval(SECOND);
            [interval.tick().await, interval.tick().await, interval.tick().await].map(Instant::as_nanos)
        }))
        .expect("a place");
    bench.run();
    bench.advance(SECOND);
    bench.advance(SECOND * 5 / 2);
    assert!(!ticks.is_finished(), "the tick at 3 s was missed; the next is at 4 s");
    bench.advance(SECOND / 2);
    let Outcome::Completed(ticks) = take(&mut ticks) else { panic!("completed") };
    assert_eq!(ticks, [1, 2, 4].map(|second| second * 1_000_000_000));
}

#[test]
fn a_limit_that_is_due_at_once_polls_nothing() {
    let mut bench = bench();
    let polls = Arc::new(AtomicU32::new(0));
    let counted = polls.clone();
    let job = Job::task_with(|cx| async move {
        let body = async move { counted.fetch_add(1, Ordering::SeqCst) };
        cx.timeout(Duration::ZERO, body).await.is_err()
    });
    let mut handle = bench.worker.try_submit(job).expect("a place");
    bench.run();
    assert!(matches!(take(&mut handle), Outcome::Completed(true)));
    assert_eq!(polls.load(Ordering::SeqCst), 0);
}

/// A bench with a job that only hands its context out.
fn lent() -> (Bench, JobContext, Handle<()>) {
    let mut bench = Bench::new(WorkerConfig::new().lanes(4).drivers(1).capacity(8).watchdog(None));
    let out = Arc::new(Mutex::new(None));
    let put = Arc::clone(&out);
    let job = Job::task_with(move |cx| {
        *put.lock().expect("free") = Some(cx.clone());
        pending::<()>()
    });
    let handle = bench.worker.try_submit(job.name("lender").priority(Priority::High)).expect("a place");
    bench.run();
    let context = out.lock().expect("free").take().expect("it has run");
    (bench, context, handle)
}

#[test]
fn a_sleep_wakes_whoever_polled_it_last_and_nobody_else() {
    let (mut bench, context, handle) = lent();
    let mut sleep = context.sleep(SECOND);
    assert_eq!(sleep.at(), context.now().checked_add(SECOND));
    let ((first, one), (second, other)) = (Count::new(), Count::new());
    for waker in [&one, &one, &other, &other] {
        assert!(Pin::new(&mut sleep).poll(&mut Context::from_waker(waker)).is_pending());
    }
    bench.advance(SECOND - Duration::from_nanos(1));
    assert_eq!((first.get(), second.get()), (0, 0));
    bench.advance(Duration::from_nanos(1));
    assert_eq!((first.get(), second.get()), (0, 1));
    assert!(Pin::new(&mut sleep).poll(&mut Context::from_waker(&one)).is_ready());
    drop(handle);
}

#[test]
fn a_sleep_that_is_seen_to_be_due_wakes_nobody() {
    let (mut bench, context, handle) = lent();
    let ((first, one), (second, other)) = (Count::new(), Count::new());
    let sleeps = [context.sleep(SECOND), context.sleep(SECOND)];
    let sleeps = Arc::new(Mutex::new(sleeps));
    // Who is woken by one of the two looks at both: the other's timer has not fired by then.
    let both = sleeps.clone();
    let looks = waker_fn(move || {
        one.wake_by_ref();
        let polled = both.lock().expect("free").each_mut().map(|sleep| poll(Pin::new(sleep)));
        assert!(polled.iter().all(Poll::is_ready), "both are due");
    });
    for (sleep, waker) in sleeps.lock().expect("free").iter_mut().zip([&looks, &other]) {
        assert!(Pin::new(sleep).poll(&mut Context::from_waker(waker)).is_pending());
    }
    bench.advance(SECOND);
    assert_eq!((first.get(), second.get()), (1, 0));
    drop(handle);
}

#[test]
fn a_sleep_from_outside_rings_a_driver_that_would_wake_too_late() {
    let (mut bench, context, handle) = lent();
    // The driver rests without an end, then until the later of two, then until the earlier.
    let ((late, later), (soon, sooner)) = (Count::new(), Count::new());
    let (mut long, mut short) = (context.sleep(SECOND * 2), context.sleep(SECOND));
    assert!(Pin::new(&mut long).poll(&mut Context::from_waker(&later)).is_pending());
    assert!(!bench.worker.is_quiet(), "it was not rung");
    bench.run();
    assert!(Pin::new(&mut short).poll(&mut Context::from_waker(&sooner)).is_pending());
    assert!(!bench.worker.is_quiet(), "it was not rung for an earlier one");
    bench.run();
    // A third that is later than both is no reason to wake it.
    let mut longest = context.sleep(SECOND * 3);
    assert!(Pin::new(&mut longest).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(bench.worker.is_quiet(), "it was rung for nothing");
    bench.advance(SECOND);
    assert_eq!((soon.get(), late.get()), (1, 0));
    bench.advance(SECOND);
    assert_eq!((soon.get(), late.get()), (1, 1));
    drop(handle);
}

#[test]
fn a_sleep_that_is_dropped_wakes_nobody() {
    let (mut bench, context, handle) = lent();
    let (count, waker) = Count::new();
    let mut sleep = context.sleep(SECOND);
    assert!(Pin::new(&mut sleep).poll(&mut Context::from_waker(&waker)).is_pending());
    bench.run();
    assert_eq!(bench.host.alarms(), 1);
    drop(sleep);
    bench.advance(SECOND);
    assert_eq!((bench.host.alarms(), count.get()), (0, 0));
    drop(handle);
}

#[test]
fn a_job_knows_its_name_and_its_handle_too() {
    let (_bench, context, handle) = lent();
    assert_eq!((handle.name(), handle.priority(), context.name()), ("lender", Priority::High, "lender"));
    assert_eq!((handle.id(), handle.id().to_string()), (context.id(), "1".to_owned()));
}

#[test]
fn a_limit_that_has_passed_says_so() {
    let mut bench = bench();
    let job =
        Job::task_with(|cx| async move { cx.timeout(SECOND, pending::<()>()).await.map_err(|late| late.to_string()) });
    let mut handle = bench.worker.try_submit(job).expect("a place");
    bench.run();
    bench.advance(SECOND);
    assert!(matches!(take(&mut handle), Outcome::Completed(Err(late)) if late == "the time limit has passed"));
}

#[test]
fn a_childs_time_runs_on_the_drivers_clock() {
    let mut bench = bench();
    let job = Job::task_with(|cx| async move {
        let given_up = cx.child_with_timeout(SECOND);
        drop(given_up);
        let child = cx.child_with_timeout(SECOND * 2);
        let cause = child.cancelled().await;
        (cause, cx.token().is_cancelled())
    });
    let mut handle = bench.worker.try_submit(job).expect("a place");
    bench.run();
    bench.advance(SECOND);
    assert!(!handle.is_finished());
    bench.advance(SECOND);
    assert!(matches!(take(&mut handle), Outcome::Completed((Cause::DEADLINE, false))));
}

#[test]
fn the_keeper_keeps_tokens_of_the_worker() {
    let mut bench = bench();
    let kept = bench.worker.child_with_timeout(SECOND);
    let never = bench.worker.child_with_timeout(Duration::MAX);
    let given_up = bench.worker.child_with_timeout(SECOND);
    let clone = (*given_up).clone();
    drop(given_up);
    bench.advance(SECOND - Duration::from_nanos(1));
    assert!(!kept.is_cancelled());
    bench.advance(Duration::from_nanos(1));
    assert_eq!(kept.cause(), Some(Cause::DEADLINE));
    assert_eq!((never.deadline(), never.cause()), (None, None));
    assert_eq!(clone.cause(), None, "nobody keeps it any more");
    assert!(clone.expire_due(bench.worker.now()), "but its deadline is due for whoever looks");
}

#[test]
fn a_shielded_section_ends_before_the_job_does() {
    let mut bench = bench();
    let passed = Arc::new(AtomicU32::new(0));
    let counted = passed.clone();
    let job = Job::task_with(|cx| async move {
        let inner = cx.clone();
        let seen = cx.shielded(|token| async move {
            inner.sleep(SECOND).await;
            token.is_cancelled()
        });
        assert!(!seen.await, "the section does not see it");
        assert!(cx.token().is_cancelled(), "afterwards it is seen at once");
        counted.fetch_add(1, Ordering::SeqCst);
        pending::<()>().await;
    });
    let mut handle = bench.worker.try_submit(job).expect("a place");
    bench.run();
    handle.cancel();
    bench.run();
    assert!(handle.token().is_cancelled() && !handle.is_finished());
    bench.advance(SECOND);
    assert_eq!(passed.load(Ordering::SeqCst), 1);
    assert!(matches!(take(&mut handle), Outcome::Cancelled { cause: Cause::REQUESTED, started: true }));
}

#[test]
fn a_scope_ends_after_its_jobs() {
    let mut bench = bench();
    let worker = bench.worker.clone();
    let mut scope = pin!(worker.scope(|scope| async move {
        let quick = scope.submit(Job::task(async { 1 })).await.expect("a place");
        let slow = scope.try_submit(Job::task_with(|cx| async move { cx.sleep(SECOND).await })).expect("a place");
        drop(slow);
        quick.await.completed()
    }));
    assert!(poll(scope.as_mut()).is_pending());
    bench.run();
    assert!(poll(scope.as_mut()).is_pending(), "the body has returned, a detached job goes on");
    bench.advance(SECOND);
    assert_eq!(poll(scope.as_mut()), Poll::Ready(Some(1)));
}

#[test]
fn a_dropped_scope_cancels_its_jobs() {
    let mut bench = bench();
    let worker = bench.worker.clone();
    let mut scope = Box::pin(worker.scope(|scope| async move {
        let handle = scope.submit(Job::task(pending::<()>()).name("inside")).await.expect("a place");
        drop(handle);
        pending::<()>().await;
    }));
    assert!(poll(scope.as_mut()).is_pending());
    bench.run();
    let jobs = bench.worker.jobs();
    assert_eq!((jobs.len(), &*jobs[0].name, jobs[0].state, jobs[0].polls), (1, "inside", JobState::Running, 1));
    drop(scope);
    bench.run();
    assert_eq!((bench.worker.jobs().len(), bench.worker.counts().cancelled), (0, 1));
}

#[test]
fn callbacks_are_told_how_it_ended() {
    let mut bench = bench();
    let told = Arc::new(AtomicU32::new(0));
    let handle = bench.worker.try_submit(Job::task(async {}).priority(Priority::High)).expect("a place");
    let count = told.clone();
    handle.on_done(move |class| {
        assert_eq!(class, Class::Completed);
        count.fetch_add(1, Ordering::SeqCst);
    });
    handle.on_done(|_| panic!("a callback that panics"));
    bench.run();
    let count = told.clone();
    handle.on_done(move |_| {
        count.fetch_add(10, Ordering::SeqCst);
    });
    assert_eq!(told.load(Ordering::SeqCst), 11);
    assert_eq!(bench.worker.counts().contained_panics, 1);
}

type Body = Pin<Box<dyn Future<Output = Result<(), &'static str>> + Send>>;

fn boxed(body: impl Future<Output = Result<(), &'static str>> + Send + 'static) -> Body {
    Box::pin(body)
}

#[test]
fn callbacks_that_come_late_are_told_what_the_outcome_is() {
    let mut bench = Bench::with_threads(WorkerConfig::new().lanes(2).drivers(1).capacity(8));
    let worker = bench.worker.clone();
    let submit = |job: Job<_>| worker.try_submit(job).expect("a place");
    let held = submit(Job::fallible(boxed(pending())));
    let timed = submit(Job::fallible(boxed(pending())).run_timeout(SECOND));
    bench.run();
    let waiting = submit(Job::fallible(boxed(pending())).queue_timeout(SECOND / 2));
    let dropped = submit(Job::fallible(boxed(pending())));
    dropped.cancel();
    bench.run();
    bench.advance(SECOND / 2);
    bench.advance(SECOND / 2);
    held.cancel_with(Cause::REQUESTED.with_code(3));
    bench.run();
    let done = submit(Job::fallible(boxed(async { Ok(()) })));
    let failed = submit(Job::fallible(boxed(async { Err("on purpose") })));
    let panicked = submit(Job::fallible(boxed(std::future::poll_fn(|_| panic!("on purpose")))));
    bench.run();
    let expected = [
        (held, Class::Cancelled { cause: Cause::REQUESTED.with_code(3), started: true }),
        (timed, Class::TimedOut(Phase::Running)),
        (waiting, Class::TimedOut(Phase::Queued)),
        (dropped, Class::Cancelled { cause: Cause::REQUESTED, started: false }),
        (done, Class::Completed),
        (failed, Class::Failed),
        (panicked, Class::Panicked),
    ];
    for (mut handle, class) in expected {
        let told = Arc::new(Mutex::new(None));
        let note = told.clone();
        handle.on_done(move |class| *note.lock().expect("free") = Some(class));
        assert_eq!(*told.lock().expect("free"), Some(class));
        assert_eq!(take(&mut handle).class(), class);
    }
}

#[test]
fn a_job_may_wait_for_the_end_of_its_own_worker() {
    let mut bench = bench();
    let worker = bench.worker.clone();
    let job = Job::task(async move { worker.shutdown(Shutdown::Drain).await.counts.unsettled });
    let mut handle = bench.worker.try_submit(job).expect("a place");
    bench.run();
    assert!(matches!(take(&mut handle), Outcome::Completed(1)), "it is told when only itself is left");
    assert!(take(&mut bench.worker.shutdown(Shutdown::Drain)).counts.balances());
}
