//! A worker that is dropped, or whose attendants are.

use std::pin::Pin;
use std::prelude::v1::*;
use std::task::{Poll, Waker};

use countermand_core::{Cause, Handle, Job, RejectReason, Shutdown, Worker, WorkerConfig};

use super::super::kit::{Puppet, lanes, stopped, unstarted};
use super::super::scene::{Roll, Stepped, accepted, step, turn};
use super::runtime::{Waiting, runtime_stopped};
use crate::{Bench, Census, Check, Flaw, Gate, Recorder, ensure, ensure_eq, poll};

pub(super) async fn s6_no_waiter_hangs_when_the_worker_is_gone(bench: &Bench) -> Check {
    last_door(bench).await?;
    let mut runs = 2;
    for drivers in 1..4 {
        // Every order in which the attendants may be dropped.
        for order in orders(drivers + 1) {
            for (between, asked) in [(false, false), (false, true), (true, false), (true, true)] {
                attendants_dropped(bench, drivers, &order, between, asked)?;
                runs += 1;
            }
        }
    }
    one_driver_dropped(bench)?;
    match runtime_stopped(bench).await {
        Ok(()) => runs += 1,
        // What stands above holds on every target.
        Err(Flaw::NotApplicable(_)) => {}
        Err(flaw) => return Err(flaw),
    }
    Ok(runs)
}

/// Every order of so many.
fn orders(of: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for next in 0..of {
        let longer = |order: &Vec<usize>| {
            let order = order.clone();
            (0..=order.len()).map(move |place| {
                let mut order = order.clone();
                order.insert(place, next);
                order
            })
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    orders
}

/// The last clone of the worker is dropped: as an abort.
async fn last_door(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1).capacity(2))?;
    let (roll, stuck): (Roll, Puppet<()>) = (Roll::new(), Puppet::new());
    let running = bench.submit(&worker, Job::task(stuck.task())).await?;
    let queued = bench.submit(&worker, roll.job(0)).await?;
    let inside = worker.clone();
    // A job may own a door to its own worker; then that is the last one.
    let owner = Job::task(async move { inside.queued() });
    let owner = bench.submit(&worker, owner).await?;
    let mut line = worker.submit(roll.job(1));
    let recorder = Recorder::new();
    ensure!(poll(Pin::new(&mut line), &recorder.waker()).is_pending(), "a full queue let a job in");
    let second = worker.clone();
    drop(worker);
    bench.quiet(&second).await?;
    ensure_eq!(
        (second.is_closed(), running.is_finished(), queued.is_finished()),
        (false, false, false),
        "closed, and jobs settled, when one of three doors was dropped"
    );
    let observer = second.token();
    owner.cancel();
    bench.settled(owner).await?;
    drop(second);
    ensure_eq!(bench.settled(running).await?.class(), stopped(Cause::SHUTDOWN), "a running job without a worker");
    ensure_eq!(bench.settled(queued).await?.class(), unstarted(Cause::SHUTDOWN), "a queued job without a worker");
    match bench.within("a submitter in line is told that the worker is gone", line).await? {
        Err(rejected) => ensure_eq!(rejected.reason, RejectReason::Closed, "what a submitter in line was told"),
        Ok(handle) => return Err(Flaw::Broken(format!("a worker that is gone accepted {handle:?}"))),
    }
    ensure_eq!(observer.cause(), Some(Cause::SHUTDOWN), "the cause of the worker's token");
    stuck.dropped_once("the task that ran")?;
    roll.census().each_once("bodies of jobs that never ran")
}

