//! Whoever waits for a job, and gives the wait up.

use std::pin::Pin;
use std::prelude::v1::*;
use std::task::Poll;
use std::time::Duration;

use countermand_core::{Cause, Class, Handle, Job, Outcome, Shutdown, Worker};
use futures::future::join;

use crate::rules::kit::{Filler, OUT_QUEUED, OUT_RUNNING, Puppet, has, lanes, secs, stopped, unstarted};
use crate::{Bench, Check, Flaw, Gate, Profile, Recorder, WaitReason, ensure, ensure_eq, poll};

pub(super) async fn j8_waiting_never_panics(bench: &Bench) -> Check {
    ends_of_jobs(bench).await?;
    ends_of_the_worker(bench).await?;
    for first in 0..3 {
        attendants_vanish(bench, first, true).await?;
        attendants_vanish(bench, first, false).await?;
    }
    let stopped = the_runtime_stops(bench).await?;
    if has(bench, Profile::NONE.unwind()) {
        ends_by_panics(bench).await?;
    }
    if has(bench, Profile::NONE.threads()) {
        threads_that_wait_when_all_vanishes(bench).await?;
    }
    Ok(8 + stopped)
}

/// Awaits it, then once more: what was taken does not come again, and does not panic.
async fn outcome_of<T, E>(bench: &Bench, mut handle: Handle<T, E>) -> Result<Outcome<T, E>, Flaw> {
    let outcome = bench.within("a wait for a job is over", &mut handle).await?;
    let recorder = Recorder::new();
    for _ in 0..2 {
        let again = poll(Pin::new(&mut handle), &recorder.waker());
        ensure!(again.is_pending(), "a handle brought a second outcome");
    }
    Ok(outcome)
}

async fn ends_of_jobs(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(4))?;
    let never = || Job::task(Puppet::<()>::new().task());
    let cancelled = bench.submit(&worker, never()).await?;
    let timed_out = bench.submit(&worker, never().run_timeout(secs(5))).await?;
    let failed = bench.submit(&worker, Job::fallible(async { Err::<(), _>(8) })).await?;
    let filler = Filler::of(bench, &worker).await?;
    let other = Filler::of(bench, &worker).await?;
    let queued = bench.submit(&worker, never()).await?;
    let queued_out = bench.submit(&worker, never().queue_timeout(secs(5))).await?;
    bench.quiet(&worker).await?;
    queued.cancel();
    bench.advance(&worker, secs(5)).await?;
    cancelled.cancel();
    let expected = [
        (cancelled, stopped(Cause::REQUESTED)),
        (timed_out, OUT_RUNNING),
        (queued, unstarted(Cause::REQUESTED)),
        (queued_out, OUT_QUEUED),
    ];
    for (handle, expected) in expected {
        ensure_eq!(outcome_of(bench, handle).await?.class(), expected, "what a wait for a job brought");
    }
    ensure_eq!(outcome_of(bench, failed).await?.class(), Class::Failed, "what a wait for a job that failed brought");
    filler.leave(bench).await?;
    other.leave(bench).await
}

/// One running job, one queued.
async fn two_jobs(bench: &Bench, worker: &Worker) -> Result<[Handle<()>; 2], Flaw> {
    let job = || Job::task(Puppet::<()>::new().task());
    Ok([bench.submit(worker, job()).await?, bench.submit(worker, job()).await?])
}

async fn ends_of_the_worker(bench: &Bench) -> Result<(), Flaw> {
    for by_drop in [false, true] {
        let worker = bench.worker(lanes(1))?;
        let handles = two_jobs(bench, &worker).await?;
        bench.quiet(&worker).await?;
        if by_drop {
            drop(worker);
        } else {
            drop(worker.shutdown(Shutdown::Abort));
        }
        for (handle, expected) in handles.into_iter().zip([stopped(Cause::SHUTDOWN), unstarted(Cause::SHUTDOWN)]) {
            let class = outcome_of(bench, handle).await?.class();
            ensure_eq!(class, expected, "what a wait brought when the worker was shut down (dropped: {by_drop})");
        }
    }
    Ok(())
}

