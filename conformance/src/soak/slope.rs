//! The slope of memory over jobs: whether something is kept of each, however little.

use serde::{Deserialize, Serialize};

/// A quarter of the run is for what grows to its size once: pools, tables, the allocator's own lists.
const WARM_UP: usize = 4;

/// How much may be kept of a job, and how much of all: a slope over few jobs is not known better than that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) per_job: f64,
    pub(super) in_all: f64,
}

/// Of the heap, as the counting allocator knows it to the byte: one leaked block of 16 bytes in 1,600 jobs is seen.
pub(super) const HEAP: Limit = Limit { per_job: 0.01, in_all: 4_096.0 };

/// Of the resident set, which is counted in pages and also moves as the system's allocator pleases.
pub(super) const RESIDENT: Limit = Limit { per_job: 0.5, in_all: 2_097_152.0 };

/// What the samples say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Slope {
    pub(super) bytes_per_job: f64,
    /// What that makes over the jobs after the warm-up.
    pub(super) bytes_in_all: f64,
    pub(super) is_flat: bool,
}

impl Slope {
    /// By the median of the slopes between each two samples of jobs done and bytes in use (Theil and Sen): a step or a few odd samples do not
    /// move it, what is kept of each job does. `None` where there are too few samples.
    pub(super) fn of(samples: &[(u64, u64)], limit: Limit) -> Option<Self> {
        let samples = &samples[samples.len() / WARM_UP..];
        let (first, last) = (samples.first()?.0, samples.last()?.0);
        let mut slopes: Vec<f64> = samples
            .iter()
            .enumerate()
            .flat_map(|(place, from)| samples[place + 1..].iter().map(move |to| (from, to)))
            .filter(|(from, to)| to.0 > from.0)
            .map(|(from, to)| (to.1 as f64 - from.1 as f64) / (to.0 - from.0) as f64)
            .collect();
        if slopes.len() < 3 {
            return None;
        }
        slopes.sort_by(f64::total_cmp);
        let bytes_per_job = slopes[slopes.len() / 2];
        let bytes_in_all = bytes_per_job * (last - first) as f64;
        Some(Self {
            bytes_per_job,
            bytes_in_all,
            is_flat: bytes_per_job <= limit.per_job || bytes_in_all <= limit.in_all,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(bytes: impl Fn(u64) -> u64) -> Vec<(u64, u64)> {
        (1..=40).map(|lap| (lap * 5_000, 1_000_000 + bytes(lap))).collect()
    }

    #[test]
    fn what_is_kept_of_each_job_is_steep() {
        // A block of 32 bytes of one job in a hundred.
        let leak = Slope::of(&samples(|lap| lap * 50 * 32), HEAP).expect("there are samples");
        assert!(!leak.is_flat, "{leak:?}");
        assert!((0.31..0.33).contains(&leak.bytes_per_job), "{leak:?}");
        // The same with noise of some pages.
        let noisy = Slope::of(&samples(|lap| lap * 50 * 32 + (lap * 7_919 % 5) * 4_096), HEAP);
        assert!(!noisy.expect("there are samples").is_flat, "{noisy:?}");
    }

    #[test]
    fn steps_and_noise_are_flat() {
        for (what, bytes) in [
            ("nothing", Box::new(|_| 0_u64) as Box<dyn Fn(u64) -> u64>),
            ("a table that grows once", Box::new(|lap| u64::from(lap > 35) * 1_000_000)),
            ("a warm-up", Box::new(|lap| lap.min(8) * 100_000)),
            ("odd samples", Box::new(|lap| u64::from(lap % 9 == 0) * 500_000)),
        ] {
            let slope = Slope::of(&samples(bytes), HEAP).expect("there are samples");
            assert!(slope.is_flat, "{what}: {slope:?}");
        }
    }

    #[test]
    fn few_samples_say_nothing() {
        assert_eq!(Slope::of(&[], HEAP), None);
        assert_eq!(Slope::of(&[(1, 1), (2, 2)], HEAP), None);
    }
}
