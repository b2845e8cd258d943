//! A runtime that goes away: every job settles, nobody who waits hangs (S6), and what is left answers without a panic (C1).

use std::future::pending;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use countermand_core::{Cause, Handle, Job, Outcome, RejectReason, Shutdown, Token, Worker, WorkerConfig};
use countermand_tokio::Tokio;
use tokio::runtime::{Builder, Runtime};

const HANGS: Duration = Duration::from_secs(60);

fn runtimes() -> [Runtime; 2] {
    [Builder::new_current_thread(), Builder::new_multi_thread()]
        .map(|mut builder| builder.worker_threads(2).enable_time().build().expect("a runtime"))
}

/// A worker with one job running and one queued.
fn occupied(runtime: &Runtime) -> (Worker, [Handle<()>; 2]) {
    let host = Tokio::from_handle(runtime.handle().clone());
    let worker = host.start(WorkerConfig::new().lanes(1)).expect("a worker");
    let (begun, begins) = channel();
    let job = Job::task(async move {
        begun.send(()).expect("the test listens");
        pending::<()>().await;
    });
    let running = worker.try_submit(job).expect("a place");
    let queued = worker.try_submit(Job::task(pending::<()>())).expect("a place");
    runtime.block_on(async {
        while begins.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
    });
    // Null control: as long as the runtime is there, nothing of this settles.
    assert!(!running.is_finished() && !queued.is_finished(), "{:?}", worker.counts());
    (worker, [running, queued])
}

fn assert_cut_off(handles: [Handle<()>; 2]) {
    for (handle, was_started) in handles.into_iter().zip([true, false]) {
        match handle.wait_timeout(HANGS).expect("it settles") {
            Outcome::Cancelled { cause: Cause::SHUTDOWN, started } => assert_eq!(started, was_started),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn dropping_the_runtime_settles_all() {
    for runtime in runtimes() {
        let (worker, handles) = occupied(&runtime);
        drop(runtime);
        assert_cut_off(handles);
        assert!(worker.counts().balances());
        assert_eq!(worker.counts().cancelled, 2);
    }
}

#[test]
fn a_runtime_that_ends_in_the_background_settles_all() {
    for runtime in runtimes() {
        let (_worker, handles) = occupied(&runtime);
        runtime.shutdown_background();
        assert_cut_off(handles);
    }
}

#[test]
fn who_waits_when_the_runtime_goes_is_let_go() {
    for runtime in runtimes() {
        let (worker, handles) = occupied(&runtime);
        let (told, tells) = channel();
        let waiting = thread::spawn(move || {
            told.send(()).expect("the test listens");
            assert_cut_off(handles);
        });
        let shut_down = thread::spawn(move || worker.shutdown_blocking(Shutdown::Drain).expect("no runtime here"));
        tells.recv().expect("the thread runs");
        drop(runtime);
        waiting.join().expect("both settled");
        assert!(shut_down.join().expect("a report").counts.balances());
    }
}

#[test]
fn what_is_left_answers() {
    for runtime in runtimes() {
        let (worker, [running, queued]) = occupied(&runtime);
        let parent = Token::new();
        drop(runtime);
        assert!(!running.cancel());
        assert!(!queued.cancel());
        assert!(running.is_finished());
        let rejected = worker.try_submit(Job::task(async {}).parent(&parent)).expect_err("closed");
        assert_eq!(rejected.reason, RejectReason::Closed);
        assert!(worker.submit_blocking(Job::call(|_| ())).is_err());
        assert!(parent.cancel());
        let token = worker.child_with_timeout(Duration::from_secs(1));
        assert!(token.is_cancelled());
        assert!(worker.jobs().is_empty());
        assert!(worker.shutdown_blocking(Shutdown::Abort).expect("no runtime here").counts.balances());
    }
}

#[test]
fn a_call_that_never_got_its_thread_settles() {
    let runtime = Builder::new_current_thread().max_blocking_threads(1).enable_time().build().expect("a runtime");
    let worker = Tokio::from_handle(runtime.handle().clone()).start(WorkerConfig::new()).expect("a worker");
    let (open, opened) = channel::<()>();
    let (begun, begins) = channel();
    let first = Job::call(move |_| {
        begun.send(()).expect("the test listens");
        opened.recv().is_err()
    });
    let first = worker.try_submit(first).expect("a place");
    let second = worker.try_submit(Job::call(|_| ())).expect("a place");
    runtime.block_on(async {
        while begins.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        while worker.running() != 2 {
            tokio::task::yield_now().await;
        }
    });
    runtime.shutdown_background();
    let outcome = second.wait_timeout(HANGS).expect("it settles");
    assert!(matches!(outcome, Outcome::Cancelled { cause: Cause::SHUTDOWN, .. }), "{outcome:?}");
    drop(open);
    // Whether its value still finds its lane depends on who is faster; that it settles does not.
    let outcome = first.wait_timeout(HANGS).expect("it settles");
    assert!(matches!(outcome, Outcome::Completed(true) | Outcome::Abandoned), "{outcome:?}");
}

#[test]
fn tokens_jobs_and_handles_need_no_runtime() {
    let token = Token::new();
    let job = Job::task(async {}).parent(&token).run_timeout(Duration::MAX).name("nowhere");
    thread::spawn(move || drop(job)).join().expect("no panic");
    let child = token.child_token();
    thread::spawn(move || token.cancel()).join().expect("no panic");
    assert!(child.is_cancelled());
}
