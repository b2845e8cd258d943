//! Tells of the program's own jobs that did not end as they should, and of those that hold up a driver.

use std::time::Duration;

use countermand::{Class, EmptyId, Event, Intake as _, JobInfo, JobReports, Level, Observer, Settled};

use crate::voice::Voice;

/// See the head of the file.
///
/// A connection or an exchange that has come to its end, or was told to end, is nothing to tell: a packet for each would be as many
/// packets as a sender likes to make connections.
#[derive(Debug)]
pub(crate) struct Reports {
    reports: JobReports<Voice>,
    voice: Voice,
}

impl Reports {
    /// About the jobs of one worker.
    ///
    /// # Errors
    ///
    /// If the worker has no name.
    pub(crate) fn new(worker: &str, voice: &Voice) -> Result<Self, EmptyId> {
        Ok(Self { reports: JobReports::new(worker, voice.clone())?, voice: voice.clone() })
    }
}

impl Observer for Reports {
    fn settled(&self, job: &JobInfo, settled: &Settled) {
        match settled.class {
            // What failed is told by whoever looks after it.
            Class::Completed | Class::Cancelled { .. } | Class::Failed => {}
            Class::TimedOut(_) | Class::Panicked | Class::Abandoned => self.reports.settled(job, settled),
        }
    }

    fn stalled(&self, job: &JobInfo, held: Duration) {
        let event = Event::new("weatherlight.job_stalled", Level::Warning);
        self.voice.take(&event.with("job", &job.name).with("held_ms", held.as_millis()));
    }
}
