//! Who leaves the queue first.

use std::collections::BTreeMap;
use std::prelude::v1::*;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countermand_core::{Discipline, Handle, Job, Priority, Worker, WorkerConfig};

use super::super::kit::lock;
use super::super::scene::{Held, Roll};
use crate::{Bench, Check, Flaw, ensure, ensure_eq};

/// Jobs in the order of their arrival.
type Arrivals = Vec<(Priority, u64)>;

pub(super) async fn q2_higher_first_then_in_order(bench: &Bench) -> Check {
    super::items::q2_order(bench)?;
    one_of_each(bench).await?;
    let rounds = bench.rounds(16);
    let mut random = bench.random();
    for round in 0..rounds {
        let strict = round % 2 == 0;
        let discipline = if strict { Discipline::Strict } else { weights(&mut random) };
        let held = Held::new(bench, WorkerConfig::new().discipline(discipline)).await?;
        let roll = Roll::new();
        let mut jobs: BTreeMap<u64, Handle<u64>> = BTreeMap::new();
        let mut expected: Arrivals = Vec::new();
        for number in 0..60 {
            let priority = Priority::ALL[random.usize(..Priority::COUNT)];
            let mut job = roll.job(number).priority(priority);
            // One in six leaves again: by its time-out, or by a cancel; from wherever it is in its row.
            let fleeting = random.u8(..6) == 0;
            if fleeting {
                job = job.queue_timeout(Duration::from_millis(1));
            } else {
                expected.push((priority, number));
            }
            jobs.insert(number, bench.submit(&held.worker, job).await?);
            if random.u8(..6) == 0 && !expected.is_empty() {
                let (_, number) = expected.remove(random.usize(..expected.len()));
                jobs.get(&number).map(Handle::cancel);
            }
            if random.u8(..16) == 0 {
                bench.advance(&held.worker, Duration::from_millis(1)).await?;
            }
        }
        bench.advance(&held.worker, Duration::from_millis(1)).await?;
        expected.sort_by_key(|(priority, _)| std::cmp::Reverse(*priority));
        let numbers = |arrivals: &[(Priority, u64)]| arrivals.iter().map(|(_, number)| *number).collect::<Vec<_>>();
        let listed: Vec<_> = held.worker.jobs().iter().skip(1).map(|job| job.name.clone().into_owned()).collect();
        let names: Vec<_> = expected.iter().map(|(_, number)| format!("number {number}")).collect();
        ensure_eq!(listed, names, "round {round}: the list of the queued jobs");
        held.release(bench).await?;
        let begun = roll.begun();
        if strict {
            ensure_eq!(begun, numbers(&expected), "round {round}: the order of starts under the strict discipline");
        } else {
            in_order_within_each(round, &begun, &expected)?;
            no_two_lower_in_a_row(round, discipline, &begun, &expected)?;
        }
        for (_, handle) in jobs {
            bench.settled(handle).await?;
        }
        roll.census().each_once("bodies of jobs in many orders")?;
    }
    Ok(rounds + 1)
}

/// With one job of each priority queued, no discipline has a reason to let a lower one go first.
async fn one_of_each(bench: &Bench) -> Result<(), Flaw> {
    for discipline in [Discipline::Strict, Discipline::default(), Discipline::Weighted([9, 9, 9, 9])] {
        let held = Held::new(bench, WorkerConfig::new().discipline(discipline)).await?;
        let roll = Roll::new();
        for priority in Priority::ALL {
            let number = priority.index() as u64;
            drop(bench.submit(&held.worker, roll.job(number).priority(priority)).await?);
        }
        held.release(bench).await?;
        let begun = roll.begun();
        ensure_eq!(begun.first(), Some(&3), "the first of one Low 0, Normal 1, High 2, Critical 3; {discipline:?}");
        if discipline == Discipline::Strict {
            ensure_eq!(begun, [3, 2, 1, 0], "the order of one of each");
        }
    }
    Ok(())
}

/// First in, first out within one priority.
fn in_order_within_each(round: u64, begun: &[u64], expected: &Arrivals) -> Result<(), Flaw> {
    for priority in Priority::ALL {
        let arrived: Vec<u64> = expected.iter().filter(|(p, _)| *p == priority).map(|(_, number)| *number).collect();
        let started: Vec<u64> = begun.iter().copied().filter(|number| arrived.contains(number)).collect();
        ensure_eq!(started, arrived, "round {round}: the order of starts within {priority:?}");
    }
    ensure_eq!(begun.len(), expected.len(), "round {round}: jobs started");
    Ok(())
}

/// A lower one may go first for the sake of Q3, but no two in a row while a higher one waits.
fn no_two_lower_in_a_row(round: u64, discipline: Discipline, begun: &[u64], expected: &Arrivals) -> Result<(), Flaw> {
    let mut waiting: Vec<(Priority, u64)> = expected.clone();
    let mut bypassed = false;
    for number in begun {
        let highest = waiting.iter().map(|(priority, _)| *priority).max();
        let place = waiting.iter().position(|(_, waiting)| waiting == number);
        let Some((priority, _)) = place.map(|place| waiting.remove(place)) else {
            return Err(Flaw::Broken(format!("round {round}: job {number} started, which was not queued")));
        };
        let lower = Some(priority) < highest;
        ensure!(
            !(bypassed && lower),
            "round {round}: two lower jobs in a row went before one of {highest:?}, under {discipline:?}: {begun:?}"
        );
        bypassed = lower;
    }
    Ok(())
}

