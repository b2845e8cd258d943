//! Figures as they were at one time.

use std::collections::BTreeMap;

use countermand_core::Histogram;

use crate::{Kind, Series};

/// The names and the values of the attributes of a figure, sorted by name.
pub(crate) type Attributes = Vec<(&'static str, String)>;

/// Figures that were read: for each series, for each combination of attributes, one.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    pub(crate) found: BTreeMap<&'static str, Family>,
    /// What every figure gets that is written down now.
    added: Attributes,
}

/// The figures of one series.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    pub(crate) series: Series,
    pub(crate) points: BTreeMap<Attributes, Value>,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Count(u64),
    Durations(Box<Histogram>),
}

impl Reading {
    /// Nothing read.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes down a figure of a counter or a gauge. One of the same attributes that is there already is added to.
    ///
    /// # Panics
    ///
    /// If the series is one of durations.
    pub fn count(&mut self, series: &Series, attributes: &[(&'static str, &str)], figure: u64) {
        match self.place(series, attributes) {
            Value::Count(count) => *count = count.saturating_add(figure),
            Value::Durations(_) => panic!("{} is a series of durations", series.name),
        }
    }

    /// Writes down a distribution of durations. One of the same attributes that is there already is added to.
    ///
    /// # Panics
    ///
    /// If the series is none of durations.
    pub fn durations(&mut self, series: &Series, attributes: &[(&'static str, &str)], figure: &Histogram) {
        match self.place(series, attributes) {
            Value::Durations(durations) => durations.merge(figure),
            Value::Count(_) => panic!("{} is no series of durations", series.name),
        }
    }

    /// The figure of a counter or a gauge, if it was read; the order of the attributes does not matter.
    #[must_use]
    pub fn value(&self, name: &str, attributes: &[(&'static str, &str)]) -> Option<u64> {
        match self.found.get(name)?.points.get(&sorted(attributes, &[]))? {
            Value::Count(count) => Some(*count),
            Value::Durations(_) => None,
        }
    }

    /// Whatever `read` writes down gets these attributes more.
    pub(crate) fn with_attributes(&mut self, attributes: &[(&'static str, String)], read: impl FnOnce(&mut Self)) {
        self.added = attributes.to_vec();
        read(self);
        self.added.clear();
    }

    /// Where the figure of these attributes stands; it begins with nothing.
    fn place(&mut self, series: &Series, attributes: &[(&'static str, &str)]) -> &mut Value {
        let attributes = sorted(attributes, &self.added);
        let new = || Family { series: *series, points: BTreeMap::new() };
        let Family { series, points } = self.found.entry(series.name).or_insert_with(new);
        points.entry(attributes).or_insert_with(|| match series.kind {
            Kind::Counter | Kind::Gauge => Value::Count(0),
            Kind::Histogram => Value::Durations(Box::default()),
        })
    }
}

/// Sorted, each name once: what is known of the figure itself comes before what is added to it.
fn sorted(own: &[(&'static str, &str)], added: &[(&'static str, String)]) -> Attributes {
    let mut attributes: Attributes = own.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    attributes.extend(added.iter().cloned());
    attributes.sort_by_key(|(name, _)| *name);
    attributes.dedup_by_key(|(name, _)| *name);
    attributes
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::series::{JOB_QUEUED, ROUTER_ACCEPTED};

    #[test]
    fn the_same_figure_of_two_is_added_up() {
        let mut reading = Reading::new();
        let mut waits = Histogram::new();
        waits.record(Duration::from_secs(1));
        for worker in ["a", "b", "a"] {
            reading.with_attributes(&[("worker", worker.to_owned())], |reading| {
                reading.count(&ROUTER_ACCEPTED, &[("priority", "LOW")], 2);
                reading.durations(&JOB_QUEUED, &[], &waits);
            });
        }
        let value = |worker| reading.value("countermand.router.accepted", &[("worker", worker), ("priority", "LOW")]);
        assert_eq!((value("a"), value("b"), value("c")), (Some(4), Some(2), None));
        let counts = reading.found["countermand.job.queued"].points.values().map(|value| match value {
            Value::Durations(durations) => durations.count(),
            Value::Count(_) => 0,
        });
        assert_eq!(counts.collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    #[should_panic(expected = "countermand.job.queued is a series of durations")]
    fn a_count_of_durations_is_a_mistake() {
        Reading::new().count(&JOB_QUEUED, &[], 1);
    }

    #[test]
    fn each_attribute_is_there_once() {
        let attributes = sorted(&[("b", "own"), ("a", "1")], &[("b", "added".into()), ("c", "2".into())]);
        assert_eq!(attributes, [("a", "1".into()), ("b", "own".into()), ("c", "2".into())]);
    }
}
