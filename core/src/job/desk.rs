//! What a job needs of its worker.

use super::hold::JobRef;
use crate::books::Books;
use crate::observer::{JobInfo, Observer};
use crate::{Instant, JobId};

/// See the head of the file.
pub(crate) trait Desk: Send + Sync {
    /// Asks the keeper to look at the queued job: its token was cancelled (Q4, X3).
    fn reap(&self, job: JobRef);
    /// Gives this lane of this driver a turn: the token of the job in it was cancelled.
    fn ring(&self, driver: usize, lane: usize);
    /// A call of this driver has ended, and takes no place any more.
    fn free_call(&self, driver: usize);
    /// The call in this lane of this driver has ended, and its thread is through with it.
    fn end_lane(&self, driver: usize, lane: usize);
    /// The host's clock.
    fn now(&self) -> Instant;
    /// A reading of the host's clock that is as old as the step that a driver is in, or as a ring that is not answered yet, where there is one. Cheaper.
    fn recent(&self) -> Instant;
    /// Blocks the calling thread, where the host allows it (C3).
    #[cfg(feature = "std")]
    fn block(&self, wait: &mut dyn FnMut()) -> Result<(), crate::WouldDeadlock>;
    /// The worker's count.
    fn books(&self) -> &Books;
    /// This job is cancelled because its worker shuts down.
    fn cut_off(&self, job: &dyn Fn() -> JobInfo);
    /// The worker is closed, and this job has ended: it waits for nothing any more.
    fn forget(&self, job: JobId);
    /// The worker is closed, and may have come to its end.
    fn ring_keeper(&self);
    /// Who is told.
    fn observer(&self) -> Option<&dyn Observer>;
    /// Tells this worker from others, see [`Current`](crate::turn::Current).
    fn address(&self) -> usize {
        core::ptr::from_ref(self).cast::<()>().addr()
    }
}
