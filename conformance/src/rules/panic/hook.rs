//! Users' code that the worker calls, and that panics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countermand_core::{
    Cause, Class, FullPolicy, Job, JobInfo, Observer, Phase, Priority, RejectReason, Settled, Worker, WorkerConfig,
};

use crate::rules::crew::{Crew, all_settled, quietly, refused, runs_calls};
use crate::{Bench, Census, Check, Flaw, Gate, Recorder, Touch, ensure, ensure_eq, poll};

/// Panics in every hook, unless it is harmless, and counts how often it is called.
#[derive(Clone, Default)]
struct Bad {
    harmless: bool,
    calls: Arc<AtomicU64>,
    stalls: Arc<AtomicU64>,
}

impl Bad {
    fn go_off(&self) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        assert!(self.harmless, "planted in a hook");
    }

    fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }
}

impl Observer for Bad {
    fn submitted(&self, _: &JobInfo) {
        self.go_off();
    }

    fn started(&self, _: &JobInfo) {
        self.go_off();
    }

    fn settled(&self, _: &JobInfo, _: &Settled) {
        self.go_off();
    }

    fn rejected(&self, _: RejectReason, _: Priority) {
        self.go_off();
    }

    fn evicted(&self, _: &JobInfo) {
        self.go_off();
    }

    fn stalled(&self, _: &JobInfo, _: Duration) {
        self.stalls.fetch_add(1, Ordering::SeqCst);
        self.go_off();
    }
}

pub(super) async fn p4_panics_of_hooks_are_contained_and_counted(bench: &Bench) -> Check {
    observer(bench, Bad::default()).await?;
    // Null control: the same calls of hooks that do not panic.
    observer(bench, Bad { harmless: true, ..Bad::default() }).await?;
    watchdog(bench).await?;
    callbacks(bench).await?;
    values(bench).await?;
    wakers(bench).await?;
    Ok(6)
}

fn contained(worker: &Worker, planted: u64, what: &str) -> Result<(), Flaw> {
    ensure_eq!(worker.counts().contained_panics, planted, "panics counted as contained, of {what}");
    Ok(())
}

async fn observer(bench: &Bench, bad: Bad) -> Result<(), Flaw> {
    let config = WorkerConfig::new().lanes(1).drivers(1).capacity(1).full(FullPolicy::EvictLowest);
    let worker = bench.worker(config.observer(Arc::new(bad.clone())))?;
    let gate = Gate::new();
    let first = bench.submit(&worker, Job::task(gate.wait())).await?;
    bench.quiet(&worker).await?;
    let victim = bench.submit(&worker, Job::task(async {}).priority(Priority::Low)).await?;
    let better = bench.submit(&worker, Job::task(std::future::ready(5)).priority(Priority::High)).await?;
    ensure!(worker.try_submit(Job::task(async {})).is_err(), "a full queue accepted a job of no higher priority");
    let evicted = Class::Cancelled { cause: Cause::EVICTED, started: false };
    ensure_eq!(bench.settled(victim).await?.class(), evicted, "how the evicted job ended under a panicking observer");
    gate.open();
    ensure_eq!(bench.settled(first).await?.class(), Class::Completed, "how the first job ended");
    ensure_eq!(bench.settled(better).await?.completed(), Some(5), "what the better job returned");
    let timed = bench.submit(&worker, Job::task(Gate::new().wait()).run_timeout(Duration::from_secs(1))).await?;
    bench.advance(&worker, Duration::from_secs(1)).await?;
    ensure_eq!(bench.settled(timed).await?.class(), Class::TimedOut(Phase::Running), "how a job ended at its time-out");
    let mut accepted = 4;
    if runs_calls(bench) {
        let call = bench.submit(&worker, Job::call(|_| 8)).await?;
        ensure_eq!(bench.settled(call).await?.completed(), Some(8), "what a call returned");
        accepted += 1;
    }
    all_settled(bench, &worker, accepted).await?;
    // submitted, settled for each; started for all but the victim; one rejected, one evicted.
    ensure_eq!(bad.calls(), accepted * 3 + 1, "calls of the observer's hooks");
    contained(&worker, if bad.harmless { 0 } else { bad.calls() }, "the observer's hooks")
}

