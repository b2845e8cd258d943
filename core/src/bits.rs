//! Sets of small numbers as bitmaps: a plain one, and one that many threads set and one driver clears.

#[cfg(all(test, countermand_loom))]
mod loom;

use alloc::boxed::Box;
use alloc::vec;

use crate::sync::atomic::{AtomicU64, Ordering};

const WORD: usize = u64::BITS as usize;

/// A plain set of numbers below a fixed bound.
#[derive(Debug)]
pub(crate) struct Bits {
    words: Box<[u64]>,
}

impl Bits {
    /// An empty set for the numbers `0..bound`.
    pub(crate) fn new(bound: usize) -> Self {
        Self { words: vec![0; bound.div_ceil(WORD)].into_boxed_slice() }
    }

    #[inline]
    pub(crate) fn insert(&mut self, number: usize) {
        self.words[number / WORD] |= 1 << (number % WORD);
    }

    #[inline]
    pub(crate) fn remove(&mut self, number: usize) {
        self.words[number / WORD] &= !(1 << (number % WORD));
    }

    /// Takes the smallest number out.
    #[inline]
    pub(crate) fn take_first(&mut self) -> Option<usize> {
        let (index, word) = self.words.iter_mut().enumerate().find(|(_, word)| **word != 0)?;
        let bit = word.trailing_zeros() as usize;
        *word &= *word - 1;
        Some(index * WORD + bit)
    }
}

/// A set that any thread may add to and that one taker empties in turn.
///
/// Where it is so large that it would take long to look for a number, it says of each word whether there is something in it. Whoever adds a number
/// sets its bit, then the word's; the taker, when it has emptied a word, clears the word's, and then looks at the word once more. Both by
/// read-modify-writes, so one of them sees the other.
#[derive(Debug)]
pub(crate) struct AtomicBits {
    words: Box<[AtomicU64]>,
    /// A bit for each word; nothing for a set of one word.
    filled: Box<[AtomicU64]>,
}

impl AtomicBits {
    /// An empty set for the numbers `0..bound`.
    pub(crate) fn new(bound: usize) -> Self {
        let empty = |bound: usize| (0..bound.div_ceil(WORD)).map(|_| AtomicU64::new(0)).collect::<Box<[_]>>();
        let words = empty(bound);
        let filled = empty(if words.len() > 1 { words.len() } else { 0 });
        Self { words, filled }
    }

    /// Adds `number`; true if it was not in the set.
    pub(crate) fn insert(&self, number: usize) -> bool {
        let (index, bit) = (number / WORD, 1 << (number % WORD));
        let new = self.words[index].fetch_or(bit, Ordering::SeqCst) & bit == 0;
        if let Some(filled) = self.filled.get(index / WORD) {
            filled.fetch_or(1 << (index % WORD), Ordering::SeqCst);
        }
        new
    }

    /// For the taker.
    pub(crate) fn is_empty(&self) -> bool {
        let words = if self.filled.is_empty() { &self.words } else { &self.filled };
        words.iter().all(|word| word.load(Ordering::SeqCst) == 0)
    }

    /// Takes out the first number at `from` or after it, going round: so each of the set has its turn (L2).
    #[inline]
    pub(crate) fn take_next(&self, from: usize) -> Option<usize> {
        let [word] = &*self.words else { return self.take_next_of_many(from) };
        let found = word.load(Ordering::Relaxed);
        if found == 0 {
            return None;
        }
        let ahead = found & (u64::MAX << (from % WORD));
        let bit = if ahead == 0 { found } else { ahead }.trailing_zeros() as usize;
        word.fetch_and(!(1 << bit), Ordering::SeqCst);
        Some(bit)
    }

    fn take_next_of_many(&self, from: usize) -> Option<usize> {
        let start = from / WORD % self.words.len();
        // The rest of its word; then the words after it, going round, and so the beginning of its word: those that were looked at first are looked at last
        // once more, where somebody may have added one meanwhile.
        self.take_of(start, u64::MAX << (from % WORD)).or_else(|| {
            let (first, offset) = ((start + 1) / WORD, (start + 1) % WORD);
            (0..=self.filled.len()).find_map(|step| {
                let mask = if step == 0 { u64::MAX << offset } else { u64::MAX };
                self.take_among((first + step) % self.filled.len(), mask)
            })
        })
    }

    /// Takes out the first number of those words that `mask` leaves of the 64 from `index` on.
    fn take_among(&self, index: usize, mask: u64) -> Option<usize> {
        let mut filled = self.filled[index].load(Ordering::Relaxed) & mask;
        while filled != 0 {
            let word = index * WORD + filled.trailing_zeros() as usize;
            if let Some(number) = self.take_of(word, u64::MAX) {
                return Some(number);
            }
            filled &= filled - 1;
        }
        None
    }

    /// Takes out the first number that `mask` leaves of one word.
    fn take_of(&self, index: usize, mask: u64) -> Option<usize> {
        let word = &self.words[index];
        let found = word.load(Ordering::Relaxed) & mask;
        let number = (found != 0).then(|| found.trailing_zeros() as usize);
        let left = match number {
            Some(bit) => word.fetch_and(!(1 << bit), Ordering::SeqCst) & !(1 << bit),
            None => found | !mask,
        };
        if left == 0 {
            let (filled, bit) = (&self.filled[index / WORD], 1 << (index % WORD));
            filled.fetch_and(!bit, Ordering::SeqCst);
            if word.fetch_or(0, Ordering::SeqCst) != 0 {
                filled.fetch_or(bit, Ordering::SeqCst);
            }
        }
        number.map(|bit| index * WORD + bit)
    }
}

