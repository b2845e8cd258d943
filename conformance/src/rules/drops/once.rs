//! On every path through a worker, each value is dropped exactly once.

use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use countermand_core::{
    Cause, Class, FullPolicy, Handle, Job, LatePolicy, Outcome, Phase, Priority, Shutdown, Work, Worker, WorkerConfig,
};

use super::race::race_of_ends;
use crate::rules::crew::{Crew, quietly, refused, runs_calls, unwinds};
use crate::{Bench, Census, Check, Flaw, Gate, LocalFuture, Pass, Probe, ensure, ensure_eq};

/// One path, and the census of all that goes along it. The worker comes back, so that it is there when the census is looked at,
/// unless its end is what the path is about.
type Path = for<'a> fn(&'a Bench, &'a Census) -> LocalFuture<'a, Result<Option<Worker>, Flaw>>;

macro_rules! paths {
    ($($function:ident),* $(,)?) => { &[$((stringify!($function), |bench, census| Box::pin($function(bench, census)))),*] };
}

const TASKS: &[(&str, Path)] = paths![
    completed,
    completed_unread,
    failed,
    cancelled_in_the_queue,
    cancelled_while_running,
    returned_within_its_grace,
    cut_off_after_its_grace,
    out_of_time_in_the_queue,
    out_of_time_while_running,
    late_and_marked,
    late_and_discarded,
    evicted,
    came_back,
    never_submitted,
    dropped_in_line,
    aborted,
    worker_dropped,
    attendants_dropped,
    runtime_stopped,
    callbacks,
];

const PANICS: &[(&str, Path)] = paths![panicked, panicked_before_its_future, destructor_panicked];

const CALLS: &[(&str, Path)] =
    paths![call_completed, call_detached, call_cancelled_in_the_queue, call_abandoned, call_that_panics];

pub(super) async fn x2_everything_is_dropped_exactly_once(bench: &Bench) -> Check {
    let panics = if unwinds(bench) { PANICS } else { &[] };
    let calls = if runs_calls(bench) { CALLS } else { &[] };
    let mut runs = 0;
    for (name, path) in TASKS.iter().chain(panics).chain(calls) {
        let census = Census::new();
        let worker = match path(bench, &census).await {
            // What this host has not, the others have.
            Err(Flaw::NotApplicable(_)) => continue,
            result => result.map_err(|flaw| Flaw::Broken(format!("{name}: {flaw}")))?,
        };
        ensure!(census.born() > 0, "{name}: nothing went along the path, so nothing was shown");
        // Values of outcomes that were read are dropped by now; the rest by attendants that may still be at it.
        let _ = bench.until("everything is dropped", || census.alive() == 0).await;
        census.each_once(name)?;
        if let Some(worker) = worker {
            bench.quiet(&worker).await?;
            let counts = worker.counts();
            ensure!(counts.balances() && counts.unsettled == 0, "{name}: the books say {counts:?}");
        }
        runs += 1;
    }
    Ok(runs + race_of_ends(bench)?)
}

fn one_lane() -> WorkerConfig {
    WorkerConfig::new().lanes(1).drivers(1)
}

/// A task that captures, holds over an await, and returns.
fn cargo(census: &Census, gate: &Gate) -> impl Future<Output = Probe> + Send + use<> {
    let (captured, census, pass) = (census.probe(), census.clone(), gate.wait());
    async move {
        let _local = census.probe();
        pass.await;
        drop(captured);
        census.probe()
    }
}

/// The same made by a closure that captures too.
fn crate_of(census: &Census, gate: &Gate) -> Job<impl Work<Value = Probe, Error = std::convert::Infallible> + use<>> {
    let (captured, cargo) = (census.probe(), cargo(census, gate));
    Job::task_with(move |context| async move {
        let _both = (captured, context);
        cargo.await
    })
}

/// A worker whose one lane is taken, and the job that has it.
async fn held(bench: &Bench, config: WorkerConfig) -> Result<(Worker, Gate, Handle<()>), Flaw> {
    let worker = bench.worker(config.lanes(1).drivers(1))?;
    let gate = Gate::new();
    let first = bench.submit(&worker, Job::task(gate.wait())).await?;
    bench.quiet(&worker).await?;
    Ok((worker, gate, first))
}

