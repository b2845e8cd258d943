//! Which threads count in places of their own: each has a number while it lives, and no two have the same.
//!
//! What only one thread writes is counted by a load and a store, which is less than half of what an atomic addition costs, and two threads do not wait for each other's
//! line of the cache. The number of a thread that has ended goes to the next one, and what was counted under it stays.
//!
//! Invariants:
//! 1. A number is given by setting its bit, and given back by clearing it, once its owner counts no more. So it has one owner at a time, and the next one sees
//!    all that those before it have counted.
//! 2. A thread without a number (there are no more, or it is ending) counts where all such threads do, by atomic additions.

#[cfg(all(test, countermand_loom))]
mod loom;
#[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle))))]
mod threads;

use crate::sync::atomic::{AtomicU64, Ordering};

#[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle))))]
pub(crate) use threads::number;

/// How many threads have a number at a time.
#[cfg(not(any(countermand_loom, countermand_shuttle)))]
pub(crate) const MOST: usize = 64;

/// The numbers that are given.
#[derive(Debug)]
struct Roster(AtomicU64);

impl Roster {
    /// The least number that nobody has.
    fn enter(&self) -> Option<usize> {
        let mut given = self.0.load(Ordering::Relaxed);
        loop {
            let number = given.trailing_ones();
            let with = given | 1_u64.checked_shl(number)?;
            match self.0.compare_exchange_weak(given, with, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Some(number as usize),
                Err(now) => given = now,
            }
        }
    }

    /// Its owner counts no more.
    fn leave(&self, number: usize) {
        self.0.fetch_and(!(1 << number), Ordering::Release);
    }
}

#[cfg(all(test, feature = "std", not(any(countermand_loom, countermand_shuttle))))]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::{Barrier, Mutex};
    use std::vec::Vec;

    use super::{AtomicU64, MOST, Roster, number};

    #[test]
    fn whoever_leaves_gives_back_its_own_number_and_no_other() {
        let roster = Roster(AtomicU64::new(0));
        assert_eq!((0..MOST).map(|_| roster.enter()).collect::<Vec<_>>(), (0..MOST).map(Some).collect::<Vec<_>>());
        assert_eq!(roster.enter(), None);
        for number in [MOST - 1, 0, 7] {
            roster.leave(number);
            assert_eq!((roster.enter(), roster.enter()), (Some(number), None));
        }
    }

    #[test]
    fn threads_that_live_have_numbers_of_their_own_and_one_too_many_has_none() {
        let (met, told) = (Barrier::new(MOST + 8), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..MOST + 8 {
                scope.spawn(|| {
                    let first = number();
                    met.wait();
                    assert_eq!(number(), first, "it stays");
                    told.lock().unwrap().push(first);
                    // Nobody leaves before all have told.
                    met.wait();
                });
            }
        });
        let told = told.into_inner().unwrap();
        let given: Vec<usize> = told.iter().copied().flatten().collect();
        assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), given.len(), "two have the same: {given:?}");
        // Other tests' threads may have some.
        assert!(given.iter().all(|number| *number < MOST) && given.len() < told.len(), "{given:?}");
        let next = std::thread::spawn(number).join().unwrap();
        assert!(next.is_some_and(|next| next < MOST), "those that have ended gave theirs back");
    }
}
