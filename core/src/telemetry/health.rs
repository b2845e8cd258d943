//! How well a subsystem is.

use core::fmt;

/// The state of health that a subsystem reports of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(clippy::exhaustive_enums, reason = "the states are the schema; users match on all of them")]
pub enum HealthStatus {
    /// It has not said.
    #[default]
    Unknown = 0,
    /// All is well.
    Healthy = 1,
    /// It works, with something amiss.
    Degraded = 2,
    /// It does not do its work.
    Unhealthy = 3,
    /// Somebody must act.
    Critical = 4,
}

impl HealthStatus {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] = [Self::Unknown, Self::Healthy, Self::Degraded, Self::Unhealthy, Self::Critical];

    /// Its number in the schema.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The name in capitals, as the schema spells it after `HEALTH_STATUS_`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Healthy => "HEALTHY",
            Self::Degraded => "DEGRADED",
            Self::Unhealthy => "UNHEALTHY",
            Self::Critical => "CRITICAL",
        }
    }
}

impl fmt::Display for HealthStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
