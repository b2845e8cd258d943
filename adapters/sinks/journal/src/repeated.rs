//! What is kept of packets that were told as one.

use std::time::Duration;

use countermand_core::{Level, Repeats};

/// Packets of one source about the same that were told as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repeated {
    /// How many, with the one that tells them.
    pub count: u64,
    /// How long it was from the first to the last.
    pub span: Duration,
    /// The highest level among them.
    pub highest: Level,
}

impl Repeated {
    pub(crate) const fn new(count: u64, span: Duration, highest: Level) -> Self {
        Self { count, span, highest }
    }
}

impl From<Repeats> for Repeated {
    fn from(repeats: Repeats) -> Self {
        Self::new(repeats.count, repeats.last.saturating_since(repeats.first), repeats.highest)
    }
}
