//! When the lanes of a driver must have a turn.
//!
//! A timer is set where there is none that is early enough, and is not taken back when its lane is left: mostly the next job of the lane is due later, and
//! finds a timer that is early enough. So jobs that end before their time do not touch the timers once those are there. One that comes too early is set
//! anew when it comes; or when the driver parks, if it would come soon: so not more than one a second wakes a driver that has nothing to do (L4).
//!
//! Invariant: a lane that is due has a timer that is due no later.

use alloc::boxed::Box;
use core::time::Duration;

use crate::Instant;
use crate::size::Heap;
use crate::timers::{TimerKey, Timers};

/// How far ahead timers that come too early are left as they are.
const SOON: Duration = Duration::from_secs(1);

/// See the head of the file.
pub(super) struct DueLanes {
    lanes: Box<[Lane]>,
    /// How many are due at some time.
    count: usize,
    timers: Timers<usize, Heap>,
}

#[derive(Clone, Copy, Default)]
struct Lane {
    due: Option<Instant>,
    timer: Option<(Instant, TimerKey)>,
}

impl DueLanes {
    pub(super) fn new(lanes: usize) -> Self {
        Self { lanes: (0..lanes).map(|_| Lane::default()).collect(), count: 0, timers: Timers::growing() }
    }

    /// From now on this lane is due at this time.
    #[inline]
    pub(super) fn set(&mut self, lane: usize, due: Option<Instant>) {
        let place = &mut self.lanes[lane];
        self.count += usize::from(due.is_some());
        self.count -= usize::from(place.due.is_some());
        place.due = due;
        let early_enough = place.timer.is_some_and(|(at, _)| due.is_none_or(|due| at <= due));
        if let (Some(due), false) = (due, early_enough) {
            if let Some((_, key)) = place.timer {
                self.timers.remove(key);
            }
            place.timer = Some((due, self.timers.insert(due, lane)));
        }
    }

    /// Nothing is due in this lane any more.
    #[inline]
    pub(super) fn clear(&mut self, lane: usize) {
        self.count -= usize::from(self.lanes[lane].due.take().is_some());
    }

    /// The next lane that is due at `now`, which is then due no more.
    #[inline]
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<usize> {
        while let Some((at, lane)) = self.timers.pop_due(now) {
            if self.put_right(at, lane) {
                self.clear(lane);
                return Some(lane);
            }
        }
        None
    }

    /// When the next lane is due, or, not soon after `now`, a little earlier.
    #[inline]
    pub(super) fn next_at(&mut self, now: Instant) -> Option<Instant> {
        // Timers that none is due by are left: the next jobs may find them early enough.
        while self.count != 0 {
            let (at, &lane) = self.timers.first()?;
            if self.lanes[lane].due == Some(at) || now.checked_add(SOON).is_some_and(|soon| soon < at) {
                return Some(at);
            }
            self.timers.pop_due(at)?;
            self.put_right(at, lane);
        }
        None
    }

    /// The timer of `lane`, set for `at`, was taken out. True if the lane is due then; else its timer is set anew, if it is due at all.
    fn put_right(&mut self, at: Instant, lane: usize) -> bool {
        let due = self.lanes[lane].due;
        self.lanes[lane].timer = None;
        if due == Some(at) {
            return true;
        }
        self.set(lane, due);
        false
    }
}

#[cfg(all(test, not(countermand_loom)))]
mod tests {
    use super::DueLanes;
    use crate::Instant;

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn a_timer_that_outlived_its_job_serves_the_next() {
        let mut lanes = DueLanes::new(2);
        lanes.set(0, Some(at(10)));
        lanes.clear(0);
        lanes.set(0, Some(at(30)));
        assert_eq!(lanes.timers.len(), 1, "it was early enough");
        lanes.set(1, Some(at(20)));
        assert_eq!(lanes.next_at(at(0)), Some(at(20)), "nothing is due at 10");
        assert_eq!(lanes.pop_due(at(19)), None);
        assert_eq!(lanes.pop_due(at(30)), Some(1));
        assert_eq!(lanes.pop_due(at(30)), Some(0));
        assert_eq!((lanes.pop_due(at(40)), lanes.next_at(at(40))), (None, None));
    }

    #[test]
    fn one_that_comes_too_early_is_left_until_it_would_come_soon() {
        let mut lanes = DueLanes::new(1);
        let late = 5_000_000_000;
        lanes.set(0, Some(at(late)));
        lanes.clear(0);
        lanes.set(0, Some(at(2 * late)));
        assert_eq!(lanes.next_at(at(0)), Some(at(late)), "earlier than it need be, and not soon");
        assert_eq!(lanes.next_at(at(late - 1)), Some(at(2 * late)), "put right");
        lanes.clear(0);
        assert_eq!(lanes.next_at(at(0)), None, "nothing is due");
    }

    #[test]
    fn one_that_is_due_sooner_is_not_served_late() {
        let mut lanes = DueLanes::new(1);
        lanes.set(0, Some(at(30)));
        lanes.set(0, Some(at(10)));
        assert_eq!((lanes.timers.len(), lanes.next_at(at(0))), (1, Some(at(10))));
        lanes.set(0, None);
        assert_eq!(lanes.pop_due(at(10)), None, "not due any more");
        lanes.set(0, Some(at(50)));
        assert_eq!(lanes.pop_due(at(49)), None);
        assert_eq!(lanes.pop_due(at(50)), Some(0));
    }
}
