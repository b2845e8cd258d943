//! After a panic, in whatever place of the users' code, everything else goes on.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Poll, Waker};

use countermand_core::{Cause, Class, Job, Shutdown, Token, WorkerConfig};

use crate::rules::crew::{Attendant, Crew, all_settled, quietly, refused};
use crate::{Bench, Check, Flaw, Gate, Recorder, Touch, ensure, ensure_eq, poll};

pub(super) async fn p3_a_panic_poisons_nothing(bench: &Bench) -> Check {
    let mut runs = 0;
    for touch in [Touch::Wake, Touch::Clone, Touch::Drop] {
        // Null control: the same without the panic.
        for planted in [true, false] {
            happened(planted, token_after(touch, planted)?, touch)?;
            happened(planted, worker_after(bench, touch, planted).await?, touch)?;
            happened(planted, waits_for_the_end(bench, touch, planted)?, touch)?;
        }
        runs += 3;
    }
    caller_of_a_cancel(bench).await?;
    host_of_an_attendant(bench).await?;
    Ok(runs + 2)
}

/// Panics were seen where they are planted, and nowhere else.
fn happened(planted: bool, panics: u64, touch: Touch) -> Result<(), Flaw> {
    ensure!(planted || panics == 0, "{panics} panics, where no {touch:?} of a waker panics");
    if planted && panics == 0 {
        return Err(Flaw::Inconclusive(format!("the fault did not happen: no {touch:?} of a waker panicked")));
    }
    Ok(())
}

/// Panics the first time that this is done to a waker of it, if that is planted.
fn once(touch: Touch, planted: bool) -> Recorder {
    let done = AtomicU64::new(u64::from(!planted));
    Recorder::acting(move |seen| {
        if seen == touch && done.fetch_add(1, Ordering::SeqCst) == 0 {
            panic!("planted in a waker");
        }
    })
}

/// Returns how many panics came out.
fn token_after(touch: Touch, planted: bool) -> Result<u64, Flaw> {
    let token = Token::new();
    let bad = once(touch, planted);
    let mut panics = 0;
    let mut waits: Vec<_> = (0..2).map(|_| Box::pin(token.child_token().cancelled_owned())).collect();
    let (waker, other) = (bad.waker(), Recorder::new());
    for wait in &mut waits {
        panics += came_out(|| poll(wait.as_mut(), &waker));
        // Replaces the waker, if it is there.
        panics += came_out(|| poll(wait.as_mut(), &other.waker()));
        panics += came_out(|| poll(wait.as_mut(), &waker));
    }
    panics += came_out(|| drop(waits.pop()));
    let calls = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&calls);
    let _ = token.on_cancel(move |_| _ = count.fetch_add(1, Ordering::SeqCst));
    panics += came_out(|| token.cancel());
    ensure!(
        token.child_token().is_cancelled(),
        "{touch:?} of a waker panicked, and its tree is not cancelled by a cancel"
    );
    ensure_eq!(token.cause(), Some(Cause::REQUESTED), "{touch:?} of a waker panicked; the cause");
    ensure_eq!(calls.load(Ordering::SeqCst), 1, "{touch:?} of a waker panicked; calls of a callback beside it");
    for wait in &mut waits {
        ensure!(
            poll(wait.as_mut(), Waker::noop()).is_ready(),
            "{touch:?} of a waker panicked, and its wait never ends"
        );
    }
    let _ = quietly(|| drop((waits, waker)));
    bad.calm();
    Ok(panics)
}

/// One, if this panics.
fn came_out<R>(act: impl FnOnce() -> R) -> u64 {
    u64::from(quietly(act).is_err())
}

/// The same with those who wait for jobs and places; counts what was contained, too.
async fn worker_after(bench: &Bench, touch: Touch, planted: bool) -> Result<u64, Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1).capacity(1))?;
    let gate = Gate::new();
    let mut first = bench.submit(&worker, Job::task(gate.wait())).await?;
    bench.quiet(&worker).await?;
    let second = bench.submit(&worker, Job::task(async {})).await?;
    let (bad, also_bad) = (once(touch, planted), once(touch, planted));
    let (waker, also, other) = (bad.waker(), also_bad.waker(), Recorder::new().waker());
    let mut panics = 0;
    let mut submit = Box::pin(worker.submit(Job::task(std::future::ready(6))));
    for _ in 0..2 {
        panics += came_out(|| poll(Pin::new(&mut first), &waker));
        panics += came_out(|| poll(submit.as_mut(), &also));
        if touch != Touch::Wake {
            panics += came_out(|| poll(Pin::new(&mut first), &other));
        }
    }
    gate.open();
    bench.until("the jobs settle", || first.is_finished() && second.is_finished()).await?;
    let polled = poll(Pin::new(&mut first), Waker::noop()).is_ready();
    ensure!(polled, "{touch:?} of a waker panicked, and the handle of a settled job is not ready");
    let mut accepted = 2;
    // A submit whose poll panicked may have given up its job: then it is over.
    if let Ok(Poll::Ready(Ok(third))) = quietly(|| poll(submit.as_mut(), Waker::noop())) {
        ensure_eq!(bench.settled(third).await?.completed(), Some(6), "what the job behind it returned");
        accepted += 1;
    }
    let _ = quietly(|| drop(submit));
    ensure_eq!(worker.promised(), 0, "{touch:?} of a waker panicked; places that are promised to nobody");
    for _ in 0..3 {
        let next = bench.submit(&worker, Job::task(std::future::ready(4))).await?;
        accepted += 1;
        ensure_eq!(
            bench.settled(next).await?.completed(),
            Some(4),
            "{touch:?} of a waker panicked; what the next job returned"
        );
    }
    all_settled(bench, &worker, accepted).await?;
    panics += worker.counts().contained_panics;
    let _ = quietly(|| drop((waker, also)));
    let report = bench.within("the drain ends", worker.shutdown(Shutdown::Drain)).await?;
    ensure!(report.counts.balances(), "{touch:?} of a waker panicked, and the report says {:?}", report.counts);
    Ok(panics)
}

