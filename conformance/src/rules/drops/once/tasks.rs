//! The paths of a task that does not panic.

use std::prelude::v1::*;
use std::time::Duration;

use countermand_core::{
    Cause, Class, FullPolicy, Job, LatePolicy, Outcome, Phase, Priority, Shutdown, Worker, WorkerConfig,
};

use super::{Path, cancelled, crate_of, ended, held, one_lane, paths};
use crate::rules::crew::{Crew, refused};
use crate::{Bench, Census, Flaw, Gate, Probe, ensure, ensure_eq};

pub(super) const PATHS: &[(&str, Path)] = paths![
    completed,
    completed_unread,
    failed,
    cancelled_in_the_queue,
    cancelled_while_running,
    returned_within_its_grace,
    cut_off_after_its_grace,
    out_of_time_in_the_queue,
    out_of_time_while_running,
    late_and_marked,
    late_and_discarded,
    evicted,
    came_back,
    never_submitted,
    dropped_in_line,
    aborted,
    worker_dropped,
    attendants_dropped,
    runtime_stopped,
    callbacks,
];

async fn completed(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let gate = Gate::new();
    let handle = bench.submit(&worker, crate_of(census, &gate)).await?;
    bench.quiet(&worker).await?;
    gate.open();
    let outcome = bench.settled(handle).await?;
    ended(&outcome, Class::Completed)?;
    ensure_eq!(census.alive(), 1, "values alive while the reader holds the result");
    drop(outcome);
    Ok(Some(worker))
}

async fn completed_unread(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let gate = Gate::new();
    drop(bench.submit(&worker, crate_of(census, &gate)).await?);
    gate.open();
    let after = bench.submit(&worker, crate_of(census, &gate)).await?;
    bench.until("the job settles", || after.is_finished()).await?;
    drop(after);
    Ok(Some(worker))
}

async fn failed(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    for read in [true, false] {
        let (captured, error) = (census.probe(), census.probe());
        let job = Job::fallible(async move {
            let _captured = captured;
            Err::<(), Probe>(error)
        });
        let handle = bench.submit(&worker, job).await?;
        if read {
            ended(&bench.settled(handle).await?, Class::Failed)?;
        }
    }
    bench.until("both settle", || worker.counts().failed == 2).await?;
    Ok(Some(worker))
}

async fn cancelled_in_the_queue(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let (worker, gate, first) = held(bench, WorkerConfig::new()).await?;
    let handle = bench.submit(&worker, crate_of(census, &gate)).await?;
    handle.cancel();
    ended(&bench.settled(handle).await?, cancelled(Cause::REQUESTED, false))?;
    census.each_once("a job cancelled in the queue, before a lane was free")?;
    gate.open();
    bench.settled(first).await?;
    Ok(Some(worker))
}

async fn cancelled_while_running(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let handle = bench.submit(&worker, crate_of(census, &Gate::new())).await?;
    bench.quiet(&worker).await?;
    handle.cancel();
    ended(&bench.settled(handle).await?, cancelled(Cause::REQUESTED, true))?;
    Ok(Some(worker))
}

async fn returned_within_its_grace(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let gate = Gate::new();
    let handle = bench.submit(&worker, crate_of(census, &gate).grace(Duration::from_secs(9))).await?;
    bench.quiet(&worker).await?;
    handle.cancel();
    bench.advance(&worker, Duration::from_secs(1)).await?;
    gate.open();
    ended(&bench.settled(handle).await?, Class::Completed)?;
    Ok(Some(worker))
}

async fn cut_off_after_its_grace(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let job = crate_of(census, &Gate::new()).grace(Duration::from_secs(9));
    let handle = bench.submit(&worker, job).await?;
    bench.quiet(&worker).await?;
    handle.cancel();
    bench.advance(&worker, Duration::from_secs(9)).await?;
    ended(&bench.settled(handle).await?, cancelled(Cause::REQUESTED, true))?;
    Ok(Some(worker))
}

async fn out_of_time_in_the_queue(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let (worker, gate, first) = held(bench, WorkerConfig::new()).await?;
    let handle = bench.submit(&worker, crate_of(census, &gate).queue_timeout(Duration::from_secs(1))).await?;
    bench.advance(&worker, Duration::from_secs(1)).await?;
    ended(&bench.settled(handle).await?, Class::TimedOut(Phase::Queued))?;
    gate.open();
    bench.settled(first).await?;
    Ok(Some(worker))
}

async fn out_of_time_while_running(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let job = crate_of(census, &Gate::new()).run_timeout(Duration::from_secs(1));
    let handle = bench.submit(&worker, job).await?;
    bench.advance(&worker, Duration::from_secs(1)).await?;
    ended(&bench.settled(handle).await?, Class::TimedOut(Phase::Running))?;
    Ok(Some(worker))
}

async fn late(bench: &Bench, census: &Census, policy: LatePolicy) -> Result<(Worker, Outcome<Probe>), Flaw> {
    let worker = bench.worker(one_lane())?;
    let gate = Gate::new();
    let job = crate_of(census, &gate).run_timeout(Duration::from_secs(1)).grace(Duration::from_secs(5)).late(policy);
    let handle = bench.submit(&worker, job).await?;
    bench.advance(&worker, Duration::from_secs(2)).await?;
    gate.open();
    let outcome = bench.settled(handle).await?;
    ended(&outcome, Class::TimedOut(Phase::Running))?;
    Ok((worker, outcome))
}

async fn late_and_marked(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let (worker, outcome) = late(bench, census, LatePolicy::Mark).await?;
    ensure!(matches!(outcome, Outcome::TimedOut { late: Some(_), .. }), "the late value is missing: {outcome:?}");
    Ok(Some(worker))
}

