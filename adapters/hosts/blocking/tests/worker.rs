//! A worker on plain threads: what jobs come to, what its threads are called, and how they end.

use std::collections::HashSet;
use std::future::pending;
use std::num::NonZero;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use countermand_blocking::{Blocking, StartError};
use countermand_core::{Cause, Job, Outcome, Phase, Priority, RejectReason, Shutdown, Token, WorkerConfig};

const HANGS: Duration = Duration::from_secs(60);

fn config() -> WorkerConfig {
    WorkerConfig::new().lanes(4).drivers(2)
}

/// Tells when the thread that it was left on has ended.
fn leave_here(ended: Sender<()>) {
    struct Leaves(Sender<()>);
    impl Drop for Leaves {
        fn drop(&mut self) {
            // The test may be over.
            let _ = self.0.send(());
        }
    }
    thread_local!(static LEFT: std::cell::RefCell<Vec<Leaves>> = const { std::cell::RefCell::new(Vec::new()) });
    LEFT.with_borrow_mut(|left| left.push(Leaves(ended)));
}

fn name_of_thread() -> String {
    thread::current().name().unwrap_or_default().to_owned()
}

#[test]
fn jobs_settle() {
    let worker = Blocking::new().start(config()).expect("a worker");
    let value = worker.submit_blocking(Job::task(async { 42 })).expect("a place");
    assert_eq!(value.wait().expect("a free thread").completed(), Some(42));

    let stuck = worker.submit_blocking(Job::task(pending::<()>()).priority(Priority::High)).expect("a place");
    assert!(stuck.cancel());
    let outcome = stuck.wait().expect("a free thread");
    assert!(matches!(outcome, Outcome::Cancelled { cause: Cause::REQUESTED, .. }));

    let slow = Job::task(pending::<()>()).run_timeout(Duration::from_millis(2));
    let slow = worker.submit_blocking(slow).expect("a place");
    assert!(matches!(slow.wait().expect("a free thread"), Outcome::TimedOut { phase: Phase::Running, .. }));

    let slept = Job::task_with(|cx| async move { cx.sleep(Duration::from_millis(2)).await });
    let slept = worker.submit_blocking(slept).expect("a place");
    assert!(matches!(slept.wait().expect("a free thread"), Outcome::Completed(())));

    let panics = worker.submit_blocking(Job::task(async { panic!("on purpose") })).expect("a place");
    let outcome = panics.wait().expect("a free thread");
    assert!(matches!(outcome, Outcome::<()>::Panicked(panic) if panic.message() == Some("on purpose")));

    let report = worker.shutdown_blocking(Shutdown::Drain).expect("a free thread");
    assert!(report.counts.balances());
    assert_eq!(report.counts.accepted, 5);
    let rejected = worker.try_submit(Job::task(async {})).expect_err("closed");
    assert_eq!(rejected.reason, RejectReason::Closed);
}

#[test]
fn threads_bear_the_names_they_were_given() {
    let host = Blocking::builder().name("errand").stack_size(256 * 1024).build();
    let worker = host.start(config().name("in\0gest").drivers(1)).expect("a worker");
    let task = worker.try_submit(Job::task(async { name_of_thread() })).expect("a place");
    assert_eq!(task.wait().expect("a free thread").completed().as_deref(), Some("ingest-0"));
    let call = worker.try_submit(Job::call(|_| name_of_thread())).expect("a place");
    assert_eq!(call.wait().expect("a free thread").completed().as_deref(), Some("errand"));
}

#[test]
fn threads_end_with_their_worker_and_their_host() {
    let (ended, ends) = channel();
    let host = Blocking::new();
    let worker = host.start(config().lanes(1).drivers(1)).expect("a worker");
    let here = ended.clone();
    drop(worker.submit_blocking(Job::task(async move { leave_here(here) })).expect("a place"));
    let call = worker.submit_blocking(Job::call(move |_| leave_here(ended))).expect("a place");
    assert!(matches!(call.wait().expect("a free thread"), Outcome::Completed(())));
    drop(worker);
    ends.recv_timeout(HANGS).expect("the driver's thread ends");
    drop(host);
    ends.recv_timeout(HANGS).expect("the thread of the call ends");
}

#[test]
fn threads_of_calls_end_when_they_are_not_needed() {
    let (ended, ends) = channel();
    let worker = Blocking::builder().keep_alive(Duration::from_millis(1)).build().start(config()).expect("a worker");
    for _ in 0..3 {
        let ended = ended.clone();
        let call = worker.try_submit(Job::call(move |_| leave_here(ended))).expect("a place");
        ends.recv_timeout(HANGS).expect("its thread ends");
        assert!(matches!(call.wait().expect("a free thread"), Outcome::Completed(())));
    }
}

#[test]
fn a_thread_that_waits_is_used_again() {
    let host = Blocking::builder().keep_alive(Duration::MAX).build();
    let worker = host.start(config().lanes(1).drivers(1)).expect("a worker");
    let thread_of_call = || {
        let call = worker.try_submit(Job::call(|_| thread::current().id())).expect("a place");
        call.wait().expect("a free thread").completed()
    };
    // Now and then the one before is not back yet, and there is another one.
    let seen: HashSet<_> = (0..500).map(|_| thread_of_call()).collect();
    assert!(seen.len() < 250, "{} threads for one call at a time", seen.len());
}

