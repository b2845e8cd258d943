//! The figures of workers.

use countermand_core::{Counts, Metrics, MetricsSnapshot};

use crate::series::{self, find};
use crate::{Figures, Reading};

impl Figures for Metrics {
    fn read(&self, reading: &mut Reading) {
        self.snapshot().read(reading);
    }
}

/// They stay as they were when they were taken.
impl Figures for MetricsSnapshot {
    fn read(&self, reading: &mut Reading) {
        for sample in self.samples() {
            // A test holds the worker's table against this one: each name is in both.
            let Some(series) = find(sample.name) else { continue };
            let priority = ("priority", sample.priority.name());
            match sample.attribute {
                Some(attribute) => reading.count(series, &[priority, attribute], sample.value),
                None => reading.count(series, &[priority], sample.value),
            }
        }
        for (name, priority, durations) in self.histograms() {
            let Some(series) = find(name) else { continue };
            reading.durations(series, &[("priority", priority.name())], durations);
        }
    }
}

/// They stay as they were when they were asked for; a closure that asks the worker keeps up with it.
impl Figures for Counts {
    fn read(&self, reading: &mut Reading) {
        for (series, figure) in [
            (series::WORKER_ACCEPTED, self.accepted),
            (series::WORKER_REJECTED, self.rejected),
            (series::WORKER_TIMED_OUT_QUEUED, self.timed_out_queued),
            (series::WORKER_EVICTED, self.evicted),
            (series::WORKER_LATE_DISCARDED, self.late_discarded),
            (series::WORKER_CONTAINED_PANICS, self.contained_panics),
            (series::WORKER_UNSETTLED, self.unsettled),
        ] {
            reading.count(&series, &[], figure);
        }
        for (outcome, figure) in [
            ("completed", self.completed),
            ("failed", self.failed),
            ("cancelled", self.cancelled),
            ("timed_out", self.timed_out),
            ("panicked", self.panicked),
            ("abandoned", self.abandoned),
        ] {
            reading.count(&series::WORKER_SETTLED, &[("outcome", outcome)], figure);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_of_the_worker_has_a_series_with_its_attributes() {
        let figures = Metrics::new().snapshot();
        for sample in figures.samples() {
            let series = find(sample.name).unwrap_or_else(|| panic!("{} is not in the table", sample.name));
            let attributes: Vec<_> = ["priority"].into_iter().chain(sample.attribute.map(|(name, _)| name)).collect();
            assert_eq!(series.attributes, attributes, "{}", sample.name);
        }
        assert!(figures.histograms().all(|(name, ..)| find(name).is_some()));
    }
}
