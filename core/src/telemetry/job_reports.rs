//! Tells how each job ended.

use core::fmt;

use super::catalogue::events::{JobAbandoned, JobCancelled, JobCompleted, JobFailed, JobPanicked, JobTimedOut};
use super::{EmptyId, Event, Intake, Source};
use crate::contain::survives;
use crate::observer::{JobInfo, Observer, Settled};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::{Class, Phase, Text};

/// Tells an [`Intake`] how each job of a worker ended: one event for each, of the kind `job.*` of the
/// [catalogue](crate::catalogue::events) (E7).
///
/// | outcome | event | level |
/// | --- | --- | --- |
/// | completed | [`job.completed`](JobCompleted) | INFO |
/// | failed | [`job.failed`](JobFailed) | ERROR |
/// | cancelled | [`job.cancelled`](JobCancelled) | WARNING |
/// | timed out | [`job.timed_out`](JobTimedOut) | ERROR |
/// | panicked | [`job.panicked`](JobPanicked) | CRITICAL |
/// | abandoned | [`job.abandoned`](JobAbandoned) | CRITICAL |
///
/// ```
/// use countermand_core::{Event, JobReports, WorkerConfig};
/// let reports = JobReports::new("tolaria", |event: &Event| eprintln!("{event}"))?;
/// // `WorkerConfig::observer` takes it.
/// # Ok::<(), countermand_core::EmptyId>(())
/// ```
pub struct JobReports<I> {
    subsystem: Source,
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
        let subsystem = Source::of(EmptyId::check("subsystem", subsystem)?);
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
        let subsystem = self.subsystem.as_str();
        let (id, priority) = (job.id.get(), job.priority);
        let Settled { class, queued, running, polls, late } = *settled;
        let job = job.name.as_ref();
        match class {
            Class::Completed => JobCompleted { subsystem, job, id, priority, queued, running, polls, late }.into(),
            Class::Failed => JobFailed { subsystem, job, id, priority, queued, running, polls, late }.into(),
            Class::Cancelled { cause, started } => {
                let cause = Text::<{ Event::LONGEST_VALUE }>::of(cause);
                JobCancelled { subsystem, job, id, priority, cause: &cause, started, queued, running }.into()
            }
            Class::TimedOut(phase) => {
                let started = phase == Phase::Running;
                JobTimedOut { subsystem, job, id, priority, started, late, queued, running }.into()
            }
            Class::Panicked => JobPanicked { subsystem, job, id, priority, queued, running, polls }.into(),
            Class::Abandoned => JobAbandoned { subsystem, job, id, priority, queued, running }.into(),
        }
    }
}

impl<I: Intake + Send + Sync + 'static> Observer for JobReports<I> {
    fn settled(&self, job: &JobInfo, settled: &Settled) {
        let event = self.event(job, settled);
        if !survives(|| self.intake.take(&event)) {
            self.contained.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<I> fmt::Debug for JobReports<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobReports").field("subsystem", &self.subsystem).finish_non_exhaustive()
    }
}
