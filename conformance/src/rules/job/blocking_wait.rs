//! A thread without a runtime waits for a job.

use std::prelude::v1::*;
use std::time::Duration;

use countermand_core::{Cause, Class, Job, Outcome};
use futures::future::join;

use super::wait::{give_way, gives_up};
use crate::rules::kit::{Filler, Puppet, lanes, secs, stopped, unstarted};
use crate::{Bench, Check, Flaw, Gate, ensure, ensure_eq};

pub(super) async fn j12_wait_from_a_thread_without_a_runtime(bench: &Bench) -> Check {
    let rounds = bench.rounds(10);
    for round in 0..rounds {
        woken_by_the_end(bench, round % 2 == 0).await?;
    }
    whatever_the_outcome(bench).await?;
    already_there(bench).await?;
    with_a_limit(bench).await?;
    submitted_and_awaited_there(bench).await?;
    Ok(rounds + 4)
}

/// The thread waits first, then the job ends.
async fn woken_by_the_end(bench: &Bench, with_limit: bool) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let puppet = Puppet::new();
    let handle = bench.submit(&worker, Job::task(puppet.task())).await?;
    bench.quiet(&worker).await?;
    let entered = Gate::new();
    let enter = entered.clone();
    let wait = move || {
        enter.open();
        let waited = if with_limit { handle.wait_timeout(secs(3_600)) } else { handle.wait() };
        waited.map(Outcome::completed)
    };
    let waiting = bench.on_thread("a thread waits for a job", wait);
    let ending = async {
        bench.until("the thread is about to wait", || entered.is_open()).await?;
        give_way(bench).await;
        puppet.answer(12);
        Ok::<_, Flaw>(())
    };
    let (waited, ended) = join(waiting, ending).await;
    ended?;
    ensure_eq!(waited?.ok(), Some(Some(12)), "what a thread brought that waited for a job");
    Ok(())
}

async fn whatever_the_outcome(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let filler = Filler::of(bench, &worker).await?;
    let running = bench.submit(&worker, Job::task(Puppet::<()>::new().task())).await?;
    let queued = bench.submit(&worker, Job::task(Puppet::<()>::new().task())).await?;
    let failing = bench.submit(&worker, Job::fallible(async { Err::<(), _>(12) })).await?;
    bench.quiet(&worker).await?;
    // In this order, or the queued one might get the lane.
    queued.cancel();
    bench.quiet(&worker).await?;
    running.cancel();
    let waits = move || {
        [
            running.wait().map(|outcome| outcome.class()).ok(),
            queued.wait().map(|outcome| outcome.class()).ok(),
            failing.wait().map(|outcome| outcome.class()).ok(),
        ]
    };
    let seen = bench.on_thread("a thread waits for jobs that end badly", waits).await?;
    let expected = [stopped(Cause::REQUESTED), unstarted(Cause::REQUESTED), Class::Failed].map(Some);
    ensure_eq!(seen, expected, "what a thread brought that waited for them");
    filler.leave(bench).await
}

async fn already_there(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let handles = [
        bench.submit(&worker, Job::task(async { 1 })).await?,
        bench.submit(&worker, Job::task(async { 2 })).await?,
        bench.submit(&worker, Job::task(async { 3 })).await?,
    ];
    bench.quiet(&worker).await?;
    let [plain, limited, late] = handles;
    let waits = move || {
        [plain.wait(), limited.wait_timeout(secs(60)), late.wait_timeout(Duration::ZERO)]
            .map(|waited| waited.ok().and_then(Outcome::completed))
    };
    let seen = bench.on_thread("a thread waits for jobs that are over", waits).await?;
    ensure_eq!(seen, [Some(1), Some(2), Some(3)], "what a thread brought that waited for jobs that were over");
    Ok(())
}

/// By the host's own clock: the wait ends, not before its time, and the handle is whole.
async fn with_a_limit(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.running_worker(lanes(1))?;
    let puppet = Puppet::new();
    let mut handle = bench.submit(&worker, Job::task(puppet.task())).await?;
    for limit in [Duration::ZERO, Duration::from_micros(1), Duration::from_millis(2)] {
        let begun = worker.now();
        handle = gives_up(bench, handle, limit).await?;
        let waited = worker.now().saturating_since(begun);
        ensure!(waited >= limit, "a wait of at most {limit:?} gave up after {waited:?}");
        ensure!(!handle.is_finished(), "a wait with a limit ended its job");
    }
    puppet.answer(12);
    let wait = move || handle.wait().map(Outcome::completed);
    let waited = bench.on_thread("a thread waits again", wait).await?;
    ensure_eq!(waited.ok(), Some(Some(12)), "what a thread brought that waited again after it had given up");
    Ok(())
}

/// All of it on the thread, which has nothing but the worker.
async fn submitted_and_awaited_there(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let there = worker.clone();
    let all = move || {
        let submit = |number| there.submit_blocking(Job::task(async move { number })).ok();
        let handles: Vec<_> = (0..20).filter_map(submit).collect();
        handles.into_iter().filter_map(|handle| handle.wait().ok()?.completed()).sum::<u32>()
    };
    let sum = bench.on_thread("a thread submits jobs and waits for them", all).await?;
    ensure_eq!(sum, 190, "the sum of what twenty jobs returned to a thread");
    Ok(())
}