#[cfg(all(test, feature = "std", not(any(countermand_loom, countermand_shuttle))))]
mod tests {
    use alloc::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::test_runner::TestCaseError;

    use super::{AtomicBits, Bits};
    use crate::sync::atomic::Ordering;

    #[test]
    fn takes_round_robin_over_several_words() {
        let bits = AtomicBits::new(130);
        for number in [0, 5, 64, 129] {
            assert!(bits.insert(number));
        }
        assert!(!bits.insert(5));
        let mut from = 6;
        let mut taken = alloc::vec::Vec::new();
        while let Some(number) = bits.take_next(from) {
            taken.push(number);
            from = number + 1;
        }
        assert_eq!(taken, [64, 129, 0, 5]);
        assert!(bits.is_empty());
    }

    #[test]
    fn each_of_very_many_has_its_turn() {
        let bound = 10_000;
        let bits = AtomicBits::new(bound);
        let numbers: alloc::vec::Vec<usize> =
            (0..bound).filter(|number| number % 4_999 < 2 || number % 777 == 0).collect();
        for from in [0, 1, 63, 64, 4_095, 4_096, 5_000, 9_998, bound] {
            assert!(numbers.iter().all(|&number| bits.insert(number)));
            let (behind, ahead): (alloc::vec::Vec<_>, alloc::vec::Vec<_>) =
                numbers.iter().copied().partition(|&number| number < from);
            let mut next = from;
            for expected in ahead.into_iter().chain(behind) {
                assert_eq!(bits.take_next(next), Some(expected));
                next = expected + 1;
            }
            assert_eq!((bits.take_next(next), bits.is_empty()), (None, true));
        }
    }

    #[test]
    fn a_word_of_which_it_is_said_that_it_has_something_and_has_not_is_passed_over_and_said_to_be_empty() {
        // Whoever adds a number sets its bit, then its word's. In between the taker may have had both.
        let bits = AtomicBits::new(400);
        assert!(bits.insert(200) && bits.insert(201));
        bits.filled[0].fetch_or(0b111, Ordering::SeqCst);
        assert_eq!([bits.take_next(0), bits.take_next(0), bits.take_next(0)], [Some(200), Some(201), None]);
        assert!(bits.is_empty());
    }

    #[test]
    fn takes_round_robin_within_one_word() {
        let bits = AtomicBits::new(64);
        for number in [0, 5, 63] {
            assert!(bits.insert(number));
        }
        // 64 is behind the last.
        let taken = [5, 6, 64, 1].map(|from| bits.take_next(from));
        assert_eq!(taken, [Some(5), Some(63), Some(0), None]);
    }

    #[test]
    fn plain_set_gives_the_smallest() {
        let mut bits = Bits::new(70);
        bits.insert(69);
        bits.insert(3);
        bits.insert(7);
        bits.remove(3);
        assert_eq!(bits.take_first(), Some(7));
        assert_eq!(bits.take_first(), Some(69));
        assert_eq!(bits.take_first(), None);
    }

    /// What is taken out is the smallest at `from` or after it, or else the smallest of all.
    fn turns(bound: usize, numbers: &[usize], starts: &[usize]) -> Result<(), TestCaseError> {
        let (bits, mut model) = (AtomicBits::new(bound), BTreeSet::new());
        for &number in numbers {
            prop_assert_eq!(bits.insert(number % bound), model.insert(number % bound));
        }
        for &from in starts.iter().cycle().take(model.len() + 1) {
            let from = from % (bound + 1);
            prop_assert_eq!(bits.is_empty(), model.is_empty());
            let next = model.range(from..).next().or_else(|| model.first()).copied();
            prop_assert_eq!(bits.take_next(from), next, "from {} of {}, where there are {:?}", from, bound, model);
            next.inspect(|next| assert!(model.remove(next)));
            // What comes back is there again.
            if let Some(back) = next.filter(|next| next % 3 == 0 && from.is_multiple_of(2)) {
                prop_assert_eq!(bits.insert(back), model.insert(back));
                prop_assert_eq!(bits.take_next(back), Some(back));
                model.remove(&back);
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn it_is_a_sorted_set_that_goes_round(
            bound in prop_oneof![1_usize..200, 4_000_usize..4_200, 8_100_usize..20_000],
            numbers in vec(any::<usize>(), 0..40),
            starts in vec(any::<usize>(), 1..40),
        ) {
            turns(bound, &numbers, &starts)?;
        }

        #[test]
        fn a_plain_one_is_a_sorted_set(bound in 1_usize..300, steps in vec((any::<bool>(), any::<usize>()), 0..60)) {
            let (mut bits, mut model) = (Bits::new(bound), BTreeSet::new());
            for (adds, number) in steps {
                let number = number % bound;
                if adds {
                    bits.insert(number);
                    model.insert(number);
                } else {
                    bits.remove(number);
                    model.remove(&number);
                }
            }
            while let Some(first) = model.pop_first() {
                prop_assert_eq!(bits.take_first(), Some(first));
            }
            prop_assert_eq!(bits.take_first(), None);
        }
    }
}
