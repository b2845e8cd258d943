//! A blocking wait where it could stop the thread that must go on.

use std::future::poll_fn;
use std::prelude::v1::*;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use countermand_core::{FullPolicy, Handle, Job, RejectReason, Shutdown, WaitReason, Worker, WorkerConfig};

use crate::rules::crew::{Crew, all_settled, lock, refused, runs_calls};
use crate::{Bench, Check, Flaw, Gate, ensure, ensure_eq};

pub(super) async fn c3_a_blocking_wait_goes_on_or_is_refused(bench: &Bench) -> Check {
    in_a_poll_by_hand(bench).await?;
    in_a_poll(bench).await?;
    in_the_main(bench).await?;
    let mut runs = 3 + u64::from(in_another_task(bench).await?);
    if runs_calls(bench) {
        in_a_call(bench).await?;
        runs += 1;
    }
    Ok(runs)
}

/// What a job sees that tries to block in its own poll.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    wait: WaitReason,
    timed: WaitReason,
    /// Whether the queue was full before the submit.
    full: bool,
    submit: Option<RejectReason>,
    settled: bool,
}

const REFUSED: Seen = Seen {
    wait: WaitReason::WouldDeadlock,
    timed: WaitReason::WouldDeadlock,
    full: true,
    submit: Some(RejectReason::WouldDeadlock),
    settled: true,
};

/// In its poll a job waits for another one that needs the same driver, submits to the full queue, and waits for one that is settled.
fn blocker(
    worker: &Worker,
    other: Handle<u8>,
    settled: Handle<u8>,
    seen: &Arc<Mutex<Option<Seen>>>,
) -> Job<impl countermand_core::Work<Value = Option<Handle<u8>>, Error = std::convert::Infallible> + use<>> {
    let (worker, seen) = (worker.clone(), Arc::clone(seen));
    let mut both = Some((other, settled));
    Job::task(poll_fn(move |_| {
        let Some((other, settled)) = both.take() else { return Poll::Ready(None) };
        let Err(refused) = other.wait() else { return Poll::Ready(None) };
        let Err(timed) = refused.handle.wait_timeout(Duration::from_secs(1)) else { return Poll::Ready(None) };
        // The place that this job had is free: one more fills the queue.
        let filled = worker.try_submit(Job::task(async {})).is_ok();
        let full = filled && worker.try_submit(Job::task(async {})).is_err();
        let submit = worker.submit_blocking(Job::task(async {})).err().map(|rejected| rejected.reason);
        let settled = settled.wait().is_ok_and(|outcome| outcome.completed() == Some(1));
        *lock(&seen) = Some(Seen { wait: refused.reason, timed: timed.reason, full, submit, settled });
        Poll::Ready(Some(timed.handle))
    }))
}

/// The driver is polled on a thread that no host knows: it is the core itself that refuses.
async fn in_a_poll_by_hand(bench: &Bench) -> Result<(), Flaw> {
    let (worker, mut crew) = Crew::new(bench, WorkerConfig::new().lanes(1).drivers(1).capacity(2))?;
    let settled = worker.try_submit(Job::task(std::future::ready(1))).map_err(refused)?;
    crew.settle_down()?;
    let seen = Arc::default();
    // The job is made when the one it waits for is queued behind it; its priority lets it pass.
    let other = worker.try_submit(Job::task(std::future::ready(2))).map_err(refused)?;
    let job = blocker(&worker, other, settled, &seen).priority(countermand_core::Priority::Critical);
    let job = worker.try_submit(job).map_err(refused)?;
    let mut driver = crew.give_away(0);
    let step = move || {
        driver.turn();
        driver
    };
    let driver = bench.on_thread("a job tries to block in its own poll", step).await?;
    crew.take_in(driver);
    crew.settle_down()?;
    let seen = lock(&seen).clone();
    let seen =
        seen.ok_or_else(|| Flaw::Broken("a blocking wait for a job of the same driver gave an outcome".to_owned()))?;
    ensure_eq!(seen, REFUSED, "what a job saw that tried to block in its own poll, of a driver that no host knows");
    let back = bench.settled(job).await?.completed().flatten();
    let back = back.ok_or_else(|| Flaw::Broken("the handle did not come back from a refused wait".to_owned()))?;
    ensure_eq!(bench.settled(back).await?.completed(), Some(2), "what the other job returned");
    Ok(())
}

