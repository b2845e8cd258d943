//! A worker on each flavor of runtime: what jobs come to, and where workers may be started from.

use std::future::pending;
use std::thread;
use std::time::Duration;

use countermand_core::{Cause, Job, Outcome, Phase, Priority, Shutdown, Worker, WorkerConfig};
use countermand_tokio::{NoRuntime, StartError, Tokio};
use tokio::runtime::{Builder, Runtime};

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime")
}

fn config() -> WorkerConfig {
    WorkerConfig::new().lanes(4).drivers(2)
}

async fn settle_each_way(worker: Worker) {
    let value = worker.submit(Job::task(async { 42 })).await.expect("a place");
    assert_eq!(value.await.completed(), Some(42));

    let stuck = worker.submit(Job::task(pending::<()>()).priority(Priority::High)).await.expect("a place");
    assert!(stuck.cancel());
    assert!(matches!(stuck.await, Outcome::Cancelled { cause: Cause::REQUESTED, .. }));

    let slow = Job::task(pending::<()>()).run_timeout(Duration::from_millis(2));
    let slow = worker.submit(slow).await.expect("a place");
    assert!(matches!(slow.await, Outcome::TimedOut { phase: Phase::Running, .. }));

    let slept = Job::task_with(|cx| async move { cx.sleep(Duration::from_millis(2)).await });
    let slept = worker.submit(slept).await.expect("a place");
    assert!(matches!(slept.await, Outcome::Completed(())));

    let call = worker.submit(Job::call(|_| thread::current().id())).await.expect("a place");
    assert_ne!(call.await.completed(), Some(thread::current().id()));

    let panics = worker.submit(Job::task(async { panic!("on purpose") })).await.expect("a place");
    assert!(matches!(panics.await, Outcome::<()>::Panicked(panic) if panic.message() == Some("on purpose")));

    let report = worker.shutdown(Shutdown::Drain).await;
    assert!(report.counts.balances());
    assert_eq!(report.counts.accepted, 6);
    assert_eq!(report.counts.unsettled, 0);
}

#[test]
fn jobs_settle_on_a_current_thread_runtime() {
    current_thread().block_on(async {
        settle_each_way(Tokio::current().expect("inside").start(config()).expect("a worker")).await;
    });
}

#[test]
fn jobs_settle_on_a_multi_thread_runtime() {
    multi_thread().block_on(async {
        settle_each_way(Tokio::current().expect("inside").start(config()).expect("a worker")).await;
    });
}

#[test]
fn a_worker_is_started_and_used_from_outside_of_its_runtime() {
    let runtime = multi_thread();
    let worker = Tokio::from_handle(runtime.handle().clone()).start(config()).expect("a worker");
    let job = Job::task_with(|cx| async move { cx.sleep(Duration::from_millis(1)).await });
    let handle = worker.submit_blocking(job).expect("a place");
    assert!(matches!(handle.wait().expect("no runtime here"), Outcome::Completed(())));
    let (begin, begun) = std::sync::mpsc::channel();
    let job = Job::task(async move {
        begin.send(()).expect("somebody waits");
        pending::<()>().await;
    });
    let stuck = worker.try_submit(job).expect("a place");
    begun.recv().expect("it is started");
    let stuck = stuck.wait_timeout(Duration::from_millis(1)).expect_err("it is stuck").handle;
    let report = worker.shutdown_blocking(Shutdown::Abort).expect("no runtime here");
    assert_eq!(report.cut_off.len(), 1);
    assert!(matches!(
        stuck.wait().expect("no runtime here"),
        Outcome::Cancelled { cause: Cause::SHUTDOWN, started: true }
    ));
}

#[test]
fn a_worker_of_one_runtime_is_used_from_another() {
    let (home, away) = (multi_thread(), current_thread());
    let worker = Tokio::from_handle(home.handle().clone()).start(config()).expect("a worker");
    away.block_on(settle_each_way(worker));
}

#[test]
fn drivers_are_tasks_of_the_runtime() {
    let runtime = current_thread();
    let worker = Tokio::from_handle(runtime.handle().clone()).start(config()).expect("a worker");
    assert_eq!(runtime.metrics().num_alive_tasks(), 3); // Two drivers and the keeper.
    runtime.block_on(worker.shutdown(Shutdown::Drain));
    // The report is out before the last attendant has gone.
    runtime.block_on(async {
        while runtime.metrics().num_alive_tasks() != 0 {
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn without_a_runtime_there_is_an_error() {
    let error: NoRuntime = Tokio::current().expect_err("outside");
    assert!(error.to_string().contains("from_handle"));
}

#[test]
fn a_runtime_without_timers_is_an_error() {
    let runtime = Builder::new_current_thread().build().expect("a runtime");
    let started = Tokio::from_handle(runtime.handle().clone()).start(config());
    assert_eq!(started.expect_err("no timers"), StartError::NoTimers);
    assert_eq!(runtime.metrics().num_alive_tasks(), 0);
}

#[test]
fn a_runtime_that_is_gone_is_an_error() {
    for runtime in [current_thread(), multi_thread()] {
        let host = Tokio::from_handle(runtime.handle().clone());
        drop(runtime);
        assert_eq!(host.start(config()).expect_err("gone"), StartError::RuntimeGone);
    }
}

#[test]
fn settings_at_fault_are_an_error() {
    let runtime = current_thread();
    let started = Tokio::from_handle(runtime.handle().clone()).start(config().lanes(0));
    assert!(matches!(started, Err(StartError::Config(error)) if error.faults()[0].field == "lanes"));
}
