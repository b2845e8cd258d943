//! What counts from when, and how far.

use std::future::pending;
use std::prelude::v1::*;
use std::time::Duration;

use countermand_core::{Class, Instant, Job, Shutdown, Token, WorkerConfig};

use crate::rules::kit::{Filler, OUT_QUEUED, OUT_RUNNING, Puppet, TICK, from_now, has, lanes, secs};
use crate::{Bench, Check, Flaw, Profile, Recorder, ensure, ensure_eq, poll};

pub(super) async fn d5_what_counts_from_when(bench: &Bench) -> Check {
    queue_timeout_counts_from_submit(bench).await?;
    queue_timeout_counts_while_the_submit_waits(bench).await?;
    run_timeout_counts_from_the_first_poll(bench).await?;
    deadline_covers_both(bench).await?;
    the_workers_own_limits_count_alike(bench).await?;
    Ok(5)
}

async fn queue_timeout_counts_from_submit(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let started = Puppet::new();
    let running = bench.submit(&worker, Job::task(started.task()).queue_timeout(secs(3))).await?;
    let filler = Filler::of(bench, &worker).await?;
    let job = || Job::task(Puppet::<()>::new().task()).queue_timeout(secs(10));
    let first = bench.submit(&worker, job()).await?;
    bench.advance(&worker, secs(4)).await?;
    let second = worker.try_submit(job()).map_err(|error| Flaw::Broken(format!("a job was rejected: {error}")))?;
    bench.advance(&worker, secs(6) - TICK).await?;
    ensure!(!first.is_finished(), "a queue time-out of 10 s was over 10 s less a nanosecond after the submit");
    bench.advance(&worker, TICK).await?;
    ensure!(first.is_finished(), "a queue time-out of 10 s was not over 10 s after the submit");
    ensure!(!second.is_finished(), "a queue time-out of 10 s was over 6 s after the submit");
    bench.advance(&worker, secs(4)).await?;
    for handle in [first, second] {
        ensure!(handle.is_finished(), "a queue time-out of 10 s was not over 10 s after the submit");
        ensure_eq!(bench.settled(handle).await?.class(), OUT_QUEUED, "how a job ended that was queued for too long");
    }
    ensure!(!running.is_finished(), "a queue time-out ended a job that had been started");
    started.answer(5);
    let class = bench.settled(running).await?.class();
    ensure_eq!(class, Class::Completed, "how a job ended that was started before its queue time-out");
    filler.leave(bench).await
}

async fn queue_timeout_counts_while_the_submit_waits(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1).capacity(1))?;
    let filler = Filler::of(bench, &worker).await?;
    let plug = bench.submit(&worker, Job::task(async {})).await?;
    let recorder = Recorder::new();
    let job = Job::task(Puppet::<()>::new().task()).queue_timeout(secs(10));
    let mut submit = Box::pin(worker.submit(job));
    bench.advance(&worker, secs(50)).await?;
    ensure!(poll(submit.as_mut(), &recorder.waker()).is_pending(), "a submit to a full queue was ready");
    bench.advance(&worker, secs(6)).await?;
    plug.cancel();
    let handle = bench.within("a waiting submit gets the free place", submit).await?;
    let handle = handle.map_err(|error| Flaw::Broken(format!("a waiting submit was rejected: {error}")))?;
    bench.advance(&worker, secs(4) - TICK).await?;
    ensure!(!handle.is_finished(), "a queue time-out was over too early after a submit that waited");
    bench.advance(&worker, TICK).await?;
    ensure!(handle.is_finished(), "a queue time-out of 10 s was not over 10 s after the first poll of the submit");
    ensure_eq!(bench.settled(handle).await?.class(), OUT_QUEUED, "how it ended");
    filler.leave(bench).await
}

async fn run_timeout_counts_from_the_first_poll(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let filler = Filler::of(bench, &worker).await?;
    let puppet = Puppet::<()>::new();
    let handle = bench.submit(&worker, Job::task(puppet.task()).run_timeout(secs(10))).await?;
    bench.advance(&worker, secs(100)).await?;
    ensure!(!handle.is_finished(), "a run time-out ended a job that was queued");
    filler.leave(bench).await?;
    bench.advance(&worker, secs(4)).await?;
    // Later polls do not count.
    puppet.wake();
    bench.advance(&worker, secs(6) - TICK).await?;
    ensure_eq!(puppet.polls(), 2, "polls of a job that was started and woken once");
    ensure!(!handle.is_finished(), "a run time-out of 10 s was over less than 10 s after the first poll");
    bench.advance(&worker, TICK).await?;
    ensure!(handle.is_finished(), "a run time-out of 10 s was not over 10 s after the first poll");
    ensure_eq!(bench.settled(handle).await?.class(), OUT_RUNNING, "how a job ended that ran for too long");
    Ok(())
}

