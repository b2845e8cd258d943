//! Since when nothing is accepted any more.

use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

use countermand_core::{FullPolicy, Handle, Outcome, RejectReason, Shutdown, SubmitResult, Work, Worker, WorkerConfig};

use super::super::kit::{has, lanes, lock};
use super::super::scene::{Held, Roll, Stepped, accepted, step, turn};
use crate::{Bench, Check, Flaw, Profile, Recorder, SendFuture, Touch, ensure, ensure_eq, poll};

pub(super) async fn s1_closed_accepts_nothing_more(bench: &Bench) -> Check {
    crate::rules::queue::items::s1_closed()?;
    for policy in [FullPolicy::Wait, FullPolicy::Reject, FullPolicy::EvictLowest] {
        everybody_is_turned_away(bench, policy).await?;
    }
    let mut runs = 3;
    runs += closed_in_the_middle_of_a_submit(bench)?;
    runs += closed_while_getting_in_line(bench)?;
    runs += steps_in_any_order(bench)?;
    if has(bench, Profile::NONE.threads()) {
        runs += raced(bench)?;
    }
    Ok(runs)
}

/// The ways to close a worker.
fn close(worker: &Worker, way: u64) {
    match way % 3 {
        0 => worker.close(),
        1 => drop(worker.shutdown(Shutdown::Drain)),
        _ => drop(worker.shutdown(Shutdown::Abort)),
    }
}

/// The job must have come back, because the worker is closed.
fn expect_closed<W: Work>(what: &str, result: SubmitResult<W>) -> Result<countermand_core::Job<W>, Flaw> {
    match result {
        Err(rejected) if rejected.reason == RejectReason::Closed => Ok(rejected.job),
        Err(rejected) => Err(Flaw::Broken(format!("{what} was told: {}", rejected.reason))),
        Ok(handle) => Err(Flaw::Broken(format!("{what} was accepted: {handle:?}"))),
    }
}

async fn everybody_is_turned_away(bench: &Bench, policy: FullPolicy) -> Result<(), Flaw> {
    let held = Held::new(bench, WorkerConfig::new().capacity(2).full(policy)).await?;
    let roll = Roll::new();
    let queued = [bench.submit(&held.worker, roll.job(0)).await?, bench.submit(&held.worker, roll.job(1)).await?];
    let mut back = Vec::new();
    let mut in_line = held.worker.submit(roll.job(2));
    let recorder = Recorder::new();
    let waits = policy == FullPolicy::Wait;
    ensure_eq!(
        poll(Pin::new(&mut in_line), &recorder.waker()).is_pending(),
        waits,
        "whether a submit to a full queue waits under {policy:?}"
    );
    let early = held.worker.submit(roll.job(3));
    held.worker.close();
    held.worker.close();
    ensure!(held.worker.is_closed(), "the worker was closed and says that it is not");
    if waits {
        ensure_eq!(recorder.wakes(), 1, "wakes of a submitter that was in line at the close");
        back.push(expect_closed("a submitter in line", bench.within("it is told", in_line).await?)?);
    }
    back.push(expect_closed("try_submit", held.worker.try_submit(roll.job(4)))?);
    back.push(expect_closed("submit", bench.within("it is told", held.worker.submit(roll.job(5))).await?)?);
    back.push(expect_closed("a submit made before the close", bench.within("it is told", early).await?)?);
    if has(bench, Profile::NONE.threads()) {
        let (door, job) = (held.worker.clone(), roll.job(6));
        let result = bench.on_thread("submit_blocking comes back", move || Box::new(door.submit_blocking(job))).await?;
        back.push(expect_closed("submit_blocking", *result)?);
    }
    bench.quiet(&held.worker).await?;
    held.still_held()?;
    ensure_eq!(held.worker.queued(), 2, "queued: a close lets what was accepted go on");
    ensure_eq!(held.worker.token().is_cancelled(), false, "whether the close cancelled the worker's token");
    // What came back is whole.
    let elsewhere = bench.worker(WorkerConfig::new())?;
    let rejected = back.len() as u64;
    for job in back {
        let handle = bench.submit(&elsewhere, job).await?;
        let outcome = bench.settled(handle).await?;
        ensure!(matches!(outcome, Outcome::Completed(_)), "a job that had come back settled as {outcome:?}");
    }
    let worker = held.release(bench).await?;
    for handle in queued {
        let outcome = bench.settled(handle).await?;
        ensure!(matches!(outcome, Outcome::Completed(_)), "a job queued at the close settled as {outcome:?}");
    }
    let counts = worker.counts();
    let (others, evicted) = (u64::from(!waits), counts.evicted);
    ensure_eq!((counts.accepted, counts.rejected, evicted), (3, rejected + others, 0), "accepted, rejected, evicted");
    Ok(())
}

