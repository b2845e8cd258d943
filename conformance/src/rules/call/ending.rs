//! How long a shutdown waits for closures.

use std::time::Duration;

use countermand_core::{Class, Kind, Report, Shutdown, Worker, WorkerConfig};

use super::Held;
use crate::{Bench, Check, Flaw, Recorder, ensure, ensure_eq, poll};

const LIMIT: Duration = Duration::from_secs(3);
const TICK: Duration = Duration::from_nanos(1);

pub(super) async fn b4_shutdown_waits_for_calls_within_its_limit(bench: &Bench) -> Check {
    let mut runs = 0;
    // The way of shutting down, and when it must be over at the latest.
    let ways = [
        (Shutdown::AbortWithin(LIMIT), LIMIT),
        (Shutdown::AbortWithin(Duration::ZERO), Duration::ZERO),
        (Shutdown::Abort, Duration::from_secs(4)),
        (Shutdown::DrainFor(LIMIT), LIMIT + Duration::from_secs(4)),
    ];
    for (how, limit) in ways {
        outstays(bench, how, limit).await?;
        comes_in_time(bench, how, limit).await?;
        runs += 2;
    }
    a_drain_has_no_limit(bench).await?;
    Ok(runs + 1)
}

fn config() -> WorkerConfig {
    WorkerConfig::new().lanes(3).drivers(1).shutdown_limit(Duration::from_secs(4))
}

/// Moves the clock up to the end of the limit, by the two steps that a drain with a limit has.
async fn pass(bench: &Bench, worker: &Worker, how: Shutdown, span: Duration) -> Result<(), Flaw> {
    bench.quiet(worker).await?;
    if let Shutdown::DrainFor(first) = how {
        bench.advance(worker, first.min(span)).await?;
        return bench.advance(worker, span.saturating_sub(first)).await;
    }
    bench.advance(worker, span).await
}

async fn outstays(bench: &Bench, how: Shutdown, limit: Duration) -> Result<(), Flaw> {
    let worker = bench.worker(config())?;
    let (held, other) = (Held::default(), Held::default());
    let handle = bench.submit(&worker, held.job().name("outstays")).await?;
    // An abandonable one is no different: it is the worker that goes.
    let also = bench.submit(&worker, other.job().name("also outstays").abandonable()).await?;
    held.begun(bench).await?;
    other.begun(bench).await?;
    let mut wait = Box::pin(worker.shutdown(how));
    let recorder = Recorder::new();
    if limit > Duration::ZERO {
        ensure!(poll(wait.as_mut(), &recorder.waker()).is_pending(), "{how:?} was over at once though calls run");
        pass(bench, &worker, how, limit - TICK).await?;
        ensure!(
            poll(wait.as_mut(), &recorder.waker()).is_pending(),
            "{how:?} was over before its limit though calls run"
        );
        bench.advance(&worker, TICK).await?;
    }
    let report = bench.within(&format!("{how:?} is over at its limit"), wait).await?;
    ensure!(!held.has_ended() && !other.has_ended(), "a closure got past a closed gate");
    names(&report, &[("outstays", handle.id()), ("also outstays", also.id())], how)?;
    ensure_eq!(report.counts.abandoned, 2, "{how:?}: abandoned calls in the report");
    ensure!(report.counts.balances() && report.counts.unsettled == 0, "{how:?}: the report says {:?}", report.counts);
    for handle in [handle, also] {
        ensure_eq!(bench.settled(handle).await?.class(), Class::Abandoned, "{how:?}: how a survivor settled");
    }
    for held in [held, other] {
        held.gate.open();
        bench.until("the survivor ends", || held.census.alive() == 0).await?;
        held.census.each_once("what a survivor captured and brought")?;
    }
    Ok(())
}

fn names(report: &Report, expected: &[(&str, countermand_core::JobId)], how: Shutdown) -> Result<(), Flaw> {
    let mut seen: Vec<_> = report.survivors.iter().map(|job| (&*job.name, job.id)).collect();
    seen.sort_by_key(|(_, id)| id.get());
    ensure_eq!(seen, expected, "{how:?}: survivors in the report");
    ensure!(report.survivors.iter().all(|job| job.kind == Kind::Call), "{how:?}: survivors {:?}", report.survivors);
    Ok(())
}

async fn comes_in_time(bench: &Bench, how: Shutdown, limit: Duration) -> Result<(), Flaw> {
    if limit == Duration::ZERO {
        return Ok(());
    }
    let worker = bench.worker(config())?;
    let held = Held::default();
    let handle = bench.submit(&worker, held.job()).await?;
    held.begun(bench).await?;
    let wait = worker.shutdown(how);
    pass(bench, &worker, how, limit - TICK).await?;
    held.gate.open();
    let report = bench.within(&format!("{how:?} is over when the last call ends"), wait).await?;
    ensure!(report.survivors.is_empty(), "{how:?}: survivors, though all ended in time: {:?}", report.survivors);
    ensure_eq!(bench.settled(handle).await?.class(), Class::Completed, "{how:?}: how a call ended that came in time");
    held.census.each_once("what a call captured and brought")
}

async fn a_drain_has_no_limit(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(config())?;
    let held = Held::default();
    let handle = bench.submit(&worker, held.job()).await?;
    held.begun(bench).await?;
    let mut wait = Box::pin(worker.shutdown(Shutdown::Drain));
    bench.advance(&worker, Duration::from_secs(1_000_000)).await?;
    ensure!(poll(wait.as_mut(), &Recorder::new().waker()).is_pending(), "a drain was over though a call runs");
    ensure_eq!(handle.token().cause(), None, "cause in the token of a call during a drain");
    held.gate.open();
    let report = bench.within("the drain is over when the last call ends", wait).await?;
    ensure!(report.survivors.is_empty() && report.cut_off.is_empty(), "a drain that had no limit reports {report:?}");
    ensure_eq!(bench.settled(handle).await?.class(), Class::Completed, "how the call ended");
    Ok(())
}
