//! An abort that finds a driver in the middle of a poll: the task is asked, and goes when the poll is over, if it ever is.

use std::pin::Pin;
use std::prelude::v1::*;
use std::time::Duration;

use countermand_core::{Class, Report, Shutdown, WorkerConfig};

use super::super::captive::Captive;
use super::super::crew::Crew;
use super::super::kit::{lanes, secs};
use crate::{Bench, Flaw, Recorder, ensure, ensure_eq, poll};

/// A poll in progress holds nobody up: the abort is over when the poll is, and not before, whatever its limit.
pub(super) async fn is_waited_for(bench: &Bench) -> Result<(), Flaw> {
    for config in [lanes(1), lanes(2), WorkerConfig::new().lanes(2).drivers(2)] {
        let (report, overtaken) = aborted_in_a_poll(bench, config, Duration::ZERO).await?;
        ensure!(!overtaken, "an abort was over in the middle of a poll that held nobody up: {report:?}");
        ensure_eq!((report.counts.completed, report.counts.unsettled), (1, 0), "completed and unsettled in the report");
        ensure!(report.survivors.is_empty(), "survivors of an abort whose only task returned: {:?}", report.survivors);
    }
    Ok(())
}

/// If time goes by in that poll, the abort does not wait for ever, and its report names the task.
pub(super) async fn is_given_up(bench: &Bench) -> Result<(), Flaw> {
    let (report, overtaken) = aborted_in_a_poll(bench, lanes(1), secs(1)).await?;
    ensure!(overtaken, "an abort with a limit of zero waited for a poll of a second: {report:?}");
    ensure_eq!((report.counts.completed, report.counts.unsettled), (0, 1), "completed and unsettled in the report");
    let names: Vec<&str> = report.survivors.iter().map(|job| &*job.name).collect();
    ensure_eq!(names, ["stubborn"], "survivors of an abort that a poll outstayed");
    Ok(())
}

/// What an abort reports whose limit is zero and which is asked for in a poll that lasts so long, and whether it was over before the poll was.
async fn aborted_in_a_poll(bench: &Bench, config: WorkerConfig, lasts: Duration) -> Result<(Report, bool), Flaw> {
    let (worker, mut crew) = Crew::new(bench, config)?;
    crew.settle_down()?;
    let captive = Captive::take(bench, &worker, &mut crew).await?;
    let recorder = Recorder::new();
    let mut wait = worker.shutdown(Shutdown::AbortWithin(Duration::ZERO));
    let mut over = poll(Pin::new(&mut wait), &recorder.waker()).is_ready();
    crew.settle_down()?;
    bench.tick(lasts);
    crew.settle_down()?;
    over |= recorder.wakes() > 0;
    let outcome = captive.free(bench, &mut crew).await?;
    // It returned in the very poll in which it was asked (J3).
    ensure_eq!(outcome, Class::Completed, "how a task ended that returned in the poll in which an abort came");
    let report = bench.within("the abort is over", wait).await?;
    ensure_eq!(crew.present(), 0, "attendants that have not left after an abort");
    Ok((report, over))
}
