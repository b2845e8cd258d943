//! What is forgotten instead of dropped costs at most a place.

use std::mem;
use std::prelude::v1::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countermand_core::{Class, Job, Shutdown, Token, WorkerConfig};

use crate::rules::crew::{Crew, Witness, all_settled, books_are_right, refused};
use crate::{Bench, Check, Flaw, Gate, Recorder, ensure, ensure_eq, poll};

pub(super) async fn x5_forgetting_is_never_unsound(bench: &Bench) -> Check {
    forgotten_handles(bench).await?;
    forgotten_tokens_and_guards(bench).await?;
    forgotten_places_in_line(bench).await?;
    forgotten_in_a_job(bench).await?;
    forgotten_waits_for_the_end(bench).await?;
    Ok(5)
}

/// The job goes on, ends, and is counted; one that would be cancelled by the drop of its handle is not.
async fn forgotten_handles(bench: &Bench) -> Result<(), Flaw> {
    let witness = Witness::default();
    let worker = bench.worker(WorkerConfig::new().lanes(2).drivers(1).observer(witness.observer()))?;
    let gate = Gate::new();
    let mut jobs = Vec::new();
    for place in 0..4 {
        let job = Job::task(gate.wait());
        let handle = bench.submit(&worker, if place % 2 == 0 { job.cancel_on_drop() } else { job }).await?;
        jobs.push(handle.id());
        if place < 2 {
            mem::forget(handle);
        } else {
            // A wait that was under way.
            let mut wait = Box::pin(handle);
            ensure!(poll(wait.as_mut(), &Recorder::new().waker()).is_pending(), "a job that waits was ready");
            mem::forget(wait);
        }
    }
    bench.quiet(&worker).await?;
    ensure_eq!((worker.running(), worker.queued()), (2, 2), "running and queued after four handles were forgotten");
    gate.open();
    all_settled(bench, &worker, 4).await?;
    for job in jobs {
        ensure_eq!(witness.ends_of(job), [Class::Completed], "how {job:?} ended, whose handle was forgotten");
    }
    // The lanes are as free as they were.
    let handles =
        [bench.submit(&worker, Job::task(async {})).await?, bench.submit(&worker, Job::task(async {})).await?];
    for handle in handles {
        bench.settled(handle).await?;
    }
    all_settled(bench, &worker, 6).await
}

async fn forgotten_tokens_and_guards(bench: &Bench) -> Result<(), Flaw> {
    let token = Token::new();
    mem::forget(token.clone().drop_guard());
    mem::forget(token.child_token().drop_guard());
    ensure!(!token.is_cancelled(), "a forgotten guard cancelled its token");
    let recorder = Recorder::new();
    let mut wait = Box::pin(token.child_token().cancelled_owned());
    ensure!(poll(wait.as_mut(), &recorder.waker()).is_pending(), "a wait on a live token was ready");
    mem::forget(wait);
    let calls = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&calls);
    mem::forget(token.on_cancel(move |_| _ = count.fetch_add(1, Ordering::SeqCst)));
    let shielded = token.child_token();
    mem::forget(shielded.shield());
    let mut run = Box::pin(token.run_until_cancelled(std::future::pending::<()>()));
    ensure!(poll(run.as_mut(), &recorder.waker()).is_pending(), "a pending future on a live token was ready");
    mem::forget(run);
    // Somebody who did not forget.
    let mut other = Box::pin(token.cancelled());
    ensure!(poll(other.as_mut(), &recorder.waker()).is_pending(), "a wait on a live token was ready");
    ensure!(token.cancel(), "the cancel of a live token was told that it was not first");
    ensure_eq!(recorder.wakes(), 3, "wakers woken of two forgotten waits and one that was not");
    ensure_eq!(calls.load(Ordering::SeqCst), 1, "calls of a callback whose registration was forgotten");
    ensure!(
        poll(other.as_mut(), &recorder.waker()).is_ready(),
        "a wait beside forgotten ones is pending after the cancel"
    );
    ensure!(shielded.is_cancelled(), "an outside observer does not see the truth of a forgotten shield");
    // Kept by a worker.
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let timed = worker.child_with_timeout(Duration::from_secs(1));
    let observer = timed.observer();
    mem::forget(timed);
    bench.advance(&worker, Duration::from_secs(1)).await?;
    ensure!(observer.is_cancelled(), "the keeper did not keep the deadline of a token that was forgotten");
    Ok(())
}

