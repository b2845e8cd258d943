//! A worker on each kind of executor: what jobs come to, and where workers may be started from.

use std::future::{Future, pending};
use std::num::NonZero;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use async_executor::Executor;
use countermand_core::{Cause, Job, Outcome, Phase, Priority, Shutdown, Worker, WorkerConfig};
use countermand_smol::{Smol, StartError};

const HANGS: Duration = Duration::from_secs(60);
const ONE: NonZero<usize> = NonZero::<usize>::MIN;

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

/// Runs `main` on `executor` and this thread.
fn run<T>(executor: &Executor<'static>, main: impl Future<Output = T>) -> T {
    async_io::block_on(executor.run(main))
}

#[test]
fn jobs_settle_on_an_executor_that_is_lent() {
    let executor = Arc::new(Executor::new());
    let worker = Smol::on(&executor).start(config()).expect("a worker");
    run(&executor, settle_each_way(worker));
}

#[test]
fn jobs_settle_on_a_static_executor() {
    static EXECUTOR: Executor<'static> = Executor::new();
    let worker = Smol::on_static(&EXECUTOR).start(config()).expect("a worker");
    run(&EXECUTOR, settle_each_way(worker));
}

#[test]
fn jobs_settle_on_threads_of_its_own() {
    for threads in [1, 3] {
        let threads = NonZero::new(threads).expect("not zero");
        let worker = Smol::with_threads(threads).expect("threads").start(config()).expect("a worker");
        async_io::block_on(settle_each_way(worker));
    }
}

#[cfg(feature = "global")]
#[test]
fn jobs_settle_on_the_global_executor() {
    let worker = Smol::global().start(config()).expect("a worker");
    smol::block_on(settle_each_way(worker));
}

#[test]
fn a_worker_is_used_from_threads_without_an_executor() {
    let worker = Smol::with_threads(ONE).expect("a thread").start(config()).expect("a worker");
    let job = Job::task_with(|cx| async move { cx.sleep(Duration::from_millis(1)).await });
    let handle = worker.submit_blocking(job).expect("a place");
    assert!(matches!(handle.wait().expect("no executor here"), Outcome::Completed(())));
    let stuck = worker.try_submit(Job::task(pending::<()>())).expect("a place");
    let stuck = stuck.wait_timeout(Duration::from_millis(1)).expect_err("it is stuck").handle;
    let report = worker.shutdown_blocking(Shutdown::Abort).expect("no executor here");
    assert_eq!(report.cut_off.len(), 1);
    assert!(matches!(stuck.wait().expect("no executor here"), Outcome::Cancelled { cause: Cause::SHUTDOWN, .. }));
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

#[test]
fn threads_of_its_own_end_with_the_last_worker() {
    let (ended, ends) = channel();
    let worker = Smol::with_threads(ONE).expect("a thread").start(config()).expect("a worker");
    let job = worker.try_submit(Job::task(async move { leave_here(ended) })).expect("a place");
    assert!(matches!(job.wait().expect("no executor here"), Outcome::Completed(())));
    drop(worker);
    ends.recv_timeout(HANGS).expect("the thread ends");
}

#[test]
fn attendants_leave_the_executor_when_the_worker_ends() {
    let executor = Arc::new(Executor::new());
    let worker = Smol::on(&executor).start(config()).expect("a worker");
    assert!(!executor.is_empty());
    run(&executor, worker.shutdown(Shutdown::Drain));
    while !executor.is_empty() {
        executor.try_tick();
    }
}

#[test]
fn an_executor_that_is_gone_is_an_error() {
    let executor = Arc::new(Executor::new());
    let host = Smol::on(&executor);
    drop(executor);
    assert!(matches!(host.start(config()), Err(StartError::ExecutorGone)));
}

#[test]
fn settings_at_fault_are_an_error() {
    let started = Smol::on(&Arc::new(Executor::new())).start(config().lanes(0));
    assert!(matches!(started, Err(StartError::Config(error)) if error.faults()[0].field == "lanes"));
}
