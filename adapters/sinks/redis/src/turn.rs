//! What a consumer did in one turn.

/// What became of the entries of one turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Turn {
    /// Handled, and acknowledged.
    pub handled: usize,
    /// Given to the dead letters.
    pub dead: usize,
    /// Refused for now by the handler, and those of the same source and priority behind them. They come again; wait a little before the next turn.
    pub refused: usize,
    /// Trimmed away before anybody had handled them.
    pub vanished: usize,
    /// Taken over from consumers that gave no sign of life.
    pub claimed: usize,
}

impl Turn {
    /// Whether there was nothing to do.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.handled + self.dead + self.refused + self.vanished + self.claimed == 0
    }
}
