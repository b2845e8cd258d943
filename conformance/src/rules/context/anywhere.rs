//! Every call, where no runtime is present, inside another runtime, and after the runtime has gone.

use std::pin::pin;
use std::prelude::v1::*;
use std::task::Waker;
use std::time::Duration;

use countermand_core::{
    Cause, Handle, Instant, Job, Outcome, RejectReason, Rejected, Shutdown, SubmitResult, Token, WaitReason, Worker,
    WorkerConfig,
};
use futures::executor::block_on;

use crate::rules::crew::{Crew, all_settled, runs_calls};
use crate::{Bench, Check, Flaw, Gate, Recorder, ensure, ensure_eq, poll};

pub(super) async fn c1_every_call_works_anywhere(bench: &Bench) -> Check {
    let calls = runs_calls(bench);
    let config = || WorkerConfig::new().lanes(4).drivers(2);
    let mut runs = 0;
    for other_runtime in [false, true] {
        let worker = bench.worker(config())?;
        let theirs = worker.clone();
        let visit =
            move || if other_runtime { block_on(async { visit(&theirs, calls) }) } else { visit(&theirs, calls) };
        let accepted = bench.on_thread("all calls are made on a foreign thread", visit).await??;
        all_settled(bench, &worker, accepted).await?;
        let theirs = worker.clone();
        let waits = move || block_on(wait_in_another_runtime(&theirs));
        let more = bench.on_thread("everything is awaited inside another runtime", waits).await??;
        all_settled(bench, &worker, accepted + more).await?;
        let end = move || shut_down(&worker, other_runtime);
        bench.on_thread("a worker is shut down on a foreign thread", end).await??;
        runs += 3;
    }
    // The same from inside the host, but for what blocks (C3).
    let worker = bench.worker(config())?;
    bench.within("all is awaited where a user's program would be", wait_in_another_runtime(&worker)).await??;
    drop(worker);
    match bench.doomed_worker(config()) {
        Ok(doomed) => {
            let scene = Left::behind(&doomed.worker)?;
            bench.until("a job runs", || doomed.worker.running() > 0).await?;
            let worker = doomed.stop(bench).await?;
            gone(bench, worker, scene).await?;
            runs += 1;
        }
        // Then there is no runtime that could go.
        Err(Flaw::NotApplicable(_)) => {}
        Err(flaw) => return Err(flaw),
    }
    let (worker, mut crew) = Crew::new(bench, config())?;
    let scene = Left::behind(&worker)?;
    crew.settle_down()?;
    drop(crew);
    gone(bench, worker, scene).await?;
    Ok(runs + 2)
}

fn broken(what: &str) -> Flaw {
    Flaw::Broken(what.to_owned())
}

/// Every call that there is at the door, on a thread that knows of no runtime. Returns how many jobs were accepted.
fn visit(worker: &Worker, calls: bool) -> Result<u64, Flaw> {
    let gate = Gate::new();
    let refused = |reason: RejectReason| Flaw::Broken(format!("a job was rejected: {reason:?}"));
    let first = worker.try_submit(Job::task(gate.wait())).map_err(|no| refused(no.reason))?;
    let second = worker.submit_blocking(Job::task(gate.wait())).map_err(|no| refused(no.reason))?;
    let mut submit = pin!(worker.submit(Job::task(std::future::ready(3))));
    let std::task::Poll::Ready(Ok(third)) = poll(submit.as_mut(), Waker::noop()) else {
        return Err(broken("a submit to an empty queue was not ready"));
    };
    look(worker)?;
    let _ = (first.id(), first.name(), first.priority(), first.is_finished(), first.token(), format!("{first:?}"));
    first.on_done(|_| {});
    let third = third.wait().map_err(|error| Flaw::Broken(format!("a wait failed: {error}")))?;
    ensure_eq!(third.completed(), Some(3), "what a job returned to a foreign thread");
    ensure!(first.cancel() && !first.cancel(), "a cancel was not told the truth about being first");
    let outcome = first.wait().map_err(|error| Flaw::Broken(format!("a wait failed: {error}")))?;
    ensure!(outcome.is_cancelled(), "a cancelled job settled as {:?}", outcome.class());
    let waited = second.wait_timeout(Duration::ZERO);
    let Err(error) = waited else { return Err(broken("a wait of no length for a job that waits gave an outcome")) };
    ensure_eq!(error.reason, WaitReason::TimedOut, "why a wait of no length gave no outcome");
    gate.open();
    drop(error.handle.wait());
    let mut accepted = 3;
    if calls {
        let call = worker.submit_blocking(Job::call(|_| 4)).map_err(|no| refused(no.reason))?;
        let call = call.wait().map_err(|error| Flaw::Broken(format!("a wait failed: {error}")))?;
        ensure_eq!(call.completed(), Some(4), "what a call returned to a foreign thread");
        accepted += 1;
    }
    let mut scope = Box::pin(worker.scope(|scope| async move { scope.try_submit(Job::task(async {})).is_ok() }));
    let polled = poll(scope.as_mut(), &Recorder::new().waker());
    ensure!(!matches!(polled, std::task::Poll::Ready(false)), "a scope did not accept a job");
    drop(scope);
    Ok(accepted + 1)
}

