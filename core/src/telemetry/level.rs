//! How bad it is.

use core::fmt;

/// The four levels of the telemetry schema, from the least to the most serious.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
#[expect(clippy::exhaustive_enums, reason = "the four levels are the schema; users match on all of them")]
pub enum Level {
    /// As it should be.
    Info = 1,
    /// Not as it should be, and dealt with.
    Warning = 2,
    /// Something could not be done.
    Error = 3,
    /// Somebody must act.
    Critical = 4,
}

impl Level {
    /// All of them, least serious first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// Its number in the schema: 1 for [`Info`](Self::Info) up to 4; 0 there means unspecified.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The name in capitals, as the schema spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
