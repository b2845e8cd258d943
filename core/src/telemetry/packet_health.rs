//! How a subsystem says that it is.

use super::HealthStatus;
use super::catalogue::indicators::{self, PRIORITY};
use super::metric::{Attributes, Words};
use crate::Priority;

/// How a subsystem is: its status, a summary, and indicators.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// How well it is.
    pub status: HealthStatus,
    /// Why, in a word or a sentence.
    pub summary: Words,
    /// What it can be told from.
    pub indicators: Attributes,
}

impl Health {
    /// A status with nothing more said.
    #[must_use]
    pub fn new(status: HealthStatus) -> Self {
        Self { status, ..Self::default() }
    }

    /// Says why it is so.
    #[must_use]
    pub fn summary(mut self, summary: impl Into<Words>) -> Self {
        self.summary = summary.into();
        self
    }

    /// Adds an indicator. A name that is there already has its value replaced.
    #[must_use]
    pub fn indicator(mut self, name: impl Into<Words>, value: impl Into<Words>) -> Self {
        self.indicators.insert(name.into(), value.into());
        self
    }

    /// Says how urgent the packet is (E1).
    #[must_use]
    pub fn priority(self, priority: Priority) -> Self {
        self.indicator(PRIORITY, indicators::priority(priority))
    }
}