fn ended<T, E>(outcome: &Outcome<T, E>, expected: Class) -> Result<(), Flaw> {
    ensure_eq!(outcome.class(), expected, "how the job of this path ended");
    Ok(())
}

fn cancelled(cause: Cause, started: bool) -> Class {
    Class::Cancelled { cause, started }
}

async fn completed(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let gate = Gate::new();
    let handle = bench.submit(&worker, crate_of(census, &gate)).await?;
    bench.quiet(&worker).await?;
    gate.open();
    let outcome = bench.settled(handle).await?;
    ended(&outcome, Class::Completed)?;
    ensure_eq!(census.alive(), 1, "values alive while the reader holds the result");
    drop(outcome);
    Ok(Some(worker))
}

async fn completed_unread(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let gate = Gate::new();
    drop(bench.submit(&worker, crate_of(census, &gate)).await?);
    gate.open();
    let after = bench.submit(&worker, crate_of(census, &gate)).await?;
    bench.until("the job settles", || after.is_finished()).await?;
    drop(after);
    Ok(Some(worker))
}

async fn failed(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    for read in [true, false] {
        let (captured, error) = (census.probe(), census.probe());
        let job = Job::fallible(async move {
            let _captured = captured;
            Err::<(), Probe>(error)
        });
        let handle = bench.submit(&worker, job).await?;
        if read {
            ended(&bench.settled(handle).await?, Class::Failed)?;
        }
    }
    bench.until("both settle", || worker.counts().failed == 2).await?;
    Ok(Some(worker))
}

async fn cancelled_in_the_queue(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let (worker, gate, first) = held(bench, WorkerConfig::new()).await?;
    let handle = bench.submit(&worker, crate_of(census, &gate)).await?;
    handle.cancel();
    ended(&bench.settled(handle).await?, cancelled(Cause::REQUESTED, false))?;
    census.each_once("a job cancelled in the queue, before a lane was free")?;
    gate.open();
    bench.settled(first).await?;
    Ok(Some(worker))
}

async fn cancelled_while_running(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let handle = bench.submit(&worker, crate_of(census, &Gate::new())).await?;
    bench.quiet(&worker).await?;
    handle.cancel();
    ended(&bench.settled(handle).await?, cancelled(Cause::REQUESTED, true))?;
    Ok(Some(worker))
}

async fn returned_within_its_grace(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let gate = Gate::new();
    let handle = bench.submit(&worker, crate_of(census, &gate).grace(Duration::from_secs(9))).await?;
    bench.quiet(&worker).await?;
    handle.cancel();
    bench.advance(&worker, Duration::from_secs(1)).await?;
    gate.open();
    ended(&bench.settled(handle).await?, Class::Completed)?;
    Ok(Some(worker))
}

async fn cut_off_after_its_grace(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let job = crate_of(census, &Gate::new()).grace(Duration::from_secs(9));
    let handle = bench.submit(&worker, job).await?;
    bench.quiet(&worker).await?;
    handle.cancel();
    bench.advance(&worker, Duration::from_secs(9)).await?;
    ended(&bench.settled(handle).await?, cancelled(Cause::REQUESTED, true))?;
    Ok(Some(worker))
}

async fn out_of_time_in_the_queue(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let (worker, gate, first) = held(bench, WorkerConfig::new()).await?;
    let handle = bench.submit(&worker, crate_of(census, &gate).queue_timeout(Duration::from_secs(1))).await?;
    bench.advance(&worker, Duration::from_secs(1)).await?;
    ended(&bench.settled(handle).await?, Class::TimedOut(Phase::Queued))?;
    gate.open();
    bench.settled(first).await?;
    Ok(Some(worker))
}

async fn out_of_time_while_running(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let job = crate_of(census, &Gate::new()).run_timeout(Duration::from_secs(1));
    let handle = bench.submit(&worker, job).await?;
    bench.advance(&worker, Duration::from_secs(1)).await?;
    ended(&bench.settled(handle).await?, Class::TimedOut(Phase::Running))?;
    Ok(Some(worker))
}

