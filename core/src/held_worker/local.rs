//! The way in for jobs that are not `Send`: it stays where the driver is.

use core::fmt;
use core::marker::PhantomData;

use super::board::Entry;
use super::job::HeldJob;
use super::policy::{HeldEvicts, HeldPolicy, HeldStrict, HeldWaits};
use super::submit::HeldSubmitting;
use super::work::HeldWork;
use super::{HeldSubmit, HeldWorker};
use crate::Instant;

/// Accepts jobs that need not be `Send`: it cannot leave the thread, or the interrupt priority, of its driver. Made by [`HeldDriver::local`](crate::HeldDriver::local), and
/// of use also when that runs. Each of its ways in means what the worker's of the same name does.
///
/// ```
/// use core::task::{Context, Waker};
/// use countermand_core::{HeldJob, HeldWorker, Instant, Step};
/// use std::{cell::Cell, rc::Rc};
///
/// static WORKER: HeldWorker<1, 2, 64> = HeldWorker::new();
///
/// let mut driver = WORKER.attend().expect("nobody else drives it");
/// let local = driver.local();
/// let level = Rc::new(Cell::new(3));
/// let job = HeldJob::task({
///     let level = level.clone();
///     async move { level.set(4) }
/// });
/// drop(local.submit(job, Instant::ORIGIN));
/// while driver.step(&mut Context::from_waker(Waker::noop()), Instant::ORIGIN) == Step::Again {}
/// assert_eq!(level.get(), 4);
/// ```
///
/// ```compile_fail,E0277
/// # use countermand_core::HeldWorker;
/// static WORKER: HeldWorker<1, 1, 64> = HeldWorker::new();
/// let local = WORKER.attend().map(|driver| driver.local());
/// std::thread::spawn(move || drop(local));
/// ```
pub struct HeldLocal<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy = HeldStrict> {
    worker: &'static HeldWorker<LANES, SLOTS, BYTES, P>,
    /// Neither `Send` nor `Sync`.
    here: PhantomData<*const ()>,
}

impl<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy> HeldLocal<LANES, SLOTS, BYTES, P> {
    /// Whoever calls it is where the driver is.
    pub(super) const fn new(worker: &'static HeldWorker<LANES, SLOTS, BYTES, P>) -> Self {
        Self { worker, here: PhantomData }
    }

    /// [`HeldWorker::submit`] for a job that need not be `Send`.
    ///
    /// # Errors
    ///
    /// [`Rejected`](crate::Rejected) with the job and the reason: every slot is taken, or the worker is closed.
    pub fn submit<W: HeldWork>(self, job: HeldJob<W>, now: Instant) -> HeldSubmit<W, P> {
        self.worker.accept(job, now, Entry::Now)
    }
}

impl<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy<Full = HeldWaits>>
    HeldLocal<LANES, SLOTS, BYTES, P>
{
    /// [`HeldWorker::submit_or_wait`] for a job that need not be `Send`.
    ///
    /// # Errors
    ///
    /// [`Rejected`](crate::Rejected) with the job, if the worker is closed.
    ///
    /// # Cancellation
    ///
    /// See [`HeldSubmitting`].
    pub const fn submit_or_wait<W: HeldWork>(
        self,
        job: HeldJob<W>,
        now: Instant,
    ) -> HeldSubmitting<W, LANES, SLOTS, BYTES, P> {
        HeldSubmitting::new(self.worker, job, now)
    }
}

impl<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy<Full = HeldEvicts>>
    HeldLocal<LANES, SLOTS, BYTES, P>
{
    /// [`HeldWorker::submit_or_evict`] for a job that need not be `Send`.
    ///
    /// # Errors
    ///
    /// [`Rejected`](crate::Rejected) with the job and the reason: nothing less urgent is queued, or the worker is closed.
    ///
    /// # Cancellation
    ///
    /// See [`HeldSubmitting`].
    pub const fn submit_or_evict<W: HeldWork>(
        self,
        job: HeldJob<W>,
        now: Instant,
    ) -> HeldSubmitting<W, LANES, SLOTS, BYTES, P> {
        HeldSubmitting::new(self.worker, job, now)
    }
}

// Not derived, as a policy need not be one.
impl<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy> Clone
    for HeldLocal<LANES, SLOTS, BYTES, P>
{
    fn clone(&self) -> Self {
        *self
    }
}

impl<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy> Copy
    for HeldLocal<LANES, SLOTS, BYTES, P>
{
}

impl<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy> fmt::Debug
    for HeldLocal<LANES, SLOTS, BYTES, P>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldLocal").finish_non_exhaustive()
    }
}
