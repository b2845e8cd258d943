//! The host's own runtime stops under a worker.

use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;

use countermand_core::{Cause, Class, Handle, Job, RejectReason, Shutdown, WorkerConfig};

use super::super::kit::{has, lock, stopped, unstarted};
use crate::{Bench, Census, Flaw, Profile, Recorder, ensure, ensure_eq, poll};

/// Somebody who waits for a job.
pub(super) struct Waiting {
    handle: Handle<()>,
    recorder: Recorder,
}

impl Waiting {
    pub(super) fn on(mut handle: Handle<()>) -> Result<Self, Flaw> {
        let recorder = Recorder::new();
        ensure!(poll(Pin::new(&mut handle), &recorder.waker()).is_pending(), "a job that does not end has settled");
        Ok(Self { handle, recorder })
    }

    /// Whether it was woken. That it has settled comes before, on another thread.
    pub(super) fn is_told(&self) -> bool {
        self.recorder.wakes() > 0
    }

    /// Was woken, and told this.
    pub(super) fn told(mut self, what: &str, class: Class) -> Result<(), Flaw> {
        let id = self.handle.id();
        ensure!(self.handle.is_finished(), "{what}: {id:?} never settles");
        ensure!(self.recorder.wakes() > 0, "{what}: who waits for {id:?} was not woken");
        let polled = poll(Pin::new(&mut self.handle), &self.recorder.waker());
        ensure_eq!(polled.map(|outcome| outcome.class()), Poll::Ready(class), "{what}: {id:?}");
        ensure!(!self.handle.cancel(), "{what}: {id:?} has settled and was cancelled once more");
        Ok(())
    }
}

/// The host's own runtime is stopped under a worker at work.
pub(super) async fn runtime_stopped(bench: &Bench) -> Result<(), Flaw> {
    for asked in [false, true] {
        let doomed = bench.doomed_worker(WorkerConfig::new().lanes(4).drivers(2).capacity(3))?;
        let worker = doomed.worker.clone();
        let census = Census::new();
        let mut running = Vec::new();
        for _ in 0..4 {
            let probe = census.probe();
            let job = Job::task(async move {
                std::future::pending::<()>().await;
                drop(probe);
            });
            running.push(Waiting::on(bench.submit(&worker, job).await?)?);
        }
        bench.quiet(&worker).await?;
        ensure_eq!(worker.running(), 4, "running before the runtime stops");
        let mut queued = Vec::new();
        for _ in 0..3 {
            let probe = census.probe();
            let job = Job::task(async move { drop(probe) });
            queued.push(Waiting::on(bench.submit(&worker, job).await?)?);
        }
        let mut line = worker.submit(Job::task(async {}));
        let recorder = Recorder::new();
        ensure!(poll(Pin::new(&mut line), &recorder.waker()).is_pending(), "a full queue let a job in");
        let end = asked.then(|| worker.shutdown(Shutdown::Drain));
        // Somebody waits on a thread that knows of no runtime.
        let blocked = if has(bench, Profile::NONE.threads()) {
            let probe = census.probe();
            let job = Job::task(async move { drop(probe) });
            let door = worker.clone();
            let outcome = Arc::new(Mutex::new(None));
            let put = Arc::clone(&outcome);
            if !asked {
                thread::spawn(move || *lock(&put) = Some(door.submit_blocking(job).err().map(|back| back.reason)));
            }
            (!asked).then_some(outcome)
        } else {
            None
        };
        let worker = {
            drop(worker);
            doomed.stop(bench).await?
        };
        let what = "the runtime stopped";
        for job in running {
            bench.until("a running job settles when its runtime stops", || job.is_told()).await?;
            job.told(what, stopped(Cause::SHUTDOWN))?;
        }
        for job in queued {
            bench.until("a queued job settles when its runtime stops", || job.is_told()).await?;
            job.told(what, unstarted(Cause::SHUTDOWN))?;
        }
        match bench.within("a submitter in line is told that the runtime has stopped", line).await? {
            Err(rejected) => ensure_eq!(rejected.reason, RejectReason::Closed, "what a submitter in line was told"),
            Ok(handle) => return Err(Flaw::Broken(format!("a runtime that has stopped accepted {handle:?}"))),
        }
        if let Some(blocked) = blocked {
            bench.until("a thread that waits for a place returns", || lock(&blocked).is_some()).await?;
            let reason = lock(&blocked).take().flatten();
            ensure_eq!(reason, Some(RejectReason::Closed), "what a thread that waited for a place was told");
        }
        if let Some(end) = end {
            bench.within("a drain is over when the runtime has stopped", end).await?;
        }
        let report = bench.within("a shutdown without a runtime is over", worker.shutdown(Shutdown::Drain)).await?;
        ensure_eq!(
            (report.counts.accepted, report.counts.cancelled, report.counts.unsettled),
            (7, 7, 0),
            "accepted, cancelled and unsettled"
        );
        census.each_once("bodies of jobs whose runtime stopped")?;
    }
    Ok(())
}