async fn late(bench: &Bench, census: &Census, policy: LatePolicy) -> Result<(Worker, Outcome<Probe>), Flaw> {
    let worker = bench.worker(one_lane())?;
    let gate = Gate::new();
    let job = crate_of(census, &gate).run_timeout(Duration::from_secs(1)).grace(Duration::from_secs(5)).late(policy);
    let handle = bench.submit(&worker, job).await?;
    bench.advance(&worker, Duration::from_secs(2)).await?;
    gate.open();
    let outcome = bench.settled(handle).await?;
    ended(&outcome, Class::TimedOut(Phase::Running))?;
    Ok((worker, outcome))
}

async fn late_and_marked(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let (worker, outcome) = late(bench, census, LatePolicy::Mark).await?;
    ensure!(matches!(outcome, Outcome::TimedOut { late: Some(_), .. }), "the late value is missing: {outcome:?}");
    Ok(Some(worker))
}

async fn late_and_discarded(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let (worker, _outcome) = late(bench, census, LatePolicy::Discard).await?;
    ensure_eq!(worker.counts().late_discarded, 1, "late values that the worker says it has dropped");
    census.each_once("a late value that was discarded")?;
    Ok(Some(worker))
}

async fn evicted(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let config = WorkerConfig::new().capacity(1).full(FullPolicy::EvictLowest);
    let (worker, gate, first) = held(bench, config).await?;
    let victim = bench.submit(&worker, crate_of(census, &gate)).await?;
    let better = bench.submit(&worker, crate_of(census, &gate).priority(Priority::High)).await?;
    ended(&bench.settled(victim).await?, cancelled(Cause::EVICTED, false))?;
    gate.open();
    bench.settled(first).await?;
    ended(&bench.settled(better).await?, Class::Completed)?;
    Ok(Some(worker))
}

async fn came_back(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let (worker, gate, first) = held(bench, WorkerConfig::new().capacity(1).full(FullPolicy::Reject)).await?;
    let queued = bench.submit(&worker, Job::task(async {})).await?;
    let full = worker.try_submit(crate_of(census, &gate)).err().ok_or_else(accepted)?;
    let again = worker.submit(full.job).await.err().ok_or_else(accepted)?;
    worker.close();
    let closed = worker.try_submit(again.job).err().ok_or_else(accepted)?;
    ensure_eq!(census.dropped(), 0, "values of a job that came back three times, dropped by the worker");
    drop(closed);
    census.each_once("a job that came back and was dropped by its submitter")?;
    gate.open();
    bench.settled(first).await?;
    bench.settled(queued).await?;
    Ok(Some(worker))
}

fn accepted() -> Flaw {
    Flaw::Broken("a job was accepted by a worker that was full or closed".to_owned())
}

async fn never_submitted(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let gate = Gate::new();
    drop(crate_of(census, &gate));
    drop(worker.submit(crate_of(census, &gate)));
    drop(Job::call({
        let probe = census.probe();
        move |_| drop(probe)
    }));
    Ok(Some(worker))
}

async fn dropped_in_line(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let (worker, gate, first) = held(bench, WorkerConfig::new().capacity(1)).await?;
    let queued = bench.submit(&worker, Job::task(async {})).await?;
    let recorder = crate::Recorder::new();
    let mut waits: Vec<_> = (0..3).map(|_| Box::pin(worker.submit(crate_of(census, &gate)))).collect();
    for wait in &mut waits {
        ensure!(crate::poll(wait.as_mut(), &recorder.waker()).is_pending(), "a submit to a full queue did not wait");
    }
    drop(waits.pop());
    // The first of the others is granted the place, and is dropped without coming for it; the last is turned away.
    gate.open();
    bench.settled(first).await?;
    bench.settled(queued).await?;
    drop(waits.remove(0));
    worker.close();
    drop(waits);
    Ok(Some(worker))
}

