//! How jobs ended, as a router's sinks hear of it: each once.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use countermand_core::{
    Class, Event, Handle, Intake, Job, JobId, JobInfo, Level, Observer, Priority, Reporter, Settled, Shutdown, Source,
    WorkerConfig,
};

use super::body::Body;
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

/// Tells a router how each job ended.
struct Reports(Reporter<Body>);

impl Observer for Reports {
    fn settled(&self, job: &JobInfo, settled: &Settled) {
        let level = if settled.class == Class::Panicked { Level::Critical } else { Level::Info };
        let event =
            Event::new("job.ended", level).with("id", job.id.get()).with("class", format_args!("{:?}", settled.class));
        self.0.take(&event);
    }
}

async fn a_mix(bench: &Bench, random: &mut fastrand::Rng) -> Check {
    let office = Office::open(bench, rooms(10_000), streams()).await?;
    let clock = office.worker.clone();
    let reporter = office.router.reporter(Source::of("jobs"), random.u64(..), move || clock.now());
    let observer: Arc<dyn Observer> = Arc::new(Reports(reporter));
    let worker = bench.worker(WorkerConfig::new().lanes(3).drivers(1).observer(observer))?;
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
        plan.push(End::Abandoned);
    }
    let mut handles: Vec<Handle<(), ()>> = Vec::new();
    for end in plan.iter().copied() {
        handles.push(one(bench, &worker, end, &left).await?);
    }
    bench.advance(&worker, secs(60)).await?;
    // Some are still there when the worker is shut down: a running one, and some that wait for its lane.
    for _ in 0..random.usize(4..8) {
        plan.push(End::ByTheShutdown);
        handles.push(bench.submit(&worker, job(End::ByTheShutdown, &left)).await?);
    }
    bench.quiet(&worker).await?;
    let ids: Vec<JobId> = handles.iter().map(Handle::id).collect();
    let shutdown = worker.shutdown(Shutdown::Abort);
    left.open();
    bench.within("an abort is over", shutdown).await?;
    let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, handle) in ids.iter().zip(handles) {
        let class = bench.settled(handle).await?.class();
        expected.entry(id.get().to_string()).or_default().push(format!("{class:?}"));
    }
    office.drain(bench).await?;
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for sink in [NORMAL, EMERGENCY] {
        for event in office.sinks[sink].had_events("job.ended") {
            let [id, class] = ["id", "class"].map(|key| event.attribute(key).unwrap_or_default().to_owned());
            told.entry(id).or_default().push(class);
        }
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

fn job(end: End, left: &Gate) -> Job<impl countermand_core::Work<Value = (), Error = ()> + use<>> {
    let _ = left;
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
            let handle = bench.submit(worker, job(end, left)).await?;
            // Whether it is in a lane by now or not, it ends once.
            bench.yield_now().await;
            handle.cancel();
            Ok(handle)
        }
        End::CancelledQueued => {
            let handle = bench.submit(worker, job(end, left).priority(Priority::Low)).await?;
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
        _ => bench.submit(worker, job(end, left)).await,
    }
}
