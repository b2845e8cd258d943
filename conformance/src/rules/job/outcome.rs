//! A job has one outcome, and nothing changes it.

use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countermand_core::{Cause, Class, Counts, Handle, Job, Phase, Shutdown, Token, WorkerConfig};

use crate::rules::kit::{Book, OUT_QUEUED, OUT_RUNNING, Puppet, from_now, has, lanes, lock, secs, stopped};
use crate::{Bench, Check, Flaw, Gate, Profile, Recorder, ensure, ensure_eq, poll};

pub(super) async fn j1_settles_exactly_once(bench: &Bench) -> Check {
    let mut jobs = nothing_changes_an_outcome(bench).await?;
    if has(bench, Profile::NONE.blocking()) {
        an_abandoned_call_that_ends(bench).await?;
        jobs += 1;
    }
    Ok(jobs + racing_ends(bench).await?)
}

/// How often a handle's callback was called, and with what.
fn told<T, E>(handle: &Handle<T, E>) -> Arc<Mutex<Vec<Class>>> {
    let told: Arc<Mutex<Vec<Class>>> = Arc::default();
    let tell = Arc::clone(&told);
    handle.on_done(move |class| lock(&tell).push(class));
    told
}

/// Returns how many jobs there were.
async fn nothing_changes_an_outcome(bench: &Bench) -> Check {
    let book = Book::default();
    let worker = bench.worker(lanes(8).observer(book.observer()))?;
    let parent = Token::new();
    let never = || Job::task(Puppet::<u32>::new().task());
    let due = from_now(bench, secs(9));
    let completed = bench.submit(&worker, Job::task(async { 1 }).deadline(due).parent(&parent)).await?;
    let cancelled = bench.submit(&worker, never().deadline(due).parent(&parent)).await?;
    let timed_out = bench.submit(&worker, never().run_timeout(secs(5)).parent(&parent)).await?;
    let queued_out = bench.submit(&worker, never().queue_timeout(Duration::ZERO).parent(&parent)).await?;
    let failed = bench.submit(&worker, Job::fallible(async { Err::<u32, _>(2) }).parent(&parent)).await?;
    let mut expected = vec![Class::Completed, stopped(Cause::REQUESTED), OUT_RUNNING, OUT_QUEUED];
    let mut handles = vec![completed, cancelled, timed_out, queued_out];
    if has(bench, Profile::NONE.unwind()) {
        let panicking = Job::task(async { panic!("a job's own") }).parent(&parent);
        handles.push(bench.submit(&worker, panicking).await?);
        expected.push(Class::Panicked);
    }
    let calls: Vec<_> = handles.iter().map(told).collect();
    bench.quiet(&worker).await?;
    handles[1].cancel();
    bench.advance(&worker, secs(5)).await?;
    ensure!(handles.iter().all(Handle::is_finished), "not every job is over that should be");
    // Now everything that could have ended them otherwise.
    parent.cancel_with(Cause::EVICTED);
    ensure!(
        handles.iter().all(|handle| !handle.cancel()),
        "a cancel of a job that was over was told that it was first"
    );
    bench.advance(&worker, secs(60)).await?;
    bench.within("an abort is over", worker.shutdown(Shutdown::Abort)).await?;
    ensure!(failed.is_finished(), "a job that fails at once is not over");
    ensure_eq!(bench.settled(failed).await?.class(), Class::Failed, "how it ended");
    for ((handle, expected), calls) in handles.into_iter().zip(expected).zip(calls) {
        let id = handle.id();
        let ends: Vec<_> = book.ends_of(id).iter().map(|end| end.class).collect();
        ensure_eq!(ends, [expected], "what the observer was told of the end of a job");
        ensure_eq!(*lock(&calls), [expected], "what a callback was told of the end of a job");
        ensure_eq!(bench.settled(handle).await?.class(), expected, "what the handle brought after all that came later");
    }
    let counts = worker.counts();
    ensure!(counts.balances() && counts.unsettled == 0, "the books do not add up: {counts:?}");
    Ok(counts.accepted)
}

