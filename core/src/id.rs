//! The number of a job.

use core::fmt;

/// The number of a job: unique within its worker, in the order of acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct JobId(u64);

impl JobId {
    pub(crate) const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number itself, starting with 1.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
