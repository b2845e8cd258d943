//! How a job leaves the queue other than into a lane.

use std::pin::Pin;
use std::prelude::v1::*;
use std::task::Poll;
use std::time::Duration;

use countermand_core::{Cause, FullPolicy, Handle, Outcome, Phase, RejectReason, Token, WorkerConfig};

use super::super::kit::{TICK, from_now};
use super::super::scene::{Held, Roll, Stepped, accepted, step};
use crate::{Bench, Check, Flaw, Gate, Recorder, ensure, ensure_eq, poll};

pub(super) async fn q4_cancelled_queued_job_leaves_at_once(bench: &Bench) -> Check {
    let held = Held::new(bench, WorkerConfig::new().capacity(4)).await?;
    let roll = Roll::new();
    let parent = Token::new();
    let first = bench.submit(&held.worker, roll.job(0)).await?;
    let by_parent = bench.submit(&held.worker, roll.job(1).parent(&parent)).await?;
    let by_handle = bench.submit(&held.worker, roll.job(2).cancel_on_drop()).await?;
    let stays = bench.submit(&held.worker, roll.job(3)).await?;
    let mut line = Vec::new();
    for number in 10..14 {
        let mut submit = held.worker.submit(roll.job(number));
        let recorder = Recorder::new();
        ensure!(poll(Pin::new(&mut submit), &recorder.waker()).is_pending(), "a full queue let job {number} in");
        line.push((submit, recorder));
    }
    let woken = |line: &[(_, Recorder)]| line.iter().map(|(_, recorder)| recorder.wakes()).collect::<Vec<_>>();

    // Each way to cancel a queued job; each frees one place, and wakes one of those that wait.
    ensure!(first.cancel(), "the first cancel of a queued job was told that it was not");
    let outcome = bench.settled(first).await?;
    ensure!(
        matches!(outcome, Outcome::Cancelled { cause: Cause::REQUESTED, started: false }),
        "a queued job that was cancelled settled as {outcome:?}"
    );
    bench.quiet(&held.worker).await?;
    held.still_held()?;
    ensure_eq!(woken(&line), [1, 0, 0, 0], "wakes of the waiting submitters when one place was freed");
    ensure_eq!(held.worker.queued(), 3, "queued, before the submitter came for its place");

    parent.cancel_with(Cause::REQUESTED.with_code(7));
    let outcome = bench.settled(by_parent).await?;
    let expected = Cause::REQUESTED.with_code(7);
    ensure!(
        matches!(outcome, Outcome::Cancelled { cause, started: false } if cause == expected),
        "a queued job whose parent was cancelled settled as {outcome:?}"
    );
    drop(by_handle);
    bench.quiet(&held.worker).await?;
    held.still_held()?;
    ensure_eq!(woken(&line), [1, 1, 1, 0], "wakes of the waiting submitters when three places had been freed");
    ensure_eq!(roll.census().dropped(), 3, "bodies dropped of three queued jobs that were cancelled");
    ensure_eq!((held.worker.queued(), held.worker.jobs().len()), (1, 2), "queued, and listed with the running one");

    // Those who were woken have their places.
    let mut handles = Vec::new();
    for (submit, recorder) in &mut line {
        if let Poll::Ready(result) = poll(Pin::new(submit), &recorder.waker()) {
            let handle = result.map_err(|r| Flaw::Broken(format!("a woken submitter was told: {}", r.reason)))?;
            handles.push(handle);
        }
    }
    ensure_eq!((handles.len(), held.worker.queued()), (3, 4), "submitters that got in, and queued, after three wakes");
    drop(line);

    // Where nobody waits the place is free for whoever comes.
    handles.remove(1).cancel();
    bench.quiet(&held.worker).await?;
    ensure_eq!(held.worker.queued(), 3, "queued after a cancel while nobody waits");
    match held.worker.try_submit(roll.job(20)) {
        Ok(handle) => handles.push(handle),
        Err(rejected) => return Err(Flaw::Broken(format!("the freed place was not to be had: {}", rejected.reason))),
    }
    ensure_eq!(held.worker.try_submit(roll.job(21)).is_err(), true, "whether one more was refused");

    held.release(bench).await?;
    for handle in handles.into_iter().chain([stays]) {
        let outcome = bench.settled(handle).await?;
        ensure!(matches!(outcome, Outcome::Completed(_)), "a job that nobody cancelled settled as {outcome:?}");
    }
    ensure_eq!(roll.begun(), [3, 10, 12, 20], "jobs polled, of which 0, 1, 2 and 11 had been cancelled");
    roll.census().each_once("bodies of queued jobs")?;
    from_inside_of_a_poll(bench).await?;
    after_a_wait_in_line(bench).await?;
    all_at_once(bench).await
}