/// What only looks, or makes tokens.
fn look(worker: &Worker) -> Result<(), Flaw> {
    let _ = (worker.jobs(), worker.counts(), worker.queued(), worker.running(), worker.promised(), worker.is_quiet());
    let _ = (worker.config(), worker.full_policy(), worker.is_closed(), worker.token(), format!("{worker:?}"));
    let timed = worker.child_with_timeout(Duration::from_secs(3_600));
    let dated = worker.child_with_deadline(worker.now().checked_add(Duration::from_secs(9)).unwrap_or_default());
    let endless = worker.child_with_timeout(Duration::MAX);
    ensure!(timed.deadline().is_some() && dated.deadline().is_some(), "a token of the worker has no deadline");
    ensure!(endless.deadline().is_none(), "a token with a limit beyond the clock has a deadline");
    ensure!(timed.cancel() && endless.cancel(), "a cancel of a live token was told that it was not first");
    drop((timed, dated, endless));
    Ok(())
}

/// Jobs that this worker accepts, awaited in whatever runtime this is. Returns how many.
async fn wait_in_another_runtime(worker: &Worker) -> Result<u64, Flaw> {
    let refused = |_| broken("a job was rejected");
    let handle = worker.submit(Job::task_with(|context| async move {
        context.yield_now().await;
        5
    }));
    let handle: Handle<i32> = handle.await.map_err(|no| refused(no.reason))?;
    ensure_eq!(handle.await.completed(), Some(5), "what a job returned into another runtime");
    let sum = worker.scope(|scope| async move {
        let mut sum = 0;
        for value in 0..3 {
            let submitted: SubmitResult<_> = scope.submit(Job::task(async move { value })).await;
            if let Ok(handle) = submitted {
                sum += handle.await.completed().unwrap_or(0);
            }
        }
        sum
    });
    ensure_eq!(sum.await, 3, "the sum of what three jobs of a scope returned into another runtime");
    let token = worker.child_with_timeout(Duration::from_secs(3_600));
    let never = worker.submit(Job::task(std::future::pending::<()>()).parent(&token)).await;
    let never = never.map_err(|no| refused(no.reason))?;
    token.cancel_with(Cause::REQUESTED.with_code(2));
    let cause = token.cancelled().await;
    let outcome = never.await;
    let Outcome::Cancelled { cause: seen, .. } = outcome else {
        return Err(Flaw::Broken(format!("a job whose parent was cancelled settled as {:?}", outcome.class())));
    };
    ensure_eq!(seen, cause, "the cause of the outcome and of the token");
    Ok(5)
}

fn shut_down(worker: &Worker, blocking: bool) -> Result<(), Flaw> {
    worker.close();
    let rejected = worker.submit_blocking(Job::task(async {})).err().map(|rejected| rejected.reason);
    ensure_eq!(rejected, Some(RejectReason::Closed), "why a closed worker rejected a job");
    let report = if blocking {
        let report = worker.shutdown_blocking(Shutdown::Drain);
        report.map_err(|_| broken("a blocking shutdown was refused on a foreign thread"))?
    } else {
        block_on(worker.shutdown(Shutdown::Drain))
    };
    ensure!(report.counts.balances() && report.counts.unsettled == 0, "the report says {:?}", report.counts);
    Ok(())
}

