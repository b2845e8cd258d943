//! The outcome: that there is one, when it is there, and what becomes of a value that comes too late.

use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countermand_core::{
    Cause, Class, Counts, Handle, Job, LatePolicy, Outcome, Phase, Shutdown, Token, Work, Worker, WorkerConfig,
};

use crate::rules::kit::{
    Book, Filler, OUT_QUEUED, OUT_RUNNING, Puppet, from_now, has, lanes, lock, secs, stopped, unstarted,
};
use crate::{Bench, Census, Check, Flaw, Gate, Profile, Recorder, ensure, ensure_eq, poll};

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

/// What there is to see when a handle's waker is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sight {
    alive: u64,
    queued: usize,
    running: usize,
    listed: usize,
}

/// One job whose handle is watched: it has captured a probe, and its handle is polled by a waker that looks around.
struct Watched<T> {
    handle: Handle<T>,
    recorder: Recorder,
    sights: Arc<Mutex<Vec<Sight>>>,
    early: Arc<AtomicBool>,
    census: Census,
}

impl<T: Send + 'static> Watched<T> {
    async fn submit<W>(bench: &Bench, worker: &Worker, make: impl FnOnce(crate::Probe) -> Job<W>) -> Result<Self, Flaw>
    where
        W: Work<Value = T, Error = std::convert::Infallible>,
    {
        let (census, sights) = (Census::new(), Arc::new(Mutex::new(Vec::new())));
        let (settled, early) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (seen, saw) = (Arc::clone(&settled), Arc::clone(&early));
        let probe = census.probe_with(move || saw.store(seen.load(Ordering::SeqCst), Ordering::SeqCst));
        let mut handle = bench.submit(worker, make(probe)).await?;
        let (look, look_at, counted) = (Arc::clone(&sights), worker.clone(), census.clone());
        let told = Arc::clone(&settled);
        let recorder = Recorder::acting(move |touch| {
            if touch == crate::Touch::Wake {
                told.store(true, Ordering::SeqCst);
                let sight = Sight {
                    alive: counted.alive(),
                    queued: look_at.queued(),
                    running: look_at.running(),
                    listed: look_at.jobs().len(),
                };
                lock(&look).push(sight);
            }
        });
        handle.on_done(move |_| settled.store(true, Ordering::SeqCst));
        ensure!(
            poll(Pin::new(&mut handle), &recorder.waker()).is_pending(),
            "a job that waits for the rule has settled"
        );
        Ok(Self { handle, recorder, sights, early, census })
    }

    /// It has ended by now: what the waker saw, with `beside` jobs still running.
    async fn seen(self, bench: &Bench, what: &str, expected: Class, beside: usize) -> Result<(), Flaw> {
        let Self { mut handle, recorder, sights, early, census } = self;
        bench.until(&format!("{what}: the handle is woken"), || !lock(&sights).is_empty()).await?;
        let seen = lock(&sights)[0];
        let clear = Sight { alive: 0, queued: 0, running: beside, listed: beside };
        ensure_eq!(seen, clear, "{what}: what there was when the handle was woken");
        ensure!(!early.load(Ordering::SeqCst), "{what}: the outcome was there when the task was dropped");
        let class = bench.within(&format!("{what}: the handle is ready"), &mut handle).await?.class();
        ensure_eq!(class, expected, "{what}: how it ended");
        // The act holds the worker.
        recorder.calm();
        census.each_once(what)
    }
}

pub(super) async fn j7_ready_after_the_drop_and_with_the_place_free(bench: &Bench) -> Check {
    let mut jobs = ready_after_running(bench).await? + ready_after_queueing(bench).await?;
    if has(bench, Profile::NONE.blocking()) {
        ready_after_a_call(bench).await?;
        jobs += 1;
    }
    Ok(jobs)
}

/// How a running job is brought to its end.
#[derive(Clone, Copy, Debug)]
enum End {
    Value,
    Cancel,
    TimeOut,
    Grace,
    Panic,
    Abort,
}

