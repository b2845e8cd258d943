//! One value of a metric.

/// One value of a metric, with its unit and attributes, without a heap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading<'a> {
    name: &'a str,
    unit: &'a str,
    value: f64,
    /// Those in use first, each key once.
    attributes: [(&'a str, &'a str); MOST_ATTRIBUTES],
    used: usize,
}

const MOST_ATTRIBUTES: usize = 4;

impl<'a> Reading<'a> {
    /// How many attributes there may be.
    pub const MOST_ATTRIBUTES: usize = MOST_ATTRIBUTES;

    /// This value of the metric of this name, in this unit.
    #[must_use]
    pub const fn new(name: &'a str, unit: &'a str, value: f64) -> Self {
        Self { name, unit, value, attributes: [("", ""); Self::MOST_ATTRIBUTES], used: 0 }
    }

    /// Adds an attribute. A key that is there already has its value replaced.
    ///
    /// # Panics
    ///
    /// If there are [`MOST_ATTRIBUTES`](Self::MOST_ATTRIBUTES) already: without one of its attributes a value would be another one's.
    #[must_use]
    pub fn with(mut self, key: &'a str, value: &'a str) -> Self {
        let place = self.attributes().iter().position(|(known, _)| *known == key).unwrap_or(self.used);
        assert!(place < Self::MOST_ATTRIBUTES, "the metric {} has no room for the attribute {key}", self.name);
        self.attributes[place] = (key, value);
        self.used = self.used.max(place + 1);
        self
    }

    /// What the metric is called.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// Its unit; empty where there is none.
    #[must_use]
    pub const fn unit(&self) -> &'a str {
        self.unit
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> f64 {
        self.value
    }

    /// Its attributes, in the order in which they were added.
    #[must_use]
    pub fn attributes(&self) -> &[(&'a str, &'a str)] {
        &self.attributes[..self.used]
    }
}
