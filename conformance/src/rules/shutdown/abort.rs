//! An abort, asked for or come to by a drain's limit: what has not started is settled, what runs is asked and then dropped.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use countermand_core::{
    Cause, Class, Handle, Job, JobInfo, Outcome, RejectReason, Report, Shutdown, Worker, WorkerConfig,
};

use super::super::kit::{Puppet, TICK, has, lanes, lock, secs, stopped, unstarted};
use super::super::scene::Roll;
#[cfg(feature = "std")]
use super::in_a_poll;
use crate::{Bench, Check, Flaw, Gate, Profile, Recorder, ensure, ensure_eq, poll};

pub(super) async fn s3_abort_asks_then_drops(bench: &Bench) -> Check {
    for how in [Shutdown::Abort, Shutdown::AbortWithin(secs(1)), Shutdown::AbortWithin(Duration::ZERO)] {
        let idle = bench.worker(WorkerConfig::new())?;
        let report = bench.within("the abort of an idle worker is over", idle.shutdown(how)).await?;
        ensure_eq!((report.counts.accepted, report.cut_off.len()), (0, 0), "accepted and cut off");
    }
    tasks_and_queue(bench).await?;
    if has(bench, Profile::NONE.threads()) {
        #[cfg(feature = "std")]
        in_a_poll::is_waited_for(bench).await?;
        #[cfg(feature = "std")]
        in_a_poll::is_given_up(bench).await?;
    }
    if has(bench, Profile::NONE.blocking()) {
        calls(bench).await?;
    }
    let rounds = bench.rounds(15);
    for round in 0..rounds {
        in_full_flight(bench, round).await?;
    }
    Ok(rounds + 7)
}

async fn tasks_and_queue(bench: &Bench) -> Result<(), Flaw> {
    const GRACE: Duration = Duration::from_millis(20);
    let worker = bench.worker(lanes(3).capacity(4))?;
    // Asked first: by the time it is dropped its token reads cancelled. Without grace it is not polled again.
    let plain: Puppet<()> = Puppet::new();
    let (body, seen) = (plain.task(), Arc::new(Mutex::new(None)));
    let note = Arc::clone(&seen);
    let asked = Job::task_with(move |cx| async move {
        let _last = OnDrop(Some(move || *lock(&note) = cx.token().cause()));
        body.await;
    });
    let asked = bench.submit(&worker, asked.name("asked")).await?;
    // With grace it may end by itself.
    let ending = Job::task_with(|cx| async move { cx.token().cancelled().await });
    let ending = bench.submit(&worker, ending.name("ending").grace(GRACE)).await?;
    // Or not, and is dropped when its grace is over.
    let stubborn: Puppet<()> = Puppet::new();
    let staying = bench.submit(&worker, Job::task(stubborn.task()).name("staying").grace(GRACE)).await?;
    bench.quiet(&worker).await?;
    ensure_eq!(worker.running(), 3, "running");
    let roll = Roll::new();
    let mut queued = Vec::new();
    for number in 0..4 {
        queued.push(bench.submit(&worker, roll.job(number)).await?);
    }
    let mut line = Vec::new();
    // More than there are places, so that the places which the abort frees wake some of them at most.
    for number in 10..17 {
        let mut submit = worker.submit(roll.job(number));
        let recorder = Recorder::new();
        ensure!(poll(Pin::new(&mut submit), &recorder.waker()).is_pending(), "a full queue let a job in");
        line.push((submit, recorder));
    }

    let mut wait = worker.shutdown(Shutdown::Abort);
    bench.quiet(&worker).await?;
    let cause = Some(Cause::SHUTDOWN);
    ensure_eq!((worker.token().cause(), worker.queued()), (cause, 0), "the cause of the worker's token, and queued");
    for handle in queued {
        ensure!(handle.is_finished(), "a queued job has not settled at an abort: {handle:?}");
        let class = bench.settled(handle).await?.class();
        ensure_eq!(class, unstarted(Cause::SHUTDOWN), "a queued job in an abort");
    }
    for (submit, recorder) in line {
        ensure_eq!(recorder.wakes(), 1, "wakes of a submitter in line at an abort");
        match bench.within("a submitter in line is told of the abort", submit).await? {
            Err(rejected) => ensure_eq!(rejected.reason, RejectReason::Closed, "what a submitter in line was told"),
            Ok(handle) => return Err(Flaw::Broken(format!("an aborting worker accepted {handle:?}"))),
        }
    }
    ensure!(asked.is_finished(), "a task without grace has not settled at an abort");
    let class = bench.settled(asked).await?.class();
    ensure_eq!(class, stopped(Cause::SHUTDOWN), "a task without grace that ran at an abort");
    ensure_eq!(*lock(&seen), cause, "what the task's token read when the task was dropped");
    ensure_eq!(plain.polls(), 1, "polls of a task without grace that was aborted after its first");
    let outcome = bench.settled(ending).await?;
    ensure!(
        matches!(outcome, Outcome::Completed(Cause::SHUTDOWN)),
        "a task that returned the cause within its grace settled as {outcome:?}"
    );
    bench.advance(&worker, GRACE - TICK).await?;
    ensure!(!staying.is_finished(), "a task was dropped within its grace");
    ensure!(poll(Pin::new(&mut wait), Waker::noop()).is_pending(), "an abort is over and a task is within its grace");
    bench.advance(&worker, TICK).await?;
    ensure!(staying.is_finished(), "a task was not dropped when its grace was over");
    let class = bench.settled(staying).await?.class();
    ensure_eq!(class, stopped(Cause::SHUTDOWN), "a task that outstayed its grace");
    let report = bench.within("the abort is over", wait).await?;
    ensure_eq!(roll.begun(), Vec::<u64>::new(), "queued jobs that were polled");
    roll.census().each_once("bodies of jobs that were never started")?;
    plain.dropped_once("the task that was asked")?;
    stubborn.dropped_once("the task that stayed")?;
    let names = ["asked", "staying", "number 0", "number 1", "number 2", "number 3"];
    cut_off_are(&report, &names)?;
    let counts = report.counts;
    ensure_eq!((counts.cancelled, counts.completed, counts.rejected), (6, 1, 7), "cancelled, completed, rejected");
    Ok(())
}