/// The driver, the keeper, or both at once are dropped, after a turn or before any.
async fn attendants_vanish(bench: &Bench, first: usize, after_a_turn: bool) -> Result<(), Flaw> {
    let (worker, mut attendants) = bench.parts(lanes(1))?;
    let handles = two_jobs(bench, &worker).await?;
    if after_a_turn {
        let recorder = Recorder::new();
        for attendant in &mut attendants {
            ensure!(
                poll(attendant.as_mut(), &recorder.waker()).is_pending(),
                "an attendant of an open worker has ended"
            );
        }
    }
    if first == 2 {
        drop(attendants);
    } else {
        drop(attendants.swap_remove(first));
        drop(attendants);
    }
    let running = if after_a_turn { stopped(Cause::SHUTDOWN) } else { unstarted(Cause::SHUTDOWN) };
    for (handle, expected) in handles.into_iter().zip([running, unstarted(Cause::SHUTDOWN)]) {
        ensure!(handle.is_finished(), "a job has not settled although everything that could settle it is gone");
        ensure_eq!(
            outcome_of(bench, handle).await?.class(),
            expected,
            "what a wait brought when the attendants vanished"
        );
    }
    Ok(())
}

async fn the_runtime_stops(bench: &Bench) -> Check {
    let doomed = match bench.doomed_worker(lanes(1)) {
        Err(Flaw::NotApplicable(_)) => return Ok(0),
        doomed => doomed?,
    };
    let handles = two_jobs(bench, &doomed.worker).await?;
    bench.quiet(&doomed.worker).await?;
    doomed.stop(bench).await?;
    for handle in handles {
        let outcome = outcome_of(bench, handle).await?;
        ensure!(outcome.is_cancelled(), "a wait brought {outcome:?} when the runtime stopped");
    }
    Ok(1)
}

async fn ends_by_panics(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let in_poll = bench.submit(&worker, Job::task(async { panic!("in its poll") })).await?;
    let bomb = crate::Census::new().probe_with(|| panic!("in a destructor"));
    let inner = Puppet::<()>::new().task();
    let in_drop = Job::task(async move {
        inner.await;
        drop(bomb);
    });
    let in_drop = bench.submit(&worker, in_drop).await?;
    bench.quiet(&worker).await?;
    in_drop.cancel();
    for (handle, text) in [(in_poll, "in its poll"), (in_drop, "in a destructor")] {
        match outcome_of(bench, handle).await? {
            Outcome::Panicked(panic) => ensure_eq!(panic.message(), Some(text), "the text of a panic"),
            other => return Err(Flaw::Broken(format!("a wait for a job that panicked brought {other:?}"))),
        }
    }
    Ok(())
}

async fn threads_that_wait_when_all_vanishes(bench: &Bench) -> Result<(), Flaw> {
    let (worker, mut attendants) = bench.parts(lanes(1))?;
    let [running, queued] = two_jobs(bench, &worker).await?;
    for attendant in &mut attendants {
        let _ = poll(attendant.as_mut(), &Recorder::new().waker());
    }
    let entered = Gate::new();
    let enter = entered.clone();
    let wait = move || {
        enter.open();
        running.wait().map(|outcome| outcome.class())
    };
    let waiting = bench.on_thread("a thread waits for a job of a worker that vanishes", wait);
    let vanishing = async {
        bench.until("the thread is about to wait", || entered.is_open()).await?;
        give_way(bench).await;
        drop(attendants);
        Ok::<_, Flaw>(())
    };
    let (waited, vanished) = join(waiting, vanishing).await;
    vanished?;
    ensure_eq!(
        waited?.ok(),
        Some(stopped(Cause::SHUTDOWN)),
        "what a blocking wait brought when the attendants vanished"
    );
    let wait = move || queued.wait_timeout(secs(5)).map(|outcome| outcome.class());
    let after = bench.on_thread("a thread waits for a job of a worker that is gone", wait).await?;
    ensure_eq!(after.ok(), Some(unstarted(Cause::SHUTDOWN)), "what a blocking wait brought afterwards");
    Ok(())
}

/// Gives threads that are about to wait the time to do so. Should they not have come so far, the rule sees less, and no
/// more is wrong.
pub(super) async fn give_way(bench: &Bench) {
    for _ in 0..100 {
        bench.yield_now().await;
    }
}

pub(super) async fn j10_dropped_wait_loses_nothing(bench: &Bench) -> Check {
    dropped_by_reference(bench).await?;
    dropped_before_and_after_the_end(bench).await?;
    dropped_wait_for_a_shutdown(bench).await?;
    if has(bench, Profile::NONE.threads()) {
        given_up_by_a_thread(bench).await?;
        return Ok(4);
    }
    Ok(3)
}

