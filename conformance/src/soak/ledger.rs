//! The ledger: counts of its own, compared with the books of the worker and the figures of its metrics.

use countermand_core::{Cause, Class, Counts, MetricsSnapshot, Phase, Priority};
use serde::{Deserialize, Serialize};

use super::record::End;

/// How many faults are told in words; all are counted.
const TOLD: usize = 8;

/// What was seen of the jobs and of their handles.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    levels: [Level; Priority::ALL.len()],
    /// Values that came after their call was abandoned.
    pub(super) late: u64,
    /// Panics that were nobody's outcome.
    pub(super) contained: u64,
    pub(super) faults: Faults,
}

#[derive(Clone, Copy, Debug, Default)]
struct Level {
    accepted: u64,
    rejected: u64,
    started: u64,
    ends: [u64; End::ALL.len()],
}

/// What was not as it must be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Faults {
    pub(super) count: u64,
    pub(super) told: Vec<String>,
}

impl Faults {
    pub(super) fn note(&mut self, fault: impl FnOnce() -> String) {
        self.count += 1;
        if self.told.len() < TOLD {
            self.told.push(fault());
        }
    }
}

/// One figure as the ledger has it, and as the worker has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) what: String,
    pub(super) ledger: u64,
    pub(super) books: u64,
}

impl Line {
    pub(super) fn new(what: impl Into<String>, ledger: u64, books: u64) -> Self {
        Self { what: what.into(), ledger, books }
    }

    pub(super) fn agrees(&self) -> bool {
        self.ledger == self.books
    }
}

impl Ledger {
    pub(super) fn accept(&mut self, priority: Priority) {
        self.levels[priority.index()].accepted += 1;
    }

    pub(super) fn reject(&mut self, priority: Priority) {
        self.levels[priority.index()].rejected += 1;
    }

    pub(super) fn end(&mut self, priority: Priority, end: End, started: bool) {
        let level = &mut self.levels[priority.index()];
        level.ends[end as usize] += 1;
        level.started += u64::from(started);
    }

    fn sum(&self, of: impl Fn(&Level) -> u64) -> u64 {
        self.levels.iter().map(of).sum()
    }

    fn ends(&self, ends: &[End]) -> u64 {
        self.sum(|level| ends.iter().map(|end| level.ends[*end as usize]).sum())
    }

    /// Each way to end, as the ledger has it.
    pub(super) fn by_end(&self) -> Vec<(String, u64)> {
        End::ALL.iter().map(|end| (end.name().to_owned(), self.ends(&[*end]))).collect()
    }

    /// Line by line, the worker's books beside the ledger's.
    pub(super) fn beside(&self, counts: &Counts) -> Vec<Line> {
        let line = |what, ledger, books| Line::new(what, ledger, books);
        vec![
            line("accepted", self.sum(|level| level.accepted), counts.accepted),
            line("rejected", self.sum(|level| level.rejected), counts.rejected),
            line("completed", self.ends(&[End::Completed]), counts.completed),
            line("failed", self.ends(&[End::Failed]), counts.failed),
            line("cancelled", self.ends(&[End::Unstarted, End::Stopped]), counts.cancelled),
            line("timed out", self.ends(&[End::OutQueued, End::OutRunning]), counts.timed_out),
            line("timed out, queued", self.ends(&[End::OutQueued]), counts.timed_out_queued),
            line("panicked", self.ends(&[End::Panicked]), counts.panicked),
            line("abandoned", self.ends(&[End::Abandoned]), counts.abandoned),
            line("evicted", 0, counts.evicted),
            line("late and dropped", self.late, counts.late_discarded),
            line("panics contained", self.contained, counts.contained_panics),
            line("not settled", 0, counts.unsettled),
        ]
    }

    /// Line by line, the figures of the metrics beside the ledger's, by priority.
    pub(super) fn beside_metrics(&self, figures: &MetricsSnapshot) -> Vec<Line> {
        let cancelled = Class::Cancelled { cause: Cause::REQUESTED, started: true };
        let mut lines = Vec::new();
        for (priority, level) in Priority::ALL.into_iter().zip(&self.levels) {
            let ends = |ends: &[End]| ends.iter().map(|end| level.ends[*end as usize]).sum();
            let mut line = |what: &str, ledger, books| {
                lines.push(Line::new(format!("{what} ({})", priority.name()), ledger, books));
            };
            line("metrics: submitted", level.accepted, figures.submitted(priority));
            line("metrics: rejected", level.rejected, figures.rejected(priority));
            for (what, ledger, class) in [
                ("completed", ends(&[End::Completed]), Class::Completed),
                ("failed", ends(&[End::Failed]), Class::Failed),
                ("cancelled", ends(&[End::Unstarted, End::Stopped]), cancelled),
                ("timed out", ends(&[End::OutQueued, End::OutRunning]), Class::TimedOut(Phase::Queued)),
                ("panicked", ends(&[End::Panicked]), Class::Panicked),
                ("abandoned", ends(&[End::Abandoned]), Class::Abandoned),
            ] {
                line(&format!("metrics: {what}"), ledger, figures.settled_as(class, priority));
            }
            line("metrics: waits measured", ends(&End::ALL), figures.queued(priority).count());
            line("metrics: not settled", 0, figures.unsettled(priority));
        }
        let started: u64 = Priority::ALL.into_iter().map(|priority| figures.started(priority)).sum();
        // One that is asked to stop between the hook that tells of its start and its first poll, or before its thread begins, settles as not started (J2, B2).
        let ledger = self.sum(|level| level.started);
        let within = (ledger..=ledger + self.ends(&[End::Unstarted, End::OutQueued])).contains(&started);
        lines.push(Line::new("metrics: started", if within { started } else { ledger }, started));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_counts_wrongly_differs_in_that_line() {
        let mut ledger = Ledger::default();
        ledger.accept(Priority::High);
        ledger.end(Priority::High, End::Panicked, true);
        let mut counts = Counts::default();
        (counts.accepted, counts.panicked) = (1, 1);
        assert!(ledger.beside(&counts).iter().all(Line::agrees));
        counts.panicked = 2;
        let lines = ledger.beside(&counts);
        let differing: Vec<&str> = lines.iter().filter(|line| !line.agrees()).map(|line| &*line.what).collect();
        assert_eq!(differing, ["panicked"]);
    }

    #[test]
    fn many_faults_are_counted_and_few_are_told() {
        let mut faults = Faults::default();
        (0..100).for_each(|number| faults.note(|| number.to_string()));
        assert_eq!((faults.count, faults.told.len()), (100, TOLD));
    }
}