/// Everything ends between a submit's first look at the worker and its entry.
fn closed_in_the_middle_of_a_submit(bench: &Bench) -> Check {
    for way in 0..6 {
        let stepped = Stepped::new(bench, lanes(1).capacity(4))?;
        let roll = Roll::new();
        let Stepped { worker, attendants } = stepped;
        let left = Arc::new(Mutex::new(attendants));
        let (door, attendants) = (worker.clone(), Arc::clone(&left));
        bench.before_the_next_look(move || {
            close(&door, way);
            run_to_the_end(&mut lock(&attendants));
        });
        let result = if way < 3 {
            worker.try_submit(roll.job(0))
        } else {
            let mut submit = worker.submit(roll.job(0));
            match poll(Pin::new(&mut submit), Waker::noop()) {
                Poll::Ready(result) => result,
                Poll::Pending => return Err(Flaw::Broken("a submit to a closed worker waits".to_owned())),
            }
        };
        ensure!(
            lock(&left).iter().all(Option::is_none),
            "way {way}: a closed worker without jobs does not come to its end"
        );
        let job = expect_closed("a submit in the middle of which its worker was closed, and came to its end,", result)?;
        ensure_eq!(roll.census().alive(), 1, "way {way}: whether the body is in the job that came back");
        drop(job);
        ensure_eq!(worker.counts().accepted, 0, "way {way}: accepted");
    }
    Ok(6)
}

fn run_to_the_end(attendants: &mut [Option<SendFuture>]) {
    for _ in 0..200 {
        turn(attendants);
    }
}

/// Everything ends while a submitter that has just got in line leaves its waker.
fn closed_while_getting_in_line(bench: &Bench) -> Check {
    for way in 0..3 {
        let Stepped { worker, attendants } = Stepped::new(bench, lanes(1).capacity(1))?;
        let roll = Roll::new();
        let queued = accepted(worker.try_submit(roll.job(0)))?;
        let attendants = Arc::new(Mutex::new(attendants));
        let (door, all) = (worker.clone(), Arc::clone(&attendants));
        let recorder = Recorder::acting(move |touch| {
            if touch == Touch::Clone {
                close(&door, way);
                run_to_the_end(&mut lock(&all));
            }
        });
        let mut submit = worker.submit(roll.job(1));
        let waker = recorder.waker();
        let polled = poll(Pin::new(&mut submit), &waker);
        recorder.calm();
        let result = match polled {
            Poll::Ready(result) => result,
            Poll::Pending => {
                ensure!(recorder.wakes() > 0, "way {way}: a submitter in line was not told of the close");
                match poll(Pin::new(&mut submit), &waker) {
                    Poll::Ready(result) => result,
                    Poll::Pending => return Err(Flaw::Broken(format!("way {way}: in line at a closed worker"))),
                }
            }
        };
        drop(expect_closed("a submitter that got in line while its worker came to its end", result)?);
        ensure!(queued.is_finished(), "way {way}: a job queued before the close has not settled");
    }
    Ok(3)
}

