//! What was covered, by what, and how much of it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::ToString;
use alloc::vec::Vec;

use super::catalogue::figures::{CoverageCovered, CoverageExpected, CoverageFraction};
use super::catalogue::indicators::{COVERAGE_LEAST, COVERAGE_TYPES};
use super::metric::Words;
use super::{Metric, Packet};

/// A coverage map: for each item, by what type it is covered, and how much of it.
///
/// ```
/// use countermand_core::{Coverage, Level, Packet, Timestamp};
/// let coverage = Coverage::new().fraction("blueprint.b7", "attention", 0.75).counted("seeds", "kernel", 3, 4);
/// let packet = Packet::new("p-1", Timestamp::default(), "tamiyo", Level::Info)?.coverage(&coverage);
/// assert_eq!(packet.health.unwrap().indicators["coverage.types"], "attention,kernel");
/// # Ok::<(), countermand_core::EmptyId>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coverage {
    items: BTreeMap<Words, Covered>,
}

#[derive(Clone, Debug, PartialEq)]
struct Covered {
    by: Words,
    fraction: f64,
    /// How many parts are covered, of how many, where parts are counted.
    parts: Option<(u64, u64)>,
}

impl Coverage {
    /// Of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A fraction of `item` is covered by something of type `by`. More than 1 counts as 1; less than 0, or no number, as 0. An item that
    /// is there already is replaced.
    #[must_use]
    pub fn fraction(self, item: impl Into<Words>, by: impl Into<Words>, fraction: f64) -> Self {
        // No number is not more than 0.
        let fraction = if fraction > 0.0 { fraction.min(1.0) } else { 0.0 };
        self.with(item.into(), Covered { by: by.into(), fraction, parts: None })
    }

    /// So many parts of `item`, of as many as are expected, are covered by something of type `by`. Where none is expected, all are covered.
    /// An item that is there already is replaced.
    #[must_use]
    pub fn counted(self, item: impl Into<Words>, by: impl Into<Words>, covered: u64, expected: u64) -> Self {
        let fraction = if covered >= expected { 1.0 } else { covered as f64 / expected as f64 };
        self.with(item.into(), Covered { by: by.into(), fraction, parts: Some((covered, expected)) })
    }

    /// The fraction of the item that is covered the least; `None` if there is no item.
    #[must_use]
    pub fn least(&self) -> Option<f64> {
        self.items.values().map(|covered| covered.fraction).reduce(f64::min)
    }

    fn with(mut self, item: Words, covered: Covered) -> Self {
        self.items.insert(item, covered);
        self
    }
}

impl Packet {
    /// Adds a coverage map; nothing, if it has no item. It becomes, in the order of the items' names,
    ///
    /// | what | name | attributes |
    /// | --- | --- | --- |
    /// | a metric for each item | [`coverage.fraction`](CoverageFraction) | `subsystem`, `item`, `by` |
    /// | a metric for each item whose parts are counted | [`coverage.covered`](CoverageCovered) | `subsystem`, `item`, `by` |
    /// | a metric for each item whose parts are counted | [`coverage.expected`](CoverageExpected) | `subsystem`, `item`, `by` |
    /// | an indicator | [`coverage.least`](COVERAGE_LEAST) | |
    /// | an indicator | [`coverage.types`](COVERAGE_TYPES) | |
    #[must_use]
    pub fn coverage(mut self, coverage: &Coverage) -> Self {
        let Some(least) = coverage.least() else { return self };
        let mut metrics: Vec<Metric> = Vec::new();
        let subsystem = self.source();
        for (item, Covered { by, fraction, parts }) in &coverage.items {
            let (item, by) = (item.as_ref(), by.as_ref());
            metrics.push(CoverageFraction { subsystem, item, by }.reading(*fraction).into());
            if let Some((covered, expected)) = *parts {
                metrics.push(CoverageCovered { subsystem, item, by }.reading(covered as f64).into());
                metrics.push(CoverageExpected { subsystem, item, by }.reading(expected as f64).into());
            }
        }
        self.metrics.append(&mut metrics);
        let types: BTreeSet<&str> = coverage.items.values().map(|covered| covered.by.as_ref()).collect();
        let types = types.into_iter().collect::<Vec<_>>().join(",");
        self.indicator(COVERAGE_LEAST, least.to_string()).indicator(COVERAGE_TYPES, types)
    }
}
