//! How jobs ended, as a router's sinks hear of it: each once.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use countermand_core::{
    Class, Handle, Job, JobId, JobReports, Level, Observer, Priority, Shutdown, Source, WorkerConfig,
};

use super::office::{EMERGENCY, NORMAL, Office, rooms, streams};
use crate::rules::kit::{has, secs};
use crate::{Bench, Check, Flaw, Gate, Profile, ensure_eq};

pub(super) async fn e7_each_settled_job_yields_one_terminal_event(bench: &Bench) -> Check {
    let mut random = bench.random();
    let rounds = bench.rounds(6);
    let mut jobs = 0;
    for _ in 0..rounds {
        jobs += a_mix(bench, &mut random).await?;
    }
    Ok(jobs)
}

/// What a job is made to end as.
#[derive(Clone, Copy, Debug)]
enum End {
    Completes,
    Fails,
    Panics,
    CancelledRunning,
    CancelledQueued,
    OutOfTimeRunning,
    OutOfTimeQueued,
    ByTheShutdown,
    Abandoned,
}

/// The event that tells of this end, and its level: the table of the rule's own.
fn terminal(class: Class) -> (&'static str, Level) {
    match class {
        Class::Completed => ("job.completed", Level::Info),
        Class::Failed => ("job.failed", Level::Error),
        Class::Cancelled { .. } => ("job.cancelled", Level::Warning),
        Class::TimedOut(_) => ("job.timed_out", Level::Error),
        Class::Panicked => ("job.panicked", Level::Critical),
        Class::Abandoned => ("job.abandoned", Level::Critical),
    }
}

async fn a_mix(bench: &Bench, random: &mut fastrand::Rng) -> Check {
    let office = Office::open(bench, rooms(10_000), streams()).await?;
    let clock = office.worker.clone();
    let reporter = office.router.reporter(Source::of("jobs"), random.u64(..), move || clock.now());
    let reports = JobReports::new("jobs", reporter).map_err(|error| Flaw::Broken(error.to_string()))?;
    let observer: Arc<dyn Observer> = Arc::new(reports);
    let worker = bench.worker(WorkerConfig::new().lanes(4).drivers(1).observer(observer))?;
    let mut ends = vec![
        End::Completes,
        End::Fails,
        End::CancelledRunning,
        End::CancelledQueued,
        End::OutOfTimeRunning,
        End::OutOfTimeQueued,
    ];
    if has(bench, Profile::NONE.unwind()) {
        ends.push(End::Panics);
    }
    let mut plan: Vec<End> = (0..random.usize(20..60)).map(|_| ends[random.usize(0..ends.len())]).collect();
    let left = Gate::new();
    if has(bench, Profile::NONE.blocking()) {
        // It is the first, and holds its lane until the end.
        plan.insert(0, End::Abandoned);
    }
    let mut handles: Vec<Handle<(), ()>> = Vec::new();
    for end in plan.iter().copied() {
        handles.push(one(bench, &worker, end, &left).await?);
    }
    for _ in 0..plan.len() {
        bench.advance(&worker, secs(5)).await?;
    }
    // Some are still there when the worker is shut down: a running one, and some that wait for its lane.
    for _ in 0..random.usize(4..8) {
        plan.push(End::ByTheShutdown);
        handles.push(bench.submit(&worker, job(End::ByTheShutdown)).await?);
    }
    bench.quiet(&worker).await?;
    let ids: Vec<JobId> = handles.iter().map(Handle::id).collect();
    let shutdown = worker.shutdown(Shutdown::Abort);
    left.open();
    bench.within("an abort is over", shutdown).await?;
    let mut expected = BTreeMap::new();
    for (id, handle) in ids.iter().zip(handles) {
        let class = bench.settled(handle).await?.class();
        expected.insert(id.get().to_string(), vec![terminal(class)]);
    }
    office.drain(bench).await?;
    let mut told: BTreeMap<String, Vec<(&str, Level)>> = BTreeMap::new();
    for sight in [NORMAL, EMERGENCY].into_iter().flat_map(|place| office.sinks[place].had()) {
        let Some(event) = sight.event.filter(|event| event.name().starts_with("job.")) else { continue };
        let id = event.attribute("id").unwrap_or_default().to_owned();
        told.entry(id).or_default().push((event.name(), event.level()));
    }
    ensure_eq!(worker.counts().settled(), expected.len() as u64, "jobs that settled, as the worker counts");
    for (place, id) in ids.iter().enumerate() {
        let id = id.get().to_string();
        ensure_eq!(
            told.get(&id),
            expected.get(&id),
            "the terminal events of a job that was to end as {:?}, beside what its handle says",
            plan[place]
        );
    }
    ensure_eq!(told.len(), expected.len(), "jobs of which an event tells");
    office.close(bench).await?;
    Ok(plan.len() as u64)
}

fn job(end: End) -> Job<impl countermand_core::Work<Value = (), Error = ()> + use<>> {
    let job = Job::fallible(async move {
        match end {
            End::Completes => Ok(()),
            End::Fails => Err(()),
            End::Panics => panic!("planted in a job"),
            _ => pending().await,
        }
    });
    match end {
        End::OutOfTimeRunning => job.run_timeout(secs(5)),
        End::OutOfTimeQueued => job.queue_timeout(Duration::ZERO),
        _ => job,
    }
}

/// Submits one and, where that is how it ends, cancels it.
async fn one(bench: &Bench, worker: &countermand_core::Worker, end: End, left: &Gate) -> Result<Handle<(), ()>, Flaw> {
    match end {
        End::CancelledRunning => {
            let handle = bench.submit(worker, job(end)).await?;
            // Whether it is in a lane by now or not, it ends once.
            bench.yield_now().await;
            handle.cancel();
            Ok(handle)
        }
        End::CancelledQueued => {
            let handle = bench.submit(worker, job(end).priority(Priority::Low)).await?;
            handle.cancel();
            Ok(handle)
        }
        End::Abandoned => {
            let (entered, left) = (Gate::new(), left.clone());
            let enter = entered.clone();
            let call = Job::fallible_call(move |_| {
                enter.open();
                left.wait_blocking();
                Ok::<(), ()>(())
            });
            let handle =
                bench.submit(worker, call.run_timeout(secs(5)).abandonable().priority(Priority::Critical)).await?;
            bench.until("a call runs", || entered.is_open() || handle.is_finished()).await?;
            Ok(handle)
        }
        _ => bench.submit(worker, job(end)).await,
    }
}