/// Submits, the close and the steps of the attendants in any order: whatever was accepted settles.
fn steps_in_any_order(bench: &Bench) -> Check {
    let rounds = bench.rounds(300);
    let mut random = bench.random();
    for round in 0..rounds {
        let drivers = random.usize(1..4);
        let config = WorkerConfig::new().lanes(drivers).drivers(drivers).capacity(random.usize(1..4));
        let mut stepped = Stepped::new(bench, config)?;
        let roll = Roll::new();
        let (mut handles, mut line, mut told): (Vec<Handle<u64>>, Vec<_>, u64) = (Vec::new(), Vec::new(), 0);
        let close_at = random.u64(..40);
        for time in 0..60 {
            if time == close_at {
                close(&stepped.worker, round);
            }
            if random.u8(..3) == 0 {
                let mut submit = stepped.worker.submit(roll.job(time));
                match poll(Pin::new(&mut submit), Waker::noop()) {
                    Poll::Ready(Ok(handle)) => {
                        ensure!(time < close_at, "round {round}: a job was accepted after the close");
                        handles.push(handle);
                    }
                    Poll::Ready(Err(rejected)) => {
                        ensure_eq!(rejected.reason, RejectReason::Closed, "round {round}: why a job came back");
                        ensure!(time >= close_at, "round {round}: a job came back before the close");
                        told += 1;
                    }
                    Poll::Pending => line.push(submit),
                }
            } else {
                let place = random.usize(..stepped.attendants.len());
                step(&mut stepped.attendants[place]);
            }
        }
        run_to_the_end(&mut stepped.attendants);
        for mut submit in line {
            match poll(Pin::new(&mut submit), Waker::noop()) {
                Poll::Ready(Err(_)) => told += 1,
                Poll::Ready(Ok(handle)) => {
                    return Err(Flaw::Broken(format!("round {round}: accepted late: {handle:?}")));
                }
                Poll::Pending => return Err(Flaw::Broken(format!("round {round}: in line at a closed worker"))),
            }
        }
        let settled = handles.iter().filter(|handle| handle.is_finished()).count();
        ensure_eq!(settled, handles.len(), "round {round}: settled of those accepted");
        ensure!(
            stepped.attendants.iter().all(Option::is_none),
            "round {round}: a closed worker whose jobs have settled does not come to its end"
        );
        let counts = stepped.worker.counts();
        ensure_eq!(
            (counts.accepted, counts.rejected),
            (handles.len() as u64, told),
            "round {round}: the worker's count"
        );
        roll.census().each_once("bodies, when a worker was closed at any time")?;
    }
    Ok(rounds)
}

/// One thread submits while another closes the worker and brings it to its end.
fn raced(bench: &Bench) -> Check {
    type Parts = (Worker, Mutex<Vec<Option<SendFuture>>>);
    struct Field {
        stepped: Result<Parts, Flaw>,
        way: u64,
        handles: Mutex<Vec<Handle<()>>>,
        refused: Mutex<Option<RejectReason>>,
    }
    let end = |field: &Field| {
        let Ok((worker, attendants)) = &field.stepped else { return };
        close(worker, field.way);
        run_to_the_end(&mut lock(attendants));
    };
    let submit = |field: &Field| {
        let Ok((worker, _)) = &field.stepped else { return };
        for _ in 0..6 {
            match worker.try_submit(countermand_core::Job::task(async {})) {
                Ok(handle) => lock(&field.handles).push(handle),
                Err(rejected) => *lock(&field.refused) = Some(rejected.reason),
            }
        }
    };
    bench.race(
        bench.rounds(800),
        |round| Field {
            stepped: Stepped::new(bench, lanes(2)).map(|stepped| (stepped.worker, Mutex::new(stepped.attendants))),
            way: round,
            handles: Mutex::default(),
            refused: Mutex::default(),
        },
        &[&end, &submit],
        |round, field| {
            let (worker, attendants) = field.stepped?;
            // Whatever got in before the close may be looked at once more.
            run_to_the_end(&mut lock(&attendants));
            let handles = lock(&field.handles);
            let lost = handles.iter().filter(|handle| !handle.is_finished()).count();
            ensure_eq!(
                lost,
                0,
                "round {round}: jobs that were accepted while the worker was closed, and never settled"
            );
            let refused = lock(&field.refused);
            ensure!(refused.is_none_or(|reason| reason == RejectReason::Closed), "round {round}: refused: {refused:?}");
            ensure_eq!(worker.counts().accepted, handles.len() as u64, "round {round}: the worker's count of accepted");
            Ok(())
        },
    )
}
