//! The door: where jobs are submitted, looked at and shut down.

#[cfg(all(test, countermand_loom))]
mod loom;

use crate::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use crate::bell::Listener;
use crate::books::Counts;
use crate::config::{FullPolicy, WorkerConfig};
use crate::ending::{Mode, Report};
use crate::job::Job;
use crate::job::head::Desk;
use crate::job::work::Work;
use crate::observer::JobInfo;
use crate::port::all_quiet;
use crate::queue::Entry;
use crate::shared::Shared;
use crate::submit::{Candidate, Submit, SubmitResult};
use crate::sync::atomic::Ordering;
use crate::timed::{Keeps, TimedToken};
use crate::timers::TimerKey;
use crate::token::TokenObserver;
use crate::turn::{Current, InTurn};
use crate::{Instant, Shutdown, Token};

/// A worker: a bounded priority queue, and lanes in which its jobs run on a host.
///
/// A clone is another door to the same worker. When the last one is dropped the worker is aborted, as by
/// [`Shutdown::Abort`]: every job settles (S6). Shut it down on purpose to have jobs finish.
///
/// A job that waits for another job of its own worker can wait for ever once such jobs have taken all lanes; give the inner ones a
/// worker of their own.
#[derive(Clone)]
pub struct Worker {
    door: Arc<Door>,
}

struct Door {
    shared: Arc<Shared>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shared.shut_down(Shutdown::Abort);
    }
}

impl Worker {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { door: Arc::new(Door { shared }) }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.door.shared
    }

    /// Submits a job; waits for a place where the worker is set up to (Q5).
    ///
    /// # Errors
    ///
    /// [`Rejected`](crate::Rejected) with the job and the reason.
    ///
    /// # Cancellation
    ///
    /// See [`Submit`].
    pub fn submit<W: Work>(&self, job: Job<W>) -> Submit<W> {
        Submit::new(self.shared().clone(), job)
    }

    /// Submits a job now or not at all. Takes effect at the call, and needs no runtime.
    ///
    /// # Errors
    ///
    /// [`Rejected`](crate::Rejected) with the job and the reason.
    pub fn try_submit<W: Work>(&self, job: Job<W>) -> SubmitResult<W> {
        let candidate = Candidate::new(self.shared(), job)?;
        candidate
            .enter(self.shared(), Entry::New)
            .map_err(|(candidate, reason)| candidate.reject(self.shared(), reason))
    }

    /// Submits a job from a thread without a runtime; blocks it while the queue is full, where the worker is set up to wait.
    ///
    /// # Errors
    ///
    /// [`Rejected`](crate::Rejected) with the job and the reason; [`WouldDeadlock`](crate::RejectReason::WouldDeadlock) if there was no place and blocking here would
    /// stop a driver (C3).
    #[cfg(feature = "std")]
    pub fn submit_blocking<W: Work>(&self, job: Job<W>) -> SubmitResult<W> {
        let mut submit = self.submit(job);
        match crate::wait::block_on(&**self.shared(), Pin::new(&mut submit), None) {
            Ok(Some(result)) => result,
            Ok(None) | Err(_) => match submit.recover(crate::RejectReason::WouldDeadlock) {
                Some(rejected) => Err(rejected),
                None => unreachable!("a submit that is done has given its result"),
            },
        }
    }

    /// Accepts nothing from now on (S1). What was accepted goes on.
    pub fn close(&self) {
        self.shared().close();
    }

    /// Shuts the worker down. Takes effect at the call; may be called again, from anywhere, to ask for more (S5).
    pub fn shutdown(&self, how: Shutdown) -> ShutdownWait {
        self.shared().shut_down(how);
        ShutdownWait { shared: self.shared().clone(), listener: None, insider: None }
    }

    /// [`shutdown`](Self::shutdown), blocking this thread until it is over.
    ///
    /// # Errors
    ///
    /// [`WouldDeadlock`](crate::WouldDeadlock) on threads that the drivers need (C3). The shutdown takes effect all the same.
    #[cfg(feature = "std")]
    pub fn shutdown_blocking(&self, how: Shutdown) -> Result<Report, crate::WouldDeadlock> {
        let mut wait = self.shutdown(how);
        self.block_on(Pin::new(&mut wait))
    }

    /// Waits for `future` on this thread, without limit.
    #[cfg(feature = "std")]
    pub(crate) fn block_on<F: Future>(&self, future: Pin<&mut F>) -> Result<F::Output, crate::WouldDeadlock> {
        match crate::wait::block_on(&**self.shared(), future, None)? {
            Some(value) => Ok(value),
            None => unreachable!("a wait without a limit ends with its value"),
        }
    }

    /// Every job that has not settled: the running ones, then the queued ones by priority and arrival. A job on its way from the
    /// queue to its lane may be missing for that moment.
    #[must_use]
    pub fn jobs(&self) -> Vec<JobInfo> {
        self.shared().list(self.now())
    }

    /// The worker's own count of what became of its jobs.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shared().books.counts()
    }

    /// How many jobs are queued.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.shared().queue.len()
    }

    /// How many places of the queue are promised to submitters that waited and have not come for them yet. One that was forgotten
    /// instead of dropped never does: then this stays above zero, and so many places are lost (X5).
    #[must_use]
    pub fn promised(&self) -> usize {
        self.shared().queue.promised()
    }

    /// How many lanes are taken.
    #[must_use]
    pub fn running(&self) -> usize {
        self.shared().drivers.iter().map(|driver| driver.taken()).sum()
    }

    /// Whether nothing is accepted any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared().books.is_closed()
    }

    /// How the worker was set up.
    #[must_use]
    pub fn config(&self) -> &WorkerConfig {
        &self.shared().config
    }

    /// What a full queue does.
    #[must_use]
    pub fn full_policy(&self) -> FullPolicy {
        self.config().full
    }

    /// A view of the worker's root token: cancelled, with cause `Shutdown`, when an abort begins.
    #[must_use]
    pub fn token(&self) -> TokenObserver {
        self.shared().root.observer()
    }

    /// The time on the host's clock, for absolute deadlines.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.shared().host.now()
    }

    /// A child of the worker's root token that the keeper cancels, with cause `Deadline`, at `at`.
    pub fn child_with_deadline(&self, at: Instant) -> TimedToken {
        let token = self.shared().root.child_with_deadline(at);
        let key = self.shared().keeper.watched.with(|watched| watched.insert(at, token.clone()));
        self.shared().keeper.port.ring();
        TimedToken::new(token, Some((self.shared().clone(), key)))
    }

    /// [`child_with_deadline`](Self::child_with_deadline) after `limit`. A limit beyond the clock is none (D8).
    pub fn child_with_timeout(&self, limit: Duration) -> TimedToken {
        match self.now().checked_add(limit) {
            Some(at) => self.child_with_deadline(at),
            None => TimedToken::new(self.shared().root.child_token(), None),
        }
    }

    /// Whether the worker has nothing to do at this moment: each driver and the keeper is parked, nobody has rung them, no
    /// timer of theirs is due, and no call that has ended is still to be settled by its thread. Jobs may be waiting for something outside. For tests that go step by step.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let now = self.now();
        let drivers = self.shared().drivers.iter().map(|driver| driver.port());
        // Asked before, as one that ends in between has rung a driver by then; and after, as one may have begun.
        let settled = || self.shared().drivers.iter().all(|driver| !driver.is_settling());
        settled() && all_quiet(drivers.chain([&self.shared().keeper.port]), now) && settled()
    }

    pub(crate) fn root(&self) -> &Token {
        &self.shared().root
    }
}

