//! How durations are distributed: counts in buckets of fixed number, whose width grows with the value.

use core::fmt;
use core::time::Duration;

use crate::instant::nanos_of;
use crate::sync::atomic::{AtomicU64, Ordering};

/// Each power of two is divided into `1 << FINE` buckets of equal width.
const FINE: u32 = 4;

/// The number of buckets: those below `1 << FINE` hold one value each.
const BUCKETS: usize = ((u64::BITS - FINE + 1) << FINE) as usize;

/// The bucket of a value. Those below `1 << FINE` are their own; of the others the highest bit says how far the next `FINE` are to be shifted.
#[inline]
const fn bucket_of(nanos: u64) -> usize {
    let shift = (nanos | 1 << FINE).ilog2() - FINE;
    ((shift as usize) << FINE) + (nanos >> shift) as usize
}

/// The least value of a bucket and how many values it holds.
const fn range_of(bucket: usize) -> (u64, u64) {
    let fine = (bucket & ((1 << FINE) - 1)) as u64;
    match ((bucket >> FINE) as u32).checked_sub(1) {
        None => (fine, 1),
        Some(shift) => (((1 << FINE) + fine) << shift, 1 << shift),
    }
}

/// Counts durations in 976 buckets (8 kB) that cover every nanosecond count of 64 bits.
///
/// Recording takes no float, no allocation and a constant few instructions. Two histograms can be merged without loss.
/// [`quantile`](Histogram::quantile) errs by less than 1/32 (3.2 %) of the true value; count, sum, least and greatest are exact.
///
/// ```
/// use core::time::Duration;
/// use countermand_core::Histogram;
/// let mut waits = Histogram::new();
/// for millis in 1..=100 {
///     waits.record(Duration::from_millis(millis));
/// }
/// assert_eq!(waits.count(), 100);
/// assert_eq!(waits.max(), Some(Duration::from_millis(100)));
/// let median = waits.quantile(0.5).unwrap();
/// assert!(median > Duration::from_micros(48_400) && median < Duration::from_micros(51_600));
/// ```
///
/// # Implementation notes
///
/// Log-linear buckets, as in HdrHistogram, found by the position of the highest bit. Buckets that users choose would make
/// merging two histograms a matter of luck.
#[derive(Clone)]
pub struct Histogram {
    counts: [u64; BUCKETS],
    sum: u64,
    min: u64,
    max: u64,
}

impl Histogram {
    /// Nothing recorded.
    #[must_use]
    pub const fn new() -> Self {
        Self { counts: [0; BUCKETS], sum: 0, min: u64::MAX, max: 0 }
    }

    /// Counts one duration. One of more than 584 years counts as 584 years.
    #[inline]
    pub fn record(&mut self, duration: Duration) {
        self.record_nanos(nanos_of(duration));
    }

    /// Counts one duration given in nanoseconds.
    #[inline]
    pub fn record_nanos(&mut self, nanos: u64) {
        if let Some(count) = self.counts.get_mut(bucket_of(nanos)) {
            *count += 1;
        }
        self.sum = self.sum.saturating_add(nanos);
        // Mostly it is neither, and nothing is written.
        if nanos < self.min {
            self.min = nanos;
        }
        if nanos > self.max {
            self.max = nanos;
        }
    }

    /// Adds all that `other` counted.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.sum = self.sum.saturating_add(other.sum);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// How many durations were recorded.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The sum of all. It stops at 584 years.
    #[must_use]
    pub const fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum)
    }

    /// The least. `None` while nothing is recorded.
    #[must_use]
    pub fn min(&self) -> Option<Duration> {
        (self.count() > 0).then_some(Duration::from_nanos(self.min))
    }

    /// The greatest. `None` while nothing is recorded.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        (self.count() > 0).then_some(Duration::from_nanos(self.max))
    }

    /// The duration that the share `q` of the recorded ones does not exceed, with an error of less than 1/32 of it: 0.5 gives the
    /// median, 0.99 what one in a hundred exceeds, 0 the least and 1 the greatest, exactly. A `q` outside of 0 to 1 counts as
    /// the nearer end, one that is not a number as 0. `None` while nothing is recorded.
    #[must_use]
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        let count = self.count();
        // A cast from a float stops at the ends of the range and takes what is not a number as 0.
        let exact = q.clamp(0.0, 1.0) * count as f64;
        let whole = exact as u64;
        let rank = if (whole as f64) < exact { whole + 1 } else { whole }.clamp(1, count.max(1));
        if rank == count {
            return self.max();
        }
        let mut seen = 0;
        let bucket = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        })?;
        let (least, width) = range_of(bucket);
        // The middle of the bucket, unless the ends of what was recorded say more.
        let middle = least + (width - 1) / 2;
        let nanos = if rank == 1 { self.min } else { middle.clamp(self.min, self.max) };
        Some(Duration::from_nanos(nanos))
    }

    /// The buckets that are not empty, least first: the greatest number of nanoseconds that falls into the bucket, and how
    /// many did. For exporters that publish buckets.
    pub fn buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        let counts = self.counts.iter().copied().enumerate().filter(|(_, count)| *count > 0);
        counts.map(|(bucket, count)| {
            let (least, width) = range_of(bucket);
            (least + (width - 1), count)
        })
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram")
            .field("count", &self.count())
            .field("min", &self.min())
            .field("median", &self.quantile(0.5))
            .field("max", &self.max())
            .finish_non_exhaustive()
    }
}

