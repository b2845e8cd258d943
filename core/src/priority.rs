//! How urgent a piece of work is.

/// The four priorities, from the least to the most urgent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
#[expect(clippy::exhaustive_enums, reason = "the four levels are the contract (E1, Q2); users match on all of them")]
pub enum Priority {
    /// Whenever there is nothing else to do.
    Low = 0,
    /// The ordinary case.
    #[default]
    Normal = 1,
    /// Ahead of the ordinary.
    High = 2,
    /// Ahead of everything.
    Critical = 3,
}

impl Priority {
    /// How many priorities there are.
    pub const COUNT: usize = 4;

    /// All of them, least urgent first.
    pub const ALL: [Self; Self::COUNT] = [Self::Low, Self::Normal, Self::High, Self::Critical];

    /// 0 for [`Priority::Low`] up to 3 for [`Priority::Critical`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name in capitals, as the telemetry schema spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Normal => "NORMAL",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}

impl core::fmt::Display for Priority {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}
