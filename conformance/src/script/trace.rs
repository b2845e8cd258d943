//! What was seen of a script, in lines that are the same wherever the rules hold.
//!
//! Within one step of a script the order is not forced between jobs, only within one: so the events of a step are sorted by
//! their job, and keep their order within it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countermand_core::{JobInfo, Observer, Priority, RejectReason, Settled};

/// Writes down what the worker and the jobs of a script tell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder(Arc<Mutex<Vec<(String, String)>>>);

impl Recorder {
    /// Something happened to the job of this name.
    pub(crate) fn note(&self, job: &str, what: impl Into<String>) {
        self.events().push((job.to_owned(), what.into()));
    }

    /// What has happened since the last call, sorted by job.
    pub(crate) fn take(&self) -> Vec<String> {
        let mut events = std::mem::take(&mut *self.events());
        events.sort_by(|(a, _), (b, _)| a.cmp(b));
        events.into_iter().map(|(job, what)| format!("{job} {what}")).collect()
    }

    fn events(&self) -> MutexGuard<'_, Vec<(String, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Recorder {
    fn started(&self, job: &JobInfo) {
        self.note(&job.name, "started");
    }

    fn settled(&self, job: &JobInfo, settled: &Settled) {
        let Settled { class, queued, running, polls, late, .. } = settled;
        // How often it was polled may differ by wakes that were meant for nobody any more (L5); whether it was may not (J2).
        let polled = if *polls == 0 { "never polled" } else { "polled" };
        let late = if *late { ", late" } else { "" };
        self.note(&job.name, format!("settled {class:?} after {queued:?} queued, {running:?} running, {polled}{late}"));
    }

    fn rejected(&self, reason: RejectReason, priority: Priority) {
        self.note("~", format!("rejected {priority}: {reason}"));
    }

    fn evicted(&self, job: &JobInfo) {
        self.note(&job.name, "evicted");
    }
}