async fn aborted(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let gate = Gate::new();
    let running = bench.submit(&worker, crate_of(census, &gate)).await?;
    bench.quiet(&worker).await?;
    let queued = bench.submit(&worker, crate_of(census, &gate)).await?;
    drop(bench.submit(&worker, crate_of(census, &gate)).await?);
    bench.within("the abort ends", worker.shutdown(Shutdown::Abort)).await?;
    census.each_once("jobs of an aborted worker, at the end of the wait")?;
    ended(&bench.settled(running).await?, cancelled(Cause::SHUTDOWN, true))?;
    ended(&bench.settled(queued).await?, cancelled(Cause::SHUTDOWN, false))?;
    Ok(Some(worker))
}

async fn worker_dropped(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let gate = Gate::new();
    let running = bench.submit(&worker, crate_of(census, &gate)).await?;
    bench.quiet(&worker).await?;
    let queued = bench.submit(&worker, crate_of(census, &gate)).await?;
    drop(worker);
    ended(&bench.settled(running).await?, cancelled(Cause::SHUTDOWN, true))?;
    ended(&bench.settled(queued).await?, cancelled(Cause::SHUTDOWN, false))?;
    Ok(None)
}

async fn attendants_dropped(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let gate = Gate::new();
    for polled in [false, true] {
        let (worker, mut crew) = Crew::new(bench, one_lane())?;
        let handles = [(); 3].map(|()| worker.try_submit(crate_of(census, &gate)).map_err(refused));
        if polled {
            crew.settle_down()?;
        }
        drop(crew);
        for (place, handle) in handles.into_iter().enumerate() {
            let outcome = bench.settled(handle?).await?;
            ended(&outcome, cancelled(Cause::SHUTDOWN, polled && place == 0))?;
        }
    }
    Ok(None)
}

async fn runtime_stopped(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let doomed = bench.doomed_worker(one_lane())?;
    let gate = Gate::new();
    let running = bench.submit(&doomed.worker, crate_of(census, &gate)).await?;
    bench.until("the job runs", || doomed.worker.running() == 1).await?;
    let queued = bench.submit(&doomed.worker, crate_of(census, &gate)).await?;
    let worker = doomed.stop(bench).await?;
    drop((bench.settled(running).await?, bench.settled(queued).await?));
    Ok(Some(worker))
}

async fn callbacks(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let gate = Gate::new();
    let handle = bench.submit(&worker, crate_of(census, &gate)).await?;
    let capture = || {
        let probe = census.probe();
        move |_| drop(probe)
    };
    handle.on_done(capture());
    let token = countermand_core::Token::new();
    drop(token.on_cancel({
        let probe = census.probe();
        move |_| drop(probe)
    }));
    gate.open();
    bench.until("the job settles", || handle.is_finished()).await?;
    bench.quiet(&worker).await?;
    handle.on_done(capture());
    drop(handle);
    drop(token);
    Ok(Some(worker))
}

/// A task that panics when its gate is open; what it captured is not dropped by the panic itself, as variables of an async block are.
struct Doomed<C> {
    pass: Pass,
    payload: Option<Probe>,
    _cargo: Pin<Box<C>>,
}

impl<C> Future for Doomed<C> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Pin::new(&mut self.pass).poll(cx).is_ready() {
            std::panic::panic_any(self.payload.take());
        }
        Poll::Pending
    }
}

async fn panicked(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    for (first_poll, read) in [(true, true), (false, true), (false, false)] {
        let (gate, payload) = (Gate::new(), census.probe());
        let cargo = Box::pin(cargo(census, &Gate::new()));
        let job = Job::task(Doomed { pass: gate.wait(), payload: Some(payload), _cargo: cargo });
        if first_poll {
            gate.open();
        }
        let handle: Handle<()> = bench.submit(&worker, job).await?;
        bench.quiet(&worker).await?;
        gate.open();
        if read {
            ended(&bench.settled(handle).await?, Class::Panicked)?;
        }
    }
    bench.until("all settle", || worker.counts().panicked == 3).await?;
    Ok(Some(worker))
}

async fn panicked_before_its_future(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let captured = census.probe();
    let job = Job::task_with(move |_| -> std::future::Ready<()> {
        let _captured = captured;
        panic!("planted");
    });
    ended(&bench.settled(bench.submit(&worker, job).await?).await?, Class::Panicked)?;
    Ok(Some(worker))
}