/// The keeper calls `stalled`.
async fn watchdog(bench: &Bench) -> Result<(), Flaw> {
    let bad = Bad::default();
    let config = WorkerConfig::new().lanes(1).drivers(1).watchdog(Some(Duration::from_secs(1)));
    let (worker, mut crew) = Crew::new(bench, config.observer(Arc::new(bad.clone())))?;
    let (inside, gate) = (Gate::new(), Gate::new());
    let (enter, held) = (inside.clone(), gate.clone());
    let job = worker.try_submit(Job::task(async move {
        enter.open();
        held.wait_blocking();
    }));
    let mut driver = crew.give_away(0);
    let thread = std::thread::spawn(move || {
        driver.live_here(|| true);
        driver.turn();
        driver
    });
    bench.within("the job is polled", inside.wait()).await?;
    for _ in 0..4 {
        crew.settle_down()?;
        bench.tick(Duration::from_millis(500));
    }
    crew.settle_down()?;
    gate.open();
    let driver = bench.on_thread("the driver comes back", move || thread.join()).await?;
    crew.take_in(driver.map_err(|_| Flaw::Broken("the driver's thread panicked".to_owned()))?);
    crew.settle_down()?;
    ensure!(job.is_ok_and(|job| job.is_finished()), "a job that was reported as stalled did not end");
    ensure_eq!(bad.stalls.load(Ordering::SeqCst), 1, "reports of one stall");
    contained(&worker, bad.calls(), "the hooks and the watchdog's report")
}

async fn callbacks(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let told = Arc::new(AtomicU64::new(0));
    let gate = Gate::new();
    let handle = bench.submit(&worker, Job::task(gate.wait())).await?;
    for _ in 0..3 {
        handle.on_done(|_| panic!("planted in a callback"));
        let told = Arc::clone(&told);
        handle.on_done(move |class| _ = told.fetch_add(u64::from(class == Class::Completed), Ordering::SeqCst));
    }
    gate.open();
    ensure_eq!(bench.settled(handle).await?.class(), Class::Completed, "how a job with panicking callbacks ended");
    bench.quiet(&worker).await?;
    ensure_eq!(told.load(Ordering::SeqCst), 3, "callbacks told that stand behind one that panics");
    contained(&worker, 3, "callbacks of handles")?;
    // Called by the worker itself, at a time-out.
    let job = Job::task_with(|context| {
        let _ = context.token().on_cancel(|_| panic!("planted in a cancel callback"));
        std::future::pending::<()>()
    });
    let handle = bench.submit(&worker, job.run_timeout(Duration::from_secs(1))).await?;
    bench.advance(&worker, Duration::from_secs(1)).await?;
    let class = bench.settled(handle).await?.class();
    ensure_eq!(class, Class::TimedOut(Phase::Running), "how a job with a panicking cancel callback ended");
    contained(&worker, 4, "callbacks of handles and tokens")?;
    let kept = worker.child_with_timeout(Duration::from_secs(1));
    let _ = kept.on_cancel(|_| panic!("planted in a cancel callback"));
    bench.advance(&worker, Duration::from_secs(1)).await?;
    ensure!(kept.is_cancelled(), "the keeper did not keep a deadline");
    contained(&worker, 5, "callbacks of handles, tokens, and tokens that the keeper keeps")?;
    all_settled(bench, &worker, 2).await
}