/// Of several who wait for the end of a worker, the first and the third have wakers that panic.
fn waits_for_the_end(bench: &Bench, touch: Touch, planted: bool) -> Result<u64, Flaw> {
    let (worker, mut crew) = Crew::new(bench, WorkerConfig::new().lanes(1).drivers(1))?;
    let gate = Gate::new();
    let job = worker.try_submit(Job::task(gate.wait()));
    crew.settle_down()?;
    let recorders = [once(touch, planted), Recorder::new(), once(touch, planted), Recorder::new()];
    let (wakers, other) = (recorders.each_ref().map(Recorder::waker), Recorder::new().waker());
    let mut panics = 0;
    let mut waits: Vec<_> = recorders.iter().map(|_| Box::pin(worker.shutdown(Shutdown::Drain))).collect();
    for (wait, waker) in waits.iter_mut().zip(&wakers) {
        for waker in [waker, &other, waker] {
            let ready = quietly(|| poll(wait.as_mut(), waker).is_ready());
            panics += u64::from(ready.is_err());
            ensure!(!ready.unwrap_or(false), "a drain was over while a job ran");
        }
    }
    gate.open();
    let worked = quietly(|| crew.settle_down());
    ensure!(worked.is_ok(), "{touch:?} of the waker of one who waits for the end panicked, through an attendant");
    ensure_eq!(crew.present(), 0, "{touch:?} of such a waker panicked; attendants that did not leave");
    ensure!(job.is_ok_and(|job| job.is_finished()), "a job of a drained worker did not end");
    for (place, (wait, recorder)) in waits.iter_mut().zip(&recorders).enumerate() {
        ensure!(
            recorder.wakes() > 0,
            "{touch:?} of the waker of one who waits for the end panicked, and number {place} was not woken"
        );
        ensure!(poll(wait.as_mut(), Waker::noop()).is_ready(), "the wait of number {place} is not over after the end");
    }
    panics += worker.counts().contained_panics;
    let _ = quietly(|| drop((waits, wakers)));
    Ok(panics)
}

/// A panic goes on to who called `cancel` (T9); the job is cancelled all the same.
async fn caller_of_a_cancel(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let parent = Token::new();
    let gate = Gate::new();
    let first = bench.submit(&worker, Job::task(gate.wait()).parent(&parent)).await?;
    bench.quiet(&worker).await?;
    let queued = bench.submit(&worker, Job::task(gate.wait()).parent(&parent)).await?;
    for _ in 0..3 {
        let _ = parent.on_cancel(|_| panic!("planted in a cancel callback"));
    }
    let cancelled = quietly(|| parent.cancel());
    ensure!(cancelled.is_err(), "the panic of a callback did not come out of the cancel that called it");
    for (handle, started) in [(first, true), (queued, false)] {
        let class = Class::Cancelled { cause: Cause::REQUESTED, started };
        ensure_eq!(bench.settled(handle).await?.class(), class, "how a job ended beside a panicking callback");
    }
    let next = bench.submit(&worker, Job::task(std::future::ready(1))).await?;
    ensure_eq!(bench.settled(next).await?.completed(), Some(1), "what the next job returned");
    all_settled(bench, &worker, 3).await
}

/// The waker of the host itself panics when an attendant clones it: the attendant can be polled again, or dropped.
async fn host_of_an_attendant(bench: &Bench) -> Result<(), Flaw> {
    for again in [true, false] {
        let (worker, attendants) = bench.parts(WorkerConfig::new().lanes(1).drivers(1))?;
        let mut attendants: Vec<Attendant> = attendants.into_iter().map(Attendant::new).collect();
        let gate = Gate::new();
        let handle = worker.try_submit(Job::task(gate.wait())).map_err(refused)?;
        for attendant in &mut attendants {
            let recorder = once(Touch::Clone, true);
            let waker = recorder.waker();
            let polled = quietly(|| attendant.poll(&waker));
            ensure!(polled.is_err(), "nobody cloned the host's waker, so nothing was shown");
        }
        let counts = worker.counts();
        ensure!(
            counts.balances() && worker.jobs().len() == 1,
            "the books say {counts:?} after a host's waker panicked"
        );
        let expected = if again {
            gate.open();
            for _ in 0..3 {
                attendants.iter_mut().for_each(|attendant| attendant.poll(Waker::noop()));
            }
            Class::Completed
        } else {
            drop(attendants);
            Class::Cancelled { cause: Cause::SHUTDOWN, started: true }
        };
        ensure_eq!(bench.settled(handle).await?.class(), expected, "how a job ended after its host's waker panicked");
    }
    Ok(())
}
