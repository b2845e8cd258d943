//! How long something is waited for: the time between looks, of which a stall of the machine counts as one look.

use std::time::{Duration, Instant};

/// What the time between two looks counts for at the most.
pub(crate) const STALL: Duration = Duration::from_millis(100);

/// What is left of it shrinks with each look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    left: Duration,
    last: Instant,
}

impl Patience {
    pub(crate) fn new(limit: Duration) -> Self {
        Self { left: limit, last: Instant::now() }
    }

    /// Half of it, for somebody whose giving up must come before another's.
    pub(crate) fn half(self) -> Self {
        Self { left: self.left / 2, ..self }
    }

    /// Takes the time since the last look, and says whether nothing is left.
    pub(crate) fn is_over(&mut self) -> bool {
        self.is_over_at(Instant::now())
    }

    fn is_over_at(&mut self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.last).min(STALL);
        self.last = now;
        self.left = self.left.saturating_sub(since);
        self.left.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_counts_as_one_look() {
        let mut patience = Patience::new(STALL * 3);
        let begun = patience.last;
        assert!(!patience.is_over_at(begun + STALL * 1_000));
        assert!(!patience.is_over_at(begun + STALL * 1_001));
        assert!(!patience.is_over_at(begun + STALL * 1_001));
        assert!(patience.is_over_at(begun + STALL * 1_002));
    }
}
