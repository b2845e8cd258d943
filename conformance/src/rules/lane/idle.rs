//! What a worker costs that has nothing to do.

use std::prelude::v1::*;
use std::time::{Duration, Instant as Clock};

use countermand_core::{Job, Worker, WorkerConfig};
use cpu_time::ProcessTime;

use crate::rules::crew::{Crew, refused};
use crate::{Bench, Check, Flaw, Gate, ensure};

/// Wake-ups of a whole worker that are allowed in a second.
const WAKES: u64 = 2;

pub(super) async fn l4_idle_costs_nothing(bench: &Bench) -> Check {
    let mut runs = 0;
    for before in [Before::Nothing, Before::Jobs, Before::Waiting, Before::Timers] {
        for drivers in [1, 4] {
            wake_ups(bench, before, drivers)?;
            runs += 1;
        }
    }
    far_alarm(bench).await?;
    processor_time(bench).await?;
    Ok(runs + 2)
}

/// What the worker did, or still has.
#[derive(Clone, Copy, Debug)]
enum Before {
    Nothing,
    Jobs,
    /// A job that waits for something from outside.
    Waiting,
    /// A queued job and a running one with time-outs that are far away.
    Timers,
}

/// A minute of the still clock, in steps of a hundredth of a second: whoever set an alarm in it was woken.
fn wake_ups(bench: &Bench, before: Before, drivers: usize) -> Result<(), Flaw> {
    const SECONDS: u64 = 60;
    let config = WorkerConfig::new().lanes(4).drivers(drivers).watchdog(Some(Duration::from_millis(100)));
    let (worker, mut crew) = Crew::new(bench, config)?;
    crew.settle_down()?;
    let gate = Gate::new();
    let far = Duration::from_secs(1_000_000);
    match before {
        Before::Nothing => {}
        Before::Jobs => {
            for _ in 0..20 {
                let job = Job::task_with(|context| async move { context.yield_now().await });
                drop(worker.try_submit(job).map_err(refused)?);
            }
        }
        Before::Waiting => drop(worker.try_submit(Job::task(gate.wait())).map_err(refused)?),
        Before::Timers => {
            for _ in 0..6 {
                let job = Job::task(gate.wait()).run_timeout(far).queue_timeout(far);
                drop(worker.try_submit(job).map_err(refused)?);
            }
        }
    }
    crew.settle_down()?;
    // The watchdog may take a last look at who was busy.
    bench.tick(Duration::from_secs(1));
    crew.settle_down()?;
    let wakes = crew.wakes();
    let mut polls = 0;
    for _ in 0..SECONDS * 100 {
        bench.tick(Duration::from_millis(10));
        polls += crew.settle_down()?;
    }
    let wakes = crew.wakes() - wakes;
    ensure!(
        wakes <= SECONDS * WAKES && polls <= SECONDS * WAKES,
        "an idle worker of {drivers} drivers ({before:?} before) was woken {wakes} times and polled {polls} times in {SECONDS} seconds"
    );
    // Null control: it does wake up for a job.
    gate.open();
    drop(worker.try_submit(Job::task(async {})).map_err(refused)?);
    ensure!(crew.settle_down()? > 0, "the polls of this worker were not counted");
    Ok(())
}

/// A worker on the host's own clock that waits for a time far away: who sets its alarm is not woken before, and so does not ask again.
async fn far_alarm(bench: &Bench) -> Result<(), Flaw> {
    const STRETCH: Duration = Duration::from_millis(60);
    let worker = bench.running_worker(WorkerConfig::new().lanes(2).drivers(1))?;
    let far = Duration::from_secs(1_000_000);
    let before = bench.alarm_polls();
    let _job = bench.submit(&worker, Job::task(std::future::pending::<()>()).run_timeout(far)).await?;
    bench.quiet(&worker).await?;
    // Null control: the time is kept by an alarm of the host's.
    bench.until("the worker has set an alarm", || bench.alarm_polls() > before).await?;
    let before = bench.alarm_polls();
    let clock = Clock::now();
    let mut looks = 0;
    let passed = || {
        looks += 1;
        clock.elapsed() >= STRETCH
    };
    bench.until("a stretch of time has passed", passed).await?;
    let polls = bench.alarm_polls() - before;
    let took = clock.elapsed();
    // A host may give everybody a turn whenever it gives one to somebody, such as the one who looks here.
    let allowed = 2 * WAKES * (1 + took.as_secs()) + 8 * looks;
    ensure!(
        polls <= allowed,
        "in {took:?}, and {looks} looks, alarms that were set far ahead were asked {polls} times"
    );
    Ok(())
}

/// Processor time of the whole process over stretches of real time, without workers and with idle ones on the host's own clock and
/// timers. What disturbs the machine can only add to it, so that the least of three counts.
async fn processor_time(bench: &Bench) -> Result<(), Flaw> {
    const STRETCH: Duration = Duration::from_millis(60);
    let without = least_of_three(bench, STRETCH).await?;
    let mut workers: Vec<Worker> = Vec::new();
    for _ in 0..4 {
        let worker = bench.running_worker(WorkerConfig::new().lanes(4).drivers(2))?;
        let job = bench.submit(&worker, Job::task(async {})).await?;
        bench.settled(job).await?;
        bench.quiet(&worker).await?;
        workers.push(worker);
    }
    let with = least_of_three(bench, STRETCH).await?;
    let allowed = without * 2 + STRETCH / 3;
    ensure!(
        with <= allowed,
        "in {STRETCH:?} the process took {without:?} of processor time without workers and {with:?} with {} idle ones",
        workers.len()
    );
    Ok(())
}

async fn least_of_three(bench: &Bench, span: Duration) -> Result<Duration, Flaw> {
    let mut least = Duration::MAX;
    for _ in 0..3 {
        least = least.min(stretch(bench, span).await?);
    }
    Ok(least)
}

async fn stretch(bench: &Bench, span: Duration) -> Result<Duration, Flaw> {
    let (clock, processor) = (Clock::now(), ProcessTime::now());
    bench.until("a stretch of time has passed", || clock.elapsed() >= span).await?;
    Ok(processor.elapsed())
}
