//! How many jobs are in a poll at once.

use std::prelude::v1::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use countermand_core::{Job, JobContext, WorkerConfig};

use crate::rules::crew::{Crew, all_settled, books_are_right, refused, runs_calls};
use crate::{Bench, Check, Flaw, Gate, Profile, ensure, ensure_eq};

/// Counts who is inside.
#[derive(Clone, Default)]
struct Room {
    inside: Arc<AtomicU64>,
    most: Arc<AtomicU64>,
}

impl Room {
    /// Goes in, waits a moment for company up to `lanes`, and goes out.
    fn visit(&self, lanes: u64) {
        let now = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        for _ in 0..64 {
            // One more than allowed would be seen by whoever comes in last.
            if self.inside.load(Ordering::SeqCst) > lanes {
                break;
            }
            thread::yield_now();
        }
        self.inside.fetch_sub(1, Ordering::SeqCst);
    }

    /// Goes in, and out when `lanes` are inside: that so many can be in a poll at once is shown and not hoped for.
    fn meet(&self, lanes: u64, all: &Gate) {
        let now = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        if now >= lanes {
            all.open();
        }
        all.wait_blocking();
        self.inside.fetch_sub(1, Ordering::SeqCst);
    }

    fn most(&self) -> u64 {
        self.most.load(Ordering::SeqCst)
    }
}

pub(super) async fn l1_never_more_in_a_poll_than_lanes(bench: &Bench) -> Check {
    let mut runs = 0;
    for (lanes, drivers) in [(1, 1), (2, 2), (3, 3), (3, 2), (5, 2)] {
        runs += on_the_host(bench, lanes, drivers).await?;
        waiting_ones(bench, lanes, drivers).await?;
        runs += 1;
    }
    if bench.has(Profile::NONE.threads()) {
        for lanes in [1, 2, 3] {
            runs += on_own_threads(bench, lanes).await?;
        }
    }
    if runs_calls(bench) {
        calls(bench).await?;
        runs += 1;
    }
    Ok(runs)
}

async fn visitor(context: JobContext, room: Room, lanes: u64) {
    for _ in 0..4 {
        room.visit(lanes);
        context.yield_now().await;
    }
}

async fn on_the_host(bench: &Bench, lanes: usize, drivers: usize) -> Result<u64, Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(lanes).drivers(drivers).capacity(64))?;
    let room = Room::default();
    let jobs = bench.rounds(24);
    for _ in 0..jobs {
        let room = room.clone();
        drop(bench.submit(&worker, Job::task_with(move |context| visitor(context, room, lanes as u64))).await?);
    }
    all_settled(bench, &worker, jobs).await?;
    ensure!(room.most() <= lanes as u64, "{} jobs were in a poll at once, in {lanes} lanes", room.most());
    Ok(jobs)
}

/// Of jobs that wait, only as many as there are lanes were ever polled.
async fn waiting_ones(bench: &Bench, lanes: usize, drivers: usize) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(lanes).drivers(drivers))?;
    let (gate, polled) = (Gate::new(), Arc::new(AtomicU64::new(0)));
    for _ in 0..lanes + 4 {
        let (pass, polled) = (gate.wait(), Arc::clone(&polled));
        let job = Job::task(async move {
            polled.fetch_add(1, Ordering::SeqCst);
            pass.await;
        });
        drop(bench.submit(&worker, job).await?);
    }
    bench.quiet(&worker).await?;
    ensure_eq!(polled.load(Ordering::SeqCst), lanes as u64, "jobs polled in {lanes} lanes, of which none ends");
    ensure_eq!((worker.running(), worker.queued()), (lanes, 4), "running and queued");
    gate.open();
    all_settled(bench, &worker, lanes as u64 + 4).await
}

/// Each driver on a thread of its own, whatever the host does, so that polls do overlap: the first jobs meet in theirs.
async fn on_own_threads(bench: &Bench, lanes: u64) -> Result<u64, Flaw> {
    let config = WorkerConfig::new().lanes(lanes as usize).drivers(lanes as usize).capacity(256);
    let (worker, mut crew) = Crew::new(bench, config)?;
    let room = Room::default();
    let all = Gate::new();
    for _ in 0..lanes {
        let (room, all) = (room.clone(), all.clone());
        drop(worker.try_submit(Job::task(async move { room.meet(lanes, &all) })).map_err(refused)?);
    }
    let jobs = lanes + bench.rounds(40);
    for _ in lanes..jobs {
        let room = room.clone();
        let job = Job::task_with(move |context| visitor(context, room, lanes));
        drop(worker.try_submit(job).map_err(refused)?);
    }
    let over = Arc::new(AtomicBool::new(false));
    let mut threads = Vec::new();
    while crew.present() > 1 {
        let (mut driver, over) = (crew.give_away(0), Arc::clone(&over));
        let caller = driver.caller();
        let thread = thread::spawn(move || {
            driver.live_here(|| over.load(Ordering::SeqCst));
            driver
        });
        threads.push((caller, thread));
    }
    let settled = || worker.counts().settled() == jobs;
    let result = bench.until("the jobs of drivers on their own threads settle", settled).await;
    over.store(true, Ordering::SeqCst);
    for (caller, thread) in threads {
        caller.wake();
        let driver = bench.on_thread("a driver's thread ends", move || thread.join()).await?;
        crew.take_in(driver.map_err(|_| Flaw::Broken("a driver's thread panicked".to_owned()))?);
    }
    result?;
    crew.settle_down()?;
    ensure_eq!(room.most(), lanes, "jobs in a poll at once, in {lanes} lanes of as many threads");
    books_are_right(&worker, jobs)?;
    Ok(jobs)
}

/// Closures count as well: one that runs has its lane.
async fn calls(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(2).drivers(1))?;
    let (gate, inside) = (Gate::new(), Arc::new(AtomicU64::new(0)));
    for _ in 0..5 {
        let (gate, inside) = (gate.clone(), Arc::clone(&inside));
        let job = Job::call(move |_| {
            inside.fetch_add(1, Ordering::SeqCst);
            gate.wait_blocking();
        });
        drop(bench.submit(&worker, job).await?);
    }
    bench.until("two calls begin", || inside.load(Ordering::SeqCst) >= 2).await?;
    bench.quiet(&worker).await?;
    for _ in 0..50 {
        bench.yield_now().await;
    }
    ensure_eq!(inside.load(Ordering::SeqCst), 2, "closures running in two lanes");
    ensure_eq!((worker.running(), worker.queued()), (2, 3), "running and queued");
    gate.open();
    all_settled(bench, &worker, 5).await
}
