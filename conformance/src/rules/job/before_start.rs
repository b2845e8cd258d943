//! A job that is asked to stop before it has started.

use std::prelude::v1::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countermand_core::{Cause, Handle, Job, Token};

use crate::rules::kit::{Book, Filler, Puppet, lanes, lock, secs, unstarted};
use crate::{Bench, Check, Flaw, Gate, ensure, ensure_eq};

pub(super) async fn j2_cancelled_before_its_first_poll_is_never_polled(bench: &Bench) -> Check {
    cancelled_in_the_queue(bench).await?;
    cancelled_before_its_submit(bench).await?;
    let rounds = bench.rounds(30);
    for _ in 0..rounds {
        cancelled_when_its_lane_becomes_free(bench).await?;
    }
    Ok(rounds + 2)
}

async fn cancelled_in_the_queue(bench: &Bench) -> Result<(), Flaw> {
    let book = Book::default();
    let worker = bench.worker(lanes(1).observer(book.observer()))?;
    let filler = Filler::of(bench, &worker).await?;
    let parent = Token::new();
    let made = Arc::new(AtomicBool::new(false));
    let cast: [Puppet<()>; 4] = std::array::from_fn(|_| Puppet::ready(()));
    let (make, inner) = (Arc::clone(&made), cast[3].clone());
    let with_context = Job::task_with(move |_| {
        make.store(true, Ordering::SeqCst);
        inner.task()
    });
    let job = |place: usize| Job::task(cast[place].task()).grace(secs(60));
    let by_handle = bench.submit(&worker, job(0)).await?;
    let by_parent = bench.submit(&worker, job(1).parent(&parent.child_token())).await?;
    let by_drop = bench.submit(&worker, job(2).cancel_on_drop()).await?;
    let unmade = bench.submit(&worker, with_context).await?;
    let dropped = by_drop.id();
    let why = Cause::SHUTDOWN.with_text("of the parent");
    by_handle.cancel();
    unmade.cancel();
    drop(by_drop);
    parent.cancel_with(why);
    // The lane is still taken: they settle without it.
    for (handle, expected) in [(by_handle, Cause::REQUESTED), (by_parent, why), (unmade, Cause::REQUESTED)] {
        let id = handle.id();
        ensure_eq!(
            bench.settled(handle).await?.class(),
            unstarted(expected),
            "how a job ended, cancelled in the queue"
        );
        ensure!(!book.has_started(id), "the observer was told that it starts");
    }
    bench.until("a job whose handle was dropped settles", || !book.ends_of(dropped).is_empty()).await?;
    let ends: Vec<_> = book.ends_of(dropped).iter().map(|end| end.class).collect();
    ensure_eq!(ends, [unstarted(Cause::HANDLE_DROPPED)], "how it ended");
    filler.leave(bench).await?;
    bench.quiet(&worker).await?;
    for puppet in &cast {
        ensure_eq!(puppet.polls(), 0, "polls of a job that was cancelled in the queue");
        puppet.dropped_once("the task of a job that was cancelled in the queue")?;
    }
    ensure!(!made.load(Ordering::SeqCst), "the closure that makes the task was called");
    Ok(())
}

async fn cancelled_before_its_submit(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let parent = Token::new();
    parent.cancel_with(Cause::REQUESTED.with_code(2));
    let puppet = Puppet::ready(());
    let job = Job::task(puppet.task()).parent(&parent).grace(secs(60));
    let handle = bench.submit(&worker, job).await?;
    let class = bench.settled(handle).await?.class();
    let expected = unstarted(Cause::REQUESTED.with_code(2));
    ensure_eq!(class, expected, "how a job ended whose parent was cancelled before the submit");
    ensure_eq!(puppet.polls(), 0, "its polls");
    Ok(())
}

/// They are cancelled by the job that has the only lane, in its last poll: whether lane or keeper gets to them first is open.
async fn cancelled_when_its_lane_becomes_free(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let victims: Arc<Mutex<Vec<Handle<()>>>> = Arc::default();
    let (gate, list) = (Gate::new(), Arc::clone(&victims));
    let pass = gate.wait();
    let killer = Job::task(async move {
        pass.await;
        lock(&list).iter().for_each(|victim| {
            victim.cancel();
        });
    });
    let killer = bench.submit(&worker, killer).await?;
    bench.quiet(&worker).await?;
    let cast: Vec<Puppet<()>> = (0..6).map(|_| Puppet::ready(())).collect();
    for (place, puppet) in cast.iter().enumerate() {
        let grace = if place % 2 == 0 { secs(60) } else { Duration::ZERO };
        let victim = bench.submit(&worker, Job::task(puppet.task()).grace(grace)).await?;
        lock(&victims).push(victim);
    }
    gate.open();
    bench.settled(killer).await?;
    let victims = std::mem::take(&mut *lock(&victims));
    for (victim, puppet) in victims.into_iter().zip(&cast) {
        let class = bench.settled(victim).await?.class();
        let expected = unstarted(Cause::REQUESTED);
        ensure_eq!(class, expected, "how a queued job ended that the job before it cancelled");
        ensure_eq!(puppet.polls(), 0, "its polls");
    }
    Ok(())
}
