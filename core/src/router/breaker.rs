//! Whether a sink is worth trying: a pure state machine over the given time.
//!
//! ```text
//!            failures in a row             rest is over
//!   Closed ────────────────────► Open ────────────────────► one packet may try
//!      ▲                           ▲                          │ acknowledged: Closed
//!      └───────────────────────────┴──────────────────────────┘ refused: Open
//! ```

use core::time::Duration;

use crate::Instant;

/// When a sink is let alone, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerConfig {
    /// After how many failures in a row; 0 is never.
    pub failures: u32,
    /// For how long.
    pub rest: Duration,
}

impl BreakerConfig {
    /// After so many failures in a row, for so long.
    #[must_use]
    pub const fn new(failures: u32, rest: Duration) -> Self {
        Self { failures, rest }
    }
}

impl Default for BreakerConfig {
    /// After 5 failures in a row, for 30 s.
    fn default() -> Self {
        Self::new(5, Duration::from_secs(30))
    }
}

/// See the head of the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Breaker {
    config: BreakerConfig,
    /// In a row.
    failures: u32,
    /// Until when the sink is let alone. Beyond the clock counts as the clock's end (D8).
    open_until: Option<Instant>,
}

impl Breaker {
    pub(crate) const fn new(config: BreakerConfig) -> Self {
        Self { config, failures: 0, open_until: None }
    }

    /// How many packets may try at `now`.
    pub(crate) fn allows(&self, now: Instant) -> usize {
        match self.open_until {
            None => usize::MAX,
            Some(until) => usize::from(until.is_due(now)),
        }
    }

    /// Until when the sink is let alone.
    pub(crate) const fn open_until(&self) -> Option<Instant> {
        self.open_until
    }

    /// It took something.
    pub(crate) const fn success(&mut self) {
        self.failures = 0;
        self.open_until = None;
    }

    /// It took nothing. True if that opens the breaker.
    pub(crate) fn failure(&mut self, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        let opens = self.config.failures > 0 && self.failures >= self.config.failures;
        let first = opens && self.open_until.is_none();
        if opens {
            self.open_until = Some(now.checked_add(self.config.rest).unwrap_or(Instant::from_nanos(u64::MAX)));
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_rests_tries_once_and_closes() {
        let at = Instant::from_nanos;
        let mut breaker = Breaker::new(BreakerConfig::new(2, Duration::from_nanos(10)));
        assert!(!breaker.failure(at(0)));
        assert_eq!(breaker.allows(at(0)), usize::MAX);
        assert!(breaker.failure(at(5)));
        assert_eq!((breaker.allows(at(14)), breaker.allows(at(15))), (0, 1));
        assert!(!breaker.failure(at(15)), "it was open already");
        assert_eq!((breaker.allows(at(24)), breaker.allows(at(25))), (0, 1));
        breaker.success();
        assert_eq!(breaker.allows(at(25)), usize::MAX);
        assert!(!breaker.failure(at(26)), "the count began anew");
    }
}