async fn deadline_covers_both(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let filler = Filler::of(bench, &worker).await?;
    let job = || Job::task(Puppet::<()>::new().task()).deadline(from_now(bench, secs(10)));
    let running = bench.submit(&worker, job()).await?;
    let between = bench.submit(&worker, job()).await?;
    let queued = bench.submit(&worker, job()).await?;
    bench.advance(&worker, secs(6)).await?;
    filler.leave(bench).await?;
    bench.advance(&worker, secs(4) - TICK).await?;
    for (handle, what) in [(&running, "running"), (&between, "queued, then running"), (&queued, "queued")] {
        ensure!(!handle.is_finished(), "the deadline of a job ({what}) was due too early");
    }
    bench.advance(&worker, TICK).await?;
    for (handle, expected) in [(running, OUT_RUNNING), (between, OUT_RUNNING), (queued, OUT_QUEUED)] {
        ensure!(handle.is_finished(), "a job went on after its deadline, expected {expected:?}");
        ensure_eq!(bench.settled(handle).await?.class(), expected, "how a job ended at its deadline");
    }
    Ok(())
}

/// What the worker is set up with holds for jobs that state nothing, and for no others.
async fn the_workers_own_limits_count_alike(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2).run_timeout(secs(10)).queue_timeout(secs(5)))?;
    let job = || Job::task(Puppet::<()>::new().task());
    let plain = bench.submit(&worker, job()).await?;
    let longer = bench.submit(&worker, job().run_timeout(secs(20))).await?;
    bench.quiet(&worker).await?;
    let impatient = bench.submit(&worker, job()).await?;
    let patient = bench.submit(&worker, job().queue_timeout(secs(15))).await?;
    bench.advance(&worker, secs(5)).await?;
    ensure!(impatient.is_finished(), "the worker's queue time-out did not hold for a job that stated none");
    ensure!(!patient.is_finished(), "the worker's queue time-out held for a job that stated its own");
    bench.advance(&worker, secs(5)).await?;
    ensure!(plain.is_finished(), "the worker's run time-out did not hold for a job that stated none");
    ensure!(!longer.is_finished(), "the worker's run time-out held for a job that stated its own");
    // The patient one has been running since the plain one left.
    bench.advance(&worker, secs(10) - TICK).await?;
    ensure!(!patient.is_finished() && !longer.is_finished(), "a run time-out was over a nanosecond too early");
    bench.advance(&worker, TICK).await?;
    for (handle, expected) in
        [(plain, OUT_RUNNING), (longer, OUT_RUNNING), (impatient, OUT_QUEUED), (patient, OUT_RUNNING)]
    {
        ensure!(handle.is_finished(), "a job went on after its time, expected {expected:?}");
        ensure_eq!(bench.settled(handle).await?.class(), expected, "how a job ended when its time was out");
    }
    Ok(())
}

/// Most of the clock's range.
const CENTURY: Duration = secs(100 * 365 * 86_400);

pub(super) async fn d8_beyond_the_clock_is_no_deadline(bench: &Bench) -> Check {
    let one_too_many = Duration::from_nanos(u64::MAX - bench.now().as_nanos() + 1);
    let beyond = [one_too_many, Duration::from_nanos(u64::MAX), Duration::from_secs(u64::MAX), Duration::MAX];
    for span in beyond {
        ensure_eq!(bench.now().checked_add(span), None, "a point {span:?} from now");
        no_limit_in_jobs(bench, span).await?;
        no_limit_in_the_queue(bench, span).await?;
        no_limit_elsewhere(bench, span).await?;
        bench.tick(CENTURY);
    }
    // The end of the clock itself may count as none; a nanosecond before it is a deadline like any other.
    let last = Instant::from_nanos(u64::MAX - 1);
    ensure_eq!(Token::with_deadline(last).deadline(), Some(last), "the last deadline that there is");
    ensure!(Token::with_deadline(last).expire_due(last), "the last deadline was not due at its time");
    ensure!(
        !Token::with_deadline(Instant::from_nanos(u64::MAX)).expire_due(last),
        "the end of the clock was due before"
    );
    Ok(beyond.len() as u64)
}

/// Everything that can be set is set to `span`.
fn unlimited(config: WorkerConfig, span: Duration) -> WorkerConfig {
    config.run_timeout(span).queue_timeout(span).grace(span).shutdown_limit(span).watchdog(Some(span))
}

