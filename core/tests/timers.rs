//! The timers against a sorted map.
#![cfg(feature = "std")]

use std::collections::BTreeMap;
use std::time::Duration;

use countermand_core::{Fixed, Instant, Size, TimerKey, Timers};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Insert(Instant),
    /// The n-th key ever given, by remainder: live ones and stale ones.
    Remove(usize),
    /// All that is due by then.
    PopDue(Instant),
}

fn instant() -> impl Strategy<Value = Instant> {
    // Many equal ones, and the ends of time.
    prop_oneof![
        6 => 0..20_u64,
        2 => any::<u64>(),
        1 => Just(u64::MAX),
    ]
    .prop_map(Instant::from_nanos)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => instant().prop_map(Step::Insert),
        2 => any::<usize>().prop_map(Step::Remove),
        1 => instant().prop_map(Step::PopDue),
    ]
}

fn agrees<S: Size>(mut timers: Timers<usize, S>, room: usize, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut model: BTreeMap<(Instant, usize), TimerKey> = BTreeMap::new();
    let mut keys: Vec<(TimerKey, (Instant, usize))> = Vec::new();
    for (item, step) in steps.iter().enumerate() {
        match *step {
            Step::Insert(at) => match timers.try_insert(at, item) {
                Ok(key) => {
                    prop_assert!(model.len() < room);
                    prop_assert!(keys.iter().all(|(other, _)| *other != key), "a key was given twice");
                    model.insert((at, item), key);
                    keys.push((key, (at, item)));
                }
                Err(back) => {
                    prop_assert_eq!(back, item);
                    prop_assert_eq!(model.len(), room);
                }
            },
            Step::Remove(n) => {
                if let Some(&(key, (at, item))) = keys.get(n % keys.len().max(1)) {
                    let expected = model.remove(&(at, item)).map(|_| item);
                    prop_assert_eq!(timers.get_mut(key).copied(), expected);
                    prop_assert_eq!(timers.remove(key), expected);
                    prop_assert_eq!(timers.remove(key), None);
                }
            }
            Step::PopDue(now) => loop {
                // Said here once more, apart from `is_due`.
                let due = |(at, _): &(Instant, usize)| at.as_nanos() <= now.as_nanos();
                let expected = model.first_key_value().map(|(first, _)| *first).filter(due);
                prop_assert_eq!(timers.pop_due(now), expected);
                match expected {
                    Some(first) => model.remove(&first),
                    None => break,
                };
            },
        }
        prop_assert_eq!(timers.len(), model.len());
        prop_assert_eq!(timers.is_empty(), model.is_empty());
        prop_assert_eq!(timers.next_at(), model.first_key_value().map(|((at, _), _)| *at));
    }
    Ok(())
}

/// Steps as of a worker: a clock that goes forward, timers of a few lengths, some of any, and few that are taken back.
fn lengths() -> impl Strategy<Value = Vec<Step>> {
    let length =
        prop_oneof![3 => Just(30), 3 => Just(7), 2 => Just(1_000), 1 => Just(90), 1 => Just(3), 1 => 0..2_000_u64];
    let kind = prop_oneof![6 => Just(0), 2 => Just(1), 1 => Just(2)];
    prop::collection::vec((kind, length, 0..6_u64, any::<usize>()), 0..600).prop_map(|steps| {
        let mut now = 0;
        let step = |(kind, length, passed, any)| {
            now += passed;
            match kind {
                0 => Step::Insert(Instant::from_nanos(now + length)),
                1 => Step::Remove(any),
                _ => Step::PopDue(Instant::from_nanos(now)),
            }
        };
        steps.into_iter().map(step).collect()
    })
}

proptest! {
    #[test]
    fn d3_agrees_where_there_are_a_few_lengths(steps in lengths()) {
        agrees(Timers::growing(), usize::MAX, &steps)?;
        agrees(Timers::<_, Fixed<40>>::new(), 40, &steps)?;
    }

    #[test]
    fn d3_agrees_with_a_sorted_map(steps in prop::collection::vec(step(), 0..400)) {
        agrees(Timers::growing(), usize::MAX, &steps)?;
        agrees(Timers::<_, Fixed<12>>::new(), 12, &steps)?;
    }
}

const DAY: u64 = 24 * 60 * 60 * 1_000_000_000;

#[test]
fn c4_exact_after_four_hundred_days() {
    let mut timers = Timers::growing();
    for day in 0..=400 {
        // Every limb of a clock that might wrap lies somewhere in between.
        let now = Instant::from_nanos(day * DAY);
        let soon = now.checked_add(Duration::from_nanos(1)).unwrap();
        let in_a_day = now.checked_add(Duration::from_nanos(DAY)).unwrap();
        timers.insert(in_a_day, "in a day");
        timers.insert(soon, "soon");
        assert_eq!(timers.pop_due(now), None, "day {day}");
        assert_eq!(timers.pop_due(soon), Some((soon, "soon")), "day {day}");
        assert_eq!(timers.pop_due(Instant::from_nanos(in_a_day.as_nanos() - 1)), None, "day {day}");
        assert_eq!(timers.pop_due(in_a_day), Some((in_a_day, "in a day")), "day {day}");
    }
}

#[test]
fn d7_a_stale_key_names_nothing() {
    let mut timers = Timers::growing();
    let at = Instant::from_nanos(7);
    let stale = timers.insert(at, "first");
    assert_eq!(timers.pop_due(at), Some((at, "first")));
    let key = timers.insert(at, "second, in the same place");
    assert_eq!(timers.remove(stale), None);
    assert_eq!(timers.get_mut(stale), None);
    assert_eq!(timers.remove(key), Some("second, in the same place"));
}

#[test]
fn first_in_first_out_among_ten_thousand_equals() {
    let mut timers = Timers::growing();
    let at = Instant::from_nanos(1);
    for item in 0..10_000 {
        timers.insert(at, item);
    }
    let order: Vec<i32> = std::iter::from_fn(|| timers.pop_due(at)).map(|(_, item)| item).collect();
    assert_eq!(order, (0..10_000).collect::<Vec<_>>());
}