async fn late_and_discarded(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let (worker, _outcome) = late(bench, census, LatePolicy::Discard).await?;
    ensure_eq!(worker.counts().late_discarded, 1, "late values that the worker says it has dropped");
    census.each_once("a late value that was discarded")?;
    Ok(Some(worker))
}

async fn evicted(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let config = WorkerConfig::new().capacity(1).full(FullPolicy::EvictLowest);
    let (worker, gate, first) = held(bench, config).await?;
    let victim = bench.submit(&worker, crate_of(census, &gate)).await?;
    let better = bench.submit(&worker, crate_of(census, &gate).priority(Priority::High)).await?;
    ended(&bench.settled(victim).await?, cancelled(Cause::EVICTED, false))?;
    gate.open();
    bench.settled(first).await?;
    ended(&bench.settled(better).await?, Class::Completed)?;
    Ok(Some(worker))
}

async fn came_back(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let (worker, gate, first) = held(bench, WorkerConfig::new().capacity(1).full(FullPolicy::Reject)).await?;
    let queued = bench.submit(&worker, Job::task(async {})).await?;
    let full = worker.try_submit(crate_of(census, &gate)).err().ok_or_else(accepted)?;
    let again = worker.submit(full.job).await.err().ok_or_else(accepted)?;
    worker.close();
    let closed = worker.try_submit(again.job).err().ok_or_else(accepted)?;
    ensure_eq!(census.dropped(), 0, "values of a job that came back three times, dropped by the worker");
    drop(closed);
    census.each_once("a job that came back and was dropped by its submitter")?;
    gate.open();
    bench.settled(first).await?;
    bench.settled(queued).await?;
    Ok(Some(worker))
}

fn accepted() -> Flaw {
    Flaw::Broken("a job was accepted by a worker that was full or closed".to_owned())
}

async fn never_submitted(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let gate = Gate::new();
    drop(crate_of(census, &gate));
    drop(worker.submit(crate_of(census, &gate)));
    drop(Job::call({
        let probe = census.probe();
        move |_| drop(probe)
    }));
    Ok(Some(worker))
}

async fn dropped_in_line(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let (worker, gate, first) = held(bench, WorkerConfig::new().capacity(1)).await?;
    let queued = bench.submit(&worker, Job::task(async {})).await?;
    let recorder = crate::Recorder::new();
    let mut waits: Vec<_> = (0..3).map(|_| Box::pin(worker.submit(crate_of(census, &gate)))).collect();
    for wait in &mut waits {
        ensure!(crate::poll(wait.as_mut(), &recorder.waker()).is_pending(), "a submit to a full queue did not wait");
    }
    drop(waits.pop());
    // The first of the others is granted the place, and is dropped without coming for it; the last is turned away.
    gate.open();
    bench.settled(first).await?;
    bench.settled(queued).await?;
    drop(waits.remove(0));
    worker.close();
    drop(waits);
    Ok(Some(worker))
}

async fn aborted(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let gate = Gate::new();
    let running = bench.submit(&worker, crate_of(census, &gate)).await?;
    bench.quiet(&worker).await?;
    let queued = bench.submit(&worker, crate_of(census, &gate)).await?;
    drop(bench.submit(&worker, crate_of(census, &gate)).await?);
    bench.within("the abort ends", worker.shutdown(Shutdown::Abort)).await?;
    census.each_once("jobs of an aborted worker, at the end of the wait")?;
    ended(&bench.settled(running).await?, cancelled(Cause::SHUTDOWN, true))?;
    ended(&bench.settled(queued).await?, cancelled(Cause::SHUTDOWN, false))?;
    Ok(Some(worker))
}

async fn worker_dropped(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let gate = Gate::new();
    let running = bench.submit(&worker, crate_of(census, &gate)).await?;
    bench.quiet(&worker).await?;
    let queued = bench.submit(&worker, crate_of(census, &gate)).await?;
    drop(worker);
    ended(&bench.settled(running).await?, cancelled(Cause::SHUTDOWN, true))?;
    ended(&bench.settled(queued).await?, cancelled(Cause::SHUTDOWN, false))?;
    Ok(None)
}

async fn attendants_dropped(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let gate = Gate::new();
    for polled in [false, true] {
        let (worker, mut crew) = Crew::new(bench, one_lane())?;
        let handles = [(); 3].map(|()| worker.try_submit(crate_of(census, &gate)).map_err(refused));
        if polled {
            crew.settle_down()?;
        }
        drop(crew);
        for (place, handle) in handles.into_iter().enumerate() {
            let outcome = bench.settled(handle?).await?;
            ended(&outcome, cancelled(Cause::SHUTDOWN, polled && place == 0))?;
        }
    }
    Ok(None)
}

async fn runtime_stopped(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let doomed = bench.doomed_worker(one_lane())?;
    let gate = Gate::new();
    let running = bench.submit(&doomed.worker, crate_of(census, &gate)).await?;
    bench.until("the job runs", || doomed.worker.running() == 1).await?;
    let queued = bench.submit(&doomed.worker, crate_of(census, &gate)).await?;
    let worker = doomed.stop(bench).await?;
    drop((bench.settled(running).await?, bench.settled(queued).await?));
    Ok(Some(worker))
}

async fn callbacks(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let gate = Gate::new();
    let handle = bench.submit(&worker, crate_of(census, &gate)).await?;
    let capture = || {
        let probe = census.probe();
        move |_| drop(probe)
    };
    handle.on_done(capture());
    let token = countermand_core::Token::new();
    drop(token.on_cancel({
        let probe = census.probe();
        move |_| drop(probe)
    }));
    gate.open();
    bench.until("the job settles", || handle.is_finished()).await?;
    bench.quiet(&worker).await?;
    handle.on_done(capture());
    drop(handle);
    drop(token);
    Ok(Some(worker))
}
