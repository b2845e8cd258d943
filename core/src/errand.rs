//! A job on its way to a thread of the host's, by its address: what a [`Call`](crate::Call) carries.
#![allow(unsafe_code, reason = "a count of a job whose type the ground does not know")]

use core::ptr::NonNull;

/// See the head of the file. Run, or refused by its drop.
pub(crate) struct Errand {
    job: NonNull<()>,
    ways: &'static Ways,
}

/// What can become of an errand, on whatever thread.
pub(crate) struct Ways {
    /// Called at most once, and before `back`, which is then called in any case. True if there is something to be told.
    pub(crate) run: unsafe fn(NonNull<()>) -> bool,
    /// Tells, if that is asked for, who lent the job, and takes the count of it along. The errand ends with this or with `refuse`.
    pub(crate) back: unsafe fn(NonNull<()>, bool),
    /// Says that it was not run, and takes the count of the job along.
    pub(crate) refuse: unsafe fn(NonNull<()>),
}

/// What is left of an errand that was run: dropped, it tells who lent the job.
pub(crate) struct Back {
    job: NonNull<()>,
    ways: &'static Ways,
    tells: bool,
}

// SAFETY: promised by whoever makes one.
unsafe impl Send for Errand {}
// SAFETY: a reference to one does nothing.
unsafe impl Sync for Errand {}
// SAFETY: as above.
unsafe impl Send for Back {}
// SAFETY: as above.
unsafe impl Sync for Back {}

impl Errand {
    /// # Safety
    ///
    /// `ways` may be called with `job`, on any thread.
    pub(crate) unsafe fn new(job: NonNull<()>, ways: &'static Ways) -> Self {
        Self { job, ways }
    }

    pub(crate) fn run(self) -> Back {
        let Self { job, ways } = *core::mem::ManuallyDrop::new(self);
        let mut back = Back { job, ways, tells: true };
        // SAFETY: once, instead of by drop; `back` comes after it, also if it panics.
        back.tells = unsafe { (ways.run)(job) };
        back
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        // SAFETY: once, as it was not run.
        unsafe { (self.ways.refuse)(self.job) };
    }
}

impl Drop for Back {
    fn drop(&mut self) {
        // SAFETY: once, after it was run.
        unsafe { (self.ways.back)(self.job, self.tells) };
    }
}
