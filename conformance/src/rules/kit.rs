//! What several groups of rules set up alike: lanes that are taken, tasks that do what the rule says, a book of what happened.

use std::future::Future;
use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use countermand_core::{
    Cause, Class, Handle, Instant, Job, JobId, JobInfo, Observer, Phase, Settled, Worker, WorkerConfig,
};

use crate::{Bench, Census, Flaw, Gate, Probe, Profile};

/// The smallest step of the clock.
pub(super) const TICK: Duration = Duration::from_nanos(1);

/// Times out while it runs.
pub(super) const OUT_RUNNING: Class = Class::TimedOut(Phase::Running);

/// Times out before it was started.
pub(super) const OUT_QUEUED: Class = Class::TimedOut(Phase::Queued);

/// Cancelled after it was started.
pub(super) const fn stopped(cause: Cause) -> Class {
    Class::Cancelled { cause, started: true }
}

/// Cancelled before it was started.
pub(super) const fn unstarted(cause: Cause) -> Class {
    Class::Cancelled { cause, started: false }
}

pub(super) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The point `after` the bench's time.
pub(super) fn from_now(bench: &Bench, after: Duration) -> Instant {
    bench.now().checked_add(after).unwrap_or(Instant::from_nanos(u64::MAX))
}

/// So many lanes, all of one driver.
pub(super) fn lanes(lanes: usize) -> WorkerConfig {
    WorkerConfig::new().lanes(lanes).drivers(1)
}

/// Whether the target has all of `what`.
pub(super) fn has(bench: &Bench, what: Profile) -> bool {
    bench.has(what)
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A job that takes a lane until it is told to leave.
#[derive(Debug)]
pub(super) struct Filler {
    gate: Gate,
    handle: Handle<()>,
}

impl Filler {
    /// Takes a lane of `worker`; it is known to be running there.
    pub(super) async fn of(bench: &Bench, worker: &Worker) -> Result<Self, Flaw> {
        let gate = Gate::new();
        let handle = bench.submit(worker, Job::task(gate.wait()).name("filler")).await?;
        bench.quiet(worker).await?;
        Ok(Self { gate, handle })
    }

    /// Gives the lane back.
    pub(super) async fn leave(self, bench: &Bench) -> Result<(), Flaw> {
        self.gate.open();
        bench.settled(self.handle).await.map(drop)
    }
}

/// A task that does what the rule says: it counts its polls, and is pending until it is given an answer. Clones pull the same
/// strings.
#[derive(Debug)]
pub(super) struct Puppet<T>(Arc<Strings<T>>);

#[derive(Debug)]
struct Strings<T> {
    polls: AtomicU64,
    answer: Mutex<Option<T>>,
    waker: Mutex<Option<Waker>>,
    census: Census,
}

impl<T> Clone for Puppet<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Send + 'static> Puppet<T> {
    pub(super) fn new() -> Self {
        Self(Arc::new(Strings {
            polls: AtomicU64::new(0),
            answer: Mutex::new(None),
            waker: Mutex::new(None),
            census: Census::new(),
        }))
    }

    /// One that would answer at its first poll.
    pub(super) fn ready(answer: T) -> Self {
        let puppet = Self::new();
        puppet.prepare(answer);
        puppet
    }

    /// The task.
    pub(super) fn task(&self) -> Act<T, fn(u64)> {
        self.acting(|_| ())
    }

    /// The task, which also runs `act` in each of its polls, with the number of the poll, before it looks for an answer.
    pub(super) fn acting<A: FnMut(u64)>(&self, act: A) -> Act<T, A> {
        Act { puppet: self.clone(), act, _probe: self.0.census.probe() }
    }

    /// How often it was polled.
    pub(super) fn polls(&self) -> u64 {
        self.0.polls.load(Ordering::SeqCst)
    }

    /// Wakes it. It is polled, and is pending again, unless it was given an answer.
    pub(super) fn wake(&self) {
        let waker = lock(&self.0.waker).clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// What it returns when it is polled next.
    pub(super) fn prepare(&self, answer: T) {
        *lock(&self.0.answer) = Some(answer);
    }

    /// Wakes it to return this.
    pub(super) fn answer(&self, answer: T) {
        self.prepare(answer);
        self.wake();
    }

    /// Every task of it was dropped exactly once (X2).
    pub(super) fn dropped_once(&self, what: &str) -> Result<(), Flaw> {
        self.0.census.each_once(what)
    }
}

/// The task of a [`Puppet`].
#[derive(Debug)]
pub(super) struct Act<T, A> {
    puppet: Puppet<T>,
    act: A,
    _probe: Probe,
}

// Nothing in it is pinned.
impl<T, A> Unpin for Act<T, A> {}

impl<T: Send + 'static, A: FnMut(u64)> Future for Act<T, A> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let strings = Arc::clone(&self.puppet.0);
        let poll = strings.polls.fetch_add(1, Ordering::SeqCst) + 1;
        let before = lock(&strings.waker).replace(cx.waker().clone());
        drop(before);
        (self.act)(poll);
        let answer = lock(&strings.answer).take();
        answer.map_or(Poll::Pending, Poll::Ready)
    }
}

/// Writes down what a worker tells of its jobs. Clones are the same book.
#[derive(Clone, Debug, Default)]
pub(super) struct Book(Arc<Pages>);

#[derive(Debug, Default)]
struct Pages {
    started: Mutex<Vec<JobId>>,
    settled: Mutex<Vec<(JobId, Settled)>>,
}

impl Book {
    pub(super) fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(&self.0) as Arc<dyn Observer>
    }

    /// Whether the job was said to be started.
    pub(super) fn has_started(&self, job: JobId) -> bool {
        lock(&self.0.started).contains(&job)
    }

    /// What was said of the end of the job, each time.
    pub(super) fn ends_of(&self, job: JobId) -> Vec<Settled> {
        lock(&self.0.settled).iter().filter(|(id, _)| *id == job).map(|(_, settled)| *settled).collect()
    }
}

impl Observer for Pages {
    fn started(&self, job: &JobInfo) {
        lock(&self.started).push(job.id);
    }

    fn settled(&self, job: &JobInfo, settled: &Settled) {
        lock(&self.settled).push((job.id, *settled));
    }
}
