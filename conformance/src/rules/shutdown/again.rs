//! A shutdown that is asked for more than once, by more than one, and from inside.

use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use countermand_core::{Instant, Job, Outcome, Report, Shutdown, WorkerConfig};

use super::super::kit::{Puppet, TICK, from_now, has, lanes, lock, secs};
use super::super::scene::Roll;
use crate::{Bench, Check, Flaw, Gate, Profile, Recorder, ensure, ensure_eq, poll};

pub(super) async fn s5_idempotent_and_never_relaxes(bench: &Bench) -> Check {
    all_who_wait_return(bench).await?;
    from_inside(bench).await?;
    let mut runs = 2;
    if has(bench, Profile::NONE.blocking()) {
        from_inside_of_a_call(bench).await?;
        runs += 1;
    }
    let rounds = bench.rounds(30);
    for round in 0..rounds {
        by_a_model(bench, round).await?;
    }
    Ok(rounds + runs)
}

/// What can be compared of a report.
fn gist(report: &Report) -> String {
    format!("{:?} {:?} {:?}", report.counts, report.cut_off, report.survivors)
}

async fn all_who_wait_return(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let (roll, gate) = (Roll::new(), Gate::new());
    let handle = bench.submit(&worker, roll.waiting(0, &gate)).await?;
    let queued = bench.submit(&worker, roll.job(1)).await?;
    bench.quiet(&worker).await?;
    let asks = [Shutdown::Drain, Shutdown::DrainFor(secs(5)), Shutdown::Drain, Shutdown::DrainFor(secs(50))];
    let mut waits = Vec::new();
    for how in asks {
        let mut wait = worker.shutdown(how);
        let recorder = Recorder::new();
        ensure!(poll(Pin::new(&mut wait), &recorder.waker()).is_pending(), "a drain is over while a job waits");
        waits.push((wait, recorder));
    }
    // One was never polled, one is dropped: that changes nothing for the others.
    let unpolled = worker.shutdown(Shutdown::Drain);
    drop(waits.remove(2));
    let threads = has(bench, Profile::NONE.threads());
    let report = Arc::new(Mutex::new(None));
    if threads {
        let (door, put) = (worker.clone(), Arc::clone(&report));
        let begun = Gate::new();
        let told = begun.clone();
        std::thread::spawn(move || {
            told.open();
            let blocked = door.shutdown_blocking(Shutdown::Drain);
            *lock(&put) = Some(blocked.map(|report| gist(&report)));
        });
        bench.until("the thread that waits has begun", || begun.is_open()).await?;
    }
    bench.quiet(&worker).await?;
    ensure!(!handle.is_finished() && !queued.is_finished(), "asking for a drain again cut a job off");
    gate.open();
    let first = bench.within("a shutdown that was never polled is over", unpolled).await?;
    for (wait, recorder) in waits {
        ensure!(recorder.wakes() >= 1, "somebody who waits for the end was not woken");
        let report = bench.within("everybody who waits for the end returns", wait).await?;
        ensure_eq!(gist(&report), gist(&first), "two reports of one shutdown");
    }
    if threads {
        bench.until("the thread that waits for the end returns", || lock(&report).is_some()).await?;
        let seen = lock(&report).take();
        ensure_eq!(seen, Some(Ok(gist(&first))), "the report that a blocked thread was given");
    }
    // Afterwards it is too late to ask for anything.
    for how in [Shutdown::Abort, Shutdown::Drain, Shutdown::AbortWithin(Duration::ZERO)] {
        let report = bench.within("a shutdown after the end is over at once", worker.shutdown(how)).await?;
        ensure_eq!(gist(&report), gist(&first), "the report after the end, asked for {how:?}");
    }
    for handle in [handle, queued] {
        let outcome = bench.settled(handle).await?;
        ensure!(matches!(outcome, Outcome::Completed(_)), "a job settled as {outcome:?} though nobody aborted");
    }
    Ok(())
}

/// A job that waits for the end of its own worker is not waited for.
async fn from_inside(bench: &Bench) -> Result<(), Flaw> {
    for (insiders, others) in [(1, 0), (1, 1), (3, 1)] {
        let worker = bench.worker(lanes(insiders + others))?;
        let (gate, begin) = (Gate::new(), Gate::new());
        let (mut waiting, mut outside) = (Vec::new(), Vec::new());
        for _ in 0..insiders {
            let (door, begin) = (worker.clone(), begin.clone());
            let job = Job::task(async move {
                begin.wait().await;
                door.shutdown(Shutdown::Drain).await.counts.unsettled
            });
            waiting.push(bench.submit(&worker, job).await?);
        }
        for _ in 0..others {
            let gate = gate.clone();
            outside.push(bench.submit(&worker, Job::task(async move { gate.wait().await })).await?);
        }
        bench.quiet(&worker).await?;
        begin.open();
        bench.quiet(&worker).await?;
        let finished = waiting.iter().filter(|handle| handle.is_finished()).count();
        let expected = if others == 0 { insiders } else { 0 };
        ensure_eq!(
            finished,
            expected,
            "of {insiders} jobs that wait for their worker's end beside {others} that do not"
        );
        gate.open();
        for handle in waiting {
            let outcome = bench.settled(handle).await?.completed();
            ensure!(
                outcome.is_some_and(|unsettled| unsettled >= 1),
                "a job that waited for its worker's end was told of {outcome:?} unsettled jobs, and it is one itself"
            );
        }
        let report = bench.within("the drain is over", worker.shutdown(Shutdown::Drain)).await?;
        ensure_eq!(
            (report.counts.completed, report.counts.unsettled),
            ((insiders + others) as u64, 0),
            "completed and unsettled at the end"
        );
    }
    Ok(())
}

