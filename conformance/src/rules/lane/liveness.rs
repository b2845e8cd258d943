//! Nobody calls shutdown, and every job ends all the same.

use std::prelude::v1::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countermand_core::{Job, Priority, Worker, WorkerConfig};

use super::timers::by_the_hosts_timers;
use crate::rules::crew::{Crew, all_settled, books_are_right, refused};
use crate::{Bench, Check, Flaw, Gate, Profile, ensure, ensure_eq};

pub(super) async fn l6_all_jobs_finish_without_a_shutdown(bench: &Bench) -> Check {
    crate::rules::queue::items::l6_wakes_are_passed_on()?;
    let mut runs = 0;
    for drivers in [2, 3] {
        needing_each_other(bench, drivers).await?;
        needing_each_other_by_hand(bench, drivers)?;
        runs += 2;
    }
    runs += by_the_hosts_timers(bench).await?;
    runs += crowd(bench).await?;
    if bench.has(Profile::NONE.threads()) {
        runs += from_many_threads(bench).await?;
    }
    Ok(runs)
}

/// Jobs that end only if the others run at the same time: each opens a gate of its own and waits for those of the others.
fn circle(worker: &Worker, count: usize) -> Result<Vec<countermand_core::Handle<()>>, Flaw> {
    let gates: Vec<Gate> = (0..count).map(|_| Gate::new()).collect();
    let member = |place: usize| {
        let gates = gates.clone();
        Job::task(async move {
            gates[place].open();
            for gate in &gates {
                gate.wait().await;
            }
        })
    };
    (0..count).map(|place| worker.try_submit(member(place)).map_err(refused)).collect()
}

async fn needing_each_other(bench: &Bench, drivers: usize) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(drivers).drivers(drivers))?;
    let rounds = bench.rounds(20);
    for _ in 0..rounds {
        for handle in circle(&worker, drivers)? {
            bench.settled(handle).await?;
        }
    }
    all_settled(bench, &worker, rounds * drivers as u64).await
}

/// The same in the hardest order: all are submitted before any driver moves.
fn needing_each_other_by_hand(bench: &Bench, drivers: usize) -> Result<(), Flaw> {
    let (worker, mut crew) = Crew::new(bench, WorkerConfig::new().lanes(drivers).drivers(drivers))?;
    crew.settle_down()?;
    for round in 0..4 {
        let handles = circle(&worker, drivers)?;
        crew.settle_down()?;
        let left = handles.iter().filter(|handle| !handle.is_finished()).count();
        ensure_eq!(left, 0, "round {round}: of {drivers} jobs in as many lanes, those that nobody woke a driver for");
    }
    books_are_right(&worker, 4 * drivers as u64)
}

/// Jobs of every kind, more than there are lanes or places.
async fn crowd(bench: &Bench) -> Check {
    let worker = bench.worker(WorkerConfig::new().lanes(6).drivers(3).capacity(8))?;
    let mut random = bench.random();
    let jobs = bench.rounds(300);
    let ended = Arc::new(AtomicU64::new(0));
    let mut cancelled = 0;
    let threads = bench.has(Profile::NONE.threads());
    for number in 0..jobs {
        let (ended, yields, kind) = (Arc::clone(&ended), random.u32(0..5), random.u32(0..8));
        let priority = Priority::ALL[random.usize(0..Priority::COUNT)];
        let job = Job::task_with(move |context| async move {
            for _ in 0..yields {
                context.yield_now().await;
            }
            if kind == 0 {
                // Somebody else's thread wakes it.
                let gate = Gate::new();
                let opener = gate.clone();
                if threads {
                    std::thread::spawn(move || opener.open());
                } else {
                    opener.open();
                }
                gate.wait().await;
            }
            ended.fetch_add(1, Ordering::SeqCst);
        });
        let job = if kind == 1 { job.cancel_on_drop() } else { job };
        let handle = bench.submit(&worker, job.priority(priority).name(format!("number {number}"))).await?;
        if kind == 1 || kind == 2 {
            cancelled += u64::from(handle.cancel());
        }
    }
    all_settled(bench, &worker, jobs).await?;
    let (ended, counts) = (ended.load(Ordering::SeqCst), worker.counts());
    ensure_eq!(counts.completed, ended, "completed jobs in the books, and jobs that came to their end");
    ensure!(
        ended + cancelled >= jobs,
        "{ended} of {jobs} jobs came to their end, though only {cancelled} were cancelled"
    );
    Ok(jobs)
}

/// Several threads submit at once, and wait.
async fn from_many_threads(bench: &Bench) -> Check {
    const THREADS: u64 = 4;
    let worker = bench.worker(WorkerConfig::new().lanes(4).drivers(2).capacity(3))?;
    let each = bench.rounds(40);
    let submit = |worker: Worker| {
        move || {
            let mut sum = 0;
            for number in 0..each {
                let job = Job::task_with(move |context| async move {
                    context.yield_now().await;
                    number
                });
                let handle = worker.submit_blocking(job).map_err(|rejected| format!("{:?}", rejected.reason))?;
                let outcome = handle.wait().map_err(|error| format!("{:?}", error.reason))?;
                sum += outcome.completed().ok_or("a job did not complete")?;
            }
            Ok::<u64, String>(sum)
        }
    };
    let threads: Vec<_> = (0..THREADS).map(|_| std::thread::spawn(submit(worker.clone()))).collect();
    for thread in threads {
        let joined = bench.on_thread("a submitter ends", move || thread.join()).await?;
        let sum = joined.map_err(|_| Flaw::Broken("a submitter panicked".to_owned()))?.map_err(Flaw::Broken)?;
        ensure_eq!(sum, (0..each).sum::<u64>(), "the sum of what the jobs returned");
    }
    all_settled(bench, &worker, THREADS * each).await?;
    Ok(THREADS * each)
}