async fn in_a_poll(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1).capacity(1).full(FullPolicy::Wait))?;
    let settled = bench.submit(&worker, Job::task(std::future::ready(1))).await?;
    bench.until("the first job settles", || settled.is_finished()).await?;
    // Its driver's only lane is taken until its place is known to be behind.
    let (gate, seen) = (Gate::new(), Arc::default());
    let (slot, pass): (Arc<Mutex<Option<Handle<u8>>>>, _) = (Arc::default(), gate.wait());
    let (take, theirs, put) = (Arc::clone(&slot), worker.clone(), Arc::clone(&seen));
    let job = bench
        .submit(
            &worker,
            Job::task(async move {
                pass.await;
                let other = lock(&take).take()?;
                let refused = other.wait().err()?;
                let timed = refused.handle.wait_timeout(Duration::from_secs(1)).err()?;
                let full = theirs.try_submit(Job::task(async {})).is_err();
                let submit = theirs.submit_blocking(Job::task(async {})).err().map(|rejected| rejected.reason);
                let settled = settled.wait().is_ok_and(|outcome| outcome.completed() == Some(1));
                *lock(&put) = Some(Seen { wait: refused.reason, timed: timed.reason, full, submit, settled });
                Some((timed.handle, theirs.shutdown_blocking(Shutdown::Drain).is_err()))
            }),
        )
        .await?;
    bench.quiet(&worker).await?;
    *lock(&slot) = Some(bench.submit(&worker, Job::task(std::future::ready(2))).await?);
    gate.open();
    let back = bench.settled(job).await?.completed().flatten();
    let seen: Option<Seen> = lock(&seen).clone();
    ensure_eq!(seen, Some(REFUSED), "what a job saw that tried to block in its own poll");
    let (back, shutdown_refused) =
        back.ok_or_else(|| Flaw::Broken("the handle did not come back from a refused wait".to_owned()))?;
    ensure!(shutdown_refused, "a blocking shutdown in a job of the same worker was not refused");
    ensure_eq!(bench.settled(back).await?.completed(), Some(2), "what the other job returned");
    // The shutdown took effect all the same.
    ensure!(worker.is_closed(), "a worker is open whose blocking shutdown was refused");
    let report = bench.within("the drain ends", worker.shutdown(Shutdown::Drain)).await?;
    ensure_eq!((report.counts.completed, report.counts.unsettled), (3, 0), "completed and unsettled in the report");
    Ok(())
}

/// Blocks where a user's program is, without awaiting: either the job goes on meanwhile, or the wait is refused.
fn wait_here(handle: Handle<u8>) -> Result<Option<u8>, (Handle<u8>, WaitReason)> {
    match handle.wait() {
        Ok(outcome) => Ok(outcome.completed()),
        Err(error) => Err((error.handle, error.reason)),
    }
}

async fn in_the_main(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let job = || {
        Job::task_with(|context| async move {
            context.yield_now().await;
            6_u8
        })
    };
    let handle = worker.try_submit(job()).map_err(refused)?;
    match wait_here(handle) {
        Ok(value) => ensure_eq!(value, Some(6), "what a job returned to a blocking wait"),
        Err((handle, reason)) => {
            ensure_eq!(reason, WaitReason::WouldDeadlock, "why a blocking wait in the main place was refused");
            ensure_eq!(bench.settled(handle).await?.completed(), Some(6), "what the job returned");
        }
    }
    all_settled(bench, &worker, 1).await?;
    match worker.shutdown_blocking(Shutdown::Drain) {
        Ok(report) => ensure_eq!(report.counts.completed, 1, "completed jobs in the report"),
        Err(_) => _ = bench.within("the drain ends", worker.shutdown(Shutdown::Drain)).await?,
    }
    Ok(())
}

/// In a task of the host that is no job: the host knows its own threads. Whether there are such tasks.
async fn in_another_task(bench: &Bench) -> Result<bool, Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let handle = worker
        .try_submit(Job::task_with(|context| async move {
            context.yield_now().await;
            6_u8
        }))
        .map_err(refused)?;
    let (done, result) = (Gate::new(), Arc::new(Mutex::new(None)));
    let (open, put) = (done.clone(), Arc::clone(&result));
    let task = async move {
        let waited = wait_here(handle);
        *lock(&put) = Some(waited);
        open.open();
    };
    match bench.spawn(task) {
        Err(Flaw::NotApplicable(_)) => return Ok(false),
        other => other?,
    }
    bench.within("a blocking wait in a task of the host ends or is refused", done.wait()).await?;
    let result = lock(&result).take();
    match result {
        Some(Ok(value)) => ensure_eq!(value, Some(6), "what a job returned to a blocking wait in another task"),
        Some(Err((handle, reason))) => {
            ensure_eq!(reason, WaitReason::WouldDeadlock, "why a blocking wait in another task was refused");
            ensure_eq!(bench.settled(handle).await?.completed(), Some(6), "what the job returned");
        }
        None => return Err(Flaw::Broken("a task ended without a result".to_owned())),
    }
    all_settled(bench, &worker, 1).await?;
    Ok(true)
}

/// A call has a thread that may block, so it may wait for another job.
async fn in_a_call(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(2).drivers(1))?;
    let theirs = worker.clone();
    let call = Job::call(move |_| {
        let other = theirs.submit_blocking(Job::task_with(|context| async move {
            context.yield_now().await;
            6_u8
        }));
        let other = other.map_err(|rejected| format!("{:?}", rejected.reason))?;
        wait_here(other).map_err(|(_, reason)| format!("{reason:?}"))
    });
    let outcome = bench.settled(bench.submit(&worker, call).await?).await?;
    ensure_eq!(outcome.completed(), Some(Ok(Some(6))), "what a call saw that waited for another job of its worker");
    all_settled(bench, &worker, 2).await
}
