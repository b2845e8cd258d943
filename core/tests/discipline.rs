//! The bound of rule Q3: every state that a picker can reach, under every choice of an adversary.
#![cfg(feature = "std")]

use std::collections::HashSet;

use countermand_core::{Discipline, Picker, Priority};
use proptest::prelude::*;

const WEIGHTS: [[u32; 4]; 8] =
    [[1, 1, 1, 1], [1, 2, 4, 8], [1, 2, 3, 4], [8, 4, 2, 1], [5, 1, 1, 1], [1, 5, 1, 2], [1, 1, 5, 1], [3, 1, 2, 7]];

/// Walks through all states: whatever the other levels do, how often is `level`, which always has a job, passed over by
/// higher ones at the most? Also checks that no two picks in a row leave out a higher level.
fn worst(discipline: Discipline, level: Priority) -> (u32, usize) {
    let mut seen = HashSet::new();
    let mut open = vec![(Picker::new(discipline), 0, false)];
    let mut worst = 0;
    while let Some((picker, passed, bypassed)) = open.pop() {
        if !seen.insert((picker.clone(), passed, bypassed)) {
            continue;
        }
        for others in 0..16_u8 {
            let nonempty = others | 1 << level.index();
            let mut picker = picker.clone();
            let picked = picker.pick(nonempty).expect("a level has a job");
            assert_ne!(nonempty & 1 << picked.index(), 0, "picked a level without a job");
            let leaves_out = nonempty >> (picked.index() + 1) != 0;
            assert!(!(leaves_out && bypassed), "{discipline:?}: a higher level was left out twice in a row");
            let passed = match picked {
                _ if picked > level => passed + 1,
                _ if picked == level => 0,
                _ => passed,
            };
            worst = worst.max(passed);
            if discipline.bound(level).is_some_and(|bound| worst > bound) {
                return (worst, seen.len());
            }
            open.push((picker, passed, leaves_out));
        }
    }
    (worst, seen.len())
}

#[test]
fn q3_no_adversary_exceeds_the_bound() {
    for weights in WEIGHTS {
        let discipline = Discipline::Weighted(weights);
        for level in Priority::ALL {
            let bound = discipline.bound(level).expect("the weighted discipline has a bound");
            let (worst, states) = worst(discipline, level);
            println!("{weights:?} {level}: {worst} of {bound} in {states} states");
            // Not only kept, but reached: a bound that nothing comes near would be a poor promise.
            assert_eq!(worst, bound, "{weights:?}: {level}");
        }
    }
}

#[test]
fn q3_the_default_keeps_what_its_docs_say() {
    let bounds = Priority::ALL.map(|level| Discipline::default().bound(level));
    assert_eq!(bounds, [Some(18), Some(9), Some(4), Some(0)]);
}

#[test]
fn strict_is_strict_and_promises_nothing() {
    let mut picker = Picker::new(Discipline::Strict);
    for nonempty in (0..16).cycle().take(1000) {
        assert_eq!(picker.pick(nonempty), Priority::ALL.into_iter().rfind(|level| nonempty & 1 << level.index() != 0));
    }
    assert_eq!(Discipline::Strict.bound(Priority::High), None);
    assert_eq!(Discipline::Strict.bound(Priority::Critical), Some(0));
}

#[test]
fn a_weight_of_zero_is_refused_by_name() {
    assert_eq!(Discipline::Strict.check(), Ok(()));
    assert_eq!(Discipline::default().check(), Ok(()));
    assert_eq!(Discipline::Weighted([1, 0, 2, 0]).check(), Err(Priority::Normal));
    // Unchecked, it still neither divides by zero nor starves.
    assert!(Discipline::Weighted([0; 4]).bound(Priority::Low).is_some());
    assert!(Discipline::Weighted([u32::MAX; 4]).bound(Priority::Low).is_some());
    // As large as it becomes, it can be told in 32 bits, to the last.
    assert_eq!(Discipline::Weighted([1, u32::MAX, u32::MAX, u32::MAX]).bound(Priority::Low), Some(u32::MAX - 4));
}

/// Passed over is only who has a job: a level that comes to have one, or has none for a moment, begins anew.
#[test]
fn nobody_is_passed_over_who_has_nothing() {
    let weights = [1, 2, 4, 8];
    let until_low = |picker: &mut Picker| {
        (0..).take_while(|_| picker.pick(0b1101).expect("there are jobs") != Priority::Low).count()
    };
    let mut fresh = Picker::new(Discipline::Weighted(weights));
    let patience = until_low(&mut fresh);
    assert!(patience >= 14, "{patience}");
    let mut picker = Picker::new(Discipline::Weighted(weights));
    (0..100).for_each(|_| assert_ne!(picker.pick(0b1100), Some(Priority::Low)));
    assert!(until_low(&mut picker) >= 14);
    for waited in 1..14 {
        let mut picker = Picker::new(Discipline::Weighted(weights));
        (0..waited).for_each(|_| assert_ne!(picker.pick(0b1101), Some(Priority::Low)));
        // Its only job was cancelled, and another one comes.
        picker.pick(0b1100);
        assert!(until_low(&mut picker) >= 14, "after {waited}");
    }
}

proptest! {
    #[test]
    fn q3_random_weights_and_loads(
        weights in prop::array::uniform4(1..40_u32),
        level in prop::sample::select(&Priority::ALL[..]),
        loads in prop::collection::vec(0..16_u8, 500),
    ) {
        let discipline = Discipline::Weighted(weights);
        let mut picker = Picker::new(discipline);
        let mut passed = 0;
        for others in loads {
            let picked = picker.pick(others | 1 << level.index()).expect("a level has a job");
            passed = match picked {
                _ if picked > level => passed + 1,
                _ if picked == level => 0,
                _ => passed,
            };
            prop_assert!(passed <= discipline.bound(level).expect("weighted"));
        }
    }
}

#[test]
fn q3_a_level_that_becomes_the_top_one_keeps_its_claim() {
    // Critical comes and goes, so that High is now the top level, now passed over; Normal must not take each turn between.
    let mut picker = Picker::new(Discipline::Weighted([1, 26, 9, 1]));
    let picks: Vec<_> = [0b1110, 0b0110].into_iter().cycle().take(20).map(|nonempty| picker.pick(nonempty)).collect();
    let longest = picks.split(|picked| *picked == Some(Priority::High)).map(<[_]>::len).max();
    assert!(longest <= Some(4), "{picks:?}");
}

#[test]
fn under_full_load_every_level_has_its_share() {
    let mut picker = Picker::new(Discipline::default());
    let mut picks = [0; 4];
    for _ in 0..10_000 {
        picks[picker.pick(0b1111).expect("all have jobs").index()] += 1;
    }
    assert!(picks.is_sorted(), "more weight, more turns: {picks:?}");
    assert!(picks[0] > 400, "{picks:?}");
}
