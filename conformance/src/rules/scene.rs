//! Scenes that rules begin with: numbered jobs, a worker whose lane is held, a worker stepped by hand.

use std::convert::Infallible;
use std::prelude::v1::*;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use countermand_core::{Handle, Job, Priority, SubmitResult, Work, Worker, WorkerConfig};

use super::kit::lock;
use crate::{Bench, Census, Flaw, Gate, SendFuture, ensure_eq};

/// How many times a worker stepped by hand is gone through before it counts as restless.
const RESTLESS: u32 = 10_000;

/// Numbered jobs, and what became of them: in which order they were first polled, and what of them was dropped.
#[derive(Clone, Debug, Default)]
pub(super) struct Roll {
    census: Census,
    begun: Arc<Mutex<Vec<u64>>>,
}

impl Roll {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// A job that notes its number at its first poll and then returns it.
    pub(super) fn job(&self, number: u64) -> Job<impl Work<Value = u64, Error = Infallible> + use<>> {
        let (roll, probe) = (self.clone(), self.census.probe());
        let body = async move {
            roll.note(number);
            drop(probe);
            number
        };
        Job::task(body).name(format!("number {number}"))
    }

    /// A job that notes its number at its first poll and then waits for the gate.
    pub(super) fn waiting(&self, number: u64, gate: &Gate) -> Job<impl Work<Value = u64, Error = Infallible> + use<>> {
        let (roll, probe, gate) = (self.clone(), self.census.probe(), gate.clone());
        let body = async move {
            roll.note(number);
            gate.wait().await;
            drop(probe);
            number
        };
        Job::task(body).name(format!("number {number}"))
    }

    pub(super) fn note(&self, number: u64) {
        lock(&self.begun).push(number);
    }

    /// The numbers of those that were polled, in the order of their first polls.
    pub(super) fn begun(&self) -> Vec<u64> {
        lock(&self.begun).clone()
    }

    /// Where each job's body ends.
    pub(super) fn census(&self) -> &Census {
        &self.census
    }
}

/// A worker whose only lane is held by a job, so that what is submitted stays in the queue until the rule lets the lane go.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) worker: Worker,
    gate: Gate,
    holder: Handle<()>,
}

impl Held {
    pub(super) async fn new(bench: &Bench, config: WorkerConfig) -> Result<Self, Flaw> {
        let worker = bench.worker(config.lanes(1).drivers(1))?;
        let gate = Gate::new();
        let holder = Job::task(gate.wait()).priority(Priority::Critical).name("holder of the lane");
        let holder = bench.submit(&worker, holder).await?;
        bench.quiet(&worker).await?;
        ensure_eq!((worker.queued(), worker.running()), (0, 1), "queued and running with one job, which waits");
        Ok(Self { worker, gate, holder })
    }

    /// The job in the lane has not moved.
    ///
    /// # Errors
    ///
    /// [`Flaw::Broken`] if it has.
    pub(super) fn still_held(&self) -> Result<(), Flaw> {
        ensure_eq!(
            (self.worker.running(), self.holder.is_finished()),
            (1, false),
            "lanes taken, and whether the job that holds the only lane has settled"
        );
        Ok(())
    }

    /// Lets the lane go, and waits until everything that can end has ended.
    ///
    /// # Errors
    ///
    /// [`Flaw::Broken`] if it does not.
    pub(super) async fn release(self, bench: &Bench) -> Result<Worker, Flaw> {
        self.gate.open();
        bench.settled(self.holder).await?;
        bench.quiet(&self.worker).await?;
        ensure_eq!((self.worker.queued(), self.worker.running()), (0, 0), "queued and running when the lane was free");
        Ok(self.worker)
    }
}

/// The handle of a job that must have been accepted.
///
/// # Errors
///
/// [`Flaw::Broken`] if it was not.
pub(super) fn accepted<W: Work>(result: SubmitResult<W>) -> Result<Handle<W::Value, W::Error>, Flaw> {
    result.map_err(|rejected| Flaw::Broken(format!("a job was refused though there is room: {}", rejected.reason)))
}

/// A worker whose attendants the rule polls itself, each when it wants: the drivers, and the keeper as the last.
pub(super) struct Stepped {
    pub(super) worker: Worker,
    pub(super) attendants: Vec<Option<SendFuture>>,
}

impl Stepped {
    pub(super) fn new(bench: &Bench, config: WorkerConfig) -> Result<Self, Flaw> {
        let (worker, attendants) = bench.parts(config)?;
        Ok(Self { worker, attendants: attendants.into_iter().map(Some).collect() })
    }

    /// Polls every attendant in turn until the worker has nothing to do.
    ///
    /// # Errors
    ///
    /// [`Flaw::Broken`] if it never comes to rest.
    pub(super) fn run(&mut self) -> Result<(), Flaw> {
        for _ in 0..RESTLESS {
            turn(&mut self.attendants);
            if self.worker.is_quiet() {
                return Ok(());
            }
        }
        Err(Flaw::Broken(format!("{:?} does not come to rest, stepped by hand", self.worker)))
    }
}

/// Polls each attendant once, and puts away those that have left.
pub(super) fn turn(attendants: &mut [Option<SendFuture>]) {
    for place in attendants {
        step(place);
    }
}

/// Polls one attendant once, and puts it away if it has left.
pub(super) fn step(place: &mut Option<SendFuture>) {
    let polled = place.as_mut().map(|attendant| attendant.as_mut().poll(&mut Context::from_waker(Waker::noop())));
    if polled == Some(Poll::Ready(())) {
        *place = None;
    }
}
