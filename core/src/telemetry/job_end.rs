//! How a job ended: the figures that its event is made from, once somebody reads it.

use alloc::borrow::Cow;
use core::fmt;
use core::time::Duration;

use super::catalogue::events::{JobAbandoned, JobCancelled, JobCompleted, JobFailed, JobPanicked, JobTimedOut};
use super::{Event, Level, Source};
use crate::instant::nanos_of;
use crate::observer::{JobInfo, Settled};
use crate::sync::Arc;
use crate::{Class, JobId, Phase, Priority, Text};

/// How one job ended, as [`JobReports`](crate::JobReports) gives it to an [`Intake`](crate::Intake): not an event yet, but all that one is made from.
///
/// Making the event costs more than all else that is done to tell of a job, so whoever may never read it keeps this.
#[derive(Clone, Copy)]
pub struct JobEnd<'a> {
    subsystem: &'a Arc<Source>,
    job: &'a JobInfo,
    settled: &'a Settled,
}

impl<'a> JobEnd<'a> {
    pub(crate) const fn new(subsystem: &'a Arc<Source>, job: &'a JobInfo, settled: &'a Settled) -> Self {
        Self { subsystem, job, settled }
    }

    /// Whose job it was.
    #[must_use]
    pub fn subsystem(&self) -> &'a str {
        self.subsystem.as_str()
    }

    /// The job.
    #[must_use]
    pub const fn job(&self) -> &'a JobInfo {
        self.job
    }

    /// How it ended.
    #[must_use]
    pub const fn settled(&self) -> &'a Settled {
        self.settled
    }

    /// How bad that is: the level of its event.
    #[must_use]
    pub const fn level(&self) -> Level {
        match self.settled.class {
            Class::Completed => Level::Info,
            Class::Cancelled { .. } => Level::Warning,
            Class::Failed | Class::TimedOut(_) => Level::Error,
            Class::Panicked | Class::Abandoned => Level::Critical,
        }
    }

    /// Its event.
    #[must_use]
    pub fn event(&self) -> Event {
        event_of(self.subsystem(), &self.job.name, self.job.id, self.job.priority, self.settled)
    }

    /// Whose job it was, to be kept with it.
    pub(crate) const fn owner(&self) -> &'a Arc<Source> {
        self.subsystem
    }

    /// All but whose it was.
    #[inline]
    pub(crate) fn keep(&self) -> Ended {
        let JobInfo { id, ref name, priority, .. } = *self.job;
        let Settled { class, queued, running, polls, late } = *self.settled;
        Ended {
            name: kept(name),
            id,
            queued: nanos_of(queued),
            running: nanos_of(running),
            polls,
            class,
            priority,
            late,
        }
    }
}

impl fmt::Debug for JobEnd<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobEnd").field("job", self.job).field("settled", self.settled).finish_non_exhaustive()
    }
}

/// A [`JobEnd`] that waits to be read, as small as can be: each job leaves one. Both times are between two instants, so they are no more than 584 years.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    name: Cow<'static, str>,
    id: JobId,
    queued: u64,
    running: u64,
    polls: u64,
    class: Class,
    priority: Priority,
    late: bool,
}

impl Ended {
    /// The event that the [`JobEnd`] would have made.
    pub(crate) fn event(&self, subsystem: &str) -> Event {
        let (queued, running) = (Duration::from_nanos(self.queued), Duration::from_nanos(self.running));
        let Self { class, polls, late, .. } = *self;
        event_of(subsystem, &self.name, self.id, self.priority, &Settled { class, queued, running, polls, late })
    }
}

/// As much of a job's name as its event says, and one character more if there is one: so that the event still shows that it was cut.
#[inline]
#[expect(clippy::ptr_arg, reason = "one that is borrowed for ever is kept as it is")]
fn kept(name: &Cow<'static, str>) -> Cow<'static, str> {
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(name),
        Cow::Owned(name) => shortened(name),
    }
}

#[cold]
fn shortened(name: &str) -> Cow<'static, str> {
    let end = (Event::LONGEST_VALUE + 1..name.len()).find(|end| name.is_char_boundary(*end));
    Cow::Owned(end.map_or(name, |end| &name[..end]).into())
}

/// The event for how a job ended.
fn event_of(subsystem: &str, job: &str, id: JobId, priority: Priority, settled: &Settled) -> Event {
    let id = id.get();
    let Settled { class, queued, running, polls, late } = *settled;
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
