//! The fingerprint of a run: two runs with the same one took the same turns at the same times.

use std::fmt;

use countermand_core::Instant;

use crate::rng::mix;

/// The fingerprint of everything the schedule decided so far: who had which turn and when, and every
/// [`note`](crate::Sim::note).
///
/// Equal seeds and equal code give equal traces; that is what "replayable" means here, and what
/// [`assert_replays`](crate::Sim::assert_replays) checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Trace {
    hash: u64,
    turns: u64,
}

impl Trace {
    pub(crate) const EMPTY: Self = Self { hash: 0, turns: 0 };

    /// How many turns were given: polls of tasks and of the future of `block_on`, and stretches of calls.
    #[must_use]
    pub const fn turns(self) -> u64 {
        self.turns
    }

    /// All of it in one number.
    #[must_use]
    pub const fn hash(self) -> u64 {
        self.hash
    }

    pub(crate) fn turn(&mut self, who: u64, now: Instant) {
        self.turns += 1;
        self.stir(who);
        self.stir(now.as_nanos());
    }

    pub(crate) fn note(&mut self, text: &str) {
        self.stir(u64::MAX);
        for bytes in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            self.stir(u64::from_le_bytes(word));
        }
        self.stir(text.len() as u64);
    }

    fn stir(&mut self, word: u64) {
        self.hash = mix(self.hash.rotate_left(23) ^ mix(word.wrapping_add(1)));
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x} after {} turns", self.hash, self.turns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_time_and_text_all_count() {
        let of = |turns: &[(u64, u64)], text: &str| {
            let mut trace = Trace::EMPTY;
            turns.iter().for_each(|&(who, at)| trace.turn(who, Instant::from_nanos(at)));
            trace.note(text);
            trace
        };
        let one = of(&[(1, 0), (2, 0)], "a");
        assert_eq!(one, of(&[(1, 0), (2, 0)], "a"));
        for other in [of(&[(2, 0), (1, 0)], "a"), of(&[(1, 0), (2, 1)], "a"), of(&[(1, 0), (2, 0)], "a\0")] {
            assert_ne!(one.hash(), other.hash());
        }
        assert_eq!(one.turns(), 2);
    }
}
