//! Sets of small numbers as bitmaps: a plain one, and one that many threads set and one driver clears.

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

    pub(crate) fn insert(&mut self, number: usize) {
        self.words[number / WORD] |= 1 << (number % WORD);
    }

    pub(crate) fn remove(&mut self, number: usize) {
        self.words[number / WORD] &= !(1 << (number % WORD));
    }

    /// Takes the smallest number out.
    pub(crate) fn take_first(&mut self) -> Option<usize> {
        let (index, word) = self.words.iter_mut().enumerate().find(|(_, word)| **word != 0)?;
        let bit = word.trailing_zeros() as usize;
        *word &= *word - 1;
        Some(index * WORD + bit)
    }
}

/// A set that any thread may add to and that one taker empties in turn.
#[derive(Debug)]
pub(crate) struct AtomicBits {
    words: Box<[AtomicU64]>,
}

impl AtomicBits {
    /// An empty set for the numbers `0..bound`.
    pub(crate) fn new(bound: usize) -> Self {
        Self { words: (0..bound.div_ceil(WORD)).map(|_| AtomicU64::new(0)).collect() }
    }

    /// Adds `number`; true if it was not in the set.
    pub(crate) fn insert(&self, number: usize) -> bool {
        let bit = 1 << (number % WORD);
        self.words[number / WORD].fetch_or(bit, Ordering::SeqCst) & bit == 0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| word.load(Ordering::SeqCst) == 0)
    }

    /// Takes out the first number at `from` or after it, going round: so each of the set has its turn (L2).
    pub(crate) fn take_next(&self, from: usize) -> Option<usize> {
        let (start, offset) = (from / WORD % self.words.len(), from % WORD);
        for step in 0..=self.words.len() {
            let index = (start + step) % self.words.len();
            let mask = match step {
                0 => u64::MAX << offset,
                _ if step == self.words.len() => !(u64::MAX << offset),
                _ => u64::MAX,
            };
            let word = &self.words[index];
            let found = word.load(Ordering::Relaxed) & mask;
            if found != 0 {
                let bit = found.trailing_zeros() as usize;
                word.fetch_and(!(1 << bit), Ordering::SeqCst);
                return Some(index * WORD + bit);
            }
        }
        None
    }
}

#[cfg(all(test, not(countermand_loom)))]
mod tests {
    use super::{AtomicBits, Bits};

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
}
