//! A point on the host's monotonic clock.

use core::time::Duration;

/// A point in time: nanoseconds since an origin that the host chooses and never moves.
///
/// The core never asks what time it is; it is told (`step(cx, now)`). Sixty-four bits of nanoseconds last for 584 years,
/// so nothing wraps within any uptime (C4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Instant(u64);

impl Instant {
    /// The origin of the host's clock.
    pub const ORIGIN: Self = Self(0);

    /// The last nanosecond of the clock: as a deadline, none at all (D8).
    pub(crate) const NEVER: Self = Self(u64::MAX);

    /// The point `nanos` nanoseconds after the origin.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the origin.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The point `after` later, or `None` where that overflows: such a deadline is no deadline (D8).
    #[must_use]
    pub fn checked_add(self, after: Duration) -> Option<Self> {
        if mutant!(OverflowIsDueAtOnce) {
            return Some(Self(self.0.wrapping_add(after.as_nanos() as u64)));
        }
        let nanos = u64::try_from(after.as_nanos()).ok()?;
        self.0.checked_add(nanos).map(Self)
    }

    /// The earlier of two times, where `None` is never.
    #[cfg_attr(not(feature = "alloc"), expect(dead_code, reason = "for the machine"))]
    pub(crate) fn earlier(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// How long ago `earlier` was; zero if it is not earlier.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Whether a deadline at `self` is due at `now`: `now >= self`, exactly (D3).
    #[must_use]
    pub fn is_due(self, now: Self) -> bool {
        if mutant!(FiresOneTickEarly) {
            return now.0.saturating_add(1) >= self.0;
        }
        now.0 >= self.0
    }
}

/// A length of time in nanoseconds; one beyond the clock is as long as all of it. Without a number of 128 bits: it is on the way of every job, and small targets
/// have none.
#[inline]
pub(crate) const fn nanos_of(duration: Duration) -> u64 {
    const SECOND: u64 = 1_000_000_000;
    if duration.as_secs() > u64::MAX / SECOND {
        return u64::MAX;
    }
    (duration.as_secs() * SECOND).saturating_add(duration.subsec_nanos() as u64)
}
