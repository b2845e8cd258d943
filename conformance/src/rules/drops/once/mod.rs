//! On every path through a worker, each value is dropped exactly once.

mod calls;
mod panics;
mod tasks;

use countermand_core::{Cause, Class, Handle, Job, Outcome, Work, Worker, WorkerConfig};

use super::race::race_of_ends;
use crate::rules::crew::{runs_calls, unwinds};
use crate::{Bench, Census, Check, Flaw, Gate, LocalFuture, Probe, ensure, ensure_eq};

/// One path, and the census of all that goes along it. The worker comes back, so that it is there when the census is looked at,
/// unless its end is what the path is about.
type Path = for<'a> fn(&'a Bench, &'a Census) -> LocalFuture<'a, Result<Option<Worker>, Flaw>>;

macro_rules! paths {
    ($($function:ident),* $(,)?) => { &[$((stringify!($function), |bench, census| Box::pin($function(bench, census)))),*] };
}
use paths;

pub(super) async fn x2_everything_is_dropped_exactly_once(bench: &Bench) -> Check {
    let panics = if unwinds(bench) { panics::PATHS } else { &[] };
    let calls = if runs_calls(bench) { calls::PATHS } else { &[] };
    let mut runs = 0;
    for (name, path) in tasks::PATHS.iter().chain(panics).chain(calls) {
        let census = Census::new();
        let worker = match path(bench, &census).await {
            // What this host has not, the others have.
            Err(Flaw::NotApplicable(_)) => continue,
            result => result.map_err(|flaw| Flaw::Broken(format!("{name}: {flaw}")))?,
        };
        ensure!(census.born() > 0, "{name}: nothing went along the path, so nothing was shown");
        // Values of outcomes that were read are dropped by now; the rest by attendants that may still be at it.
        let _ = bench.until("everything is dropped", || census.alive() == 0).await;
        census.each_once(name)?;
        if let Some(worker) = worker {
            bench.quiet(&worker).await?;
            let counts = worker.counts();
            ensure!(counts.balances() && counts.unsettled == 0, "{name}: the books say {counts:?}");
        }
        runs += 1;
    }
    Ok(runs + race_of_ends(bench)?)
}

fn one_lane() -> WorkerConfig {
    WorkerConfig::new().lanes(1).drivers(1)
}

/// A task that captures, holds over an await, and returns.
fn cargo(census: &Census, gate: &Gate) -> impl Future<Output = Probe> + Send + use<> {
    let (captured, census, pass) = (census.probe(), census.clone(), gate.wait());
    async move {
        let _local = census.probe();
        pass.await;
        drop(captured);
        census.probe()
    }
}

/// The same made by a closure that captures too.
fn crate_of(census: &Census, gate: &Gate) -> Job<impl Work<Value = Probe, Error = std::convert::Infallible> + use<>> {
    let (captured, cargo) = (census.probe(), cargo(census, gate));
    Job::task_with(move |context| async move {
        let _both = (captured, context);
        cargo.await
    })
}

/// A worker whose one lane is taken, and the job that has it.
async fn held(bench: &Bench, config: WorkerConfig) -> Result<(Worker, Gate, Handle<()>), Flaw> {
    let worker = bench.worker(config.lanes(1).drivers(1))?;
    let gate = Gate::new();
    let first = bench.submit(&worker, Job::task(gate.wait())).await?;
    bench.quiet(&worker).await?;
    Ok((worker, gate, first))
}

fn ended<T, E>(outcome: &Outcome<T, E>, expected: Class) -> Result<(), Flaw> {
    ensure_eq!(outcome.class(), expected, "how the job of this path ended");
    Ok(())
}

fn cancelled(cause: Cause, started: bool) -> Class {
    Class::Cancelled { cause, started }
}