impl Shared {
    fn shut_down(&self, how: Shutdown) {
        let after = |limit: Duration| self.host.now().checked_add(limit);
        let mode = match how {
            Shutdown::Drain => Mode::Drain { until: None },
            Shutdown::DrainFor(limit) if limit.is_zero() && mutant!(ZeroLimitIsNone) => Mode::Drain { until: None },
            Shutdown::DrainFor(limit) => Mode::Drain { until: after(limit) },
            Shutdown::Abort => Mode::Abort { until: after(self.config.shutdown_limit) },
            Shutdown::AbortWithin(limit) => Mode::Abort { until: after(limit) },
        };
        let aborts = self.ending.ask(mode);
        self.close();
        // Also if another one has asked for it at the same time, and has not come that far: the request is out when this returns.
        if aborts || (matches!(mode, Mode::Abort { .. }) && !self.aborting.load(Ordering::SeqCst)) {
            self.begin_abort(self.host.now());
        }
    }
}

impl Keeps for Shared {
    fn release(&self, key: TimerKey) {
        let token = self.keeper.watched.with(|watched| watched.remove(key));
        drop(token);
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker")
            .field("name", &self.config().name)
            .field("queued", &self.queued())
            .field("running", &self.running())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// Waits for the end of a shutdown and gives its [`Report`].
///
/// Awaited inside a job of the same worker, it would wait for that job; it is ready as soon as only such jobs are left, with a
/// report in which they are not settled yet (S5).
///
/// # Cancellation
///
/// Dropping it changes nothing about the shutdown.
#[must_use = "the shutdown goes on by itself, but only its wait says when it is over"]
pub struct ShutdownWait {
    shared: Arc<Shared>,
    listener: Option<Listener>,
    /// The job of this worker that is waiting here.
    insider: Option<u64>,
}

impl ShutdownWait {
    fn report(&self) -> Option<Report> {
        let ending = &self.shared.ending;
        ending.report().or_else(|| self.insider.and_then(|_| ending.interim()))
    }
}

impl Future for ShutdownWait {
    type Output = Report;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Report> {
        let this = &mut *self;
        let worker = this.shared.address();
        if this.insider.is_none() {
            // A call that was abandoned is waited for by nobody.
            let waited_for = |current: &Current| current.worker == worker && this.shared.is_running(current.job);
            if let Some(current) = InTurn::current().filter(waited_for) {
                this.insider = Some(current.job);
                this.shared.ending.enter_insider(current.job);
                this.shared.keeper.port.ring();
            }
        }
        loop {
            if let Some(report) = this.report() {
                return Poll::Ready(report);
            }
            match &mut this.listener {
                None => this.listener = Some(this.shared.ending.listen()),
                Some(listener) => match Pin::new(listener).poll(cx) {
                    Poll::Ready(()) => this.listener = None,
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
    }
}

impl Drop for ShutdownWait {
    fn drop(&mut self) {
        if let Some(job) = self.insider {
            self.shared.ending.leave_insider(job);
        }
    }
}

impl fmt::Debug for ShutdownWait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShutdownWait").finish_non_exhaustive()
    }
}
