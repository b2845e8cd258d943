//! The paths of a call.

use std::prelude::v1::*;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countermand_core::{Cause, Class, Job, Worker, WorkerConfig};

use super::{Path, cancelled, ended, held, one_lane, paths};
use crate::{Bench, Census, Flaw, Gate, Probe, ensure_eq};

pub(super) const PATHS: &[(&str, Path)] =
    paths![call_completed, call_detached, call_cancelled_in_the_queue, call_abandoned, call_that_panics];

async fn call_completed(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let (captured, value) = (census.probe(), census.probe());
    let job = Job::call(move |_| {
        let _captured = captured;
        value
    });
    ended(&bench.settled(bench.submit(&worker, job).await?).await?, Class::Completed)?;
    Ok(Some(worker))
}

async fn call_detached(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let error = census.probe();
    drop(bench.submit(&worker, Job::fallible_call(move |_| Err::<(), Probe>(error))).await?);
    bench.until("the call settles", || worker.counts().failed == 1).await?;
    Ok(Some(worker))
}

async fn call_cancelled_in_the_queue(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let (worker, gate, first) = held(bench, WorkerConfig::new()).await?;
    let captured = census.probe();
    let handle = bench.submit(&worker, Job::call(move |_| drop(captured))).await?;
    handle.cancel();
    ended(&bench.settled(handle).await?, cancelled(Cause::REQUESTED, false))?;
    gate.open();
    bench.settled(first).await?;
    Ok(Some(worker))
}

async fn call_abandoned(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let (begun, gate) = (Gate::new(), Gate::new());
    let (open, held, value) = (begun.clone(), gate.clone(), census.probe());
    let job = Job::call(move |_| {
        open.open();
        held.wait_blocking();
        value
    });
    let handle = bench.submit(&worker, job.abandonable().run_timeout(Duration::from_secs(1))).await?;
    bench.within("the call begins", begun.wait()).await?;
    bench.advance(&worker, Duration::from_secs(1)).await?;
    ended(&bench.settled(handle).await?, Class::Abandoned)?;
    ensure_eq!(census.dropped(), 0, "values dropped of an abandoned call that goes on");
    gate.open();
    bench.until("the lane is free", || worker.running() == 0).await?;
    census.each_once("the value of an abandoned call, when its lane is free")?;
    Ok(Some(worker))
}

async fn call_that_panics(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let (captured, payload) = (census.probe(), Arc::new(Mutex::new(Some(census.probe()))));
    let job = Job::call(move |_| -> () {
        let _captured = captured;
        std::panic::panic_any(payload);
    });
    ended(&bench.settled(bench.submit(&worker, job).await?).await?, Class::Panicked)?;
    Ok(Some(worker))
}
