//! The alarms that are set, in the order of their times.

use std::collections::BTreeMap;
use std::task::Waker;

use countermand_core::Instant;

/// Where a set alarm is: when it rings, then which it is.
pub(crate) type Key = (Instant, u64);

/// The set alarms. Wakers that leave are handed out, since they must not be dropped or called under the lock.
#[derive(Default)]
pub(crate) struct Timers {
    set: BTreeMap<Key, Waker>,
    next: u64,
}

impl Timers {
    pub(crate) fn set(&mut self, at: Instant, waker: Waker) -> Key {
        let key = (at, self.next);
        self.next += 1;
        self.set.insert(key, waker);
        key
    }

    /// Gives the alarm another waker, if it has not rung; the one that is not kept comes back.
    pub(crate) fn replace(&mut self, key: Key, waker: Waker) -> Result<Waker, Waker> {
        match self.set.get_mut(&key) {
            Some(kept) => Ok(std::mem::replace(kept, waker)),
            None => Err(waker),
        }
    }

    pub(crate) fn clear(&mut self, key: Key) -> Option<Waker> {
        self.set.remove(&key)
    }

    pub(crate) fn next(&self) -> Option<Instant> {
        self.set.first_key_value().map(|(&(at, _), _)| at)
    }

    /// Takes out all whose time has come.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<Waker> {
        let mut due = Vec::new();
        while let Some(first) = self.set.first_entry() {
            if first.key().0 > now {
                break;
            }
            due.push(first.remove());
        }
        due
    }

    pub(crate) fn len(&self) -> usize {
        self.set.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_ring_by_time_and_then_by_age() {
        let mut timers = Timers::default();
        let at = Instant::from_nanos;
        let late = timers.set(at(5), Waker::noop().clone());
        let first = timers.set(at(3), Waker::noop().clone());
        let second = timers.set(at(3), Waker::noop().clone());
        assert!(first < second && second < late);
        assert_eq!(timers.next(), Some(at(3)));
        assert!(timers.due(at(2)).is_empty());
        assert_eq!(timers.due(at(3)).len(), 2);
        assert!(timers.replace(first, Waker::noop().clone()).is_err());
        assert!(timers.replace(late, Waker::noop().clone()).is_ok());
        assert!(timers.clear(late).is_some());
        assert_eq!(timers.len(), 0);
    }
}
