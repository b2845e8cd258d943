//! How fast a sender is read: a pure state machine over the given time.

use std::time::Duration;

use countermand::Instant;

/// How much is read in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PaceLimit {
    /// How many packets; `None` is without limit.
    pub(crate) packets: Option<u64>,
    /// How many bytes; `None` is without limit.
    pub(crate) bytes: Option<u64>,
}

/// Keeps account of what a sender has had: what a second allows may come at once, and then it comes no faster.
///
/// A sender that is too fast is not told no; it is not read from for a while, and so slowed down by its own full pipe.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Up to when the packets that came are paid for, in nanoseconds.
    packets: u128,
    /// The same for bytes.
    bytes: u128,
}

/// How much may come at once: what a second allows.
const BURST: u128 = 1_000_000_000;

impl Pace {
    /// So much came at `now`, where this is the limit.
    ///
    /// # Returns
    ///
    /// How long nothing is read now; zero if it was not too much.
    pub(crate) fn came(&mut self, limit: PaceLimit, now: Instant, packets: u64, bytes: u64) -> Duration {
        let now = u128::from(now.as_nanos());
        let pay = |paid: &mut u128, came: u64, limit: Option<u64>| {
            let Some(limit) = limit else { return 0 };
            *paid = (*paid).max(now) + u128::from(came) * BURST / u128::from(limit.max(1));
            (*paid - now).saturating_sub(BURST)
        };
        let wait = pay(&mut self.packets, packets, limit.packets).max(pay(&mut self.bytes, bytes, limit.bytes));
        Duration::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn a_second_may_come_at_once_and_then_it_is_paid_for() {
        let limit = PaceLimit { packets: Some(10), bytes: None };
        let mut pace = Pace::default();
        assert_eq!(pace.came(limit, at(0), 10, u64::MAX), Duration::ZERO);
        assert_eq!(pace.came(limit, at(0), 1, 0), Duration::from_millis(100));
        assert_eq!(pace.came(limit, at(100), 1, 0), Duration::from_millis(100));
        assert_eq!(pace.came(limit, at(5_000), 10, 0), Duration::ZERO);
    }

    #[test]
    fn bytes_count_beside_packets() {
        let limit = PaceLimit { packets: Some(1_000), bytes: Some(100) };
        assert_eq!(Pace::default().came(limit, at(0), 1, 150), Duration::from_millis(500));
        let free = PaceLimit { packets: None, bytes: None };
        assert_eq!(Pace::default().came(free, at(0), u64::MAX, u64::MAX), Duration::ZERO);
    }

    #[test]
    fn a_limit_that_is_changed_counts_from_then_on() {
        let mut pace = Pace::default();
        let each = |packets| PaceLimit { packets: Some(packets), bytes: None };
        assert_eq!(pace.came(each(10), at(0), 10, 0), Duration::ZERO);
        assert_eq!(pace.came(each(1), at(0), 1, 0), Duration::from_secs(1));
    }
}
