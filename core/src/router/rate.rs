//! How many packets may go in a time: a pure state machine over the given time.

use core::num::NonZeroU32;
use core::time::Duration;

use crate::Instant;

/// So many packets in so long; as many may go at once if none went before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rate {
    /// How many packets.
    pub packets: NonZeroU32,
    /// In how long; zero is without limit.
    pub per: Duration,
}

impl Rate {
    /// So many packets in so long.
    #[must_use]
    pub const fn new(packets: NonZeroU32, per: Duration) -> Self {
        Self { packets, per }
    }

    /// So many packets a minute.
    #[must_use]
    pub const fn per_minute(packets: NonZeroU32) -> Self {
        Self::new(packets, Duration::from_secs(60))
    }

    /// Between two packets in a steady flow, in nanoseconds, rounded up: never faster than the rate.
    fn step(self) -> u128 {
        self.per.as_nanos().div_ceil(u128::from(self.packets.get()))
    }
}

/// Keeps account of a [`Rate`]: the generic cell rate algorithm of ATM networks, which needs one number and no timer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    rate: Rate,
    /// When the bucket is full again, in nanoseconds on the clock.
    full_at: u128,
}

impl Bucket {
    pub(crate) const fn new(rate: Rate) -> Self {
        Self { rate, full_at: 0 }
    }

    /// How many packets may go at `now`.
    pub(crate) fn available(&self, now: Instant) -> usize {
        let (step, now) = (self.rate.step(), u128::from(now.as_nanos()));
        if step == 0 {
            return usize::MAX;
        }
        let whole = step * u128::from(self.rate.packets.get());
        let missing = self.full_at.saturating_sub(now);
        usize::try_from(whole.saturating_sub(missing) / step).unwrap_or(usize::MAX)
    }

    /// So many packets go at `now`.
    pub(crate) fn take(&mut self, packets: usize, now: Instant) {
        self.full_at = self.full_at.max(u128::from(now.as_nanos())) + self.rate.step() * packets as u128;
    }

    /// When the next packet may go. `None` is beyond the clock.
    pub(crate) fn next(&self) -> Option<Instant> {
        let whole = self.rate.step() * u128::from(self.rate.packets.get());
        let at = (self.full_at + self.rate.step()).saturating_sub(whole);
        u64::try_from(at).ok().map(Instant::from_nanos)
    }
}

#[cfg(all(test, feature = "std", not(countermand_loom)))]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn a_burst_then_a_steady_flow() {
        let mut bucket = Bucket::new(Rate::new(NonZeroU32::new(10).expect("ten"), Duration::from_secs(1)));
        assert_eq!(bucket.available(at(0)), 10);
        bucket.take(10, at(0));
        assert_eq!((bucket.available(at(99)), bucket.next()), (0, Some(at(100))));
        assert_eq!(bucket.available(at(100)), 1);
        bucket.take(1, at(100));
        assert_eq!((bucket.available(at(550)), bucket.available(at(5_000))), (4, 10));
    }

    proptest::proptest! {
        /// Another's limiter, under the same clock, lets the same packets go.
        #[test]
        fn lets_go_what_governor_lets_go(
            packets in 1..50_u32,
            millis in 1..5_000_u64,
            steps in proptest::collection::vec((0..400_u64, 1..8_u32), 1..200),
        ) {
            let rate = Rate::new(NonZeroU32::new(packets).expect("not zero"), Duration::from_millis(millis));
            let mut bucket = Bucket::new(rate);
            let period = Duration::from_nanos(u64::try_from(rate.step()).expect("a short while"));
            let quota = governor::Quota::with_period(period).expect("not zero").allow_burst(rate.packets);
            let clock = governor::clock::FakeRelativeClock::default();
            let oracle = governor::RateLimiter::direct_with_clock(quota, clock.clone());
            let mut now = 0;
            for (pass, tries) in steps {
                clock.advance(Duration::from_millis(pass));
                now += pass;
                for _ in 0..tries {
                    let goes = bucket.available(at(now)) > 0;
                    assert_eq!(goes, oracle.check().is_ok(), "at {now} ms");
                    if goes {
                        bucket.take(1, at(now));
                    } else {
                        let next = bucket.next().expect("within the clock");
                        assert_eq!((bucket.available(next), next > at(now)), (1, true), "{next:?}");
                    }
                }
            }
        }
    }
}
