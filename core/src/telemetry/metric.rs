//! A metric in a packet.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;

use super::catalogue::Reading;

/// A short text of a packet: mostly one that is known when the program is built.
pub type Words = Cow<'static, str>;

/// The attributes of a metric, an event or a span, in the order of their keys.
pub type Attributes = BTreeMap<Words, Words>;

/// One value that was measured.
///
/// ```
/// use countermand_core::Metric;
/// let metric = Metric::new("queue.depth", 17.0).unit("{job}").with("priority", "HIGH");
/// assert_eq!((metric.name.as_ref(), metric.attributes["priority"].as_ref()), ("queue.depth", "HIGH"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Metric {
    /// What it is called.
    pub name: Words,
    /// Its value.
    pub value: f64,
    /// Its unit; empty where there is none.
    pub unit: Words,
    /// What distinguishes it from others of its name.
    pub attributes: Attributes,
}

impl Metric {
    /// This value of this name.
    pub fn new(name: impl Into<Words>, value: f64) -> Self {
        Self { name: name.into(), value, unit: Words::default(), attributes: Attributes::new() }
    }

    /// Says in which unit the value is.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<Words>) -> Self {
        self.unit = unit.into();
        self
    }

    /// Adds an attribute. A key that is there already has its value replaced.
    #[must_use]
    pub fn with(mut self, key: impl Into<Words>, value: impl Into<Words>) -> Self {
        self.attributes.insert(key.into(), value.into());
        self
    }
}

impl From<Reading<'_>> for Metric {
    fn from(reading: Reading<'_>) -> Self {
        let owned = |text: &str| Words::Owned(text.into());
        let attributes = reading.attributes().iter().map(|(key, value)| (owned(key), owned(value)));
        Self {
            name: owned(reading.name()),
            value: reading.value(),
            unit: owned(reading.unit()),
            attributes: attributes.collect(),
        }
    }
}