/// A task that goes off when it is dropped as a whole. (A value that goes off inside of the poll takes the result with it: that is the
/// language's doing.)
struct Armed {
    cargo: Pin<Box<dyn Future<Output = Probe> + Send>>,
    _bomb: Probe,
}

impl Future for Armed {
    type Output = Probe;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Probe> {
        self.cargo.as_mut().poll(cx)
    }
}

async fn destructor_panicked(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let (worker, gate, first) = held(bench, WorkerConfig::new()).await?;
    let bomb = || census.probe_with(|| std::panic::panic_any("planted"));
    let job = |gate: &Gate| Job::task(Armed { cargo: Box::pin(cargo(census, gate)), _bomb: bomb() });
    let queued = bench.submit(&worker, job(&gate)).await?;
    queued.cancel();
    ended(&bench.settled(queued).await?, Class::Panicked)?;
    gate.open();
    bench.settled(first).await?;
    let running = bench.submit(&worker, job(&Gate::new())).await?;
    bench.quiet(&worker).await?;
    running.cancel();
    ended(&bench.settled(running).await?, Class::Panicked)?;
    // It returns, and then a destructor panics: the result is nobody's, and is dropped as well.
    let returning = bench.submit(&worker, job(&gate)).await?;
    ended(&bench.settled(returning).await?, Class::Panicked)?;
    // A result that nobody reads.
    let output = bomb();
    drop(bench.submit(&worker, Job::task(async move { output })).await?);
    bench.until("the last one settles", || worker.counts().completed == 2).await?;
    let unread = Mutex::new(Some(bench.submit(&worker, Job::task(std::future::ready(bomb()))).await?));
    bench.until("the last one settles", || worker.counts().completed == 3).await?;
    bench.quiet(&worker).await?;
    let _ = quietly(|| drop(unread));
    Ok(Some(worker))
}

async fn call_completed(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let (captured, value) = (census.probe(), census.probe());
    let job = Job::call(move |_| {
        let _captured = captured;
        value
    });
    ended(&bench.settled(bench.submit(&worker, job).await?).await?, Class::Completed)?;
    Ok(Some(worker))
}

async fn call_detached(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let error = census.probe();
    drop(bench.submit(&worker, Job::fallible_call(move |_| Err::<(), Probe>(error))).await?);
    bench.until("the call settles", || worker.counts().failed == 1).await?;
    Ok(Some(worker))
}

async fn call_cancelled_in_the_queue(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let (worker, gate, first) = held(bench, WorkerConfig::new()).await?;
    let captured = census.probe();
    let handle = bench.submit(&worker, Job::call(move |_| drop(captured))).await?;
    handle.cancel();
    ended(&bench.settled(handle).await?, cancelled(Cause::REQUESTED, false))?;
    gate.open();
    bench.settled(first).await?;
    Ok(Some(worker))
}

async fn call_abandoned(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let (begun, gate) = (Gate::new(), Gate::new());
    let (open, held, value) = (begun.clone(), gate.clone(), census.probe());
    let job = Job::call(move |_| {
        open.open();
        held.wait_blocking();
        value
    });
    let handle = bench.submit(&worker, job.abandonable().run_timeout(Duration::from_secs(1))).await?;
    bench.within("the call begins", begun.wait()).await?;
    bench.advance(&worker, Duration::from_secs(1)).await?;
    ended(&bench.settled(handle).await?, Class::Abandoned)?;
    ensure_eq!(census.dropped(), 0, "values dropped of an abandoned call that goes on");
    gate.open();
    bench.until("the lane is free", || worker.running() == 0).await?;
    census.each_once("the value of an abandoned call, when its lane is free")?;
    Ok(Some(worker))
}

async fn call_that_panics(bench: &Bench, census: &Census) -> Result<Option<Worker>, Flaw> {
    let worker = bench.worker(one_lane())?;
    let (captured, payload) = (census.probe(), Arc::new(Mutex::new(Some(census.probe()))));
    let job = Job::call(move |_| -> () {
        let _captured = captured;
        std::panic::panic_any(payload);
    });
    ended(&bench.settled(bench.submit(&worker, job).await?).await?, Class::Panicked)?;
    Ok(Some(worker))
}
