//! Which dependencies run on a fallback.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::catalogue::figures::FallbackActive;
use super::catalogue::indicators::FALLBACKS;
use super::metric::Words;
use super::{Metric, Packet};

/// The dependencies that run on a fallback, each with what it fell back to.
///
/// ```
/// use countermand_core::{Fallbacks, Level, Packet, Timestamp};
/// let fallbacks = Fallbacks::new().with("store", "memory").with("kernel", "eager");
/// let packet = Packet::new("p-1", Timestamp::default(), "tolaria", Level::Warning)?.fallbacks(&fallbacks);
/// assert_eq!(packet.health.unwrap().indicators["fallbacks"], "kernel=eager,store=memory");
/// # Ok::<(), countermand_core::EmptyId>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fallbacks {
    by_dependency: BTreeMap<Words, Words>,
}

impl Fallbacks {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// This dependency runs on this fallback. One that was said of it before is replaced.
    #[must_use]
    pub fn with(mut self, dependency: impl Into<Words>, fallback: impl Into<Words>) -> Self {
        self.by_dependency.insert(dependency.into(), fallback.into());
        self
    }

    /// Dependencies and fallbacks, in the order of the dependencies' names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.by_dependency.iter().map(|(dependency, fallback)| (dependency.as_ref(), fallback.as_ref()))
    }
}

impl Packet {
    /// Adds the fallbacks in use; nothing, if there is none. They become, in the order of the dependencies' names,
    ///
    /// | what | name | attributes |
    /// | --- | --- | --- |
    /// | a metric for each, always 1 | [`fallback.active`](FallbackActive) | `subsystem`, `dependency`, `fallback` |
    /// | an indicator | [`fallbacks`](FALLBACKS) | |
    #[must_use]
    pub fn fallbacks(mut self, fallbacks: &Fallbacks) -> Self {
        if fallbacks.by_dependency.is_empty() {
            return self;
        }
        let subsystem = self.source();
        let active = |(dependency, fallback)| FallbackActive { subsystem, dependency, fallback }.reading(1.0).into();
        let metrics: Vec<Metric> = fallbacks.iter().map(active).collect();
        let flags: Vec<String> = fallbacks.iter().map(|(key, value)| alloc::format!("{key}={value}")).collect();
        self.metrics.extend(metrics);
        self.indicator(FALLBACKS, flags.join(","))
    }
}
