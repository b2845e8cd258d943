//! A job on its way to a thread of the host's, by its address: what a [`Call`](crate::Call) carries.
#![allow(unsafe_code, reason = "a count of a job whose type the ground does not know")]

use core::ptr::NonNull;

/// See the head of the file. Run, or refused by its drop.
pub(crate) struct Errand {
    job: NonNull<()>,
    ways: &'static Ways,
}

/// What can become of an errand. Each is called once for it, on whatever thread, and takes its count of the job with it.
pub(crate) struct Ways {
    pub(crate) run: unsafe fn(NonNull<()>),
    pub(crate) refuse: unsafe fn(NonNull<()>),
}

// SAFETY: promised by whoever makes one.
unsafe impl Send for Errand {}
// SAFETY: a reference to one does nothing.
unsafe impl Sync for Errand {}

impl Errand {
    /// # Safety
    ///
    /// `ways` may be called with `job`, on any thread.
    pub(crate) unsafe fn new(job: NonNull<()>, ways: &'static Ways) -> Self {
        Self { job, ways }
    }

    pub(crate) fn run(self) {
        let Self { job, ways } = *core::mem::ManuallyDrop::new(self);
        // SAFETY: once, instead of by drop.
        unsafe { (ways.run)(job) };
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        // SAFETY: once, as it was not run.
        unsafe { (self.ways.refuse)(self.job) };
    }
}