async fn ready_after_running(bench: &Bench) -> Check {
    let ends = [End::Value, End::Cancel, End::TimeOut, End::Grace, End::Panic, End::Abort];
    let unwind = has(bench, Profile::NONE.unwind());
    let mut jobs = 0;
    for end in ends.into_iter().filter(|end| unwind || !matches!(end, End::Panic)) {
        let worker = bench.worker(lanes(1))?;
        let puppet = Puppet::new();
        let task = puppet.acting(move |poll| assert!(poll == 1 || !matches!(end, End::Panic), "as the rule wants it"));
        let watched = Watched::submit(bench, &worker, |probe| {
            let job = Job::task(async move {
                let _probe = probe;
                task.await
            });
            match end {
                End::TimeOut => job.run_timeout(secs(5)),
                End::Grace => job.grace(secs(5)),
                _ => job,
            }
        })
        .await?;
        bench.quiet(&worker).await?;
        let expected = match end {
            End::Value | End::Panic => {
                puppet.answer(());
                if matches!(end, End::Value) { Class::Completed } else { Class::Panicked }
            }
            End::Cancel | End::Grace => {
                watched.handle.cancel();
                stopped(Cause::REQUESTED)
            }
            End::TimeOut => OUT_RUNNING,
            End::Abort => {
                drop(worker.shutdown(Shutdown::Abort));
                stopped(Cause::SHUTDOWN)
            }
        };
        if matches!(end, End::TimeOut | End::Grace) {
            bench.advance(&worker, secs(5)).await?;
        }
        watched.seen(bench, &format!("{end:?}"), expected, 0).await?;
        jobs += 1;
    }
    Ok(jobs)
}

async fn ready_after_queueing(bench: &Bench) -> Check {
    let mut jobs = 0;
    for by_time in [false, true] {
        let worker = bench.worker(lanes(1))?;
        let filler = Filler::of(bench, &worker).await?;
        let watched =
            Watched::submit(bench, &worker, |probe| Job::task(async move { drop(probe) }).queue_timeout(secs(5)))
                .await?;
        let expected = if by_time {
            bench.advance(&worker, secs(5)).await?;
            OUT_QUEUED
        } else {
            watched.handle.cancel();
            unstarted(Cause::REQUESTED)
        };
        watched.seen(bench, "in the queue", expected, 1).await?;
        filler.leave(bench).await?;
        jobs += 1;
    }
    Ok(jobs)
}

async fn ready_after_a_call(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let leave = Gate::new();
    let left = leave.clone();
    let watched = Watched::submit(bench, &worker, |probe| {
        Job::call(move |_| {
            left.wait_blocking();
            drop(probe);
        })
    })
    .await?;
    leave.open();
    watched.seen(bench, "a call", Class::Completed, 0).await
}

pub(super) async fn j9_late_value_is_never_lost_silently(bench: &Bench) -> Check {
    let mut jobs = 0;
    for policy in [None, Some(LatePolicy::Deliver), Some(LatePolicy::Mark), Some(LatePolicy::Discard)] {
        late_value_of_a_task(bench, policy).await?;
        jobs += 1;
        if has(bench, Profile::NONE.blocking()) {
            late_value_of_a_call(bench, policy).await?;
            jobs += 1;
        }
    }
    for policy in [LatePolicy::Deliver, LatePolicy::Mark, LatePolicy::Discard] {
        late_error(bench, policy).await?;
        value_in_time(bench, policy).await?;
        jobs += 3;
    }
    Ok(jobs)
}

/// What became of a late value: delivered, marked, or discarded and counted; in each case it lives exactly as long as that says.
fn as_the_policy_says(
    policy: Option<LatePolicy>,
    outcome: Outcome<crate::Probe>,
    census: &Census,
    counts: Counts,
) -> Result<(), Flaw> {
    let class = outcome.class();
    let value = match outcome {
        Outcome::Completed(value) => ("delivered", Some(value)),
        Outcome::TimedOut { phase: Phase::Running, late: Some(value) } => ("marked late", Some(value)),
        Outcome::TimedOut { phase: Phase::Running, late: None } => ("discarded", None),
        other => return Err(Flaw::Broken(format!("{policy:?}: a job with a late value ended as {other:?}"))),
    };
    let (expected, timed_out, discarded) = match policy {
        None | Some(LatePolicy::Deliver) => ("delivered", 0, 0),
        Some(LatePolicy::Mark) => ("marked late", 1, 0),
        Some(LatePolicy::Discard) => ("discarded", 1, 1),
    };
    ensure_eq!(value.0, expected, "{policy:?}: what became of a late value, in an outcome of class {class:?}");
    ensure_eq!(
        census.alive(),
        u64::from(value.1.is_some()),
        "{policy:?}: late values alive when the outcome was there"
    );
    ensure_eq!(counts.late_discarded, discarded, "{policy:?}: late values that the worker counts as discarded");
    ensure_eq!((counts.timed_out, counts.completed), (timed_out, 1 - timed_out), "{policy:?}: timed out and completed");
    drop(value);
    census.each_once("a late value")
}