async fn dropped_by_reference(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let puppet = Puppet::new();
    let mut handle = bench.submit(&worker, Job::task(puppet.task()).cancel_on_drop()).await?;
    let recorders: [Recorder; 3] = Default::default();
    for recorder in &recorders {
        let mut wait = &mut handle;
        ensure!(poll(Pin::new(&mut wait), &recorder.waker()).is_pending(), "a wait for a job that waits was over");
    }
    bench.quiet(&worker).await?;
    ensure_eq!(handle.token().cause(), None, "the cause of a job's token after waits for it were dropped");
    ensure_eq!(puppet.polls(), 1, "polls of a job after waits for it were dropped");
    puppet.answer(10);
    bench.until("the job is over", || handle.is_finished()).await?;
    bench.quiet(&worker).await?;
    let wakes = recorders.each_ref().map(Recorder::wakes);
    ensure_eq!(wakes, [0, 0, 1], "wakes of three waits, each dropped for the next");
    ensure_eq!(recorders.iter().map(Recorder::held).sum::<u64>(), 0, "wakers still held");
    match poll(Pin::new(&mut handle), &Recorder::new().waker()) {
        Poll::Ready(outcome) => {
            ensure_eq!(outcome.completed(), Some(10), "what a job returned after waits were dropped")
        }
        Poll::Pending => return Err(Flaw::Broken("the result of a job was lost with a wait for it".to_owned())),
    }
    Ok(())
}

async fn dropped_before_and_after_the_end(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let filler = Filler::of(bench, &worker).await?;
    let mut handle = bench.submit(&worker, Job::task(async { 10 })).await?;
    // While it is queued.
    ensure!(poll(Pin::new(&mut handle), &Recorder::new().waker()).is_pending(), "a wait for a queued job was over");
    filler.leave(bench).await?;
    bench.quiet(&worker).await?;
    ensure!(handle.is_finished(), "a job that returns at once is not over when all is quiet");
    // Made after the end, and dropped without having been polled.
    drop(Box::pin(async { (&mut handle).await }));
    ensure_eq!(bench.settled(handle).await?.completed(), Some(10), "what a job returned after a wait was dropped");
    Ok(())
}

async fn dropped_wait_for_a_shutdown(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let puppet = Puppet::new();
    let handle = bench.submit(&worker, Job::task(puppet.task())).await?;
    bench.quiet(&worker).await?;
    let mut drain = Box::pin(worker.shutdown(Shutdown::Drain));
    let recorder = Recorder::new();
    ensure!(poll(drain.as_mut(), &recorder.waker()).is_pending(), "a drain was over before the last job");
    drop(drain);
    ensure_eq!(recorder.held(), 0, "wakers held of a wait that was dropped");
    bench.quiet(&worker).await?;
    ensure!(!handle.is_finished(), "dropping the wait for a drain ended a job");
    puppet.answer(10);
    ensure_eq!(bench.settled(handle).await?.completed(), Some(10), "what a job returned during a drain");
    let report = bench.within("the drain is over", worker.shutdown(Shutdown::Drain)).await?;
    ensure_eq!((report.counts.completed, report.cut_off.len()), (1, 0), "completed and cut off by the drain");
    Ok(())
}

async fn given_up_by_a_thread(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let puppet = Puppet::new();
    let handle = bench.submit(&worker, Job::task(puppet.task()).cancel_on_drop()).await?;
    bench.quiet(&worker).await?;
    let handle = gives_up(bench, handle, Duration::ZERO).await?;
    bench.quiet(&worker).await?;
    ensure_eq!(handle.token().cause(), None, "the cause of a job's token after a thread gave up waiting");
    puppet.answer(10);
    ensure_eq!(bench.settled(handle).await?.completed(), Some(10), "what a job returned after a thread gave up");
    Ok(())
}

/// A thread waits for at most `limit` for a job that does not end, and gives the handle back.
pub(super) async fn gives_up(bench: &Bench, handle: Handle<u32>, limit: Duration) -> Result<Handle<u32>, Flaw> {
    match bench.on_thread("a wait with a limit is over", move || handle.wait_timeout(limit)).await? {
        Err(error) => {
            ensure_eq!(error.reason, WaitReason::TimedOut, "why a wait of at most {limit:?} ended");
            Ok(error.handle)
        }
        Ok(outcome) => Err(Flaw::Broken(format!("a wait for a job that does not end brought {outcome:?}"))),
    }
}