#[test]
fn calls_beyond_the_threads_wait_for_one() {
    let host = Blocking::builder().max_threads(NonZero::<usize>::MIN).build();
    let worker = host.start(config()).expect("a worker");
    let (open, opened) = channel::<()>();
    let (begun, begins) = channel();
    let first = Job::call(move |_| {
        begun.send(()).expect("the test listens");
        opened.recv().is_err()
    });
    let first = worker.try_submit(first).expect("a place");
    begins.recv_timeout(HANGS).expect("it begins");
    let rest: Vec<_> = (0..3).map(|n| worker.try_submit(Job::call(move |_| n)).expect("a place")).collect();
    let cancelled = &rest[1];
    assert!(cancelled.cancel());
    drop(open);
    assert!(matches!(first.wait().expect("a free thread"), Outcome::Completed(true)));
    let rest: Vec<_> = rest.into_iter().map(|call| call.wait().expect("a free thread").completed()).collect();
    assert_eq!(rest, [Some(0), None, Some(2)]);
}

#[test]
fn a_wait_in_a_call_goes_on() {
    let worker = Blocking::new().start(config()).expect("a worker");
    let inner = worker.clone();
    let call = Job::call(move |_| {
        let job = Job::task_with(|cx| async move { cx.sleep(Duration::from_millis(1)).await });
        inner.try_submit(job).expect("a place").wait().is_ok()
    });
    let call = worker.try_submit(call).expect("a place");
    assert!(matches!(call.wait().expect("a free thread"), Outcome::Completed(true)));
}

#[test]
fn a_wait_on_a_drivers_own_thread_is_refused() {
    let worker = Blocking::new().start(config().lanes(2).drivers(1)).expect("a worker");
    let stuck = worker.try_submit(Job::task(pending::<()>())).expect("a place");
    let (answer, answers) = channel();
    // Runs where the job settles: on the driver's thread, and not in a job's poll (C3).
    let (open, opened) = channel::<()>();
    let gated = worker.try_submit(Job::call(move |_| opened.recv().is_err())).expect("a place");
    gated.on_done(move |_| {
        answer.send(stuck.wait_timeout(HANGS).map_err(|error| error.reason)).expect("the test listens")
    });
    drop(open);
    let answer = answers.recv_timeout(HANGS).expect("it answers");
    assert!(matches!(answer, Err(countermand_core::WaitReason::WouldDeadlock)), "{answer:?}");
}

#[test]
fn dropping_the_worker_settles_all() {
    let worker = Blocking::new().start(config().lanes(1).drivers(1)).expect("a worker");
    let handles = [(); 2].map(|()| worker.try_submit(Job::task(pending::<()>())).expect("a place"));
    drop(worker);
    for handle in handles {
        let outcome = handle.wait_timeout(HANGS).expect("it settles");
        assert!(matches!(outcome, Outcome::Cancelled { cause: Cause::SHUTDOWN, .. }), "{outcome:?}");
    }
}

#[test]
fn a_survivor_is_named_and_ends_with_its_call() {
    let (ended, ends) = channel();
    let worker = Blocking::new().start(config()).expect("a worker");
    let (open, opened) = channel::<()>();
    let (begun, begins) = channel();
    let call = Job::call(move |_| {
        leave_here(ended);
        begun.send(()).expect("the test listens");
        opened.recv().is_err()
    });
    let call = worker.try_submit(call.name("long")).expect("a place");
    begins.recv_timeout(HANGS).expect("it begins");
    let report = worker.shutdown_blocking(Shutdown::AbortWithin(Duration::ZERO)).expect("a free thread");
    assert_eq!(report.survivors.len(), 1);
    assert!(matches!(call.wait().expect("a free thread"), Outcome::Abandoned));
    drop(worker);
    drop(open);
    ends.recv_timeout(HANGS).expect("its thread ends");
}

#[test]
fn settings_at_fault_are_an_error() {
    let started = Blocking::new().start(config().capacity(0).lanes(0));
    assert!(matches!(started, Err(StartError::Config(_))));
}

#[test]
fn a_system_without_threads_is_an_error() {
    // More than any address space has.
    let started = Blocking::builder().stack_size(usize::MAX / 4).build().start(config());
    assert!(matches!(started, Err(StartError::Thread(_))));
}

#[test]
fn tokens_of_workers_on_two_hosts_agree_on_the_time() {
    let workers = [(); 2].map(|()| Blocking::new().start(config()).expect("a worker"));
    let at = workers[0].now().checked_add(Duration::from_millis(5)).expect("not that far");
    let token = Token::with_deadline(at);
    let job = workers[1].try_submit(Job::task(pending::<()>()).parent(&token)).expect("a place");
    assert!(matches!(job.wait_timeout(HANGS).expect("it settles"), Outcome::TimedOut { .. }));
    assert!(workers[0].now() >= at);
}
