//! The buckets in which durations are published.

use countermand_core::Histogram;

/// Powers of two of nanoseconds, from 4 µs to 275 s, each four times the one before.
///
/// They end where buckets of [`Histogram`] do, at one nanosecond less than the power, so what is published is exact.
const POWERS: std::ops::RangeInclusive<u32> = 12..=38;

/// The greatest number of nanoseconds of each bucket, but for the last one, which takes all that is longer.
fn limits() -> impl Iterator<Item = u64> {
    POWERS.step_by(2).map(|power| (1 << power) - 1)
}

/// The greatest number of seconds of each bucket, but for the last one.
pub(crate) fn bounds() -> Vec<f64> {
    limits().map(|nanos| nanos as f64 / 1e9).collect()
}

/// How many durations are in each bucket, and in the last one.
pub(crate) fn counts(durations: &Histogram) -> Vec<u64> {
    let limits: Vec<u64> = limits().collect();
    let mut counts = vec![0; limits.len() + 1];
    for (greatest, count) in durations.buckets() {
        counts[limits.partition_point(|limit| *limit < greatest)] += count;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_is_in_the_bucket_whose_bounds_hold_it() {
        let limits: Vec<u64> = limits().collect();
        assert_eq!((limits.len(), limits[0], limits[13]), (14, 4_095, 274_877_906_943));
        for (bucket, limit) in limits.iter().enumerate() {
            let mut durations = Histogram::new();
            durations.record_nanos(*limit);
            durations.record_nanos(limit + 1);
            let mut expected = vec![0; 15];
            expected[bucket] = 1;
            expected[bucket + 1] = 1;
            assert_eq!(counts(&durations), expected);
        }
        let mut ends = Histogram::new();
        ends.record_nanos(0);
        ends.record_nanos(u64::MAX);
        assert_eq!((counts(&ends)[0], counts(&ends)[14]), (1, 1));
    }
}