async fn no_limit_in_jobs(bench: &Bench, span: Duration) -> Result<(), Flaw> {
    let worker = bench.worker(unlimited(lanes(8), span))?;
    let cast: [Puppet<u32>; 5] = std::array::from_fn(|_| Puppet::new());
    let timed = cast[4].task();
    let jobs = [
        bench.submit(&worker, Job::task(cast[0].task()).run_timeout(span).queue_timeout(span).grace(span)).await?,
        bench.submit(&worker, Job::task(cast[1].task())).await?,
        bench.submit(&worker, Job::task(cast[2].task()).deadline(Instant::from_nanos(u64::MAX))).await?,
        bench.submit(&worker, Job::task(cast[3].task()).grace(span)).await?,
        bench
            .submit(&worker, Job::task_with(move |cx| async move { cx.timeout(span, timed).await.unwrap_or(0) }))
            .await?,
    ];
    let sleeping = [
        bench.submit(&worker, Job::task_with(move |cx| cx.sleep(span))).await?,
        bench
            .submit(
                &worker,
                Job::task_with(move |cx| async move {
                    let _ = cx.interval(span).tick().await;
                }),
            )
            .await?,
        bench
            .submit(
                &worker,
                Job::task_with(move |cx| async move {
                    let token = cx.child_with_timeout(span);
                    let _ = token.cancelled().await;
                }),
            )
            .await?,
    ];
    bench.quiet(&worker).await?;
    // Asked to stop, with a grace that never ends.
    jobs[3].cancel();
    let tokens = [worker.child_with_timeout(span), worker.child_with_deadline(Instant::from_nanos(u64::MAX))];
    ensure_eq!(tokens[0].deadline(), None, "the deadline of a token that is to last {span:?}");
    bench.advance(&worker, secs(86_400)).await?;
    ensure!(!tokens.iter().any(|token| token.is_cancelled()), "a token that is to last {span:?} was cancelled");
    for (puppet, handle) in cast.iter().zip(jobs) {
        ensure!(!handle.is_finished(), "a job was over although its limits are {span:?}");
        puppet.answer(8);
        let answer = bench.settled(handle).await?.completed();
        ensure_eq!(answer, Some(8), "what a job returned whose limits are {span:?}");
    }
    for handle in sleeping {
        ensure!(!handle.is_finished(), "a sleep of {span:?} was over");
        // With a grace that never ends it would sleep for ever.
        drop(handle);
    }
    Ok(())
}

async fn no_limit_in_the_queue(bench: &Bench, span: Duration) -> Result<(), Flaw> {
    let worker = bench.worker(unlimited(lanes(1), span))?;
    let filler = Filler::of(bench, &worker).await?;
    let own = bench.submit(&worker, Job::task(async { 1 }).queue_timeout(span)).await?;
    let workers = bench.submit(&worker, Job::task(async { 2 })).await?;
    bench.advance(&worker, secs(86_400)).await?;
    ensure!(!own.is_finished() && !workers.is_finished(), "a queue time-out of {span:?} was over");
    filler.leave(bench).await?;
    ensure_eq!(bench.settled(own).await?.completed(), Some(1), "what a job returned whose queue time-out is {span:?}");
    ensure_eq!(bench.settled(workers).await?.completed(), Some(2), "the same, where the worker states the time-out");
    Ok(())
}

async fn no_limit_elsewhere(bench: &Bench, span: Duration) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let puppet = Puppet::new();
    let handle = bench.submit(&worker, Job::task(puppet.task())).await?;
    bench.quiet(&worker).await?;
    let drain = worker.shutdown(Shutdown::DrainFor(span));
    bench.advance(&worker, secs(86_400)).await?;
    ensure!(!handle.is_finished(), "a drain for {span:?} turned into an abort");
    if has(bench, Profile::NONE.threads()) {
        puppet.prepare(8);
        let waiting = puppet.clone();
        let wait = move || {
            waiting.wake();
            handle.wait_timeout(span).map(|outcome| outcome.class())
        };
        let class = bench.on_thread("a wait for a job is over", wait).await?;
        ensure_eq!(class.ok(), Some(Class::Completed), "what a wait of at most {span:?} brought");
    } else {
        puppet.answer(8);
        ensure_eq!(
            bench.settled(handle).await?.completed(),
            Some(8),
            "what a job returned during a drain for {span:?}"
        );
    }
    let report = bench.within("a drain for ever is over when the last job is", drain).await?;
    ensure_eq!(report.cut_off.len(), 0, "jobs cut off by a drain for {span:?}");
    let worker = bench.worker(lanes(1))?;
    let handle = bench.submit(&worker, Job::task(pending::<()>())).await?;
    bench.quiet(&worker).await?;
    bench.within("an abort ends", worker.shutdown(Shutdown::AbortWithin(span))).await?;
    ensure!(bench.settled(handle).await?.is_cancelled(), "a job that an abort within {span:?} ended was not cancelled");
    Ok(())
}