/// A call that blocks until its own worker's end returns as well.
async fn from_inside_of_a_call(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let door = worker.clone();
    let gate = Gate::new();
    let roll = Roll::new();
    let other = bench.submit(&worker, roll.waiting(0, &gate)).await?;
    let call = Job::call(move |_| door.shutdown_blocking(Shutdown::Drain).map(|report| report.counts.unsettled));
    let call = bench.submit(&worker, call).await?;
    bench.until("the call has asked for the shutdown", || worker.is_closed()).await?;
    gate.open();
    bench.settled(other).await?;
    let outcome = bench.settled(call).await?.completed();
    ensure!(
        matches!(outcome, Some(Ok(1))),
        "a call that waited for its worker's end was told of {outcome:?} unsettled jobs, and it is one itself"
    );
    let report = bench.within("the drain is over", worker.shutdown(Shutdown::Drain)).await?;
    ensure_eq!((report.counts.completed, report.counts.unsettled), (2, 0), "completed and unsettled at the end");
    Ok(())
}

/// What was asked for so far, by the rule's own account.
#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    /// When the drain turns into an abort.
    abort_at: Option<Instant>,
    /// When the abort gives up on calls.
    give_up_at: Option<Instant>,
}

/// Asks at random, at random times: the job in the lane is cut off at the earliest abort that was asked for, and a call is
/// given up at the earliest limit, whatever is asked for afterwards.
async fn by_a_model(bench: &Bench, round: u64) -> Result<(), Flaw> {
    let limit = Duration::from_nanos(40);
    let worker = bench.worker(WorkerConfig::new().lanes(2).drivers(1).shutdown_limit(limit))?;
    let mut random = bench.random();
    let stuck: Puppet<()> = Puppet::new();
    let task = bench.submit(&worker, Job::task(stuck.task()).name("task")).await?;
    let gate = Gate::new();
    let call = if has(bench, Profile::NONE.blocking()) {
        let (inside, leave) = (Gate::new(), gate.clone());
        let enter = inside.clone();
        let call = Job::call(move |_| {
            enter.open();
            leave.wait_blocking();
        });
        let call = bench.submit(&worker, call.name("call")).await?;
        bench.until("the call runs", || inside.is_open()).await?;
        Some(call)
    } else {
        None
    };
    let earlier = |a: Option<Instant>, b: Instant| Some(a.map_or(b, |a| a.min(b)));
    let mut asked = Asked::default();
    let mut history = Vec::new();
    let mut waits = vec![];
    for _ in 0..14 {
        let span = Duration::from_nanos(random.u64(0..60));
        let now = bench.now();
        let how = match random.u8(..12) {
            0..=2 => Some(Shutdown::Drain),
            3..=5 => Some(Shutdown::DrainFor(span)),
            6 => Some(Shutdown::Abort),
            7 => Some(Shutdown::AbortWithin(span)),
            _ => None,
        };
        history.push(format!("{how:?} at {} with {span:?}", now.as_nanos()));
        match how {
            Some(Shutdown::DrainFor(span)) if asked.give_up_at.is_none() => {
                asked.abort_at = earlier(asked.abort_at, from_now(bench, span));
            }
            Some(Shutdown::Abort | Shutdown::AbortWithin(_)) => {
                let limit = if how == Some(Shutdown::Abort) { limit } else { span };
                asked.abort_at = earlier(asked.abort_at, now);
                asked.give_up_at = earlier(asked.give_up_at, from_now(bench, limit));
            }
            Some(Shutdown::Drain | Shutdown::DrainFor(_)) => {}
            None => bench.advance(&worker, span / 4 + TICK).await?,
        }
        waits.extend(how.map(|how| worker.shutdown(how)));
        bench.quiet(&worker).await?;
        let now = bench.now();
        // The abort begins when the drain's limit is seen to be due, and its own limit counts from there.
        if asked.give_up_at.is_none() && asked.abort_at.is_some_and(|at| at.is_due(now)) {
            asked.give_up_at = Some(from_now(bench, limit));
        }
        let aborted = asked.give_up_at.is_some();
        ensure_eq!(task.is_finished(), aborted, "round {round}: whether a task was cut off; {asked:?}; {history:?}");
        let given_up = asked.give_up_at.is_some_and(|at| at.is_due(now));
        if let Some(call) = &call {
            ensure_eq!(
                call.is_finished(),
                given_up,
                "round {round}: whether a call was given up at {}; {asked:?}; {history:?}",
                now.as_nanos()
            );
        }
        for wait in &mut waits {
            let over = if call.is_some() { given_up } else { aborted };
            let ready = poll(Pin::new(wait), Waker::noop()).is_ready();
            ensure_eq!(ready, over, "round {round}: whether a wait was over at {}; {history:?}", now.as_nanos());
        }
        if given_up || (aborted && call.is_none()) {
            break;
        }
    }
    gate.open();
    let report = bench.within("the abort is over", worker.shutdown(Shutdown::Abort)).await?;
    ensure!(report.counts.balances(), "round {round}: the books do not add up: {:?}", report.counts);
    stuck.dropped_once("the task that was cut off")
}
