//! A closure that runs is told, and not interrupted.

use std::time::Duration;

use countermand_core::{Cause, Class, Handle, Job, Outcome, Shutdown, Token, Worker, WorkerConfig};

use super::{Brought, Held};
use crate::rules::crew::all_settled;
use crate::{Bench, Check, Flaw, Gate, ensure, ensure_eq};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asker {
    Nobody,
    Handle,
    Parent,
    RunTimeout,
    Deadline,
    Abort,
}

const ASKERS: [Asker; 6] =
    [Asker::Nobody, Asker::Handle, Asker::Parent, Asker::RunTimeout, Asker::Deadline, Asker::Abort];

pub(super) async fn b1_a_running_closure_is_never_interrupted(bench: &Bench) -> Check {
    let mut runs = 0;
    for asker in ASKERS {
        for grace in [Duration::ZERO, Duration::from_secs(1)] {
            ask(bench, asker, grace).await?;
            runs += 1;
        }
    }
    errors_too(bench).await?;
    Ok(runs + 1)
}

async fn ask(bench: &Bench, asker: Asker, grace: Duration) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let (held, parent) = (Held::default(), Token::new());
    let job = held.job().grace(grace).parent(&parent);
    let job = match asker {
        Asker::RunTimeout => job.run_timeout(Duration::from_secs(2)),
        Asker::Deadline => job.deadline(bench.now().checked_add(Duration::from_secs(2)).unwrap_or_default()),
        _ => job,
    };
    let handle = bench.submit(&worker, job).await?;
    held.begun(bench).await?;
    let token = handle.token();
    let cause = match asker {
        Asker::Nobody => None,
        Asker::Handle => {
            ensure!(handle.cancel(), "the first cancel of a running call was told that it was not first");
            Some(Cause::REQUESTED)
        }
        Asker::Parent => {
            parent.cancel_with(Cause::REQUESTED.with_code(4));
            Some(Cause::REQUESTED.with_code(4))
        }
        Asker::RunTimeout | Asker::Deadline => Some(Cause::DEADLINE),
        Asker::Abort => {
            drop(worker.shutdown(Shutdown::AbortWithin(Duration::from_secs(1_000))));
            Some(Cause::SHUTDOWN)
        }
    };
    // Long past its deadline, its time-out and its grace.
    for _ in 0..4 {
        bench.advance(&worker, Duration::from_secs(2)).await?;
    }
    ensure_eq!(token.cause(), cause, "{asker:?} asks: the cause in the job's token while the closure runs");
    ensure!(!held.has_ended(), "{asker:?} asks: a closure got past a closed gate");
    ensure!(!handle.is_finished(), "{asker:?} asks: a call is settled while its closure runs");
    ensure_eq!(worker.running(), 1, "{asker:?} asks: lanes taken while the closure runs");
    held.gate.open();
    let brought = value(bench, handle, asker).await?;
    ensure_eq!(brought.seen, [None, cause], "{asker:?} asks: the cause that the closure saw, before and after");
    ensure!(held.has_ended(), "{asker:?} asks: a value was delivered of a closure that has not ended");
    drop(brought);
    all_settled(bench, &worker, 1).await?;
    ensure_eq!(worker.counts().completed, 1, "{asker:?} asks: calls that completed, in the books");
    held.census.each_once("what a call captured and brought")
}

async fn value(bench: &Bench, handle: Handle<Brought>, asker: Asker) -> Result<Brought, Flaw> {
    let outcome = bench.settled(handle).await?;
    let class = outcome.class();
    let lost = || Flaw::Broken(format!("{asker:?} asks: a closure that returned settled as {class:?}"));
    outcome.completed().ok_or_else(lost)
}

/// A fallible call's own error is delivered just the same.
async fn errors_too(bench: &Bench) -> Result<(), Flaw> {
    let worker: Worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let (begun, gate) = (Gate::new(), Gate::new());
    let (open, wait) = (begun.clone(), gate.clone());
    let job = Job::fallible_call(move |_| {
        open.open();
        wait.wait_blocking();
        Err::<(), u8>(3)
    });
    let handle = bench.submit(&worker, job).await?;
    bench.within("the call begins", begun.wait()).await?;
    handle.cancel();
    bench.quiet(&worker).await?;
    gate.open();
    let outcome = bench.settled(handle).await?;
    ensure!(matches!(outcome, Outcome::Failed(3)), "a cancelled call failed with 3, and settled as {outcome:?}");
    ensure_eq!(outcome.class(), Class::Failed, "class of the outcome");
    all_settled(bench, &worker, 1).await
}
