//! What this thread is in the middle of. In a job's poll, a blocking wait would hold up the driver; in a callback or a destructor
//! that a driver or a keeper runs, one for the same worker would hold up who must go on (C3). In a poll or a call, waiting for the end
//! of the job's own worker would wait for itself (S5).

use core::marker::PhantomData;

/// A job, by the address of its worker and its number, and whether it is polled here or called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Current {
    pub(crate) worker: usize,
    pub(crate) job: u64,
    pub(crate) in_poll: bool,
}

/// `Current`, or none, in two words.
#[derive(Clone, Copy)]
struct Mark {
    /// 0 for none.
    worker: usize,
    /// Twice its number, and one more if it is polled.
    job: u64,
}

impl Mark {
    const NONE: Self = Self { worker: 0, job: 0 };

    const fn of(current: Current) -> Self {
        Self { worker: current.worker, job: current.job << 1 | current.in_poll as u64 }
    }

    fn current(self) -> Option<Current> {
        (self.worker != 0).then_some(Current { worker: self.worker, job: self.job >> 1, in_poll: self.job & 1 == 1 })
    }
}

/// Without `std` there is one thread. Interrupts that poll jobs of their own come and go in the middle of a poll, and each puts back what was before.
#[cfg(not(feature = "std"))]
static CURRENT: crate::sync::Lock<Mark> = crate::sync::Lock::new(Mark::NONE);

#[cfg(feature = "std")]
crate::sync::thread_local! {
    static CURRENT: core::cell::Cell<Mark> = const { core::cell::Cell::new(Mark::NONE) };
    /// The address of a worker, or 0.
    static IN_STEP: core::cell::Cell<usize> = const { core::cell::Cell::new(0) };
}

/// While it lives, this thread is in a job's poll or call.
pub(crate) struct InTurn {
    before: Mark,
    /// Not `Send`: it belongs to this thread.
    here: PhantomData<*const ()>,
}

impl InTurn {
    pub(crate) fn enter(current: Current) -> Self {
        Self { before: swap(Mark::of(current)), here: PhantomData }
    }

    /// The job in whose poll or call this thread is.
    pub(crate) fn current() -> Option<Current> {
        #[cfg(feature = "std")]
        return CURRENT.with(core::cell::Cell::get).current();
        #[cfg(not(feature = "std"))]
        return CURRENT.with(|mark| *mark).current();
    }
}

impl Drop for InTurn {
    fn drop(&mut self) {
        swap(self.before);
    }
}

#[inline]
fn swap(mark: Mark) -> Mark {
    #[cfg(feature = "std")]
    return CURRENT.with(|cell| cell.replace(mark));
    #[cfg(not(feature = "std"))]
    return CURRENT.with(|cell| core::mem::replace(cell, mark));
}

/// While it lives, this thread is in a step of a driver or of the keeper of one worker.
pub(crate) struct InStep {
    before: usize,
    /// Not `Send`: it belongs to this thread.
    here: PhantomData<*const ()>,
}

impl InStep {
    /// For the worker at this address.
    pub(crate) fn enter(worker: usize) -> Self {
        Self { before: step(worker), here: PhantomData }
    }

    /// Whether this thread is in a step of the worker at this address. Blocking waits ask, so it is there where they are.
    #[cfg(feature = "std")]
    pub(crate) fn is_of(worker: usize) -> bool {
        IN_STEP.with(core::cell::Cell::get) == worker
    }
}

impl Drop for InStep {
    fn drop(&mut self) {
        step(self.before);
    }
}

fn step(worker: usize) -> usize {
    #[cfg(feature = "std")]
    return IN_STEP.with(|cell| cell.replace(worker));
    #[cfg(not(feature = "std"))]
    return worker;
}