/// A submit that was granted a place and never comes for it keeps that place, and only that; the worker shows it.
async fn forgotten_places_in_line(bench: &Bench) -> Result<(), Flaw> {
    const CAPACITY: usize = 3;
    let (worker, mut crew) = Crew::new(bench, WorkerConfig::new().lanes(1).drivers(1).capacity(CAPACITY))?;
    let mut accepted = 0;
    let mut take = |gate: &Gate| {
        accepted += 1;
        worker.try_submit(Job::task(gate.wait())).map_err(refused)
    };
    let (gate, rest) = (Gate::new(), Gate::new());
    let mut handles = Vec::new();
    for place in 0..=CAPACITY {
        handles.push(take(if place == 0 { &gate } else { &rest })?);
        crew.settle_down()?;
    }
    // Behind a full queue: one that will be forgotten, and two that will not.
    let recorder = Recorder::new();
    let mut line: Vec<_> = (0..3).map(|_| Box::pin(worker.submit(Job::task(rest.wait())))).collect();
    for submit in &mut line {
        ensure!(poll(submit.as_mut(), &recorder.waker()).is_pending(), "a submit to a full queue did not wait");
    }
    mem::forget(line.remove(0));
    ensure_eq!(worker.promised(), 0, "places promised while the queue is full");
    gate.open();
    crew.settle_down()?;
    ensure_eq!(
        (worker.queued(), worker.promised()),
        (CAPACITY - 1, 1),
        "queued and promised, when a place was granted to a submit that was forgotten"
    );
    rest.open();
    crew.settle_down()?;
    for submit in &mut line {
        let Some(Ok(handle)) = ready(poll(submit.as_mut(), &recorder.waker())) else {
            return Err(Flaw::Broken(format!(
                "a submit is not accepted behind one that was granted a place and forgotten: {worker:?}"
            )));
        };
        accepted += 1;
        handles.push(handle);
    }
    crew.settle_down()?;
    ensure!(handles.iter().all(countermand_core::Handle::is_finished), "a job beside a forgotten submit did not end");
    books_are_right(&worker, accepted)?;
    // One place is lost for good, no more, and it can be seen.
    ensure_eq!(worker.promised(), 1, "places promised when nobody waits but who was forgotten");
    let again = Gate::new();
    let runs = worker.try_submit(Job::task(again.wait()));
    crew.settle_down()?;
    let fits = (0..CAPACITY).map(|_| worker.try_submit(Job::task(again.wait())).map_err(refused)).collect::<Vec<_>>();
    ensure!(runs.is_ok(), "an empty worker rejected a job");
    ensure_eq!(
        fits.iter().filter(|fit| fit.is_ok()).count(),
        CAPACITY - 1,
        "jobs that fit into a queue of {CAPACITY} with one place lost"
    );
    again.open();
    crew.settle_down()?;
    books_are_right(&worker, accepted + CAPACITY as u64)?;
    drop(worker.shutdown(Shutdown::Drain));
    crew.settle_down()?;
    ensure_eq!(crew.present(), 0, "attendants left after a drain with a forgotten submit");
    Ok(())
}

fn ready<T>(poll: std::task::Poll<T>) -> Option<T> {
    match poll {
        std::task::Poll::Ready(value) => Some(value),
        std::task::Poll::Pending => None,
    }
}

/// Sleeps, ticks, limits and waits that a job forgets; then it ends, and the lane serves the next.
async fn forgotten_in_a_job(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let job = Job::task_with(|context| async move {
        let recorder = Recorder::new();
        let mut sleep = Box::pin(context.sleep(Duration::from_secs(1)));
        let mut limited = Box::pin(context.timeout(Duration::from_secs(2), std::future::pending::<()>()));
        let mut waits = poll(sleep.as_mut(), &recorder.waker()).is_pending();
        waits &= poll(limited.as_mut(), &recorder.waker()).is_pending();
        mem::forget((sleep, limited));
        // With the job's own waker, too.
        std::future::poll_fn(|cx| {
            let mut sleep = Box::pin(context.sleep(Duration::from_secs(3)));
            waits &= sleep.as_mut().poll(cx).is_pending();
            mem::forget(sleep);
            std::task::Poll::Ready(())
        })
        .await;
        mem::forget(context.child_with_timeout(Duration::from_secs(4)));
        mem::forget(context);
        waits
    });
    let outcome = bench.settled(bench.submit(&worker, job).await?).await?;
    ensure_eq!(outcome.completed(), Some(true), "whether what the job forgot was pending");
    let next = bench.submit(&worker, Job::task(Gate::new().wait()).run_timeout(Duration::from_secs(30))).await?;
    for _ in 0..5 {
        bench.advance(&worker, Duration::from_secs(1)).await?;
        ensure!(!next.is_finished(), "what one job forgot ended the next one in its lane");
    }
    ensure_eq!(next.token().cause(), None, "cause in the token of the next job in the lane");
    next.cancel();
    bench.settled(next).await?;
    // A job that forgets a shielded section keeps its lane until it ends by itself.
    let gate = Gate::new();
    let pass = gate.wait();
    let shielding = Job::task_with(|context| async move {
        let mut section = Box::pin(context.shielded(|_| std::future::pending::<()>()));
        let _ = poll(section.as_mut(), std::task::Waker::noop());
        mem::forget(section);
        pass.await;
    });
    let handle = bench.submit(&worker, shielding).await?;
    bench.quiet(&worker).await?;
    handle.cancel();
    bench.quiet(&worker).await?;
    ensure!(!handle.is_finished(), "a job was dropped inside of a shielded section, which it had forgotten");
    ensure_eq!(worker.counts().unsettled, 1, "jobs that the books show as not settled");
    gate.open();
    ensure_eq!(bench.settled(handle).await?.class(), Class::Completed, "how it ended");
    all_settled(bench, &worker, 3).await
}

/// Those who wait for a shutdown are told though others who waited were forgotten.
async fn forgotten_waits_for_the_end(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let gate = Gate::new();
    let job = bench.submit(&worker, Job::task(gate.wait())).await?;
    bench.quiet(&worker).await?;
    for _ in 0..3 {
        let mut wait = Box::pin(worker.shutdown(Shutdown::Drain));
        ensure!(poll(wait.as_mut(), &Recorder::new().waker()).is_pending(), "a drain was over while a job ran");
        mem::forget(wait);
    }
    let scope = worker.clone();
    let mut scoped = Box::pin(scope.scope(|_| std::future::pending::<()>()));
    let _ = poll(scoped.as_mut(), std::task::Waker::noop());
    let end = worker.shutdown(Shutdown::Drain);
    gate.open();
    let report = bench.within("the drain ends", end).await?;
    ensure!(report.counts.balances() && report.counts.unsettled == 0, "the report says {:?}", report.counts);
    bench.settled(job).await?;
    Ok(())
}
