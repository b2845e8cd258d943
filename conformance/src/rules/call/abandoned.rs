//! A closure that outstays its deadline and its grace.

use std::time::Duration;

use countermand_core::{Cause, Class, Job, WorkerConfig};

use super::Held;
use crate::rules::crew::{Witness, all_settled};
use crate::{Bench, Check, Flaw, ensure, ensure_eq};

const TICK: Duration = Duration::from_nanos(1);

pub(super) async fn b3_abandoned_only_with_permission(bench: &Bench) -> Check {
    let mut runs = 0;
    for absolute in [false, true] {
        for grace in [0, 3] {
            without_permission(bench, absolute, Duration::from_secs(grace)).await?;
            with_permission(bench, absolute, Duration::from_secs(grace)).await?;
            runs += 2;
        }
    }
    only_for_its_time(bench).await?;
    Ok(runs + 1)
}

const LIMIT: Duration = Duration::from_secs(2);

fn limited<W>(bench: &Bench, job: Job<W>, absolute: bool, grace: Duration) -> Job<W> {
    let job = job.grace(grace);
    if absolute { job.deadline(bench.now().checked_add(LIMIT).unwrap_or_default()) } else { job.run_timeout(LIMIT) }
}

async fn without_permission(bench: &Bench, absolute: bool, grace: Duration) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let held = Held::default();
    let handle = bench.submit(&worker, limited(bench, held.job(), absolute, grace)).await?;
    held.begun(bench).await?;
    bench.advance(&worker, LIMIT + grace).await?;
    bench.advance(&worker, Duration::from_secs(100)).await?;
    ensure_eq!(handle.token().cause(), Some(Cause::DEADLINE), "cause in the token of a call past its deadline");
    ensure!(!handle.is_finished(), "a call that may not be abandoned is settled while its closure runs");
    ensure_eq!(worker.running(), 1, "lanes taken");
    held.gate.open();
    let class = bench.settled(handle).await?.class();
    ensure_eq!(class, Class::Completed, "how a call ended that may not be abandoned");
    all_settled(bench, &worker, 1).await
}

async fn with_permission(bench: &Bench, absolute: bool, grace: Duration) -> Result<(), Flaw> {
    let witness = Witness::default();
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1).observer(witness.observer()))?;
    let held = Held::default();
    let thread = std::sync::Arc::new(std::sync::Mutex::new(None));
    let job = {
        let (closure, thread) = (held.closure(), std::sync::Arc::clone(&thread));
        Job::call(move |context: &countermand_core::CallContext| {
            *crate::rules::crew::lock(&thread) = Some(std::thread::current().id());
            closure(context)
        })
    };
    let handle = bench.submit(&worker, limited(bench, job.abandonable(), absolute, grace)).await?;
    let id = handle.id();
    held.begun(bench).await?;
    bench.advance(&worker, LIMIT + grace - TICK).await?;
    ensure!(!handle.is_finished(), "a call is settled one tick before its deadline and its grace ({grace:?}) are over");
    bench.advance(&worker, TICK).await?;
    let class = bench.settled(handle).await?.class();
    ensure_eq!(class, Class::Abandoned, "how a call ended whose deadline and grace ({grace:?}) are over");
    ensure_eq!(worker.counts().abandoned, 1, "abandoned calls in the books");
    // It goes on, in its lane.
    let next = bench.submit(&worker, Job::task(async {})).await?;
    bench.advance(&worker, Duration::from_secs(10)).await?;
    ensure!(
        !held.has_ended() && held.census.dropped() == 0,
        "an abandoned closure was ended, or something of it dropped"
    );
    ensure_eq!((worker.running(), next.is_finished()), (1, false), "lanes taken, and whether the next job was let in");
    ensure_eq!(worker.counts().late_discarded, 0, "late values in the books before there is one");
    held.gate.open();
    bench.settled(next).await?;
    held.census.each_once("what an abandoned call captured and brought, when its lane was free again")?;
    let own = *crate::rules::crew::lock(&thread);
    let elsewhere = held.census.deaths().iter().filter(|death| Some(death.thread) != own).count();
    ensure_eq!(elsewhere, 0, "values of an abandoned call dropped elsewhere than where it ran");
    all_settled(bench, &worker, 2).await?;
    ensure_eq!(worker.counts().late_discarded, 1, "late values in the books");
    ensure_eq!(witness.ends_of(id), [Class::Abandoned], "ends of the abandoned call that the observer was told of");
    Ok(())
}

/// A cancel is no deadline: it abandons nobody.
async fn only_for_its_time(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let held = Held::default();
    let job = held.job().abandonable().grace(Duration::from_secs(1));
    let handle = bench.submit(&worker, job).await?;
    held.begun(bench).await?;
    handle.cancel();
    bench.advance(&worker, Duration::from_secs(60)).await?;
    ensure!(!handle.is_finished(), "a call that was asked, and whose time is not out, was abandoned");
    held.gate.open();
    let brought = bench.settled(handle).await?.completed();
    ensure!(brought.is_some_and(|brought| brought.seen[1] == Some(Cause::REQUESTED)), "its value was not delivered");
    all_settled(bench, &worker, 1).await
}