/// The place is free while the job that cancels is still in its poll and no lane can have become free: at once means by the
/// keeper, not by a lane.
async fn from_inside_of_a_poll(bench: &Bench) -> Result<(), Flaw> {
    let mut stepped = Stepped::new(bench, WorkerConfig::new().lanes(1).drivers(1).capacity(1))?;
    let roll = Roll::new();
    let victim = accepted(stepped.worker.try_submit(roll.job(0)))?;
    let mut keeper = stepped.attendants.pop().flatten();
    victim.cancel();
    step(&mut keeper);
    ensure!(
        victim.is_finished(),
        "a queued job that was cancelled has not settled, with its keeper at work and no driver"
    );
    ensure_eq!(stepped.worker.queued(), 0, "queued");
    stepped.attendants.push(keeper);
    stepped.run()
}

/// One that waited in line for its place leaves as others do, also where a parent of its own must tell it.
async fn after_a_wait_in_line(bench: &Bench) -> Result<(), Flaw> {
    let held = Held::new(bench, WorkerConfig::new().capacity(1)).await?;
    let (roll, parent) = (Roll::new(), Token::new());
    for by_parent in [false, true] {
        let first = bench.submit(&held.worker, roll.job(0)).await?;
        let mut submit = Box::pin(held.worker.submit(roll.job(1).parent(&parent)));
        ensure!(poll(submit.as_mut(), &Recorder::new().waker()).is_pending(), "a full queue let a job in");
        first.cancel();
        bench.settled(first).await?;
        let second = accepted(bench.within("who waited in line has its place", submit).await?)?;
        bench.quiet(&held.worker).await?;
        if by_parent {
            parent.cancel()
        } else {
            second.cancel()
        };
        let outcome = bench.settled(second).await?;
        ensure!(
            matches!(outcome, Outcome::Cancelled { cause: Cause::REQUESTED, started: false }),
            "a queued job that had waited in line, cancelled by its parent ({by_parent}), settled as {outcome:?}"
        );
        held.still_held()?;
        ensure_eq!(held.worker.queued(), 0, "queued when it was cancelled that had waited in line");
    }
    held.release(bench).await.map(drop)
}

/// A full queue is cancelled as a whole, and taken by those that wait.
async fn all_at_once(bench: &Bench) -> Check {
    const PLACES: usize = 20;
    let rounds = bench.rounds(10);
    for round in 0..rounds {
        let held = Held::new(bench, WorkerConfig::new().capacity(PLACES)).await?;
        let roll = Roll::new();
        let mut random = bench.random();
        let mut handles: Vec<Handle<u64>> = Vec::new();
        for number in 0..PLACES {
            handles.push(bench.submit(&held.worker, roll.job(number as u64)).await?);
        }
        let mut line = Vec::new();
        for number in 0..PLACES + 4 {
            let mut submit = held.worker.submit(roll.job(1_000 + number as u64));
            let recorder = Recorder::new();
            ensure!(poll(Pin::new(&mut submit), &recorder.waker()).is_pending(), "a full queue let a job in");
            line.push((submit, recorder));
        }
        random.shuffle(&mut handles);
        let kept = handles.split_off(random.usize(1..PLACES));
        let cancelled = handles.len();
        handles.iter().for_each(|handle| {
            handle.cancel();
        });
        for handle in handles {
            let outcome = bench.settled(handle).await?;
            ensure!(outcome.is_cancelled(), "round {round}: a cancelled queued job settled as {outcome:?}");
        }
        bench.quiet(&held.worker).await?;
        let woken = line.iter().filter(|(_, recorder)| recorder.wakes() == 1).count();
        ensure_eq!(woken, cancelled, "round {round}: submitters woken once, when so many places were freed");
        for (submit, recorder) in line {
            if recorder.wakes() > 0 {
                match bench.within("a woken submitter has its place", submit).await? {
                    Ok(handle) => drop(handle),
                    Err(rejected) => return Err(Flaw::Broken(format!("round {round}: {}", rejected.reason))),
                }
            }
        }
        ensure_eq!(held.worker.queued(), PLACES, "round {round}: queued when all woken submitters had come");
        let worker = held.release(bench).await?;
        for handle in kept {
            bench.settled(handle).await?;
        }
        ensure_eq!(worker.counts().cancelled, cancelled as u64, "round {round}: the worker's own count of cancelled");
        ensure_eq!(roll.begun().len(), PLACES, "round {round}: jobs that ran");
    }
    Ok(rounds + 3)
}

