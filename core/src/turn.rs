//! What this thread is in the middle of. In a step of a driver or a keeper, be it in a job's poll, in a callback or in a destructor,
//! a blocking wait would hold up who must go on (C3). In a poll or a call, waiting for the end of the job's own worker would wait for
//! itself (S5).

use core::marker::PhantomData;

/// A job, by the address of its worker and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Current {
    pub(crate) worker: usize,
    pub(crate) job: u64,
}

#[cfg(feature = "std")]
std::thread_local! {
    static CURRENT: core::cell::Cell<Option<Current>> = const { core::cell::Cell::new(None) };
    static IN_STEP: core::cell::Cell<bool> = const { core::cell::Cell::new(false) };
}

/// While it lives, this thread is in a job's poll or call.
pub(crate) struct InTurn {
    before: Option<Current>,
    /// Not `Send`: it belongs to this thread.
    here: PhantomData<*const ()>,
}

impl InTurn {
    pub(crate) fn enter(current: Current) -> Self {
        Self { before: swap(Some(current)), here: PhantomData }
    }

    /// The job in whose poll or call this thread is. Always `None` where there are no thread-locals to remember it in.
    pub(crate) fn current() -> Option<Current> {
        #[cfg(feature = "std")]
        return CURRENT.with(core::cell::Cell::get);
        #[cfg(not(feature = "std"))]
        return None;
    }
}

impl Drop for InTurn {
    fn drop(&mut self) {
        swap(self.before);
    }
}

fn swap(current: Option<Current>) -> Option<Current> {
    #[cfg(feature = "std")]
    return CURRENT.with(|cell| cell.replace(current));
    #[cfg(not(feature = "std"))]
    return current.and(None);
}

/// While it lives, this thread is in a step of a driver or a keeper.
pub(crate) struct InStep {
    before: bool,
    /// Not `Send`: it belongs to this thread.
    here: PhantomData<*const ()>,
}

impl InStep {
    pub(crate) fn enter() -> Self {
        Self { before: step(true), here: PhantomData }
    }

    /// Whether this thread is in such a step. Blocking waits ask, so it is there where they are.
    #[cfg(feature = "std")]
    pub(crate) fn is_here() -> bool {
        IN_STEP.with(core::cell::Cell::get)
    }
}

impl Drop for InStep {
    fn drop(&mut self) {
        step(self.before);
    }
}

fn step(within: bool) -> bool {
    #[cfg(feature = "std")]
    return IN_STEP.with(|cell| cell.replace(within));
    #[cfg(not(feature = "std"))]
    return within;
}
