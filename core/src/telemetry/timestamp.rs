//! When it was, on the wall's clock.

use core::time::Duration;

/// A time on the wall's clock: seconds and nanoseconds since the beginning of 1970, UTC.
///
/// The core never asks what time it is. Whoever makes a packet says it.
///
/// ```
/// use core::time::Duration;
/// use countermand_core::Timestamp;
/// let at = Timestamp::since_1970(Duration::from_millis(1_759_039_389_296));
/// assert_eq!((at.seconds(), at.nanos()), (1_759_039_389, 296_000_000));
/// // Half a second before 1970.
/// assert_eq!(Timestamp::new(-1, 500_000_000).seconds(), -1);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    /// Less than a second.
    nanos: u32,
}

impl Timestamp {
    const SECOND: u32 = 1_000_000_000;

    /// So many nanoseconds after the second `seconds`, which may be before 1970. Nanoseconds that make seconds are carried over.
    #[must_use]
    pub const fn new(seconds: i64, nanos: u32) -> Self {
        Self { seconds: seconds.saturating_add((nanos / Self::SECOND) as i64), nanos: nanos % Self::SECOND }
    }

    /// So long after the beginning of 1970.
    #[must_use]
    pub const fn since_1970(after: Duration) -> Self {
        let seconds = after.as_secs();
        let seconds = if seconds > i64::MAX as u64 { i64::MAX } else { seconds as i64 };
        Self { seconds, nanos: after.subsec_nanos() }
    }

    /// Whole seconds since the beginning of 1970; negative before.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds since that second began.
    #[must_use]
    pub const fn nanos(self) -> u32 {
        self.nanos
    }
}
