//! A handle that is dropped detaches its job, and what a detached job leaves is released when it settles.

use std::prelude::v1::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countermand_core::{Cause, Class, Handle, Job, WorkerConfig, kept_memory};

use crate::rules::crew::{Witness, all_settled, runs_calls};
use crate::{Bench, Census, Check, Flaw, Gate, Profile, Tally, ensure, ensure_eq};

/// One way of dropping a handle.
#[derive(Clone, Copy, Debug)]
struct Case {
    /// Submitted with `cancel_on_drop`.
    cancels: bool,
    /// Dropped while the job is in the queue, else while it runs.
    queued: bool,
    /// Dropped on a thread without a runtime.
    elsewhere: bool,
}

pub(super) async fn x1_dropping_a_handle_detaches(bench: &Bench) -> Check {
    let mut runs = 0;
    for number in 0..8 {
        let case = Case { cancels: number & 1 != 0, queued: number & 2 != 0, elsewhere: number & 4 != 0 };
        if case.elsewhere && !bench.has(Profile::NONE.threads()) {
            continue;
        }
        drop_one(bench, case).await?;
        runs += 1;
    }
    drop_after_the_end(bench).await?;
    if runs_calls(bench) {
        for cancels in [false, true] {
            drop_of_a_call(bench, cancels).await?;
            runs += 1;
        }
    }
    Ok(runs + 1)
}

async fn drop_one(bench: &Bench, case: Case) -> Result<(), Flaw> {
    let witness = Witness::default();
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1).observer(witness.observer()))?;
    let (before, gate) = (Gate::new(), Gate::new());
    if !case.queued {
        before.open();
    }
    let first = bench.submit(&worker, Job::task(before.wait())).await?;
    bench.quiet(&worker).await?;
    let (census, polls, ends) = (Census::new(), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let body = {
        let (probe, polls, ends, pass) = (census.probe(), Arc::clone(&polls), Arc::clone(&ends), gate.wait());
        async move {
            let _probe = probe;
            polls.fetch_add(1, Ordering::SeqCst);
            pass.await;
            ends.fetch_add(1, Ordering::SeqCst);
        }
    };
    let job = if case.cancels { Job::task(body).cancel_on_drop() } else { Job::task(body) };
    let handle = bench.submit(&worker, job).await?;
    bench.quiet(&worker).await?;
    ensure_eq!(polls.load(Ordering::SeqCst), u64::from(!case.queued), "{case:?}: polls before the handle is dropped");
    let (id, token) = (handle.id(), handle.token());
    if case.elsewhere {
        bench.on_thread("a thread drops a handle", move || drop(handle)).await?;
    } else {
        drop(handle);
    }
    bench.quiet(&worker).await?;
    if case.cancels {
        ensure_eq!(token.cause(), Some(Cause::HANDLE_DROPPED), "{case:?}: cause seen in the job's token");
        let end = Class::Cancelled { cause: Cause::HANDLE_DROPPED, started: !case.queued };
        ensure_eq!(witness.ends_of(id), [end], "{case:?}: how the job ended, before a lane or a gate was free for it");
        census.each_once("what a job captured whose handle was dropped")?;
    } else {
        ensure_eq!(token.cause(), None, "{case:?}: cause seen in the token of a job that was only detached");
        ensure_eq!(witness.ends_of(id), [], "{case:?}: how a detached job ended that still waits");
    }
    before.open();
    bench.settled(first).await?;
    gate.open();
    all_settled(bench, &worker, 2).await?;
    ensure_eq!(ends.load(Ordering::SeqCst), u64::from(!case.cancels), "{case:?}: times the job came to its end");
    if !case.cancels {
        ensure_eq!(witness.ends_of(id), [Class::Completed], "{case:?}: how the detached job ended");
    }
    census.each_once("what a detached job captured")
}

/// A handle that is dropped after its job has settled asks for nothing.
async fn drop_after_the_end(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let asked = Arc::new(AtomicU64::new(0));
    for awaited in [false, true] {
        let count = Arc::clone(&asked);
        let job = Job::task_with(|context| {
            // Kept beyond the job by the token's other holder, below.
            drop(context.token().on_cancel(move |_| _ = count.fetch_add(1, Ordering::SeqCst)));
            async {}
        });
        let mut handle: Handle<()> = bench.submit(&worker, job.cancel_on_drop()).await?;
        bench.quiet(&worker).await?;
        if awaited {
            bench.within("the job settles", &mut handle).await?;
        }
        let token = handle.token();
        ensure!(handle.is_finished(), "a job that returned at once has not settled when its worker is quiet");
        drop(handle);
        ensure_eq!(token.cause(), None, "cause of a job that had completed before its handle was dropped");
    }
    ensure_eq!(asked.load(Ordering::SeqCst), 0, "cancel callbacks called in completed jobs");
    all_settled(bench, &worker, 2).await
}