/// What a user still has of a worker whose runtime goes.
struct Left {
    handles: Vec<Handle<()>>,
    waiting: Token,
}

impl Left {
    fn behind(worker: &Worker) -> Result<Self, Flaw> {
        let waiting = Token::new();
        let submit = |number| {
            let job = Job::task(std::future::pending::<()>()).parent(&waiting);
            let job = if number == 0 { job } else { job.cancel_on_drop() };
            worker.try_submit(job).map_err(|no: Rejected<_>| Flaw::Broken(format!("rejected: {:?}", no.reason)))
        };
        Ok(Self { handles: (0..8).map(submit).collect::<Result<_, _>>()?, waiting })
    }
}

/// The runtime has gone: every call gives its answer.
async fn gone(bench: &Bench, worker: Worker, left: Left) -> Result<(), Flaw> {
    let dropped = || worker.is_closed() && worker.counts().unsettled == 0;
    bench.until("all that the runtime ran was dropped", dropped).await?;
    let answers = move || -> Result<(), Flaw> {
        look_after_the_end(&worker)?;
        for (number, handle) in left.handles.into_iter().enumerate() {
            let (_, _) = (handle.cancel(), handle.cancel_with(Cause::EVICTED));
            handle.on_done(|_| {});
            match number % 4 {
                0 => drop(handle),
                1 => {
                    let outcome = handle.wait().map_err(|error| Flaw::Broken(format!("a wait failed: {error}")))?;
                    ensure!(outcome.is_cancelled(), "a job whose runtime has gone settled as {:?}", outcome.class());
                }
                2 => {
                    let outcome = handle.wait_timeout(Duration::from_secs(1));
                    ensure!(outcome.is_ok(), "a job whose runtime has gone has no outcome: {outcome:?}");
                }
                _ => {
                    let outcome = block_on(handle);
                    ensure!(outcome.is_cancelled(), "a job whose runtime has gone settled as {:?}", outcome.class());
                }
            }
        }
        left.waiting.cancel();
        let counts = worker.counts();
        ensure!(counts.balances() && counts.unsettled == 0, "the books of a worker without a runtime say {counts:?}");
        let report =
            worker.shutdown_blocking(Shutdown::Drain).map_err(|_| broken("a blocking shutdown was refused"))?;
        ensure!(report.counts.balances(), "the report says {:?}", report.counts);
        let report = block_on(worker.shutdown(Shutdown::Abort));
        ensure_eq!(report.counts.accepted, 8, "accepted jobs in the report");
        drop(worker);
        Ok(())
    };
    bench.on_thread("every call is made after the runtime has gone", answers).await?
}

fn look_after_the_end(worker: &Worker) -> Result<(), Flaw> {
    ensure!(worker.is_closed(), "a worker whose runtime has gone is open");
    let reasons = [
        worker.try_submit(Job::task(async {})).err().map(|rejected| rejected.reason),
        worker.submit_blocking(Job::task(async {})).err().map(|rejected| rejected.reason),
        block_on(worker.submit(Job::task(async {}))).err().map(|rejected| rejected.reason),
        block_on(worker.scope(|scope| async move { scope.try_submit(Job::task(async {})).err().map(|no| no.reason) })),
    ];
    ensure_eq!(reasons, [Some(RejectReason::Closed); 4], "why jobs were rejected after the runtime had gone");
    let _ = (worker.jobs(), worker.counts(), worker.queued(), worker.running(), worker.promised(), worker.is_quiet());
    let (timed, now) = (worker.child_with_timeout(Duration::from_secs(1)), worker.now());
    ensure!(
        now >= Instant::ORIGIN && timed.deadline().is_some(),
        "a token of a worker without a runtime has no deadline"
    );
    ensure!(worker.token().is_cancelled() && timed.is_cancelled(), "the root token is live after the runtime has gone");
    worker.close();
    Ok(())
}
