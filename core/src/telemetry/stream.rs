//! Where a packet goes.

use core::fmt;

use crate::Priority;

/// The two streams (E2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(clippy::exhaustive_enums, reason = "the two streams are the contract; users match on both")]
pub enum Stream {
    /// Of all that is not CRITICAL; what is HIGH goes ahead in it.
    Normal,
    /// Of what is CRITICAL, and nothing else.
    Emergency,
}

impl Stream {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Normal, Self::Emergency];

    /// The stream that packets of `priority` go to.
    #[must_use]
    pub const fn of(priority: Priority) -> Self {
        match priority {
            Priority::Critical => Self::Emergency,
            Priority::High | Priority::Normal | Priority::Low => Self::Normal,
        }
    }

    /// `normal` or `emergency`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Emergency => "emergency",
        }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
