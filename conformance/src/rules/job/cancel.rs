//! Who cancels a job, from wherever, and what it is told.

use std::prelude::v1::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use countermand_core::{Cause, Class, Handle, Job, Worker};

use crate::rules::kit::{Filler, Puppet, has, lanes, lock, secs, stopped, unstarted};
use crate::{Bench, Census, Check, Flaw, Gate, Profile, ensure, ensure_eq};

pub(super) async fn j6_cancel_is_synchronous_and_tells_who_was_first(bench: &Bench) -> Check {
    by_reference_and_at_once(bench).await?;
    if has(bench, Profile::NONE.threads()) {
        while_the_driver_is_held_up(bench).await?;
    }
    from_destructors_and_callbacks(bench).await?;
    let rounds = one_of_many_is_first(bench).await?;
    Ok(rounds + 3)
}

async fn by_reference_and_at_once(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let running = bench.submit(&worker, Job::task(Puppet::<u32>::new().task()).grace(secs(60))).await?;
    let done = bench.submit(&worker, Job::task(async { 6 })).await?;
    let filler = Filler::of(bench, &worker).await?;
    let queued = bench.submit(&worker, Job::task(async { 6 })).await?;
    bench.quiet(&worker).await?;
    for handle in [&running, &queued] {
        let (first, why) = (Cause::REQUESTED.with_code(1), handle.token());
        ensure!(handle.cancel_with(first), "the first cancel of a job was told that it was not first");
        ensure_eq!(why.cause(), Some(first), "the cause of a job's token when its cancel returned");
        ensure!(!handle.cancel_with(Cause::SHUTDOWN), "a second cancel of a job was told that it was first");
        ensure!(!handle.cancel(), "a third cancel of a job was told that it was first");
        ensure_eq!(why.cause(), Some(first), "the cause of a job's token after more cancels");
    }
    ensure!(done.is_finished(), "a job that returns at once is not over when all is quiet");
    ensure!(!done.cancel(), "a cancel of a job that was over was told that it was first");
    ensure_eq!(bench.settled(done).await?.completed(), Some(6), "what it returned");
    filler.leave(bench).await
}

/// One job does not return from its poll; it, its neighbour and a queued job are cancelled meanwhile.
async fn while_the_driver_is_held_up(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let (entered, leave) = (Gate::new(), Gate::new());
    let (enter, left) = (entered.clone(), leave.clone());
    let holding = Puppet::new();
    let held = holding.acting(move |poll| {
        if poll == 2 {
            enter.open();
            left.wait_blocking();
        }
    });
    let handles = [
        bench.submit(&worker, Job::task(held)).await?,
        bench.submit(&worker, Job::task(Puppet::<()>::new().acting(|_| ()))).await?,
        bench.submit(&worker, Job::task(Puppet::<()>::new().acting(|_| ()))).await?,
    ]
    .map(Arc::new);
    bench.quiet(&worker).await?;
    let targets = handles.clone();
    let cancel_all = move || {
        entered.wait_blocking();
        let first = targets.iter().map(|handle| handle.cancel()).collect::<Vec<_>>();
        drop(targets);
        leave.open();
        first
    };
    holding.answer(());
    let first = bench.on_thread("jobs are cancelled while their driver is held up", cancel_all).await?;
    ensure_eq!(first, [true; 3], "what three cancels were told while the driver was held up");
    let expected = [Class::Completed, stopped(Cause::REQUESTED), unstarted(Cause::REQUESTED)];
    for (handle, expected) in handles.into_iter().zip(expected) {
        let handle =
            Arc::into_inner(handle).ok_or_else(|| Flaw::Inconclusive("a handle is still shared".to_owned()))?;
        ensure_eq!(bench.settled(handle).await?.class(), expected, "how a job ended that was cancelled meanwhile");
    }
    Ok(())
}

/// Handles that others cancel, from wherever they are.
fn shared(handle: Handle<()>) -> Arc<Mutex<Option<Handle<()>>>> {
    Arc::new(Mutex::new(Some(handle)))
}

async fn from_destructors_and_callbacks(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(4))?;
    let job = || Job::task(Puppet::<()>::new().task());
    let victims = [
        shared(bench.submit(&worker, job()).await?),
        shared(bench.submit(&worker, job()).await?),
        shared(bench.submit(&worker, job()).await?),
    ];
    bench.quiet(&worker).await?;
    let told: Arc<AtomicU64> = Arc::default();
    let cancel = |victim: &Arc<Mutex<Option<Handle<()>>>>| {
        let (victim, told) = (Arc::clone(victim), Arc::clone(&told));
        move || {
            let first = lock(&victim).as_ref().is_some_and(Handle::cancel);
            told.fetch_add(u64::from(first), Ordering::SeqCst);
        }
    };
    let in_destructor = Census::new().probe_with(cancel(&victims[0]));
    let (in_callback, on_cancel) = (cancel(&victims[1]), cancel(&victims[2]));
    let inner = Puppet::<()>::new().task();
    let source = Job::task_with(move |cx| {
        let _ = cx.token().on_cancel(move |_| on_cancel());
        async move {
            inner.await;
            drop(in_destructor);
        }
    });
    let source = bench.submit(&worker, source).await?;
    source.on_done(move |_| in_callback());
    bench.quiet(&worker).await?;
    ensure!(source.cancel(), "the first cancel of a job was told that it was not first");
    ensure_eq!(bench.settled(source).await?.class(), stopped(Cause::REQUESTED), "how the first job ended");
    bench.until("three more are cancelled in consequence", || told.load(Ordering::SeqCst) == 3).await?;
    for victim in victims {
        let victim = lock(&victim).take();
        let victim = victim.ok_or_else(|| Flaw::Inconclusive("a handle is gone".to_owned()))?;
        ensure_eq!(bench.settled(victim).await?.class(), stopped(Cause::REQUESTED), "how such a job ended");
    }
    Ok(())
}

async fn one_of_many_is_first(bench: &Bench) -> Check {
    struct Field {
        handle: Handle<()>,
        first: AtomicU64,
    }
    const BATCH: u64 = 32;
    let cancel = |field: &Field| {
        field.first.fetch_add(u64::from(field.handle.cancel()), Ordering::SeqCst);
    };
    let mut rounds = 0;
    while rounds < bench.rounds(300) && bench.races_on(rounds) {
        let worker = bench.worker(lanes(BATCH as usize))?;
        let mut fresh = running_jobs(bench, &worker, BATCH).await?;
        let mut raced = Vec::new();
        bench.race(
            BATCH,
            |_| Field { handle: fresh.pop().unwrap_or_else(|| unreachable!("one a round")), first: AtomicU64::new(0) },
            &[&cancel, &cancel, &cancel],
            |round, Field { handle, first }| {
                let first = first.into_inner();
                ensure_eq!(first, 1, "round {round}: how many of three racing cancels were told that they were first");
                raced.push(handle);
                Ok(())
            },
        )?;
        for handle in raced {
            ensure_eq!(bench.settled(handle).await?.class(), stopped(Cause::REQUESTED), "how a job ended");
        }
        rounds += BATCH;
    }
    Ok(rounds)
}

async fn running_jobs(bench: &Bench, worker: &Worker, how_many: u64) -> Result<Vec<Handle<()>>, Flaw> {
    let mut handles = Vec::new();
    for _ in 0..how_many {
        handles.push(bench.submit(worker, Job::task(Puppet::new().task())).await?);
    }
    bench.quiet(worker).await?;
    Ok(handles)
}