async fn late_value_of_a_task(bench: &Bench, policy: Option<LatePolicy>) -> Result<(), Flaw> {
    let book = Book::default();
    let worker = bench.worker(lanes(1).observer(book.observer()))?;
    let (census, puppet) = (Census::new(), Puppet::new());
    let job = Job::task(puppet.task()).run_timeout(secs(5)).grace(secs(10));
    let job = match policy {
        Some(policy) => job.late(policy),
        None => job,
    };
    let handle = bench.submit(&worker, job).await?;
    let id = handle.id();
    bench.advance(&worker, secs(8)).await?;
    ensure!(!handle.is_finished(), "a job was over within its grace");
    puppet.answer(census.probe());
    let outcome = bench.settled(handle).await?;
    let late: Vec<_> = book.ends_of(id).iter().map(|end| end.late).collect();
    ensure_eq!(late, [true], "{policy:?}: whether the observer was told that the value came late");
    as_the_policy_says(policy, outcome, &census, worker.counts())
}

async fn late_value_of_a_call(bench: &Bench, policy: Option<LatePolicy>) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let census = Census::new();
    let (entered, leave) = (Gate::new(), Gate::new());
    let (enter, left, value) = (entered.clone(), leave.clone(), census.probe());
    let job = Job::call(move |_| {
        enter.open();
        left.wait_blocking();
        value
    });
    let job = match policy {
        Some(policy) => job.late(policy),
        None => job,
    };
    let handle = bench.submit(&worker, job.run_timeout(secs(5))).await?;
    bench.until("a call runs", || entered.is_open()).await?;
    bench.advance(&worker, secs(8)).await?;
    ensure!(!handle.is_finished(), "a call that may not be abandoned was over before it returned");
    leave.open();
    let outcome = bench.settled(handle).await?;
    as_the_policy_says(policy, outcome, &census, worker.counts())
}

async fn late_error(bench: &Bench, policy: LatePolicy) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let puppet = Puppet::<Result<(), crate::Probe>>::new();
    let census = Census::new();
    let job = Job::fallible(puppet.task()).run_timeout(secs(5)).grace(secs(10)).late(policy);
    let handle = bench.submit(&worker, job).await?;
    bench.advance(&worker, secs(8)).await?;
    puppet.answer(Err(census.probe()));
    let outcome = bench.settled(handle).await?;
    let discarded = worker.counts().late_discarded;
    match (policy, &outcome) {
        (LatePolicy::Deliver, Outcome::Failed(_)) => ensure_eq!(discarded, 0, "discarded, though it was delivered"),
        (LatePolicy::Mark | LatePolicy::Discard, Outcome::TimedOut { phase: Phase::Running, late: None }) => {
            ensure_eq!(discarded, 1, "{policy:?}: late errors that the worker counts as discarded");
        }
        _ => return Err(Flaw::Broken(format!("{policy:?}: a job with a late error ended as {:?}", outcome.class()))),
    }
    drop(outcome);
    census.each_once("a late error")
}

/// Whatever the policy says of late values: one that comes in time, or after a request that is no deadline, is delivered.
async fn value_in_time(bench: &Bench, policy: LatePolicy) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(2))?;
    let cast: [Puppet<u32>; 2] = [Puppet::new(), Puppet::new()];
    let job = |place: usize| Job::task(cast[place].task()).run_timeout(secs(5)).grace(secs(60)).late(policy);
    let handles = [bench.submit(&worker, job(0)).await?, bench.submit(&worker, job(1)).await?];
    bench.quiet(&worker).await?;
    handles[1].cancel();
    bench.advance(&worker, secs(4)).await?;
    cast[0].answer(9);
    let [in_time, asked] = handles;
    ensure_eq!(bench.settled(in_time).await?.completed(), Some(9), "{policy:?}: what a job returned in time");
    bench.advance(&worker, secs(4)).await?;
    cast[1].answer(9);
    let value = bench.settled(asked).await?.completed();
    ensure_eq!(value, Some(9), "{policy:?}: what a job returned in the grace of a request");
    ensure_eq!(worker.counts().late_discarded, 0, "{policy:?}: late values that the worker counts as discarded");
    Ok(())
}