pub(super) async fn q7_queue_timeout_settles_when_due(bench: &Bench) -> Check {
    let limit = Duration::from_millis(40);
    let config = WorkerConfig::new().capacity(5).queue_timeout(limit).full(FullPolicy::Wait);
    let held = Held::new(bench, config).await?;
    let roll = Roll::new();
    // The later ones are due earlier: the alarm must be set anew for each.
    let default = bench.submit(&held.worker, roll.job(0)).await?;
    let distant = bench.submit(&held.worker, roll.job(1).queue_timeout(limit * 10)).await?;
    let never = bench.submit(&held.worker, roll.job(2).queue_timeout(Duration::MAX)).await?;
    let own = bench.submit(&held.worker, roll.job(3).queue_timeout(limit / 2)).await?;
    let deadline = from_now(bench, limit / 4);
    let deadline = bench.submit(&held.worker, roll.job(4).deadline(deadline)).await?;
    let mut waiting = held.worker.submit(roll.job(5).queue_timeout(Duration::MAX));
    let recorder = Recorder::new();
    ensure!(poll(Pin::new(&mut waiting), &recorder.waker()).is_pending(), "a full queue let a job in");

    let mut at = Duration::ZERO;
    for (what, handle, due) in [("deadline", deadline, limit / 4), ("own", own, limit / 2), ("default", default, limit)]
    {
        bench.advance(&held.worker, due - at - TICK).await?;
        ensure!(!handle.is_finished(), "the job with its {what} limit of {due:?} settled a nanosecond too early");
        bench.advance(&held.worker, TICK).await?;
        ensure!(handle.is_finished(), "the job with its {what} limit of {due:?} is due, queued, and has not settled");
        held.still_held()?;
        let outcome = bench.settled(handle).await?;
        ensure!(
            matches!(outcome, Outcome::TimedOut { phase: Phase::Queued, late: None }),
            "a job whose time in the queue was out settled as {outcome:?}"
        );
        at = due;
    }
    ensure_eq!(held.worker.queued(), 2, "queued of five, when three were due");
    ensure_eq!(recorder.wakes(), 1, "wakes of a submitter that waited for one of three places that became free");
    ensure_eq!(roll.census().dropped(), 3, "bodies dropped");
    ensure_eq!((distant.is_finished(), never.is_finished()), (false, false), "whether those not due have settled");
    let waited = match bench.within("the submitter has its place", waiting).await? {
        Ok(handle) => handle,
        Err(rejected) => return Err(Flaw::Broken(format!("a waiting submitter was told: {}", rejected.reason))),
    };

    // What has started is queued no more: its queue time-out is over with that.
    let gate = Gate::new();
    let worker = held.release(bench).await?;
    for handle in [distant, never, waited] {
        let outcome = bench.settled(handle).await?;
        ensure!(matches!(outcome, Outcome::Completed(_)), "a job that was not due settled as {outcome:?}");
    }
    let started = bench.submit(&worker, roll.waiting(6, &gate).queue_timeout(limit)).await?;
    bench.quiet(&worker).await?;
    bench.advance(&worker, limit * 4).await?;
    ensure!(!started.is_finished(), "a queue time-out settled a job that was running");
    gate.open();
    let outcome = bench.settled(started).await?;
    ensure!(matches!(outcome, Outcome::Completed(6)), "a job that started in time settled as {outcome:?}");
    let counts = worker.counts();
    ensure_eq!((counts.timed_out, counts.timed_out_queued), (3, 3), "timed out, and of these in the queue");
    ensure_eq!(roll.begun(), [1, 2, 5, 6], "jobs polled");
    roll.census().each_once("bodies of jobs with queue time-outs")?;
    many_in_any_order(bench).await
}

/// Time-outs drawn at random: at any time exactly those are settled that are due.
async fn many_in_any_order(bench: &Bench) -> Check {
    let rounds = bench.rounds(10);
    for round in 0..rounds {
        let held = Held::new(bench, WorkerConfig::new().capacity(64)).await?;
        let roll = Roll::new();
        let mut random = bench.random();
        let mut jobs = Vec::new();
        for number in 0..50 {
            let limit = Duration::from_micros(random.u64(1..1_000));
            let handle = bench.submit(&held.worker, roll.job(number).queue_timeout(limit)).await?;
            jobs.push((from_now(bench, limit), handle));
            if random.u8(..) < 40 {
                jobs.swap_remove(random.usize(..jobs.len())).1.cancel();
            }
        }
        for _ in 0..12 {
            bench.advance(&held.worker, Duration::from_nanos(random.u64(1..90_000))).await?;
            let now = bench.now();
            for (due, handle) in &jobs {
                ensure_eq!(
                    handle.is_finished(),
                    due.is_due(now),
                    "round {round}: whether a queued job due at {due:?} has settled at {now:?}"
                );
            }
        }
        held.still_held()?;
        let now = bench.now();
        let refused = held.worker.try_submit(roll.job(99)).err().map(|rejected| rejected.reason);
        ensure_eq!(refused, None::<RejectReason>, "round {round}: why a job was refused when many had left");
        held.release(bench).await?;
        for (due, handle) in jobs {
            let outcome = bench.settled(handle).await?;
            ensure_eq!(outcome.is_timed_out(), due.is_due(now), "round {round}: a job due at {due:?}: {outcome:?}");
        }
        roll.census().each_once("bodies of jobs with queue time-outs")?;
    }
    Ok(rounds + 1)
}
