//! What the parts of one worker have in common: its queue, its drivers' ports, its books, its root token.

use crate::sync::Arc;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::task::Waker;

use crate::books::{Account, Books};
use crate::config::WorkerConfig;
use crate::driver_port::DriverPort;
use crate::ending::Ending;
use crate::host::Lender;
use crate::job::conditions::Defaults;
use crate::job::desk::Desk;
use crate::job::hold::JobRef;
use crate::job::runner::{Runner, Verdict};
use crate::observer::{JobInfo, JobState, Observer};
use crate::port::Port;
use crate::queue::{Queue, Taken};
use crate::shelf::Key;
use crate::size::Heap;
use crate::sync::Lock;
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::timers::Timers;
use crate::{Cause, Instant, JobId, Token};

/// See the head of the file. The count of those who hold it, which every job changes, has a line of the cache of its own.
#[repr(align(128))]
pub(crate) struct Shared {
    pub(crate) config: WorkerConfig,
    /// What it says of every job.
    pub(crate) defaults: Defaults,
    pub(crate) host: Arc<dyn Lender>,
    pub(crate) queue: Queue,
    pub(crate) drivers: Box<[Arc<DriverPort>]>,
    pub(crate) keeper: KeeperPort,
    /// The parent of every job's token. Cancelled by an abort, with cause `Shutdown`.
    pub(crate) root: Token,
    pub(crate) books: Books,
    /// Whether the worker is aborting: drivers look at all of their lanes.
    pub(crate) aborting: AtomicBool,
    /// Whether the keeper looks after drivers that are held up.
    pub(crate) watching: AtomicBool,
    /// Drivers that have not left.
    pub(crate) drivers_left: AtomicUsize,
    /// Drivers and keeper that have not left.
    pub(crate) attendants_left: AtomicUsize,
    /// Whether a driver or the keeper was dropped before its end: the host went from under the worker.
    pub(crate) host_went: AtomicBool,
    pub(crate) ending: Ending,
}

/// What others see of the keeper.
pub(crate) struct KeeperPort {
    pub(crate) port: Port,
    /// Jobs whose token was cancelled while they were queued.
    pub(crate) reap: Lock<VecDeque<JobRef>>,
    /// Jobs taken out of the queue that are to be dropped and settled.
    pub(crate) evicted: Lock<VecDeque<Runner>>,
    /// Tokens with a deadline that the keeper keeps.
    pub(crate) watched: Lock<Timers<Token, Heap>>,
}

impl Shared {
    /// Rings this driver; if it has left, another one that is idle.
    #[inline]
    pub(crate) fn ring_driver(&self, driver: Option<usize>) {
        if driver.is_some() {
            self.ring_one(driver);
        }
    }

    fn ring_one(&self, driver: Option<usize>) {
        let mut next = driver;
        while let Some(driver) = next {
            if self.drivers[driver].port().ring() {
                return;
            }
            next = self.queue.withdraw(driver);
        }
    }

    /// [`ring_driver`](Self::ring_driver) for a job that was submitted at `now`.
    #[inline]
    pub(crate) fn ring_for(&self, driver: Option<usize>, now: Instant) {
        if let Some(first) = driver {
            self.drivers[first].clockwork.note_ring(now);
            self.ring_one(driver);
        }
    }

    /// Does what taking a job out of the queue has left to be done, and gives the job.
    #[inline]
    pub(crate) fn attend_to(&self, taken: Taken) -> Option<Runner> {
        if let Some(waker) = taken.wake {
            self.wake(waker);
        }
        self.ring_driver(taken.ring);
        taken.runner
    }

    /// A submitter leaves the line (Q6).
    pub(crate) fn leave_line(&self, key: Key) {
        if let Some(waker) = self.queue.leave_line(key) {
            self.wake(waker);
        }
    }

    /// Wakes somebody else's waker; a panic is contained and counted (P4).
    pub(crate) fn wake(&self, waker: Waker) {
        self.books.contain(|| waker.wake());
    }

    /// Drops and settles a job that was never started, for `cause` unless its token has another already (X3, T10).
    pub(crate) fn settle_unstarted(&self, mut runner: Runner, cause: Cause, now: Instant) {
        let cause = runner.head().cancel(cause);
        runner.discard();
        runner.settle(Verdict::Requested { cause, started: false }, now, Account::Common);
    }

    /// Lets nothing in any more (S1).
    pub(crate) fn close(&self) {
        for waker in self.queue.close(&self.books) {
            self.wake(waker);
        }
        self.ring_all();
    }

    pub(crate) fn ring_all(&self) {
        for driver in &self.drivers {
            driver.port().ring();
        }
        self.keeper.port.ring();
    }

