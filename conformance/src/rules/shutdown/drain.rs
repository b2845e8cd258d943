//! A drain: everything that was accepted ends by itself.

use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Waker;
use std::time::Duration;

use countermand_core::{Job, Outcome, Shutdown, WorkerConfig};

use super::super::kit::{has, lanes, lock};
use super::super::scene::{Roll, Stepped, accepted, step, turn};
use crate::{Bench, Census, Check, Flaw, Gate, Profile, Recorder, SendFuture, Touch, ensure, ensure_eq, poll};

pub(super) async fn s2_drain_lets_every_job_settle(bench: &Bench) -> Check {
    let empty = bench.worker(WorkerConfig::new())?;
    let report = bench.within("the drain of an idle worker is over", empty.shutdown(Shutdown::Drain)).await?;
    ensure_eq!((report.counts.accepted, report.cut_off.len()), (0, 0), "accepted and cut off");
    all_kinds(bench).await?;
    last_destructor(bench)?;
    last_driver_leaves_early(bench)?;
    let rounds = bench.rounds(12);
    for _ in 0..rounds {
        nothing_lives_on(bench).await?;
    }
    Ok(rounds + 4)
}

async fn all_kinds(bench: &Bench) -> Result<(), Flaw> {
    const NAP: Duration = Duration::from_millis(10);
    let worker = bench.worker(lanes(3))?;
    let (roll, gate, results) = (Roll::new(), Gate::new(), Census::new());
    let waiting = bench.submit(&worker, roll.waiting(0, &gate)).await?;
    let napping = Job::task_with(|cx| async move { cx.sleep(NAP).await });
    let napping = bench.submit(&worker, napping).await?;
    let result = results.probe();
    let gated = gate.clone();
    let detached = Job::task(async move {
        gated.wait().await;
        result
    });
    drop(bench.submit(&worker, detached).await?);
    bench.quiet(&worker).await?;
    ensure_eq!(worker.running(), 3, "running");
    let mut queued = Vec::new();
    for number in 1..5 {
        queued.push(bench.submit(&worker, roll.job(number)).await?);
    }
    let mut accepted = 7;
    let call = if has(bench, Profile::NONE.blocking()) {
        accepted += 1;
        let gated = gate.clone();
        Some(bench.submit(&worker, Job::call(move |_| gated.wait_blocking())).await?)
    } else {
        None
    };

    let mut wait = Box::pin(worker.shutdown(Shutdown::Drain));
    ensure!(worker.is_closed(), "a drain has begun and the worker is not closed");
    bench.quiet(&worker).await?;
    ensure!(poll(wait.as_mut(), Waker::noop()).is_pending(), "a drain is over while three jobs wait in their lanes");
    ensure_eq!(worker.token().is_cancelled(), false, "whether a drain cancelled the worker's token");
    ensure_eq!(
        (waiting.token().is_cancelled(), waiting.is_finished()),
        (false, false),
        "whether a drain cut a job off"
    );
    bench.advance(&worker, NAP).await?;
    ensure!(poll(wait.as_mut(), Waker::noop()).is_pending(), "a drain is over while two jobs wait in their lanes");
    let outcome = bench.settled(napping).await?;
    ensure!(matches!(outcome, Outcome::Completed(())), "a job that slept during the drain settled as {outcome:?}");
    gate.open();
    let report = bench.within("the drain is over", wait).await?;

    ensure_eq!(
        (roll.census().alive(), results.alive()),
        (0, 0),
        "bodies, and results of detached jobs, not dropped when the drain was over"
    );
    let mut handles = vec![waiting];
    handles.append(&mut queued);
    for handle in handles {
        ensure!(handle.is_finished(), "{handle:?} has not settled, and the drain is over");
        let outcome = bench.settled(handle).await?;
        ensure!(matches!(outcome, Outcome::Completed(_)), "a job settled as {outcome:?} in a drain");
    }
    if let Some(call) = call {
        ensure!(call.is_finished(), "a call has not settled, and the drain is over");
    }
    ensure_eq!(
        (report.cut_off.len(), report.survivors.len()),
        (0, 0),
        "cut off and survivors of a drain without limit"
    );
    ensure_eq!((report.counts.accepted, report.counts.completed), (accepted, accepted), "accepted and completed");
    ensure!(report.counts == worker.counts(), "the report says {:?}, the worker {:?}", report.counts, worker.counts());
    roll.census().each_once("bodies in a drain")
}

