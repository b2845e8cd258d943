//! Who is in which lane of a driver, for those who ask.
//!
//! The driver writes it for each job, others read it hardly ever: so the driver takes no lock, unless somebody is reading at that very moment.
//!
//! ```text
//!   driver   the place is emptied; does somebody read? then wait for the lock ─► lets go of the job
//!   reader   takes the lock; says that it reads; looks at the place ─► holds the job that it finds ─► says that it is through
//! ```
//!
//! Invariant: each side writes, and then, behind a fence, reads what the other writes. So a reader that finds a job is seen by the driver, which does not
//! let go of the job before the reader holds it.
#![allow(unsafe_code, reason = "a job is found by its address while its lane holds it")]

#[cfg(all(test, countermand_loom))]
mod loom;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ptr::{self, NonNull};

use crate::job::head::{Head, JobRef};
use crate::sync::Lock;
use crate::sync::atomic::{AtomicBool, AtomicPtr, Ordering, fence};

/// See the head of the file.
pub(crate) struct Places {
    lanes: Box<[AtomicPtr<Head>]>,
    read: AtomicBool,
    readers: Lock<()>,
}

impl Places {
    pub(crate) fn new(lanes: usize) -> Self {
        let lanes = (0..lanes).map(|_| AtomicPtr::new(ptr::null_mut())).collect();
        Self { lanes, read: AtomicBool::new(false), readers: Lock::new(()) }
    }

    /// A job is in this lane. For the driver, which holds the job until after it has called [`leave`](Self::leave).
    #[inline]
    pub(crate) fn enter(&self, lane: usize, job: &JobRef) {
        self.lanes[lane].store(job.address().as_ptr(), Ordering::Release);
    }

    /// Nobody is in this lane any more. For the driver; afterwards it may let go of the job.
    #[inline]
    pub(crate) fn leave(&self, lane: usize) {
        self.lanes[lane].store(ptr::null_mut(), Ordering::Release);
        fence(Ordering::SeqCst);
        // Of a reader that is through already, the count of the job is seen too.
        if self.read.load(Ordering::Acquire) {
            self.readers.with(|()| ());
        }
    }

    /// The job in this lane.
    pub(crate) fn get(&self, lane: usize) -> Option<JobRef> {
        self.reading(|| self.hold(lane))
    }

    /// All jobs in lanes.
    pub(crate) fn all(&self) -> Vec<JobRef> {
        self.reading(|| (0..self.lanes.len()).filter_map(|lane| self.hold(lane)).collect())
    }

    fn reading<R>(&self, f: impl FnOnce() -> R) -> R {
        self.readers.with(|()| {
            self.read.store(true, Ordering::Relaxed);
            fence(Ordering::SeqCst);
            let result = f();
            self.read.store(false, Ordering::Release);
            result
        })
    }

    /// For a reader.
    fn hold(&self, lane: usize) -> Option<JobRef> {
        let job = NonNull::new(self.lanes[lane].load(Ordering::Acquire))?;
        // SAFETY: the driver holds the job, and does not let go of it before this reader is through: see the head of the file.
        Some(unsafe { JobRef::hold(job) })
    }
}
