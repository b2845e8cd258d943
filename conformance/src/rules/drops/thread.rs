//! Who drops a task.

use std::prelude::v1::*;
use std::thread::{self, ThreadId};
use std::time::Duration;

use countermand_core::{FullPolicy, Job, Priority, Shutdown, Token, Worker, WorkerConfig};

use crate::rules::crew::{Crew, all_settled, refused};
use crate::{Bench, Census, Check, Flaw, Gate, ensure, ensure_eq};

type Act = Box<dyn FnOnce(Worker) + Send>;

/// The ways in which a thread that is none of the worker's asks a job to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    CancelsIt,
    DropsItsHandle,
    CancelsItsParent,
    ExpiresItsParent,
    EvictsIt,
    AbortsItsWorker,
    DropsItsWorker,
}

const WAYS: [Way; 7] = [
    Way::CancelsIt,
    Way::DropsItsHandle,
    Way::CancelsItsParent,
    Way::ExpiresItsParent,
    Way::EvictsIt,
    Way::AbortsItsWorker,
    Way::DropsItsWorker,
];

pub(super) async fn x3_dropped_by_the_worker(bench: &Bench) -> Check {
    let mut runs = 0;
    for way in WAYS {
        for queued in [true, false] {
            // Only a queued job is ever evicted.
            if way != Way::EvictsIt || queued {
                on_the_host(bench, way, queued).await?;
                by_hand(bench, way, queued).await?;
                runs += 2;
            }
        }
    }
    Ok(runs)
}

fn config() -> WorkerConfig {
    WorkerConfig::new().lanes(1).drivers(1).capacity(2).full(FullPolicy::EvictLowest)
}

/// Submits the victim, for a queued one behind another job, and says what the thread is to do.
fn scene(worker: &Worker, gate: &Gate, census: &Census, way: Way, queued: bool) -> Result<Act, Flaw> {
    if queued {
        drop(worker.try_submit(Job::task(gate.wait()).priority(Priority::High)).map_err(refused)?);
    }
    let (probe, pass) = (census.probe(), gate.wait());
    let later = worker.now().checked_add(Duration::from_secs(3_600)).unwrap_or_default();
    let parent = Token::with_deadline(later);
    let job = Job::task(async move {
        let _probe = probe;
        pass.await;
    });
    let job = match way {
        Way::DropsItsHandle => job.cancel_on_drop(),
        Way::CancelsItsParent | Way::ExpiresItsParent => job.parent(&parent),
        _ => job,
    };
    let handle = worker.try_submit(job.priority(Priority::Low)).map_err(refused)?;
    Ok(Box::new(move |worker| match way {
        Way::CancelsIt => _ = handle.cancel(),
        Way::DropsItsHandle => drop(handle),
        Way::CancelsItsParent => _ = parent.cancel(),
        Way::ExpiresItsParent => _ = parent.expire_due(later),
        Way::EvictsIt => drop(worker.try_submit(Job::task(async {}).priority(Priority::High))),
        Way::AbortsItsWorker => drop(worker.shutdown(Shutdown::AbortWithin(Duration::ZERO))),
        Way::DropsItsWorker => drop(worker),
    }))
}

/// Takes the last place of the queue, so that one more job must evict.
fn fill(worker: &Worker, gate: &Gate) -> Result<(), Flaw> {
    worker.try_submit(Job::task(gate.wait()).priority(Priority::High)).map(drop).map_err(refused)
}

/// Has a thread do it, and says which. If it drops its worker, it drops the last handle of it.
async fn ask(bench: &Bench, way: Way, act: Act, worker: Worker) -> Result<(ThreadId, Option<Worker>), Flaw> {
    let (own, theirs) = if way == Way::DropsItsWorker { (None, worker) } else { (Some(worker.clone()), worker) };
    let act = move || {
        act(theirs);
        thread::current().id()
    };
    Ok((bench.on_thread(&format!("a thread asks a job to stop: {way:?}"), act).await?, own))
}

async fn on_the_host(bench: &Bench, way: Way, queued: bool) -> Result<(), Flaw> {
    let worker = bench.worker(config())?;
    let (gate, census) = (Gate::new(), Census::new());
    if queued {
        // The lane is taken before the victim comes.
        drop(bench.submit(&worker, Job::task(gate.wait())).await?);
        bench.quiet(&worker).await?;
    }
    let act = scene(&worker, &gate, &census, way, false)?;
    if way == Way::EvictsIt {
        fill(&worker, &gate)?;
    }
    bench.quiet(&worker).await?;
    let (thread, worker) = ask(bench, way, act, worker).await?;
    bench.until(&format!("{way:?} has the task dropped (queued: {queued})"), || census.alive() == 0).await?;
    census.each_once("a task that was asked to stop")?;
    ensure!(!census.any_on(thread), "{way:?}: the task (queued: {queued}) was dropped on the thread that asked");
    gate.open();
    if let Some(worker) = worker {
        let accepted = worker.counts().accepted;
        all_settled(bench, &worker, accepted).await?;
    }
    Ok(())
}

/// The attendants are polled on this thread and nowhere else: then this is where the task is dropped, and not before they are.
async fn by_hand(bench: &Bench, way: Way, queued: bool) -> Result<(), Flaw> {
    let (worker, mut crew) = Crew::new(bench, config())?;
    let (gate, census) = (Gate::new(), Census::new());
    let act = scene(&worker, &gate, &census, way, queued)?;
    crew.settle_down()?;
    if way == Way::EvictsIt {
        fill(&worker, &gate)?;
    }
    let (_, worker) = ask(bench, way, act, worker).await?;
    ensure_eq!(census.dropped(), 0, "{way:?}: tasks (queued: {queued}) dropped before an attendant was polled");
    crew.settle_down()?;
    census.each_once("a task that was asked to stop")?;
    let here = thread::current().id();
    ensure!(census.any_on(here), "{way:?}: the task (queued: {queued}) was dropped elsewhere than where its worker is");
    gate.open();
    crew.settle_down()?;
    drop(worker);
    Ok(())
}
