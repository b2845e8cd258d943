//! Blocking waits: they go on, or are refused, and never stop the drivers they wait for (C3).

use std::future::pending;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use countermand_core::{Class, Handle, Job, Outcome, Shutdown, WaitReason, Worker, WorkerConfig};
use countermand_tokio::Tokio;
use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;

const HANGS: Duration = Duration::from_secs(60);

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// One thread only: whoever blocks it without leave stops everything.
fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_time().build().expect("a runtime")
}

fn start(runtime: &Runtime) -> Worker {
    Tokio::from_handle(runtime.handle().clone()).start(WorkerConfig::new().lanes(4)).expect("a worker")
}

/// A job that is not done before the next turn of its driver.
fn submit(worker: &Worker) -> Handle<u32> {
    let job = Job::task_with(|cx| async move {
        cx.sleep(Duration::from_millis(1)).await;
        42
    });
    worker.try_submit(job).expect("a place")
}

/// Runs `test` on a thread of its own, so that a deadlock is a failure.
fn within_patience(test: impl FnOnce() + Send + 'static) {
    let (done, is_done) = channel::<()>();
    let tested = thread::spawn(move || {
        let _done = done;
        test();
    });
    assert_eq!(is_done.recv_timeout(HANGS), Err(RecvTimeoutError::Disconnected), "it hangs");
    tested.join().expect("the test passes");
}

/// A wait for a job that does not end by itself is refused, and gives the handle back.
fn assert_refused(worker: &Worker) -> Handle<()> {
    let stuck = worker.try_submit(Job::task(pending())).expect("a place");
    let refused = stuck.wait().expect_err("refused");
    assert_eq!(refused.reason, WaitReason::WouldDeadlock);
    let refused = refused.handle.wait_timeout(HANGS).expect_err("refused");
    assert_eq!(refused.reason, WaitReason::WouldDeadlock);
    assert!(refused.handle.cancel());
    refused.handle
}

#[test]
fn refused_on_the_only_thread_there_is() {
    within_patience(|| {
        let runtime = current_thread();
        let worker = start(&runtime);
        runtime.block_on(async {
            assert!(matches!(assert_refused(&worker).await, Outcome::Cancelled { .. }));
            let in_task = worker.clone();
            let task = tokio::spawn(async move { assert_refused(&in_task).await });
            assert!(matches!(task.await.expect("the task passes"), Outcome::Cancelled { .. }));
            assert!(worker.shutdown_blocking(Shutdown::Drain).is_err());
            assert!(worker.shutdown(Shutdown::Drain).await.counts.balances());
        });
    });
}

#[test]
fn refused_inside_of_another_runtime_that_it_would_stop() {
    within_patience(|| {
        let (home, away) = (multi_thread(), current_thread());
        let worker = start(&home);
        let outcome = away.block_on(async { assert_refused(&worker).await });
        assert!(matches!(outcome, Outcome::Cancelled { .. }));
    });
}

#[test]
fn goes_on_in_a_task_of_a_runtime_that_can_move_it() {
    within_patience(|| {
        let runtime = multi_thread();
        let worker = start(&runtime);
        let task = runtime.spawn(async move { submit(&worker).wait().expect("moved").completed() });
        assert_eq!(runtime.block_on(task).expect("the task passes"), Some(42));
    });
}

#[test]
fn goes_on_in_block_on() {
    within_patience(|| {
        let runtime = multi_thread();
        let worker = start(&runtime);
        let outcome = runtime.block_on(async { submit(&worker).wait().expect("not the driver's thread") });
        assert_eq!(outcome.completed(), Some(42));
    });
}

#[test]
fn goes_on_in_calls() {
    within_patience(|| {
        for runtime in [current_thread(), multi_thread()] {
            let worker = start(&runtime);
            let inner = worker.clone();
            let call = Job::call(move |_| submit(&inner).wait().expect("a thread that may block").completed());
            let call = worker.try_submit(call).expect("a place");
            assert!(matches!(runtime.block_on(call), Outcome::Completed(Some(42))));
        }
    });
}

#[test]
fn refused_in_a_runtime_inside_of_a_call() {
    within_patience(|| {
        let outer = multi_thread();
        let call = Job::call(|_| {
            let inner = current_thread();
            let worker = start(&inner);
            inner.block_on(async { assert_refused(&worker).await.class() })
        });
        let worker = start(&outer);
        let call = worker.try_submit(call).expect("a place");
        let class = call.wait().expect("no runtime here").completed();
        assert!(matches!(class, Some(Class::Cancelled { .. })));
    });
}

#[test]
fn refused_in_a_local_set() {
    within_patience(|| {
        let runtime = multi_thread();
        let worker = start(&runtime);
        let local = LocalSet::new();
        let outcome = local.block_on(&runtime, async { assert_refused(&worker).await });
        assert!(matches!(outcome, Outcome::Cancelled { .. }));
    });
}

#[test]
fn refused_in_a_job() {
    within_patience(|| {
        let runtime = multi_thread();
        let worker = start(&runtime);
        let inner = worker.clone();
        let job = Job::task(async move { assert_refused(&inner).await.class() });
        let outcome = worker.try_submit(job).expect("a place").wait().expect("no runtime here");
        assert!(matches!(outcome.completed(), Some(Class::Cancelled { .. })));
    });
}
