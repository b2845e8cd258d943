//! A driver that is held up by a job which does not yield.

use std::prelude::v1::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use countermand_core::{Cause, Class, Handle, Job, Phase, Worker, WorkerConfig};

use crate::patience::Patience;
use crate::rules::captive::Captive;
use crate::rules::crew::{Attendant, Crew, Told, Witness, all_settled, books_are_right, refused};
use crate::{Bench, Check, Flaw, Gate, ensure, ensure_eq};

const LIMIT: Duration = Duration::from_secs(2);

/// How long a job keeps the thread of the rule, so that the host uses another.
const MOMENT: Duration = Duration::from_millis(20);

pub(super) async fn l3_a_held_driver_stops_no_other(bench: &Bench) -> Check {
    let mut runs = 0;
    for lanes in [1, 2] {
        others_go_on(bench, lanes).await?;
        runs += 1;
    }
    for eighths in 1..8 {
        is_reported(bench, LIMIT * eighths / 8).await?;
        runs += 1;
    }
    short_ones_are_not(bench).await?;
    a_ring_is_passed_on(bench).await?;
    Ok(runs + 2 + u64::from(on_the_host(bench).await?))
}

/// Moves the time in small steps, as alarms would see it.
fn pass(bench: &Bench, crew: &mut Crew, span: Duration) -> Result<(), Flaw> {
    let step = LIMIT / 16;
    let mut passed = Duration::ZERO;
    while passed < span {
        let by = step.min(span - passed);
        bench.tick(by);
        crew.settle_down()?;
        passed += by;
    }
    Ok(())
}

/// Another driver takes jobs and keeps their deadlines, and the keeper does its work.
async fn others_go_on(bench: &Bench, lanes: usize) -> Result<(), Flaw> {
    let config = WorkerConfig::new().lanes(2 * lanes).drivers(2).watchdog(Some(LIMIT));
    let (worker, mut crew) = Crew::new(bench, config)?;
    crew.settle_down()?;
    let captive = Captive::take(bench, &worker, &mut crew).await?;
    let mut accepted = 1;
    // Another driver runs what comes, one after another.
    for value in 0..4 {
        let job = Job::task_with(move |context| async move {
            context.yield_now().await;
            value
        });
        let mut handle = worker.try_submit(job).map_err(refused)?;
        accepted += 1;
        crew.settle_down()?;
        ensure!(
            handle.is_finished(),
            "a job did not end while a driver of other jobs was held up ({lanes} lanes each)"
        );
        let seen = bench.within("a settled job is ready", &mut handle).await?;
        ensure_eq!(seen.completed(), Some(value), "what the job returned");
    }
    // Deadlines of the other driver's jobs, and of what is queued; cancels of both.
    let waits = Gate::new();
    let fill = (1..lanes).map(|_| worker.try_submit(Job::task(waits.wait())).map_err(refused)).collect::<Vec<_>>();
    accepted += fill.len() as u64;
    let timed = worker.try_submit(Job::task(waits.wait()).run_timeout(Duration::from_secs(1))).map_err(refused)?;
    crew.settle_down()?;
    let queue_timed = worker.try_submit(Job::task(waits.wait()).queue_timeout(Duration::from_millis(500)));
    let queue_timed = queue_timed.map_err(refused)?;
    let cancelled = worker.try_submit(Job::task(waits.wait())).map_err(refused)?;
    accepted += 3;
    cancelled.cancel();
    crew.settle_down()?;
    ensure!(cancelled.is_finished(), "the keeper did not reap a cancelled job while a driver was held up");
    pass(bench, &mut crew, Duration::from_millis(500))?;
    ensure!(queue_timed.is_finished(), "a queued job's time-out was not kept while a driver was held up");
    pass(bench, &mut crew, Duration::from_millis(500))?;
    ensure!(timed.is_finished(), "another driver did not keep a deadline while one was held up");
    let requested = Class::Cancelled { cause: Cause::REQUESTED, started: false };
    for (handle, class) in [
        (timed, Class::TimedOut(Phase::Running)),
        (queue_timed, Class::TimedOut(Phase::Queued)),
        (cancelled, requested),
    ] {
        ensure_eq!(bench.settled(handle).await?.class(), class, "how a job ended while a driver was held up");
    }
    ensure!(!captive.job.is_finished(), "the job that holds its driver has ended");
    waits.open();
    captive.free(bench, &mut crew).await?;
    drop(fill);
    books_are_right(&worker, accepted)
}

