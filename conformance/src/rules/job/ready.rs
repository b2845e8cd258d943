//! A handle is ready when the task is dropped and the place is free.

use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use countermand_core::{Cause, Class, Handle, Job, Shutdown, Work, Worker};

use crate::rules::kit::{Filler, OUT_QUEUED, OUT_RUNNING, Puppet, has, lanes, lock, secs, stopped, unstarted};
use crate::{Bench, Census, Check, Flaw, Gate, Profile, Recorder, ensure, ensure_eq, poll};

/// What there is to see when a handle's waker is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sight {
    alive: u64,
    queued: usize,
    running: usize,
    listed: usize,
}

/// One job whose handle is watched: it has captured a probe, and its handle is polled by a waker that looks around.
struct Watched<T> {
    handle: Handle<T>,
    recorder: Recorder,
    sights: Arc<Mutex<Vec<Sight>>>,
    early: Arc<AtomicBool>,
    census: Census,
}

impl<T: Send + 'static> Watched<T> {
    async fn submit<W>(bench: &Bench, worker: &Worker, make: impl FnOnce(crate::Probe) -> Job<W>) -> Result<Self, Flaw>
    where
        W: Work<Value = T, Error = std::convert::Infallible>,
    {
        let (census, sights) = (Census::new(), Arc::new(Mutex::new(Vec::new())));
        let (settled, early) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (seen, saw) = (Arc::clone(&settled), Arc::clone(&early));
        let probe = census.probe_with(move || saw.store(seen.load(Ordering::SeqCst), Ordering::SeqCst));
        let mut handle = bench.submit(worker, make(probe)).await?;
        let (look, look_at, counted) = (Arc::clone(&sights), worker.clone(), census.clone());
        let told = Arc::clone(&settled);
        let recorder = Recorder::acting(move |touch| {
            if touch == crate::Touch::Wake {
                told.store(true, Ordering::SeqCst);
                let sight = Sight {
                    alive: counted.alive(),
                    queued: look_at.queued(),
                    running: look_at.running(),
                    listed: look_at.jobs().len(),
                };
                lock(&look).push(sight);
            }
        });
        handle.on_done(move |_| settled.store(true, Ordering::SeqCst));
        ensure!(
            poll(Pin::new(&mut handle), &recorder.waker()).is_pending(),
            "a job that waits for the rule has settled"
        );
        Ok(Self { handle, recorder, sights, early, census })
    }

    /// It has ended by now: what the waker saw, with `beside` jobs still running.
    async fn seen(self, bench: &Bench, what: &str, expected: Class, beside: usize) -> Result<(), Flaw> {
        let Self { mut handle, recorder, sights, early, census } = self;
        bench.until(&format!("{what}: the handle is woken"), || !lock(&sights).is_empty()).await?;
        let seen = lock(&sights)[0];
        let clear = Sight { alive: 0, queued: 0, running: beside, listed: beside };
        ensure_eq!(seen, clear, "{what}: what there was when the handle was woken");
        ensure!(!early.load(Ordering::SeqCst), "{what}: the outcome was there when the task was dropped");
        let class = bench.within(&format!("{what}: the handle is ready"), &mut handle).await?.class();
        ensure_eq!(class, expected, "{what}: how it ended");
        // The act holds the worker.
        recorder.calm();
        census.each_once(what)
    }
}

pub(super) async fn j7_ready_after_the_drop_and_with_the_place_free(bench: &Bench) -> Check {
    let mut jobs = ready_after_running(bench).await? + ready_after_queueing(bench).await?;
    if has(bench, Profile::NONE.blocking()) {
        ready_after_a_call(bench).await?;
        jobs += 1;
    }
    Ok(jobs)
}

/// How a running job is brought to its end.
#[derive(Clone, Copy, Debug)]
enum End {
    Value,
    Cancel,
    TimeOut,
    Grace,
    Panic,
    Abort,
}

async fn ready_after_running(bench: &Bench) -> Check {
    let ends = [End::Value, End::Cancel, End::TimeOut, End::Grace, End::Panic, End::Abort];
    let unwind = has(bench, Profile::NONE.unwind());
    let mut jobs = 0;
    for end in ends.into_iter().filter(|end| unwind || !matches!(end, End::Panic)) {
        let worker = bench.worker(lanes(1))?;
        let puppet = Puppet::new();
        let task = puppet.acting(move |poll| assert!(poll == 1 || !matches!(end, End::Panic), "as the rule wants it"));
        let watched = Watched::submit(bench, &worker, |probe| {
            let job = Job::task(async move {
                let _probe = probe;
                task.await
            });
            match end {
                End::TimeOut => job.run_timeout(secs(5)),
                End::Grace => job.grace(secs(5)),
                _ => job,
            }
        })
        .await?;
        bench.quiet(&worker).await?;
        let expected = match end {
            End::Value | End::Panic => {
                puppet.answer(());
                if matches!(end, End::Value) { Class::Completed } else { Class::Panicked }
            }
            End::Cancel | End::Grace => {
                watched.handle.cancel();
                stopped(Cause::REQUESTED)
            }
            End::TimeOut => OUT_RUNNING,
            End::Abort => {
                drop(worker.shutdown(Shutdown::Abort));
                stopped(Cause::SHUTDOWN)
            }
        };
        if matches!(end, End::TimeOut | End::Grace) {
            bench.advance(&worker, secs(5)).await?;
        }
        watched.seen(bench, &format!("{end:?}"), expected, 0).await?;
        jobs += 1;
    }
    Ok(jobs)
}

async fn ready_after_queueing(bench: &Bench) -> Check {
    let mut jobs = 0;
    for by_time in [false, true] {
        let worker = bench.worker(lanes(1))?;
        let filler = Filler::of(bench, &worker).await?;
        let watched =
            Watched::submit(bench, &worker, |probe| Job::task(async move { drop(probe) }).queue_timeout(secs(5)))
                .await?;
        let expected = if by_time {
            bench.advance(&worker, secs(5)).await?;
            OUT_QUEUED
        } else {
            watched.handle.cancel();
            unstarted(Cause::REQUESTED)
        };
        watched.seen(bench, "in the queue", expected, 1).await?;
        filler.leave(bench).await?;
        jobs += 1;
    }
    Ok(jobs)
}

async fn ready_after_a_call(bench: &Bench) -> Result<(), Flaw> {
    let worker = bench.worker(lanes(1))?;
    let leave = Gate::new();
    let left = leave.clone();
    let watched = Watched::submit(bench, &worker, |probe| {
        Job::call(move |_| {
            left.wait_blocking();
            drop(probe);
        })
    })
    .await?;
    leave.open();
    watched.seen(bench, "a call", Class::Completed, 0).await
}
