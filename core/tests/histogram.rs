//! The histogram against a sorted list.
#![cfg(feature = "std")]

use std::thread;
use std::time::Duration;

use countermand_core::{Histogram, SharedHistogram};
use proptest::prelude::*;

fn nanos() -> impl Strategy<Value = u64> {
    // Of every magnitude, not only the largest.
    (any::<u64>(), 0..64_u32).prop_map(|(nanos, shift)| nanos >> shift)
}

fn of(values: &[u64]) -> Histogram {
    let mut histogram = Histogram::new();
    values.iter().for_each(|nanos| histogram.record_nanos(*nanos));
    histogram
}

fn same(one: &Histogram, other: &Histogram) -> bool {
    one.buckets().eq(other.buckets()) && (one.sum(), one.min(), one.max()) == (other.sum(), other.min(), other.max())
}

proptest! {
    #[test]
    fn quantiles_err_by_less_than_a_32nd(mut values in prop::collection::vec(nanos(), 1..300), q in 0.0..=1.0_f64) {
        let histogram = of(&values);
        values.sort_unstable();
        for q in [q, 0.0, 0.5, 0.99, 1.0] {
            let rank = ((q * values.len() as f64).ceil() as usize).clamp(1, values.len());
            let exact = values[rank - 1];
            let told = histogram.quantile(q).expect("not empty").as_nanos();
            let error = told.abs_diff(u128::from(exact));
            prop_assert!(error == 0 || error * 32 < u128::from(exact), "q {q}: {told} for {exact}");
        }
        prop_assert_eq!(histogram.count(), values.len() as u64);
        prop_assert_eq!(histogram.min(), values.first().map(|nanos| Duration::from_nanos(*nanos)));
        prop_assert_eq!(histogram.max(), values.last().map(|nanos| Duration::from_nanos(*nanos)));
        let sum = values.iter().fold(0, |sum: u64, nanos| sum.saturating_add(*nanos));
        prop_assert_eq!(histogram.sum(), Duration::from_nanos(sum));
    }

    #[test]
    fn one_that_is_shared_is_the_same(values in prop::collection::vec(nanos(), 0..10), near in any::<u64>(), shift in 0..60_u32) {
        // Of these, several fall into one bucket, so that least and greatest are not its ends.
        let near = (near >> shift).saturating_sub(3);
        let values: Vec<u64> = values.into_iter().chain((0..3).map(|more| near.saturating_add(more))).collect();
        let shared = SharedHistogram::new();
        for (which, nanos) in values.iter().enumerate() {
            if which % 2 == 0 {
                shared.record_nanos(*nanos);
            } else {
                shared.record(Duration::from_nanos(*nanos));
            }
            if which + 4 > values.len() {
                prop_assert!(same(&shared.snapshot(), &of(&values[..=which])));
            }
        }
    }

    #[test]
    fn merging_is_as_if_recorded_together(
        one in prop::collection::vec(nanos(), 0..100),
        other in prop::collection::vec(nanos(), 0..100),
    ) {
        let mut merged = of(&one);
        merged.merge(&of(&other));
        let together = of(&[one, other].concat());
        prop_assert!(same(&merged, &together));
    }

    #[test]
    fn buckets_hold_what_was_recorded(values in prop::collection::vec(nanos(), 1..100)) {
        let histogram = of(&values);
        let mut below = None;
        for (greatest, count) in histogram.buckets() {
            let within = values.iter().filter(|nanos| **nanos <= greatest && below.is_none_or(|below| **nanos > below));
            prop_assert!(count > 0);
            prop_assert_eq!(within.count() as u64, count);
            below = Some(greatest);
        }
        prop_assert!(values.iter().all(|nanos| Some(*nanos) <= below));
    }
}

#[test]
fn an_empty_one_tells_nothing() {
    let histogram = Histogram::new();
    assert_eq!((histogram.count(), histogram.min(), histogram.max()), (0, None, None));
    assert_eq!((histogram.quantile(0.5), histogram.sum()), (None, Duration::ZERO));
    assert_eq!(SharedHistogram::new().snapshot().max(), None);
}

#[test]
fn odd_questions_and_durations_do_not_panic() {
    let mut histogram = Histogram::new();
    histogram.record(Duration::MAX);
    histogram.record(Duration::ZERO);
    assert_eq!(histogram.max(), Some(Duration::from_nanos(u64::MAX)));
    assert_eq!(histogram.quantile(f64::NAN), Some(Duration::ZERO));
    assert_eq!(histogram.quantile(-3.0), Some(Duration::ZERO));
    assert_eq!(histogram.quantile(f64::INFINITY), histogram.max());
}

#[test]
fn threads_lose_nothing() {
    let shared = SharedHistogram::new();
    let values: Vec<u64> = (0..10_000).map(|n: u64| n * n).collect();
    thread::scope(|scope| {
        for half in values.chunks(values.len() / 2) {
            let shared = &shared;
            scope.spawn(move || half.iter().for_each(|nanos| shared.record_nanos(*nanos)));
        }
        // Whatever moment it shows, it holds together.
        let mut before = 0;
        while before < values.len() as u64 {
            let snapshot = shared.snapshot();
            assert!(snapshot.count() >= before);
            assert!(snapshot.min() <= snapshot.quantile(0.5) && snapshot.quantile(0.5) <= snapshot.max());
            before = snapshot.count();
        }
    });
    assert!(same(&shared.snapshot(), &of(&values)));
}