/// The keeper reports it, with the job, within twice the limit; once. The hold begins `after` the keeper's last look.
async fn is_reported(bench: &Bench, after: Duration) -> Result<(), Flaw> {
    let witness = Witness::default();
    let config = WorkerConfig::new().lanes(2).drivers(2).watchdog(Some(LIMIT)).observer(witness.observer());
    let (worker, mut crew) = Crew::new(bench, config)?;
    // Somebody is busy, so that the keeper looks now and then.
    let busy = worker.try_submit(Job::task(async {})).map_err(refused)?;
    crew.settle_down()?;
    pass(bench, &mut crew, after)?;
    let captive = Captive::take(bench, &worker, &mut crew).await?;
    crew.settle_down()?;
    let id = captive.job.id();
    let reports = || witness.told().into_iter().filter(|told| matches!(told, Told::Stalled(..))).collect::<Vec<_>>();
    pass(bench, &mut crew, LIMIT - LIMIT / 16)?;
    ensure_eq!(reports(), [], "reports of a job that has held its driver for less than the limit");
    pass(bench, &mut crew, LIMIT + LIMIT / 16)?;
    let seen = reports();
    let [Told::Stalled(job, name, held)] = &*seen else {
        return Err(Flaw::Broken(format!("a job held its driver for twice the limit, and the reports are {seen:?}")));
    };
    ensure_eq!((*job, &**name), (id, "stubborn"), "the job in the report");
    ensure!(
        (LIMIT..=LIMIT * 2).contains(held),
        "the report says that the driver was held for {held:?}, within twice the limit of {LIMIT:?}"
    );
    pass(bench, &mut crew, LIMIT * 4)?;
    ensure_eq!(reports().len(), 1, "reports of one poll");
    captive.free(bench, &mut crew).await?;
    drop(busy);
    books_are_right(&worker, 2)
}

/// Null control: many polls, each shorter than the limit, are reported never.
async fn short_ones_are_not(bench: &Bench) -> Result<(), Flaw> {
    let witness = Witness::default();
    let config = WorkerConfig::new().lanes(1).drivers(1).watchdog(Some(LIMIT)).observer(witness.observer());
    let (worker, mut crew) = Crew::new(bench, config)?;
    for _ in 0..6 {
        let captive = Captive::take(bench, &worker, &mut crew).await?;
        pass(bench, &mut crew, LIMIT * 3 / 4)?;
        captive.free(bench, &mut crew).await?;
    }
    let stalls = witness.told().into_iter().filter(|told| matches!(told, Told::Stalled(..))).count();
    ensure_eq!(stalls, 0, "reports of polls that were shorter than the limit");
    books_are_right(&worker, 6)
}

/// A driver is idle, with a job that waits in one of its lanes. The job is woken, and holds it: what is submitted then must not
/// wait for this driver.
async fn a_ring_is_passed_on(bench: &Bench) -> Result<(), Flaw> {
    for before in [false, true] {
        let (worker, mut crew) = Crew::new(bench, WorkerConfig::new().lanes(4).drivers(2))?;
        let (start, inside, gate) = (Gate::new(), Gate::new(), Gate::new());
        let (pass, enter, held) = (start.wait(), inside.clone(), gate.clone());
        let job = Job::task(async move {
            pass.await;
            enter.open();
            held.wait_blocking();
        });
        let job = worker.try_submit(job).map_err(refused)?;
        crew.settle_down()?;
        let other = Gate::new();
        let mut behind = None;
        if before {
            // It comes when both drivers are idle: this one may be rung for it, and then begins the long poll first.
            start.open();
            let mut driver = crew.give_away(0);
            behind = Some(worker.try_submit(Job::task(other.wait())).map_err(refused)?);
            let thread = thread::spawn(move || {
                driver.turn();
                driver
            });
            bench.within("a job is in its poll", inside.wait()).await?;
            finish(bench, &worker, &mut crew, job, gate, thread, behind, other).await?;
            continue;
        }
        start.open();
        let mut driver = crew.give_away(0);
        let thread = thread::spawn(move || {
            driver.turn();
            driver
        });
        bench.within("a job is in its poll", inside.wait()).await?;
        finish(bench, &worker, &mut crew, job, gate, thread, behind.take(), other).await?;
    }
    Ok(())
}

/// One more job is submitted, and must be let in by the other driver; then all is let go.
#[expect(clippy::too_many_arguments, reason = "what is left of the scene")]
async fn finish(
    bench: &Bench,
    worker: &Worker,
    crew: &mut Crew,
    job: Handle<()>,
    gate: Gate,
    thread: thread::JoinHandle<Attendant>,
    behind: Option<Handle<()>>,
    other: Gate,
) -> Result<(), Flaw> {
    let next = worker.try_submit(Job::task(async {})).map_err(refused)?;
    crew.settle_down()?;
    ensure!(next.is_finished(), "a job waits for a driver that is held up, though another one is idle");
    other.open();
    crew.settle_down()?;
    Captive { job, gate, thread }.free(bench, crew).await?;
    ensure!(behind.is_none_or(|behind| behind.is_finished()), "a job that came before the hold did not end");
    Ok(())
}