fn weights(random: &mut fastrand::Rng) -> Discipline {
    Discipline::Weighted(std::array::from_fn(|_| random.u32(1..12)))
}

/// The bound as it is documented, computed here once more.
fn documented_bound(weights: [u32; Priority::COUNT], priority: Priority) -> u32 {
    let level = priority.index();
    let higher: u32 = weights[level + 1..].iter().sum();
    match priority {
        Priority::Critical => 0,
        _ => higher.div_ceil(weights[level]) + 2 + (Priority::COUNT - 2 - level) as u32,
    }
}

pub(super) async fn q3_no_starvation_within_the_bound(bench: &Bench) -> Check {
    super::items::q3_bound()?;
    let mut random = bench.random();
    let mut disciplines = vec![[1, 2, 4, 8], [1, 1, 1, 1], [1, 40, 1, 1], [3, 1, 1, 50]];
    let drawn = bench.rounds(6);
    disciplines.extend((0..drawn).map(|_| std::array::from_fn(|_| random.u32(1..12))));
    let mut runs = 0;
    for weights in disciplines {
        let discipline = Discipline::Weighted(weights);
        for priority in Priority::ALL {
            let bound = documented_bound(weights, priority);
            ensure_eq!(discipline.bound(priority), Some(bound), "the bound of {priority:?} under {discipline:?}");
            for before in [0, 2] {
                let passed = flooded(bench, discipline, priority, before, 20 + u64::from(bound) * 4).await?;
                let most = u64::from(bound) * (before + 1);
                ensure!(
                    passed.is_some_and(|passed| passed <= most),
                    "a {priority:?} job with {before} before it in its level, under {discipline:?}: {passed:?} later ones of higher \
                     priority started first; documented are {most} at the most"
                );
                runs += 1;
            }
        }
    }
    // The strict discipline promises nothing, and says so; it does starve.
    for priority in [Priority::Low, Priority::Normal, Priority::High] {
        ensure_eq!(Discipline::Strict.bound(priority), None, "what the strict discipline promises {priority:?}");
        let passed = flooded(bench, Discipline::Strict, priority, 0, 200).await?;
        ensure_eq!(passed, Some(200), "higher jobs that started before a {priority:?} one, of 200 in a row; strict");
    }
    Ok(runs)
}

/// Queues jobs of `priority`, and then keeps the queue full of higher ones, `flood` in all: whenever one starts, another comes.
/// Says how many of them started before the last of the lower ones; `None` if it never started.
async fn flooded(
    bench: &Bench,
    discipline: Discipline,
    priority: Priority,
    before: u64,
    flood: u64,
) -> Result<Option<u64>, Flaw> {
    let held = Held::new(bench, WorkerConfig::new().capacity(64).discipline(discipline)).await?;
    let higher: Vec<Priority> = Priority::ALL.into_iter().filter(|level| *level > priority).collect();
    let flood = Arc::new(Flood {
        higher,
        left: AtomicU64::new(flood),
        started: AtomicU64::new(0),
        passed: Mutex::new(None),
        random: Mutex::new(bench.random()),
        lost: AtomicBool::new(false),
    });
    let mut victims = Vec::new();
    for number in 0..=before {
        let flood = Arc::clone(&flood);
        let body = async move {
            if number == before {
                let started = flood.started.load(Ordering::SeqCst);
                *lock(&flood.passed) = Some(started);
            }
        };
        victims.push(bench.submit(&held.worker, Job::task(body).priority(priority)).await?);
    }
    for _ in 0..20 {
        flood.pour(&held.worker);
    }
    held.release(bench).await?;
    for victim in victims {
        bench.settled(victim).await?;
    }
    ensure!(!flood.lost.load(Ordering::SeqCst), "a job of the flood was refused: the capacity is 64");
    let passed = *lock(&flood.passed);
    Ok(passed)
}

struct Flood {
    higher: Vec<Priority>,
    left: AtomicU64,
    started: AtomicU64,
    passed: Mutex<Option<u64>>,
    random: Mutex<fastrand::Rng>,
    lost: AtomicBool,
}

impl Flood {
    /// One more, which brings the next when it starts.
    fn pour(self: &Arc<Self>, worker: &Worker) {
        if self.higher.is_empty() || self.left.load(Ordering::SeqCst) == 0 {
            return;
        }
        self.left.fetch_sub(1, Ordering::SeqCst);
        let (flood, door) = (Arc::clone(self), worker.clone());
        let level = {
            let mut random = lock(&self.random);
            self.higher[random.usize(..self.higher.len())]
        };
        let body = async move {
            flood.started.fetch_add(1, Ordering::SeqCst);
            flood.pour(&door);
        };
        if worker.try_submit(Job::task(body).priority(level)).is_err() {
            self.lost.store(true, Ordering::SeqCst);
        }
    }
}
