//! Where the clocks of all hosts on `std` begin: one point for the process.
//!
//! Each host could choose its own. But a token with a deadline is handed from a worker on one host to a worker on another, and must
//! mean the same time to both.

use core::time::Duration;
use std::sync::LazyLock;

use crate::Instant;
use crate::instant::nanos_of;

/// Fixed when the first host asks for it, a second back, so that what happened shortly before has a time as well.
static ORIGIN: LazyLock<std::time::Instant> = LazyLock::new(|| {
    let now = std::time::Instant::now();
    now.checked_sub(Duration::from_secs(1)).unwrap_or(now)
});

impl Instant {
    /// The point that `at` is on the clock that all hosts on `std` share. What lies before its origin is at the origin.
    #[must_use]
    pub fn from_std(at: std::time::Instant) -> Self {
        Self::from_nanos(nanos_of(at.saturating_duration_since(*ORIGIN)))
    }

    /// The reverse of [`from_std`](Self::from_std). `None` where the system's clock cannot say it.
    ///
    /// ```
    /// use countermand_core::Instant;
    /// let now = std::time::Instant::now();
    /// assert_eq!(Instant::from_std(now).to_std(), Some(now));
    /// ```
    #[must_use]
    pub fn to_std(self) -> Option<std::time::Instant> {
        ORIGIN.checked_add(Duration::from_nanos(self.as_nanos()))
    }
}