struct OnDrop<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(|act| act());
    }
}

/// The report names these, and nobody else.
fn cut_off_are(report: &Report, names: &[&str]) -> Result<(), Flaw> {
    let name = |job: &JobInfo| job.name.clone().into_owned();
    let seen: BTreeSet<String> = report.cut_off.iter().map(name).collect();
    let expected: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
    ensure_eq!(seen, expected, "who was cut off, by the report");
    ensure_eq!(report.cut_off.len(), names.len(), "how many were cut off, by the report");
    Ok(())
}

/// A call is asked by its token and never interrupted; one that has not begun never does.
async fn calls(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let (inside, gate, never) = (Gate::new(), Gate::new(), Arc::new(AtomicU32::new(0)));
    let (enter, leave) = (inside.clone(), gate.clone());
    let running = bench
        .submit(
            &worker,
            Job::call(move |cx| {
                enter.open();
                leave.wait_blocking();
                cx.token().cause()
            }),
        )
        .await?;
    bench.until("the call runs", || inside.is_open()).await?;
    let count = Arc::clone(&never);
    let queued = bench.submit(&worker, Job::call(move |_| count.fetch_add(1, Ordering::SeqCst))).await?;
    let mut wait = worker.shutdown(Shutdown::Abort);
    bench.quiet(&worker).await?;
    ensure_eq!((queued.is_finished(), running.is_finished()), (true, false), "queued call and running call settled");
    ensure_eq!(running.token().cause(), Some(Cause::SHUTDOWN), "the cause in the token of the running call");
    ensure!(poll(Pin::new(&mut wait), Waker::noop()).is_pending(), "an abort is over and a call is running");
    gate.open();
    let outcome = bench.settled(running).await?;
    ensure!(
        matches!(outcome, Outcome::Completed(Some(Cause::SHUTDOWN))),
        "a call that returned the cause it saw settled as {outcome:?}"
    );
    let class = bench.settled(queued).await?.class();
    ensure_eq!(class, unstarted(Cause::SHUTDOWN), "a queued call in an abort");
    let report = bench.within("the abort is over", wait).await?;
    ensure_eq!(never.load(Ordering::SeqCst), 0, "calls that began after the abort");
    // The call that ran came to its end: it was not cut off.
    ensure_eq!((report.cut_off.len(), report.survivors.len()), (1, 0), "cut off and survivors");
    Ok(())
}

/// An abort in the middle of work on several drivers: whoever settled by it is in the report, and nobody twice.
async fn in_full_flight(bench: &Bench, round: u64) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(4).drivers(2).capacity(400))?;
    let mut random = bench.random();
    let mut handles: Vec<Handle<()>> = Vec::new();
    for _ in 0..120 {
        let yields = random.u32(0..3);
        let job = Job::task(async move {
            for _ in 0..yields {
                crate::bench::yield_now().await;
            }
        });
        handles.push(bench.submit(&worker, job).await?);
        if handles.len() == 60 && round.is_multiple_of(2) {
            bench.yield_now().await;
        }
    }
    let report = bench.within("the abort is over", worker.shutdown(Shutdown::Abort)).await?;
    let named: BTreeSet<u64> = report.cut_off.iter().map(|job| job.id.get()).collect();
    ensure_eq!(named.len(), report.cut_off.len(), "round {round}: how many were cut off, each once");
    let mut cancelled = 0;
    for handle in handles {
        let id = handle.id();
        ensure!(handle.is_finished(), "round {round}: {id:?} has not settled and the abort is over");
        match bench.settled(handle).await?.class() {
            Class::Completed => {}
            Class::Cancelled { cause: Cause::SHUTDOWN, .. } => {
                cancelled += 1;
                ensure!(named.contains(&id.get()), "round {round}: {id:?} was cut off and the report does not name it");
            }
            other => return Err(Flaw::Broken(format!("round {round}: {id:?} settled as {other:?} in an abort"))),
        }
    }
    ensure_eq!(report.counts.cancelled, cancelled, "round {round}: the worker's own count of cancelled");
    Ok(())
}

