//! Looking for a little while before sleeping.

use core::hint;
use std::thread;

use crate::sync::Once;
use crate::sync::atomic::{AtomicBool, Ordering};

/// How often a look is taken between two offers of the processor to others.
const LOOKS: usize = 32;
/// How often it is offered. Together some twenty microseconds, on a machine that has nothing else to do.
const ROUNDS: usize = 24;

/// Looks for a little while whether there is something to do, for a thread that would sleep else.
///
/// To sleep and be woken takes the system several microseconds on either side, which is many times what a short job takes. So whoever waits for one looks
/// for about as long as that, and sleeps then: at worst it has cost as much again. One thread at a time looks, as more would take the processors from
/// those that they wait for; and none where there is one processor.
///
/// For hosts whose threads sleep. The core looks before a blocking wait sleeps.
#[derive(Debug)]
pub struct Spin {
    rounds: Once<usize>,
    /// Whether somebody looks.
    taken: AtomicBool,
}

impl Spin {
    /// One for threads that wait for each other.
    #[must_use]
    pub const fn new() -> Self {
        Self { rounds: Once::new(), taken: AtomicBool::new(false) }
    }

    /// Looks whether it is `there`, for a while or, if somebody else looks already, once.
    pub fn until(&self, there: impl Fn() -> bool) -> bool {
        if there() {
            return true;
        }
        let rounds = *self.rounds.get_or_init(rounds);
        if rounds == 0 || self.taken.swap(true, Ordering::Acquire) {
            return false;
        }
        let _taken = Taken(&self.taken);
        let mut looks = (0..rounds).flat_map(|_| (0..LOOKS).rev());
        looks.any(|left| {
            if left == 0 {
                thread::yield_now();
            } else {
                hint::spin_loop();
            }
            there()
        })
    }
}

fn rounds() -> usize {
    if thread::available_parallelism().is_ok_and(|processors| processors.get() > 1) { ROUNDS } else { 0 }
}

impl Default for Spin {
    fn default() -> Self {
        Self::new()
    }
}

/// Somebody looks.
struct Taken<'s>(&'s AtomicBool);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{LOOKS, ROUNDS, Spin};

    #[test]
    fn it_ends_and_one_at_a_time_looks() {
        let spin = Spin::new();
        let (outer, inner) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let count = |looks: &AtomicUsize| looks.fetch_add(1, Ordering::Relaxed);
        let seen = spin.until(|| {
            count(&outer);
            // Whoever comes while somebody looks has one look.
            let before = inner.load(Ordering::Relaxed);
            let there = spin.until(|| {
                count(&inner);
                false
            });
            assert!(there || outer.load(Ordering::Relaxed) == 1 || inner.load(Ordering::Relaxed) == before + 1);
            there
        });
        assert!(!seen);
        assert!((1..=1 + ROUNDS * LOOKS).contains(&outer.load(Ordering::Relaxed)));
        assert!(spin.until(|| outer.load(Ordering::Relaxed) > 0), "seen at once");
    }

    #[test]
    fn a_panic_while_looking_lets_others_look() {
        let spin = Spin::new();
        let first = AtomicUsize::new(0);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            spin.until(|| {
                assert_eq!(first.fetch_add(1, Ordering::Relaxed), 0, "on purpose");
                false
            })
        }));
        assert!(panicked.is_err() || super::rounds() == 0);
        assert!(!spin.taken.load(Ordering::Relaxed));
    }
}