async fn an_abandoned_call_that_ends(bench: &Bench) -> Result<(), Flaw> {
    let book = Book::default();
    let worker = bench.worker(lanes(1).observer(book.observer()))?;
    let (entered, leave) = (Gate::new(), Gate::new());
    let (enter, left) = (entered.clone(), leave.clone());
    let call = Job::call(move |_| {
        enter.open();
        left.wait_blocking();
        7
    });
    let mut handle = bench.submit(&worker, call.run_timeout(secs(5)).abandonable()).await?;
    let (id, calls) = (handle.id(), told(&handle));
    bench.until("a call runs", || entered.is_open()).await?;
    bench.advance(&worker, secs(5)).await?;
    ensure!(handle.is_finished(), "a call that may be abandoned was not, at its time");
    leave.open();
    bench.until("the closure has ended", || worker.running() == 0).await?;
    bench.quiet(&worker).await?;
    let class = bench.within("an abandoned call has settled", &mut handle).await?.class();
    ensure_eq!(class, Class::Abandoned, "what the handle of an abandoned call brought after its closure had ended");
    ensure!(poll(Pin::new(&mut handle), &Recorder::new().waker()).is_pending(), "the handle brought a second outcome");
    ensure_eq!(book.ends_of(id).len(), 1, "how often an abandoned call settled");
    ensure_eq!(*lock(&calls), [Class::Abandoned], "what a callback was told of its end");
    let counts = worker.counts();
    ensure_eq!((counts.abandoned, counts.settled()), (1, 1), "abandoned and settled, as the worker counts");
    Ok(())
}

/// A value, a request and an expired deadline come at the same time from three threads.
async fn racing_ends(bench: &Bench) -> Check {
    struct Field {
        handle: Handle<u32>,
        puppet: Puppet<u32>,
        parent: Token,
        calls: Arc<Mutex<Vec<Class>>>,
    }
    const BATCH: u64 = 32;
    let answer = |field: &Field| field.puppet.answer(1);
    let cancel = |field: &Field| {
        field.handle.cancel();
    };
    let expire = |field: &Field| {
        if let Some(at) = field.parent.deadline() {
            field.parent.expire_due(at);
        }
    };
    let threads = has(bench, Profile::NONE.threads());
    let racers: [&(dyn Fn(&Field) + Sync); 3] = [&answer, &cancel, &expire];
    let mut rounds = 0;
    while rounds < bench.rounds(300) && bench.races_on(rounds) {
        let book = Book::default();
        let worker = bench.worker(WorkerConfig::new().lanes(BATCH as usize).observer(book.observer()))?;
        let mut fresh = Vec::new();
        for _ in 0..BATCH {
            let (puppet, parent) = (Puppet::new(), Token::with_deadline(from_now(bench, secs(60))));
            let handle = bench.submit(&worker, Job::task(puppet.task()).parent(&parent)).await?;
            let calls = told(&handle);
            fresh.push(Field { handle, puppet, parent, calls });
        }
        bench.quiet(&worker).await?;
        let mut over = Vec::new();
        if threads {
            let next = |_| fresh.pop().unwrap_or_else(|| unreachable!("one a round"));
            bench.race(BATCH, next, &racers, |_, field| {
                over.push(field);
                Ok(())
            })?;
        } else {
            for (round, field) in fresh.into_iter().enumerate() {
                (0..3).for_each(|turn| racers[(round + turn) % 3](&field));
                over.push(field);
            }
        }
        let mut own = Counts::default();
        for Field { handle, puppet, calls, .. } in over {
            let id = handle.id();
            let class = bench.settled(handle).await?.class();
            match class {
                Class::Completed => own.completed += 1,
                Class::TimedOut(Phase::Running) => own.timed_out += 1,
                Class::Cancelled { cause: Cause::REQUESTED, started: true } => own.cancelled += 1,
                other => return Err(Flaw::Broken(format!("a job with three racing ends ended as {other:?}"))),
            }
            bench.quiet(&worker).await?;
            let ends: Vec<_> = book.ends_of(id).iter().map(|end| end.class).collect();
            ensure_eq!(ends, [class], "what the observer was told of the end of a job with three racing ends");
            ensure_eq!(*lock(&calls), [class], "what a callback was told of it");
            puppet.dropped_once("the task of a job with three racing ends")?;
        }
        own.accepted = BATCH;
        ensure_eq!(worker.counts(), own, "the worker's counts, against those of the handles");
        rounds += BATCH;
    }
    Ok(rounds)
}
