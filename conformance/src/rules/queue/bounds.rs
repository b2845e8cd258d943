//! How many may be queued, and how many may run.

use std::prelude::v1::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use countermand_core::{FullPolicy, Job, RejectReason, Worker, WorkerConfig};

use super::super::kit::{has, lock};
use super::super::scene::{Held, Roll, Stepped, step};
use crate::{Bench, Check, Flaw, Gate, Profile, SendFuture, ensure, ensure_eq};

/// Counts who is inside, and how many there were at most.
#[derive(Clone, Debug, Default)]
struct Room(Arc<(AtomicUsize, AtomicUsize)>);

struct Guest(Room);

impl Room {
    fn enter(&self) -> Guest {
        let inside = self.0.0.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.1.fetch_max(inside, Ordering::SeqCst);
        Guest(self.clone())
    }

    fn inside(&self) -> usize {
        self.0.0.load(Ordering::SeqCst)
    }

    fn most(&self) -> usize {
        self.0.1.load(Ordering::SeqCst)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.0.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

pub(super) async fn q1_capacity_and_limit_hold(bench: &Bench) -> Check {
    super::items::q1_capacity()?;
    for policy in [FullPolicy::Wait, FullPolicy::Reject, FullPolicy::EvictLowest] {
        let held = Held::new(bench, WorkerConfig::new().capacity(3).full(policy)).await?;
        let roll = Roll::new();
        let mut handles = Vec::new();
        for number in 0..3 {
            handles.push(bench.submit(&held.worker, roll.job(number)).await?);
            ensure_eq!(held.worker.queued(), number as usize + 1, "queued");
        }
        for number in 3..6 {
            let refused = held.worker.try_submit(roll.job(number)).err().map(|rejected| rejected.reason);
            ensure_eq!(refused, Some(RejectReason::Full), "what a job past a capacity of 3 was told under {policy:?}");
            ensure_eq!(held.worker.queued(), 3, "queued under {policy:?}");
        }
        let worker = held.release(bench).await?;
        for handle in handles {
            bench.settled(handle).await?;
        }
        ensure_eq!(roll.begun().len(), 3, "jobs that ran of 3 accepted");
        ensure_eq!((worker.counts().accepted, worker.counts().rejected), (4, 3), "accepted and rejected");
    }
    for (lanes, drivers) in [(1, 1), (3, 2), (5, 2), (4, 4)] {
        limit_of_tasks(bench, lanes, drivers).await?;
        if has(bench, Profile::NONE.blocking()) {
            limit_of_calls(bench, lanes, drivers).await?;
        }
    }
    Ok(capacity_under_a_race(bench)? + places_that_come_and_go(bench)?)
}

/// How long a racer waits for the other one before it goes on alone: long enough for that to be given a processor. On one thread nobody comes.
const PATIENT_SPINS: u32 = if cfg!(feature = "std") { 50_000 } else { 0 };

/// Nobody drives this worker, so what was accepted is what is queued. The two meet before each submit, and there is an odd number of places: so it is the last
/// place that they want at the same time.
fn capacity_under_a_race(bench: &Bench) -> Check {
    struct Field {
        capacity: usize,
        parts: Result<(Worker, Mutex<Vec<SendFuture>>), Flaw>,
        /// How many submits were about to be made.
        come: AtomicUsize,
        accepted: AtomicUsize,
        refused: AtomicUsize,
    }
    let submit = |field: &Field| {
        let Ok((worker, _)) = &field.parts else { return };
        for submit in 1..=field.capacity {
            field.come.fetch_add(1, Ordering::SeqCst);
            let met = || field.come.load(Ordering::SeqCst) >= 2 * submit;
            (0..PATIENT_SPINS).take_while(|_| !met()).for_each(|_| core::hint::spin_loop());
            let count = match worker.try_submit(Job::task(async {})) {
                Ok(_) => &field.accepted,
                Err(_) => &field.refused,
            };
            count.fetch_add(1, Ordering::SeqCst);
        }
    };
    let config = |capacity| WorkerConfig::new().lanes(1).drivers(1).capacity(capacity).full(FullPolicy::Reject);
    let capacity = |round: u64| round as usize % 3 * 2 + 1;
    bench.race(
        bench.rounds(1_500),
        |round| Field {
            capacity: capacity(round),
            parts: bench.parts(config(capacity(round))).map(|(worker, attendants)| (worker, Mutex::new(attendants))),
            come: AtomicUsize::new(0),
            accepted: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
        },
        &[&submit, &submit],
        |round, field| {
            let (worker, attendants) = field.parts?;
            let capacity = field.capacity;
            let (accepted, refused) = (field.accepted.into_inner(), field.refused.into_inner());
            ensure_eq!(
                (accepted, refused),
                (capacity, capacity),
                "round {round}: accepted and refused of two threads that each submitted as many as there are places"
            );
            ensure_eq!(worker.queued(), capacity, "round {round}: queued");
            let counts = worker.counts();
            ensure_eq!(
                (counts.accepted, counts.rejected),
                (accepted as u64, refused as u64),
                "round {round}: the worker's own count"
            );
            drop(attendants);
            Ok(())
        },
    )
}

/// Two threads take and give back the last places, over and over: there is no moment at which more are taken than there are.
fn places_that_come_and_go(bench: &Bench) -> Check {
    struct Field {
        stepped: Result<Mutex<Stepped>, Flaw>,
        worker: Option<Worker>,
        most: AtomicUsize,
    }
    impl Field {
        fn take_and_give_back(&self) {
            let Some(worker) = &self.worker else { return };
            if let Ok(handle) = worker.try_submit(Job::task(async {})) {
                self.most.fetch_max(worker.queued(), Ordering::SeqCst);
                handle.cancel();
            }
        }
    }
    let with_keeper = |field: &Field| {
        let Ok(stepped) = &field.stepped else { return };
        for _ in 0..30 {
            field.take_and_give_back();
            if let Some(keeper) = lock(stepped).attendants.last_mut() {
                step(keeper);
            }
        }
    };
    let alone = |field: &Field| (0..90).for_each(|_| field.take_and_give_back());
    bench.race(
        bench.rounds(100),
        |round| {
            let capacity = round as usize % 2 + 1;
            let config = WorkerConfig::new().lanes(1).drivers(1).capacity(capacity).full(FullPolicy::Reject);
            let stepped = Stepped::new(bench, config);
            let worker = stepped.as_ref().ok().map(|stepped| stepped.worker.clone());
            Field { stepped: stepped.map(Mutex::new), worker, most: AtomicUsize::new(0) }
        },
        &[&with_keeper, &alone],
        |round, field| {
            field.stepped?;
            let (capacity, most) = (round as usize % 2 + 1, field.most.into_inner());
            ensure!(most <= capacity, "round {round}: {most} queued at once, with a capacity of {capacity}");
            Ok(())
        },
    )
}

async fn limit_of_tasks(bench: &Bench, lanes: usize, drivers: usize) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(lanes).drivers(drivers).capacity(2_000))?;
    let (room, gate) = (Room::default(), Gate::new());
    let mut random = bench.random();
    let mut handles = Vec::new();
    for _ in 0..lanes + 5 {
        let (guests, gate) = (room.clone(), gate.clone());
        let body = async move {
            let _guest = guests.enter();
            gate.wait().await;
        };
        handles.push(bench.submit(&worker, Job::task(body)).await?);
    }
    bench.quiet(&worker).await?;
    ensure_eq!(room.inside(), lanes, "tasks running with {lanes} lanes, {drivers} drivers and more jobs than lanes");
    ensure_eq!((worker.running(), worker.queued()), (lanes, 5), "the worker's own count of running and queued");
    // A storm: jobs that yield, some of them cancelled where they are.
    for _ in 0..300 {
        let (guests, yields) = (room.clone(), random.u32(0..4));
        let body = async move {
            let _guest = guests.enter();
            for _ in 0..yields {
                crate::bench::yield_now().await;
            }
        };
        handles.push(bench.submit(&worker, Job::task(body)).await?);
    }
    gate.open();
    for (place, handle) in handles.into_iter().enumerate() {
        if place > lanes && random.u8(..) < 50 {
            handle.cancel();
        }
        bench.settled(handle).await?;
    }
    ensure_eq!(room.most(), lanes, "tasks running at once, at most, with {lanes} lanes and {drivers} drivers");
    ensure_eq!(room.inside(), 0, "tasks not dropped when all had settled");
    Ok(())
}

async fn limit_of_calls(bench: &Bench, lanes: usize, drivers: usize) -> Result<(), Flaw> {
    let worker = bench.worker(WorkerConfig::new().lanes(lanes).drivers(drivers))?;
    let (room, gate) = (Room::default(), Gate::new());
    let mut handles = Vec::new();
    for _ in 0..lanes + 2 {
        let (guests, gate) = (room.clone(), gate.clone());
        let body = move |_: &countermand_core::CallContext| {
            let _guest = guests.enter();
            gate.wait_blocking();
        };
        handles.push(bench.submit(&worker, Job::call(body)).await?);
    }
    bench.until("as many calls run as there are lanes", || room.inside() >= lanes).await?;
    bench.quiet(&worker).await?;
    ensure_eq!((worker.running(), worker.queued()), (lanes, 2), "running and queued with {lanes} lanes, calls only");
    ensure_eq!(room.inside(), lanes, "calls running with {lanes} lanes and more calls than lanes");
    gate.open();
    for handle in handles {
        bench.settled(handle).await?;
    }
    ensure_eq!(room.most(), lanes, "calls running at once, at most, with {lanes} lanes");
    Ok(())
}