pub(super) async fn s4_drain_limit_turns_into_abort(bench: &Bench) -> Check {
    for limit in [secs(3), TICK, Duration::ZERO] {
        at_the_limit(bench, limit).await?;
    }
    // Nothing is cut off when all have settled in time; the report does not wait for the limit.
    let worker = bench.worker(lanes(1))?;
    let roll = Roll::new();
    let handle = bench.submit(&worker, roll.job(0)).await?;
    let report = bench.within("the drain is over", worker.shutdown(Shutdown::DrainFor(secs(60)))).await?;
    ensure!(handle.is_finished(), "the drain is over and a job has not settled");
    cut_off_are(&report, &[])?;
    // Beyond the clock is no limit.
    let worker = bench.worker(lanes(1))?;
    let gate = Gate::new();
    let handle = bench.submit(&worker, roll.waiting(1, &gate)).await?;
    let wait = worker.shutdown(Shutdown::DrainFor(Duration::MAX));
    bench.advance(&worker, secs(100 * 365 * 86_400)).await?;
    ensure!(!handle.is_finished(), "a limit beyond the clock was due");
    gate.open();
    cut_off_are(&bench.within("the drain is over", wait).await?, &[])?;
    Ok(5)
}

async fn at_the_limit(bench: &Bench, limit: Duration) -> Result<(), Flaw> {
    let worker: Worker = bench.worker(lanes(2))?;
    let (roll, gate) = (Roll::new(), Gate::new());
    let quick = bench.submit(&worker, roll.waiting(0, &gate)).await?;
    let stuck: Puppet<()> = Puppet::new();
    let running = bench.submit(&worker, Job::task(stuck.task()).name("running")).await?;
    bench.quiet(&worker).await?;
    // The lane of the first frees itself within the limit; the job that takes it over does not end.
    let follower: Puppet<()> = Puppet::new();
    let second = bench.submit(&worker, Job::task(follower.task()).name("second")).await?;
    let third = bench.submit(&worker, roll.job(3)).await?;
    let mut wait = worker.shutdown(Shutdown::DrainFor(limit));
    if limit > Duration::ZERO {
        gate.open();
        bench.advance(&worker, limit - TICK).await?;
        ensure!(quick.is_finished(), "a job that could end before the limit of {limit:?} has not settled");
        ensure!(poll(Pin::new(&mut wait), Waker::noop()).is_pending(), "a drain is over before its limit of {limit:?}");
        ensure_eq!(
            (running.token().is_cancelled(), second.token().is_cancelled(), worker.queued()),
            (false, false, 1),
            "a nanosecond before the limit of {limit:?}: whether the running ones were asked, and queued"
        );
        bench.advance(&worker, TICK).await?;
    }
    let report = bench.within("the drain is over at its limit", wait).await?;
    let early = if limit > Duration::ZERO {
        ensure_eq!(bench.settled(quick).await?.class(), Class::Completed, "the job that ended in time");
        cut_off_are(&report, &["running", "second", "number 3"])?;
        stopped(Cause::SHUTDOWN)
    } else {
        // At once: what runs is cut off where it is.
        ensure_eq!(bench.settled(quick).await?.class(), stopped(Cause::SHUTDOWN), "a job that ran at a limit of zero");
        cut_off_are(&report, &["number 0", "running", "second", "number 3"])?;
        unstarted(Cause::SHUTDOWN)
    };
    ensure_eq!(bench.settled(running).await?.class(), stopped(Cause::SHUTDOWN), "the job that ran at the limit");
    ensure_eq!(bench.settled(second).await?.class(), early, "the job that came second");
    ensure_eq!(bench.settled(third).await?.class(), unstarted(Cause::SHUTDOWN), "the job that was queued at the limit");
    ensure!(report.survivors.is_empty(), "survivors among tasks: {:?}", report.survivors);
    stuck.dropped_once("the task that ran at the limit")?;
    follower.dropped_once("the task that came second")?;
    roll.census().each_once("bodies when a drain was at its limit")
}
