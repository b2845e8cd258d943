//! How long a job that is always ready keeps others waiting.

use std::future::poll_fn;
use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Poll, Waker};
use std::time::Duration;

use countermand_core::{Job, Outcome, TURN_BUDGET, WorkerConfig};

use crate::patience::Patience;
use crate::rules::crew::{Attendant, Crew, all_settled, books_are_right, refused};
use crate::{Bench, Check, Flaw, Gate, Recorder, ensure, ensure_eq, poll};

/// How long a job that is always ready goes on if nobody stops it.
const LIMIT: Duration = Duration::from_secs(8);

/// Counts all polls of a driver's jobs, and how long one of them had to wait.
#[derive(Clone, Default)]
struct Turns {
    polls: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    /// Opened when one that is always ready has been polled.
    begun: Gate,
}

impl Turns {
    /// Always ready, until it is over, or has kept a host from everything else for so long that the rule is broken.
    fn hog(&self) -> impl Future<Output = bool> + Send + use<> {
        let (turns, mut patience) = (self.clone(), Patience::new(LIMIT));
        poll_fn(move |cx| {
            let polls = turns.polls.fetch_add(1, Ordering::SeqCst);
            turns.begun.open();
            let over = turns.over.load(Ordering::SeqCst);
            if over || (polls % 1_024 == 0 && patience.is_over()) {
                return Poll::Ready(over);
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }

    /// Ready again and again, so many times. Returns the most polls of others between two of its own.
    fn sibling(&self, times: u64) -> impl Future<Output = u64> + Send + use<> {
        let (turns, mut last, mut worst, mut left) = (self.clone(), None, 0, times);
        poll_fn(move |cx| {
            let now = turns.polls.fetch_add(1, Ordering::SeqCst) + 1;
            worst = last.map_or(0, |last| now - last - 1).max(worst);
            last = Some(now);
            left -= 1;
            if left == 0 {
                return Poll::Ready(worst);
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
    }

    fn polls(&self) -> u64 {
        self.polls.load(Ordering::SeqCst)
    }
}

pub(super) async fn l2_turns_come_within_a_bound(bench: &Bench) -> Check {
    let mut runs = 0;
    for lanes in [2, 3, 5, 8] {
        for hogs in 1..lanes {
            for flood in [false, true] {
                runs += siblings(bench, lanes, hogs, flood)?;
            }
        }
    }
    turn_of_the_host(bench)?;
    other_tasks(bench).await?;
    Ok(runs + 2)
}

/// Within a driver of K lanes: at most 2 K polls of others.
fn siblings(bench: &Bench, lanes: usize, hogs: usize, flood: bool) -> Result<u64, Flaw> {
    let (worker, mut crew) = Crew::new(bench, WorkerConfig::new().lanes(lanes).drivers(1).capacity(1_024))?;
    let turns = Turns::default();
    for _ in 0..hogs {
        drop(worker.try_submit(Job::task(turns.hog())).map_err(refused)?);
    }
    let times = bench.rounds(60);
    let mut sibling = worker.try_submit(Job::task(turns.sibling(times))).map_err(refused)?;
    if flood {
        // New jobs want their first poll too, one after another.
        for _ in 0..200 {
            let polls = Arc::clone(&turns.polls);
            let job = Job::task(async move { _ = polls.fetch_add(1, Ordering::SeqCst) });
            drop(worker.try_submit(job).map_err(refused)?);
        }
    }
    let what = format!("in a driver of {lanes} lanes, with {hogs} jobs always ready (new ones coming: {flood})");
    let bound = 2 * lanes as u64;
    // Its first poll is behind those of the hogs, and each of its polls behind at most so many others.
    let enough = (times + 2) * (bound + 1) + 200;
    while !sibling.is_finished() && turns.polls() < enough {
        crew.turn(0);
    }
    ensure!(
        sibling.is_finished(),
        "{what}, a ready sibling did not come to its {times} polls in {enough} polls of all"
    );
    let outcome = poll(Pin::new(&mut sibling), Waker::noop());
    let Poll::Ready(Outcome::Completed(worst)) = outcome else {
        return Err(Flaw::Broken(format!("{what}, the sibling settled otherwise than completed")));
    };
    ensure!(worst <= bound, "{what}, a ready sibling waited {worst} polls; {bound} are allowed");
    turns.over.store(true, Ordering::SeqCst);
    crew.settle_down()?;
    books_are_right(&worker, worker.counts().accepted)?;
    Ok(times)
}

/// In one turn that the host gives it, a driver makes at most `TURN_BUDGET` polls; then it asks for another turn.
fn turn_of_the_host(bench: &Bench) -> Result<(), Flaw> {
    let (worker, attendants) = bench.parts(WorkerConfig::new().lanes(2).drivers(1))?;
    let mut attendants: Vec<_> = attendants.into_iter().map(Attendant::new).collect();
    let turns = Turns::default();
    for _ in 0..2 {
        drop(worker.try_submit(Job::task(turns.hog())).map_err(refused)?);
    }
    for turn in 0..4 {
        let (before, recorder) = (turns.polls(), Recorder::new());
        attendants[0].poll(&recorder.waker());
        let polls = turns.polls() - before;
        ensure!(polls <= TURN_BUDGET as u64, "turn {turn} of a driver took {polls} polls; {TURN_BUDGET} are allowed");
        ensure!(polls > 0, "a driver with ready jobs polled none in a turn");
        ensure!(recorder.wakes() > 0, "a driver with ready jobs did not ask its host for another turn");
    }
    Ok(())
}

/// Other tasks of the host, and its main, go on beside a job that is always ready.
async fn other_tasks(bench: &Bench) -> Result<(), Flaw> {
    const STEPS: u64 = 50;
    let worker = bench.worker(WorkerConfig::new().lanes(2).drivers(1))?;
    let turns = Turns::default();
    let hog = bench.submit(&worker, Job::task(turns.hog())).await?;
    // By gates alone from here on: a host in virtual time has no time to pass while somebody is always ready.
    bench.within("the job that is always ready runs", turns.begun.wait()).await?;
    let (steps, done) = (Arc::new(AtomicU64::new(0)), Gate::new());
    let (count, open) = (Arc::clone(&steps), done.clone());
    let mut left = STEPS;
    let task = poll_fn(move |cx| {
        count.fetch_add(1, Ordering::SeqCst);
        left -= 1;
        if left == 0 {
            open.open();
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    });
    match bench.spawn(task) {
        Ok(()) => {
            let result = bench.within("another task of the host comes to its end beside a busy job", done.wait()).await;
            result.map_err(|flaw| Flaw::Broken(format!("{flaw}; it had {} turns", steps.load(Ordering::SeqCst))))?;
            ensure_eq!(steps.load(Ordering::SeqCst), STEPS, "turns of the other task");
        }
        // There is no other task then.
        Err(Flaw::NotApplicable(_)) => {}
        Err(other) => return Err(other),
    }
    turns.over.store(true, Ordering::SeqCst);
    let stopped = bench.settled(hog).await?.completed();
    ensure_eq!(
        stopped,
        Some(true),
        "whether it was this task that stopped the busy job, and not the end of its patience"
    );
    all_settled(bench, &worker, 1).await
}