/// A [`Histogram`] that many threads record into.
///
/// Recording takes two atomic additions; the least and the greatest are written only when they change.
pub struct SharedHistogram {
    counts: [AtomicU64; BUCKETS],
    sum: AtomicU64,
    min: AtomicU64,
    max: AtomicU64,
}

impl SharedHistogram {
    /// Nothing recorded.
    #[must_use]
    #[cfg(not(countermand_loom))]
    pub const fn new() -> Self {
        Self {
            counts: [const { AtomicU64::new(0) }; BUCKETS],
            sum: AtomicU64::new(0),
            min: AtomicU64::new(u64::MAX),
            max: AtomicU64::new(0),
        }
    }

    /// Nothing recorded.
    #[must_use]
    #[cfg(countermand_loom)]
    pub fn new() -> Self {
        Self {
            counts: core::array::from_fn(|_| AtomicU64::new(0)),
            sum: AtomicU64::new(0),
            min: AtomicU64::new(u64::MAX),
            max: AtomicU64::new(0),
        }
    }

    /// Counts one duration. One of more than 584 years counts as 584 years.
    pub fn record(&self, duration: Duration) {
        self.record_nanos(nanos_of(duration));
    }

    /// Counts one duration, for the only thread that records into this one.
    #[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle))))]
    #[inline]
    pub(crate) fn record_alone(&self, duration: Duration) {
        let nanos = nanos_of(duration);
        if let Some(count) = self.counts.get(bucket_of(nanos)) {
            count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
        self.sum.store(self.sum.load(Ordering::Relaxed).saturating_add(nanos), Ordering::Relaxed);
        if nanos < self.min.load(Ordering::Relaxed) {
            self.min.store(nanos, Ordering::Relaxed);
        }
        if nanos > self.max.load(Ordering::Relaxed) {
            self.max.store(nanos, Ordering::Relaxed);
        }
    }

    /// Counts one duration given in nanoseconds.
    pub fn record_nanos(&self, nanos: u64) {
        // Each number stands for itself; nothing else is published with them, so no ordering is needed.
        if let Some(count) = self.counts.get(bucket_of(nanos)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let before = self.sum.fetch_add(nanos, Ordering::Relaxed);
        if before.checked_add(nanos).is_none() {
            self.sum.store(u64::MAX, Ordering::Relaxed);
        }
        if nanos < self.min.load(Ordering::Relaxed) {
            self.min.fetch_min(nanos, Ordering::Relaxed);
        }
        if nanos > self.max.load(Ordering::Relaxed) {
            self.max.fetch_max(nanos, Ordering::Relaxed);
        }
    }

    /// What was recorded so far. What is recorded meanwhile may be in it in part, such as counted but not yet in the sum.
    #[must_use]
    pub fn snapshot(&self) -> Histogram {
        let mut snapshot = Histogram::new();
        for (count, shared) in snapshot.counts.iter_mut().zip(&self.counts) {
            *count = shared.load(Ordering::Relaxed);
        }
        snapshot.sum = self.sum.load(Ordering::Relaxed);
        // One that is counted, but is not yet the least or the greatest, shows in its bucket.
        let filled = |bucket: &usize| snapshot.counts[*bucket] > 0;
        if let (Some(lowest), Some(highest)) = ((0..BUCKETS).find(filled), (0..BUCKETS).rfind(filled)) {
            let within = |nanos: u64, bucket: usize| {
                let (least, width) = range_of(bucket);
                nanos.clamp(least, least + (width - 1))
            };
            snapshot.min = within(self.min.load(Ordering::Relaxed), lowest);
            snapshot.max = within(self.max.load(Ordering::Relaxed), highest).max(snapshot.min);
        }
        snapshot
    }
}

impl Default for SharedHistogram {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for SharedHistogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.snapshot().fmt(f)
    }
}