/// The host's own drivers, where they have threads beside the one that this rule runs on. Where all jobs run on that, there is one thread
/// for all drivers, and whoever holds it holds them all: what can be said there was said above. Whether there was anything to hold.
async fn on_the_host(bench: &Bench) -> Result<bool, Flaw> {
    let witness = Witness::default();
    let config = WorkerConfig::new().lanes(2).drivers(2).watchdog(Some(LIMIT)).observer(witness.observer());
    let worker = bench.worker(config)?;
    let Some((job, gate, accepted)) = hold_another_thread(bench, &worker).await? else {
        ensure!(!bench.drives_elsewhere(), "no job of a host with several threads has run on another one");
        bench.leave_out(format!("all drivers of {} run on the thread of the rule", bench.host_name()));
        return Ok(false);
    };
    let others = async {
        for value in 0..8 {
            let next = bench.submit(&worker, Job::task(async move { value })).await?;
            ensure_eq!(bench.settled(next).await?.completed(), Some(value), "what a job returned beside a held driver");
        }
        let timed = bench.submit(&worker, Job::task(Gate::new().wait()).run_timeout(Duration::from_secs(1))).await?;
        let fill = bench.submit(&worker, Job::task(async {}).queue_timeout(Duration::from_millis(1))).await?;
        let waiting = || worker.running() == 2 && worker.queued() == 1;
        let result = bench.until("both wait where they are", waiting).await;
        result.map_err(|flaw| Flaw::Broken(format!("{flaw}: {:?}, told {:?}", worker.jobs(), witness.told())))?;
        bench.tick(Duration::from_millis(1));
        ensure_eq!(bench.settled(fill).await?.class(), Class::TimedOut(Phase::Queued), "how a queued job ended");
        bench.tick(Duration::from_secs(1));
        ensure_eq!(bench.settled(timed).await?.class(), Class::TimedOut(Phase::Running), "how a running job ended");
        for _ in 0..4 {
            keeper_looks(bench, &worker, LIMIT / 2).await?;
        }
        let stalls = || witness.told().into_iter().filter(|told| matches!(told, Told::Stalled(..))).count();
        bench.until("the job that holds its driver is reported", || stalls() > 0).await?;
        for _ in 0..6 {
            keeper_looks(bench, &worker, LIMIT / 2).await?;
        }
        ensure_eq!(stalls(), 1, "reports of one poll");
        Ok(())
    };
    let result = others.await;
    gate.open();
    result?;
    bench.settled(job).await?;
    all_settled(bench, &worker, accepted + 10).await?;
    Ok(true)
}

/// A job that holds a thread of the host's which is not this one, its gate, and how many jobs that took. `None` if all ended up here.
///
/// Each try is a pair of jobs, one for each driver: the one that finds itself on this thread keeps it for a moment, so that the host has
/// another go on with the other.
async fn hold_another_thread(bench: &Bench, worker: &Worker) -> Result<Option<(Handle<()>, Gate, u64)>, Flaw> {
    let here = thread::current().id();
    let mut patience = bench.patience().half();
    let mut accepted = 0;
    while accepted < 10 || (bench.drives_elsewhere() && !patience.is_over()) {
        let (inside, gate, taken) = (Gate::new(), Gate::new(), Arc::new(AtomicBool::new(false)));
        let pair = || {
            let (enter, held, taken) = (inside.clone(), gate.clone(), Arc::clone(&taken));
            let job = Job::task(async move {
                if thread::current().id() == here {
                    let mut moment = Patience::new(MOMENT);
                    while !enter.is_open() && !moment.is_over() {
                        thread::yield_now();
                    }
                } else if !taken.swap(true, Ordering::SeqCst) {
                    enter.open();
                    held.wait_blocking();
                }
            });
            job.name("stubborn")
        };
        let (one, other) = (bench.submit(worker, pair()).await?, bench.submit(worker, pair()).await?);
        accepted += 2;
        let over = || one.is_finished() && other.is_finished();
        bench.until("a job is in its poll, or both are over", || inside.is_open() || over()).await?;
        if inside.is_open() {
            bench.until("one of two jobs is over", || one.is_finished() || other.is_finished()).await?;
            let job = if one.is_finished() { other } else { one };
            return Ok(Some((job, gate, accepted)));
        }
        for job in [one, other] {
            bench.settled(job).await?;
        }
    }
    Ok(None)
}

/// Moves the time, and waits until the keeper has seen that: it keeps the deadline of a token.
async fn keeper_looks(bench: &Bench, worker: &Worker, by: Duration) -> Result<(), Flaw> {
    let token = worker.child_with_timeout(by);
    bench.tick(by);
    bench.until("the keeper has looked", || token.is_cancelled()).await
}