async fn drop_of_a_call(bench: &Bench, cancels: bool) -> Result<(), Flaw> {
    let witness = Witness::default();
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1).observer(witness.observer()))?;
    let (begun, gate, census) = (Gate::new(), Gate::new(), Census::new());
    let (open, held, probe) = (begun.clone(), gate.clone(), census.probe());
    let job = Job::call(move |_| {
        open.open();
        held.wait_blocking();
        probe
    });
    let handle = bench.submit(&worker, if cancels { job.cancel_on_drop() } else { job }).await?;
    bench.within("the call begins", begun.wait()).await?;
    let (id, token) = (handle.id(), handle.token());
    drop(handle);
    bench.quiet(&worker).await?;
    let cause = cancels.then_some(Cause::HANDLE_DROPPED);
    ensure_eq!(token.cause(), cause, "cause in the token of a running call whose handle was dropped");
    ensure_eq!(witness.ends_of(id), [], "how a call ended whose closure goes on");
    gate.open();
    all_settled(bench, &worker, 1).await?;
    // B1: a closure that returns is delivered, whatever it was asked.
    ensure_eq!(witness.ends_of(id), [Class::Completed], "how the call ended, cancel_on_drop = {cancels}");
    census.each_once("the value of a detached call")
}

/// Blocks and bytes of the heap in use, less what threads keep for their next jobs: that is bounded, and of jobs whose outcome was read.
fn in_use() -> (i64, i64) {
    let kept = kept_memory();
    let of = |kept: usize| i64::try_from(kept).unwrap_or(i64::MAX);
    (Tally::live_blocks() - of(kept.blocks), Tally::live_bytes() - of(kept.bytes))
}

pub(super) async fn x4_results_do_not_pile_up(bench: &Bench) -> Check {
    const BYTES: usize = 4_096;
    if Tally::here().is_none() {
        return Err(Flaw::Inconclusive("this program does not count allocations; main! installs what does".to_owned()));
    }
    let worker = bench.worker(WorkerConfig::new().lanes(4).drivers(1).capacity(64))?;
    let census = Census::new();
    let job = || {
        let probe = census.probe();
        Job::fallible(async move {
            let result = (vec![0_u8; BYTES], probe);
            if result.1.number().is_multiple_of(2) { Ok(result) } else { Err(result) }
        })
    };
    let mut accepted = 0;
    let rounds = bench.rounds(40).max(8);
    let mut before = None;
    for round in 0..rounds {
        for place in 0..16 {
            let mut handle = bench.submit(&worker, job()).await?;
            accepted += 1;
            match place % 4 {
                // Dropped before the job has settled, or while it does.
                0 | 1 => drop(handle),
                // Dropped unread after it has settled.
                2 => {
                    bench.until("the job settles", || handle.is_finished()).await?;
                    drop(handle);
                }
                // Read, and dropped by the reader while the handle is still there.
                _ => {
                    drop(bench.within("the job settles", &mut handle).await?);
                    ensure!(handle.is_finished(), "a job that was read is not finished");
                }
            }
        }
        let settled = || worker.counts().settled() == accepted;
        bench.until("detached jobs settle", settled).await?;
        bench.quiet(&worker).await?;
        ensure_eq!(census.alive(), 0, "results in memory after round {round}, when every job had settled");
        // What is set up once, such as the room of a list, is set up in the first rounds.
        if round == 3 {
            before = Some((in_use(), accepted));
        }
    }
    let Some(((blocks, bytes), from)) = before else {
        return Err(Flaw::Inconclusive("too few rounds to compare memory".to_owned()));
    };
    // The census itself remembers every death.
    let register = i64::try_from((accepted - from) * 128).unwrap_or(i64::MAX) + 16_384;
    let now = in_use();
    let (blocks, bytes) = (now.0 - blocks, now.1 - bytes);
    ensure!(
        blocks < 64 && bytes < register,
        "{} detached jobs left {blocks} blocks ({bytes} bytes) behind",
        accepted - from
    );
    census.each_once("results of detached jobs")?;
    all_settled(bench, &worker, accepted).await?;
    Ok(accepted)
}
