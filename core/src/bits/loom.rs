//! The race over a word of a large set, one to a model: who adds a number while the taker has just emptied its word.

use std::sync::Arc;

use ::loom::thread;

use super::AtomicBits;
use crate::loom_model;

#[test]
fn loom_l5_a_number_added_while_its_word_is_emptied_is_found() {
    loom_model("l5_a_number_added_while_its_word_is_emptied_is_found", || {
        let bits = Arc::new(AtomicBits::new(65));
        bits.insert(0);
        let other = bits.clone();
        let adder = thread::spawn(move || assert!(other.insert(1)));
        assert_eq!(bits.take_next(0), Some(0));
        adder.join().expect("no panic");
        // It has been added: now the taker must come upon it, wherever it begins to look.
        assert!(!bits.is_empty());
        assert_eq!(bits.take_next(64), Some(1));
        assert_eq!((bits.take_next(64), bits.is_empty()), (None, true));
    });
}

#[test]
fn loom_l5_the_second_of_two_numbers_is_found_before_the_first_is_there() {
    loom_model("l5_the_second_of_two_numbers_is_found_before_the_first_is_there", || {
        let bits = Arc::new(AtomicBits::new(65));
        let other = bits.clone();
        let first = thread::spawn(move || assert!(other.insert(1)));
        // The other one may be in the middle of adding: this one is added nonetheless.
        assert!(bits.insert(0));
        assert!(!bits.is_empty());
        assert!(bits.take_next(64).is_some());
        first.join().expect("no panic");
        assert!(bits.take_next(64).is_some());
        assert_eq!((bits.take_next(64), bits.is_empty()), (None, true));
    });
}