/// The runtime drops what it was given to run, in this order. Those that are left may be stepped in between, as by threads
/// that go on; a drain may have been asked for before.
fn attendants_dropped(bench: &Bench, drivers: usize, order: &[usize], between: bool, asked: bool) -> Result<(), Flaw> {
    let what = format!(
        "{drivers} drivers and the keeper, dropped in the order {order:?}; others go on: {between}; drain asked for: {asked}"
    );
    let Stepped { worker, mut attendants } =
        Stepped::new(bench, WorkerConfig::new().lanes(drivers).drivers(drivers).capacity(2))?;
    let census = Census::new();
    let submit = |worker: &Worker| -> Result<Waiting, Flaw> {
        let probe = census.probe();
        let job = Job::task(async move {
            std::future::pending::<()>().await;
            drop(probe);
        });
        Waiting::on(accepted(worker.try_submit(job))?)
    };
    let mut running = Vec::new();
    for _ in 0..drivers {
        running.push(submit(&worker)?);
        (0..4).for_each(|_| turn(&mut attendants));
    }
    ensure_eq!((worker.running(), worker.queued()), (drivers, 0), "{what}: running and queued");
    let queued = [submit(&worker)?, submit(&worker)?];
    let mut line = worker.submit(Job::task(async {}));
    let in_line = Recorder::new();
    ensure!(poll(Pin::new(&mut line), &in_line.waker()).is_pending(), "{what}: a full queue let a job in");
    let mut ends = Vec::new();
    if asked {
        let mut end = worker.shutdown(Shutdown::Drain);
        let recorder = Recorder::new();
        ensure!(poll(Pin::new(&mut end), &recorder.waker()).is_pending(), "{what}: a drain is over and jobs run");
        ends.push((end, recorder));
    }

    for &place in order {
        attendants[place] = None;
        if between {
            turn(&mut attendants);
        }
    }
    for job in running {
        job.told(&what, stopped(Cause::SHUTDOWN))?;
    }
    for job in queued {
        job.told(&what, unstarted(Cause::SHUTDOWN))?;
    }
    ensure!(in_line.wakes() > 0, "{what}: a submitter in line was not woken");
    match poll(Pin::new(&mut line), &in_line.waker()) {
        Poll::Ready(Err(rejected)) => ensure_eq!(rejected.reason, RejectReason::Closed, "{what}: a submitter was told"),
        Poll::Ready(Ok(handle)) => return Err(Flaw::Broken(format!("{what}: {handle:?} was accepted by nobody"))),
        Poll::Pending => return Err(Flaw::Broken(format!("{what}: a submitter waits in line for ever"))),
    }
    for (mut end, recorder) in ends {
        ensure!(recorder.wakes() > 0, "{what}: who waits for the end was not woken");
        let ready = poll(Pin::new(&mut end), &recorder.waker()).is_ready();
        ensure!(ready, "{what}: the shutdown that was asked for is never over");
    }
    // Afterwards as well.
    ensure_eq!(
        worker.try_submit(Job::task(async {})).err().map(|rejected| rejected.reason),
        Some(RejectReason::Closed),
        "{what}: what a later submit was told"
    );
    match poll(Pin::new(&mut worker.shutdown(Shutdown::Drain)), Waker::noop()) {
        Poll::Ready(report) => {
            let counts = report.counts;
            ensure_eq!(
                (counts.accepted, counts.cancelled, counts.unsettled),
                (drivers as u64 + 2, drivers as u64 + 2, 0),
                "{what}: accepted, cancelled and unsettled in the report"
            );
        }
        Poll::Pending => return Err(Flaw::Broken(format!("{what}: a later shutdown is never over"))),
    }
    census.each_once("bodies of jobs whose runtime went")
}

/// One of two drivers is dropped: its jobs settle, the others do not notice, and the worker goes on.
fn one_driver_dropped(bench: &Bench) -> Result<(), Flaw> {
    for place in 0..2 {
        let mut stepped = Stepped::new(bench, WorkerConfig::new().lanes(2).drivers(2).capacity(8))?;
        let roll = Roll::new();
        let gate = Gate::new();
        let mut running = Vec::new();
        // A turn for both after each, so that each has one.
        for number in 0..2 {
            running.push(accepted(stepped.worker.try_submit(roll.waiting(number, &gate)))?);
            let driver = &mut stepped.attendants[number as usize];
            step(driver);
            stepped.run()?;
        }
        let queued = accepted(stepped.worker.try_submit(roll.job(2)))?;
        stepped.attendants[place] = None;
        stepped.run()?;
        let settled: Vec<bool> = running.iter().map(Handle::is_finished).collect();
        ensure_eq!(
            settled.iter().filter(|settled| **settled).count(),
            1,
            "jobs settled with one of two drivers dropped"
        );
        ensure!(!stepped.worker.is_closed(), "the worker closed with one of two drivers dropped");
        let later = accepted(stepped.worker.try_submit(roll.job(3)))?;
        gate.open();
        stepped.run()?;
        ensure!(queued.is_finished() && later.is_finished(), "jobs for which a driver is left do not settle");
        let counts = stepped.worker.counts();
        ensure_eq!((counts.completed, counts.cancelled), (3, 1), "completed and cancelled with one driver of two left");
        roll.census().each_once("bodies on two drivers")?;
    }
    Ok(())
}