/// Destructors of values that nobody read.
async fn values(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(1).drivers(1))?;
    let census = Census::new();
    let bomb = || census.probe_with(|| std::panic::panic_any("planted in a value"));
    // Detached before and after its end, and late.
    drop(bench.submit(&worker, Job::task(std::future::ready(bomb()))).await?);
    let handle = bench.submit(&worker, Job::task(std::future::ready(bomb()))).await?;
    bench.until("both settle", || worker.counts().completed == 2).await?;
    bench.quiet(&worker).await?;
    let dropped = quietly(|| drop(handle));
    ensure!(dropped.is_ok(), "the panic of a value that nobody read came out of the drop of its handle");
    let gate = Gate::new();
    let (pass, value) = (gate.wait(), bomb());
    let late = Job::task(async move {
        pass.await;
        value
    });
    let late = late.run_timeout(Duration::from_secs(1)).grace(Duration::from_secs(9));
    let late = bench.submit(&worker, late.late(countermand_core::LatePolicy::Discard)).await?;
    bench.advance(&worker, Duration::from_secs(1)).await?;
    gate.open();
    ensure_eq!(bench.settled(late).await?.class(), Class::TimedOut(Phase::Running), "how a late job ended");
    census.each_once("values that panic")?;
    contained(&worker, 3, "values that nobody read")?;
    let mut accepted = 3;
    if runs_calls(bench) {
        accepted += 1;
        abandoned(bench, &worker).await?;
        contained(&worker, 4, "values, and a call that panicked when it was abandoned")?;
    }
    all_settled(bench, &worker, accepted).await
}

/// A panic of a call that has settled as abandoned is nobody's outcome.
async fn abandoned(bench: &Bench, worker: &Worker) -> Result<(), Flaw> {
    let (begun, gate) = (Gate::new(), Gate::new());
    let (open, held) = (begun.clone(), gate.clone());
    let call = Job::call(move |_| -> () {
        open.open();
        held.wait_blocking();
        panic!("planted in a call");
    });
    let handle = bench.submit(worker, call.abandonable().run_timeout(Duration::from_secs(1))).await?;
    bench.within("the call begins", begun.wait()).await?;
    bench.advance(worker, Duration::from_secs(1)).await?;
    ensure_eq!(bench.settled(handle).await?.class(), Class::Abandoned, "how a call ended that outstayed its time");
    gate.open();
    bench.until("the lane is free", || worker.running() == 0).await
}

/// Wakers of those who wait for a job, for a place, and for the end.
async fn wakers(bench: &Bench) -> Result<(), Flaw> {
    let (worker, mut crew) = Crew::new(bench, WorkerConfig::new().lanes(1).drivers(1).capacity(1))?;
    let gate = Gate::new();
    let mut first = worker.try_submit(Job::task(gate.wait())).map_err(refused)?;
    crew.settle_down()?;
    let queued = worker.try_submit(Job::task(async {})).map_err(refused)?;
    let bad = || {
        Recorder::acting(|touch| {
            if touch == Touch::Wake {
                panic!("planted in a waker");
            }
        })
    };
    let (of_handle, of_submit) = (bad(), bad());
    let pending = poll(std::pin::Pin::new(&mut first), &of_handle.waker()).is_pending();
    let mut submit = Box::pin(worker.submit(Job::task(async {})));
    let waits = poll(submit.as_mut(), &of_submit.waker()).is_pending();
    ensure!(pending && waits, "a handle of a job that waits was ready, or a submit to a full queue");
    gate.open();
    crew.settle_down()?;
    ensure!(first.is_finished() && queued.is_finished(), "jobs do not end when the wakers of those who wait panic");
    ensure_eq!((of_handle.wakes(), of_submit.wakes()), (1, 1), "wakes of the waiting handle and the waiting submit");
    contained(&worker, 2, "wakers")?;
    let std::task::Poll::Ready(Ok(last)) = poll(submit.as_mut(), std::task::Waker::noop()) else {
        return Err(Flaw::Broken("a submit whose waker panicked lost its place".to_owned()));
    };
    crew.settle_down()?;
    ensure!(last.is_finished(), "the last job did not end");
    Ok(())
}