    /// Begins an abort, for whoever asks for it: a request is outstanding from the call on (J4). What is due at this moment is
    /// timed out, not cut off (D2). Harmless when another one does it at the same time.
    pub(crate) fn begin_abort(&self, now: Instant) {
        for job in self.drivers.iter().flat_map(|driver| driver.jobs()) {
            job.expire_running(now);
            job.note_request(now);
        }
        for job in self.queue.jobs() {
            job.expire_queued(now);
        }
        self.abort();
    }

    /// Asks every job to stop, and the drivers to look (S3).
    pub(crate) fn abort(&self) {
        self.close();
        if !mutant!(AbortAsksNobody) {
            self.books.contain(|| self.root.cancel_with(Cause::SHUTDOWN));
        }
        self.aborting.store(true, Ordering::SeqCst);
        self.ring_all();
    }

    /// Empties the queue, here and now.
    pub(crate) fn settle_queue(&self, now: Instant) {
        while let Some(runner) = self.attend_to(self.queue.pop_any()) {
            runner.head().expire_queued(now); // D2
            self.settle_unstarted(runner, Cause::SHUTDOWN, now);
        }
        self.settle_evicted(now);
    }

    /// Settles the jobs that made room for others, here and now.
    pub(crate) fn settle_evicted(&self, now: Instant) {
        for runner in self.keeper.evicted.with(core::mem::take) {
            self.settle_unstarted(runner, Cause::EVICTED, now);
        }
    }

    /// A driver or the keeper is dropped, after it `left` by itself or not.
    pub(crate) fn dropped(&self, left: bool) {
        if !left {
            self.host_went.store(true, Ordering::SeqCst);
        }
    }

    /// A driver or the keeper has left, with nothing in its hands. The last one fixes the report, if nobody has (S6).
    pub(crate) fn depart(&self) {
        if self.attendants_left.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.ending.finish(self.books.counts(), Vec::new(), |waker| self.wake(waker));
        }
        self.keeper.port.ring();
    }

    /// A driver begins a poll: from now on the keeper looks after it (L3).
    pub(crate) fn watch(&self) {
        let unwatched = self.config.watchdog.is_some() && !self.watching.load(Ordering::SeqCst);
        if unwatched && !self.watching.swap(true, Ordering::SeqCst) {
            self.keeper.port.ring();
        }
    }

    /// Whether the job with this number is in a lane and has not settled.
    pub(crate) fn is_running(&self, job: u64) -> bool {
        let mut in_lanes = self.drivers.iter().flat_map(|driver| driver.jobs());
        in_lanes.any(|other| other.id().get() == job && other.state() == JobState::Running)
    }

    /// Every job that is not settled: the running ones first, then the queued ones in their order.
    pub(crate) fn list(&self, now: Instant) -> Vec<JobInfo> {
        let mut list: Vec<JobInfo> = self.drivers.iter().flat_map(|driver| driver.running(now)).collect();
        list.extend(self.queue.list(now));
        list
    }
}

impl Desk for Shared {
    fn reap(&self, job: JobRef) {
        if mutant!(DropsOnTheCancellersThread) {
            if let Some(runner) = self.attend_to(self.queue.remove(&job)) {
                self.settle_unstarted(runner, Cause::REQUESTED, self.host.now());
            }
            return;
        }
        self.keeper.reap.with(|list| list.push_back(job));
        if !self.keeper.port.ring() {
            // It has left, and what was queued is settled; what is on the list would hold the worker for ever.
            drop(self.keeper.reap.with(core::mem::take));
        }
    }

    fn ring(&self, driver: usize, lane: usize) {
        self.drivers[driver].ring_lane(lane);
    }

    fn free_call(&self, driver: usize) {
        self.drivers[driver].begin_settling();
    }

    fn end_lane(&self, driver: usize, lane: usize) {
        self.drivers[driver].end_lane(lane);
    }

    fn now(&self) -> Instant {
        self.host.now()
    }

    fn recent(&self) -> Instant {
        let recent = self.drivers.iter().find_map(|driver| driver.clockwork.recent());
        recent.unwrap_or_else(|| self.host.now())
    }

    #[cfg(feature = "std")]
    fn block(&self, wait: &mut dyn FnMut()) -> Result<(), crate::WouldDeadlock> {
        self.host.block(wait)
    }

    fn books(&self) -> &Books {
        &self.books
    }

    fn cut_off(&self, job: &dyn Fn() -> JobInfo) {
        if self.books.is_closed() {
            self.ending.cut_off(job());
        }
    }

    fn forget(&self, job: JobId) {
        self.ending.forget_insider(job.get());
    }

    fn ring_keeper(&self) {
        self.keeper.port.ring();
    }

    fn observer(&self) -> Option<&dyn Observer> {
        self.config.observer.as_deref()
    }
}
