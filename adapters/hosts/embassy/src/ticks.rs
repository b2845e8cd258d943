//! The clock of embassy's time driver, in nanoseconds and back.

use countermand_core::Instant;
use embassy_time_driver::TICK_HZ;

const NANOS: u64 = 1_000_000_000;

/// The time by the driver. Sixty-four bits of ticks, from embassy on: nothing wraps.
pub(crate) fn now() -> Instant {
    from_ticks(embassy_time_driver::now())
}

fn from_ticks(ticks: u64) -> Instant {
    // A rest is less than a second of the fastest rate there is, so the product fits.
    let rest = ticks % TICK_HZ * NANOS / TICK_HZ;
    Instant::from_nanos((ticks / TICK_HZ).saturating_mul(NANOS).saturating_add(rest))
}

/// The first tick at which `at` is due (D3). What lies beyond the driver's clock is never, which is how the driver spells its last tick.
pub(crate) fn first_at(at: Instant) -> u64 {
    let rest = (at.as_nanos() % NANOS * TICK_HZ).div_ceil(NANOS);
    (at.as_nanos() / NANOS).saturating_mul(TICK_HZ).saturating_add(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_due_at_its_first_tick_and_not_before() {
        for nanos in
            [0, 1, 999, 1_000, 1_001, NANOS - 1, NANOS, NANOS + 1, 400 * 24 * 3_600 * NANOS + 1, u64::MAX - NANOS]
        {
            let at = Instant::from_nanos(nanos);
            let tick = first_at(at);
            assert!(at.is_due(from_ticks(tick)), "{nanos} at {tick}");
            assert!(tick == 0 || !at.is_due(from_ticks(tick - 1)), "{nanos} before {tick}");
        }
    }

    #[test]
    fn the_last_tick_is_the_end_of_time() {
        assert_eq!(from_ticks(u64::MAX), Instant::from_nanos(u64::MAX));
    }
}
