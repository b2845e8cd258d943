//! Tells how each job ended.

use core::fmt;

use super::{EmptyId, Event, Intake, JobEnd, Source};
use crate::contain::survives;
use crate::observer::{JobInfo, Observer, Settled};
use crate::sync::Arc;
use crate::sync::atomic::{AtomicU64, Ordering};

/// Tells an [`Intake`] how each job of a worker ended: one event for each, of the kind `job.*` of the
/// [catalogue](crate::catalogue::events) (E7).
///
/// | outcome | event | level |
/// | --- | --- | --- |
/// | completed | [`job.completed`](crate::catalogue::events::JobCompleted) | INFO |
/// | failed | [`job.failed`](crate::catalogue::events::JobFailed) | ERROR |
/// | cancelled | [`job.cancelled`](crate::catalogue::events::JobCancelled) | WARNING |
/// | timed out | [`job.timed_out`](crate::catalogue::events::JobTimedOut) | ERROR |
/// | panicked | [`job.panicked`](crate::catalogue::events::JobPanicked) | CRITICAL |
/// | abandoned | [`job.abandoned`](crate::catalogue::events::JobAbandoned) | CRITICAL |
///
/// ```
/// use countermand_core::{Event, JobReports, WorkerConfig};
/// let reports = JobReports::new("tolaria", |event: &Event| eprintln!("{event}"))?;
/// // `WorkerConfig::observer` takes it.
/// # Ok::<(), countermand_core::EmptyId>(())
/// ```
pub struct JobReports<I> {
    subsystem: Arc<Source>,
    intake: I,
    contained: AtomicU64,
}

impl<I: Intake> JobReports<I> {
    /// The jobs told of are this subsystem's. A name of more than 64 bytes is cut.
    ///
    /// # Errors
    ///
    /// [`EmptyId`] if the subsystem has no name.
    pub fn new(subsystem: &str, intake: I) -> Result<Self, EmptyId> {
        let subsystem = Arc::new(Source::of(EmptyId::check("subsystem", subsystem)?));
        Ok(Self { subsystem, intake, contained: AtomicU64::new(0) })
    }

    /// How many panics of the intake were contained (P4). What it was told then, it may not have taken.
    #[must_use]
    pub fn contained_panics(&self) -> u64 {
        self.contained.load(Ordering::Relaxed)
    }

    /// The event for how a job ended.
    #[must_use]
    pub fn event(&self, job: &JobInfo, settled: &Settled) -> Event {
        JobEnd::new(&self.subsystem, job, settled).event()
    }
}

impl<I: Intake + Send + Sync + 'static> Observer for JobReports<I> {
    fn settled(&self, job: &JobInfo, settled: &Settled) {
        if !survives(|| self.intake.take_end(&JobEnd::new(&self.subsystem, job, settled))) {
            self.contained.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<I> fmt::Debug for JobReports<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobReports").field("subsystem", &self.subsystem).finish_non_exhaustive()
    }
}