/// The destructor of the last result: while it runs, the drain is not over. Both are on this thread, so this is no race: the
/// destructor itself lets the keeper go on, and looks whether it has told anybody of the end.
fn last_destructor(bench: &Bench) -> Result<(), Flaw> {
    let Stepped { worker, mut attendants } = Stepped::new(bench, lanes(1))?;
    let keeper: Arc<Mutex<Option<SendFuture>>> = Arc::new(Mutex::new(attendants.pop().flatten()));
    let (end, looked, over) = (Recorder::new(), Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let look = || {
        let (keeper, end, looked, over) = (keeper.clone(), end.clone(), looked.clone(), over.clone());
        move || {
            let mut taken = lock(&keeper).take();
            (0..4).for_each(|_| step(&mut taken));
            *lock(&keeper) = taken;
            looked.fetch_add(1, Ordering::SeqCst);
            over.fetch_add(u32::from(end.wakes() > 0), Ordering::SeqCst);
        }
    };
    let census = Census::new();
    let (body, result) = (census.probe_with(look()), census.probe_with(look()));
    let job = Job::task(async move {
        drop(body);
        result
    });
    let handle = accepted(worker.try_submit(job))?;
    handle.on_done(drop_of(census.probe_with(look())));
    drop(handle);
    let mut wait = worker.shutdown(Shutdown::Drain);
    ensure!(poll(Pin::new(&mut wait), &end.waker()).is_pending(), "a drain is over and a job has not run");
    (0..10).for_each(|_| attendants.iter_mut().for_each(step));
    ensure_eq!(looked.load(Ordering::SeqCst), 3, "destructors that ran: a body's, a result's, a callback's");
    ensure_eq!(over.load(Ordering::SeqCst), 0, "destructors of the last job that saw the drain over");
    step(&mut lock(&keeper));
    let ready = poll(Pin::new(&mut wait), &end.waker()).is_ready();
    ensure!(ready, "the last destructor has returned, the keeper has had its turn, and the drain is not over");
    census.each_once("what the last job brought")
}

/// The last job ends, and its driver leaves, while the keeper is about to park: that is an end like any other, and nobody is
/// asked to stop.
fn last_driver_leaves_early(bench: &Bench) -> Result<(), Flaw> {
    let Stepped { worker, mut attendants } = Stepped::new(bench, lanes(1))?;
    let (roll, gate) = (Roll::new(), Gate::new());
    let handle = accepted(worker.try_submit(roll.waiting(0, &gate)))?;
    turn(&mut attendants);
    let mut wait = worker.shutdown(Shutdown::Drain);
    ensure!(poll(Pin::new(&mut wait), Waker::noop()).is_pending(), "a drain is over and a job waits");
    let Some(mut keeper) = attendants.pop().flatten() else {
        return Err(Flaw::Broken("the keeper has left and a job waits".to_owned()));
    };
    let drivers = Mutex::new(attendants);
    let parking = Recorder::acting(move |touch| {
        if touch == Touch::Clone {
            gate.open();
            (0..10).for_each(|_| turn(&mut lock(&drivers)));
        }
    });
    let _ = poll(keeper.as_mut(), &parking.waker());
    parking.calm();
    ensure!(handle.is_finished(), "the job has not settled, and its driver had its turns");
    let mut keeper = Some(keeper);
    (0..4).for_each(|_| step(&mut keeper));
    let ready = poll(Pin::new(&mut wait), Waker::noop()).is_ready();
    ensure!(ready, "the last job has settled, the keeper had its turn, and the drain is not over");
    ensure!(!worker.token().is_cancelled(), "a drain that nobody cut short cancelled the worker's token");
    Ok(())
}

/// A callback that owns something.
fn drop_of<T: Send + 'static, U>(owned: T) -> impl FnOnce(U) + Send + 'static {
    move |_| drop(owned)
}

/// Jobs of many ends, detached; when the drain is over nothing of them is left.
async fn nothing_lives_on(bench: &Bench) -> Result<(), Flaw> {
    let mut random = bench.random();
    let worker = bench.worker(WorkerConfig::new().lanes(4).drivers(2).capacity(200))?;
    let (census, gate) = (Census::new(), Gate::new());
    for _ in 0..60 {
        let (body, result, gate, yields) = (census.probe(), census.probe(), gate.clone(), random.u32(0..4));
        let job = Job::task(async move {
            gate.wait().await;
            for _ in 0..yields {
                crate::bench::yield_now().await;
            }
            drop(body);
            result
        });
        let handle = bench.submit(&worker, job).await?;
        if random.u8(..6) == 0 {
            handle.cancel();
        }
    }
    let wait = worker.shutdown(Shutdown::Drain);
    gate.open();
    let report = bench.within("the drain is over", wait).await?;
    ensure_eq!(census.alive(), 0, "bodies and results of detached jobs not dropped when the drain was over");
    ensure!(!worker.token().is_cancelled(), "a drain without limit cancelled the worker's token");
    ensure_eq!(report.counts.completed + report.counts.cancelled, 60, "completed and cancelled of 60");
    census.each_once("bodies and results of detached jobs")
}
