//! Blocking waits go on wherever they are, because somebody else runs the executor meanwhile (C3).

use std::num::NonZero;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use async_executor::Executor;
use countermand_core::{Handle, Job, Outcome, Worker, WorkerConfig};
use countermand_smol::Smol;

const HANGS: Duration = Duration::from_secs(60);
const ONE: NonZero<usize> = NonZero::<usize>::MIN;

fn config() -> WorkerConfig {
    WorkerConfig::new().lanes(4)
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

#[test]
fn goes_on_on_the_only_thread_there_is() {
    within_patience(|| {
        let executor = Arc::new(Executor::new());
        let worker = Smol::on(&executor).start(config()).expect("a worker");
        let in_task = worker.clone();
        let task = executor.spawn(async move { submit(&in_task).wait().expect("somebody stands in").completed() });
        let (here, there) = async_io::block_on(
            executor.run(async { (submit(&worker).wait().expect("somebody stands in").completed(), task.await) }),
        );
        assert_eq!((here, there), (Some(42), Some(42)));
    });
}

#[test]
fn goes_on_when_nobody_runs_the_executor() {
    within_patience(|| {
        let executor = Arc::new(Executor::new());
        let worker = Smol::on(&executor).start(config()).expect("a worker");
        assert_eq!(submit(&worker).wait().expect("somebody stands in").completed(), Some(42));
    });
}

#[test]
fn goes_on_in_the_thread_that_stands_in() {
    within_patience(|| {
        let executor = Arc::new(Executor::new());
        let worker = Smol::on(&executor).start(config()).expect("a worker");
        let inner = worker.clone();
        // The first wait has this task run by a stand-in; it waits in its turn, for what the first wait's thread does afterwards.
        let (open, opened) = channel::<()>();
        let nested = executor.spawn(async move {
            let first = submit(&inner).wait().is_ok();
            opened.recv().is_err() && first
        });
        assert!(submit(&worker).wait().is_ok());
        drop(open);
        assert!(async_io::block_on(executor.run(nested)));
    });
}

#[test]
fn goes_on_on_a_thread_of_its_own_executor() {
    within_patience(|| {
        let host = Smol::with_threads(ONE).expect("a thread");
        let worker = host.start(config()).expect("a worker");
        let other = host.start(config()).expect("a worker");
        // A hook runs on the executor's only thread.
        let (answer, answers) = channel();
        let (open, opened) = channel::<()>();
        let gated = other.try_submit(Job::call(move |_| opened.recv().is_err())).expect("a place");
        gated.on_done(move |_| {
            let waited = submit(&worker).wait().map_err(|error| error.reason);
            answer.send(waited.map(Outcome::completed)).expect("the test listens");
        });
        drop(open);
        assert_eq!(answers.recv().expect("it answers"), Ok(Some(42)));
    });
}

#[test]
fn goes_on_in_calls() {
    within_patience(|| {
        let worker = Smol::with_threads(ONE).expect("a thread").start(config()).expect("a worker");
        let inner = worker.clone();
        let call = Job::call(move |_| submit(&inner).wait().expect("a thread that may block").completed());
        let call = worker.try_submit(call).expect("a place");
        assert!(matches!(call.wait().expect("no executor here"), Outcome::Completed(Some(42))));
    });
}

#[cfg(feature = "global")]
#[test]
fn is_refused_on_the_threads_of_the_global_executor() {
    within_patience(|| {
        let worker = Smol::global().start(config()).expect("a worker");
        let in_task = worker.clone();
        let task =
            smol::spawn(async move { submit(&in_task).wait().map_err(|refused| (refused.reason, refused.handle)) });
        let (reason, handle) = smol::block_on(task).expect_err("refused");
        assert_eq!(reason, countermand_core::WaitReason::WouldDeadlock);
        assert_eq!(handle.wait().expect("not a thread of its").completed(), Some(42));
    });
}
