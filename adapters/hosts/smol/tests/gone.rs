//! An executor that goes away: every job settles, nobody who waits hangs (S6), and what is left answers without a panic (C1).

use std::future::pending;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use async_executor::Executor;
use countermand_core::{Cause, Handle, Job, Outcome, RejectReason, Shutdown, Token, Worker, WorkerConfig};
use countermand_smol::Smol;

const HANGS: Duration = Duration::from_secs(60);

/// A worker with one job running and one queued.
fn occupied(executor: &Arc<Executor<'static>>) -> (Worker, [Handle<()>; 2]) {
    let worker = Smol::on(executor).start(WorkerConfig::new().lanes(1)).expect("a worker");
    let handles = [(); 2].map(|()| worker.try_submit(Job::task(pending::<()>())).expect("a place"));
    while worker.running() == 0 || !worker.is_quiet() {
        executor.try_tick();
    }
    // Null control: as long as the executor is there, nothing of this settles.
    assert!(handles.iter().all(|handle| !handle.is_finished()), "{:?}", worker.counts());
    (worker, handles)
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
fn dropping_the_executor_settles_all() {
    let executor = Arc::new(Executor::new());
    let (worker, handles) = occupied(&executor);
    drop(executor);
    assert_cut_off(handles);
    assert!(worker.counts().balances());
    assert_eq!(worker.counts().cancelled, 2);
}

#[test]
fn who_waits_when_the_executor_goes_is_let_go() {
    let executor = Arc::new(Executor::new());
    let (worker, handles) = occupied(&executor);
    let waiting = thread::spawn(move || assert_cut_off(handles));
    let shut_down = thread::spawn(move || worker.shutdown_blocking(Shutdown::Drain).expect("a free thread"));
    // Nobody runs this but the threads that stand in for those that wait. From then on those keep the executor alive.
    async_io::block_on(executor.spawn(async {}));
    drop(executor);
    waiting.join().expect("both settled");
    assert!(shut_down.join().expect("a report").counts.balances());
}

#[test]
fn what_is_left_answers() {
    let executor = Arc::new(Executor::new());
    let (worker, [running, queued]) = occupied(&executor);
    let parent = Token::new();
    drop(executor);
    assert!(!running.cancel());
    assert!(!queued.cancel());
    assert!(running.is_finished());
    let rejected = worker.try_submit(Job::task(async {}).parent(&parent)).expect_err("closed");
    assert_eq!(rejected.reason, RejectReason::Closed);
    assert!(worker.submit_blocking(Job::call(|_| ())).is_err());
    assert!(worker.child_with_timeout(Duration::from_secs(1)).is_cancelled());
    assert!(worker.jobs().is_empty());
    assert!(worker.shutdown_blocking(Shutdown::Abort).expect("a free thread").counts.balances());
}

#[test]
fn a_call_outlives_its_executor() {
    let executor = Arc::new(Executor::new());
    let worker = Smol::on(&executor).start(WorkerConfig::new()).expect("a worker");
    let (open, opened) = channel::<()>();
    let (begun, begins) = channel();
    let call = Job::call(move |_| {
        begun.send(()).expect("the test listens");
        opened.recv().is_err()
    });
    let call = worker.try_submit(call).expect("a place");
    while begins.try_recv().is_err() {
        executor.try_tick();
    }
    drop(executor);
    drop(open);
    // Whether its value still finds its lane depends on who is faster; that it settles does not.
    let outcome = call.wait_timeout(HANGS).expect("it settles");
    assert!(matches!(outcome, Outcome::Completed(true) | Outcome::Abandoned), "{outcome:?}");
}
