//! The bounded queue of a worker: the rows of waiting jobs, the submitters that wait for a place, the drivers that wait for
//! a job, and the closing flag, all under one small lock.
//!
//! Invariants, whenever the lock is open:
//! 1. `rows.len() + granted` never exceeds the capacity (Q1), and a job of priority `p` enters only while it is below the
//!    limit of `p`: the capacity less the places reserved for higher priorities (Q8).
//! 2. No submitter waits that could have been granted a place: so nobody overtakes a waiting one of its priority (Q9).
//! 3. If the rows are not empty, no driver with a free lane is idle that nobody has rung (L6).
//! 4. Once `closed` is set, nothing enters (S1).
#![allow(unsafe_code, reason = "where a job stands is written in the job, and read under the lock")]

#[cfg(all(test, countermand_loom))]
mod loom;
mod rows;

use alloc::vec::Vec;
use core::task::Waker;

use crate::bits::Bits;
use crate::books::Books;
use crate::config::FullPolicy;
use crate::discipline::Picker;
use crate::job::hold::JobRef;
use crate::job::runner::Runner;
use crate::observer::JobInfo;
use crate::shelf::{Key, Shelf};
use crate::size::Heap;
use crate::sync::Latched;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::timers::Timers;
use crate::{Instant, Priority, RejectReason, WorkerConfig};

use rows::{Queued, Rows};

/// See the head of the file. What is written for each job shares no line of the cache with what is only read: the worker's, beside it.
#[repr(align(128))]
pub(crate) struct Queue {
    state: Latched<State>,
    /// How many jobs lie in the queue; a hint outside of the lock.
    len: AtomicUsize,
    /// For each priority, how many places may be taken when one more job of it enters.
    limits: [usize; Priority::COUNT],
    policy: FullPolicy,
}

struct State {
    rows: Rows,
    picker: Picker,
    /// When queued jobs are due (Q7).
    timers: Timers<Queued, Heap>,
    /// Submitters that wait, by priority.
    waiting: Shelf<Option<Waker>, Heap>,
    /// Places promised to submitters that have not come for them yet.
    granted: usize,
    /// Drivers that are parked with a free lane.
    idle: Bits,
    closed: bool,
}

/// How a submitter comes to the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Without having waited.
    New,
    /// With a place that was granted while it waited.
    Granted,
}

/// Where a waiting submitter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Waiting,
    Granted,
    Closed,
}

/// What is to be done about a job that was accepted, once the lock is open.
#[must_use]
pub(crate) struct Accepted {
    /// The driver to ring.
    pub(crate) ring: Option<usize>,
    /// Whether the keeper must set its alarm anew.
    pub(crate) sooner: bool,
    /// The job that made room.
    pub(crate) evicted: Option<Runner>,
}

/// A job taken out of the queue, and what is to be done once the lock is open.
#[must_use]
pub(crate) struct Taken {
    pub(crate) runner: Option<Runner>,
    /// The submitter to wake: it was granted the place.
    pub(crate) wake: Option<Waker>,
    /// Another driver to ring, since there is more to take.
    pub(crate) ring: Option<usize>,
}

impl Queue {
    pub(crate) fn new(config: &WorkerConfig, drivers: usize) -> Self {
        let mut limits = [config.capacity; Priority::COUNT];
        let mut above = 0;
        for priority in Priority::ALL.iter().rev() {
            limits[priority.index()] =
                if mutant!(FloodFillsTheReserve) { config.capacity } else { config.capacity - above };
            above += config.reserved[priority.index()];
        }
        let state = State {
            rows: Rows::new(),
            picker: Picker::new(config.discipline),
            timers: Timers::growing(),
            waiting: Shelf::with_capacity(usize::MAX),
            granted: 0,
            idle: Bits::new(drivers),
            closed: false,
        };
        Self { state: Latched::new(state), len: AtomicUsize::new(0), limits, policy: config.full }
    }

    pub(crate) fn len(&self) -> usize {
        self.len.load(Ordering::SeqCst)
    }

    /// Puts a job into the queue, or gives it back with the reason. `RejectReason::Full` with the policy to wait means that
    /// the submitter may [`Queue::wait`].
    pub(crate) fn push(
        &self,
        runner: Runner,
        entry: Entry,
        due: Option<Instant>,
        books: &Books,
    ) -> Result<Accepted, (Runner, RejectReason)> {
        let priority = runner.head().priority();
        let room_seen = mutant!(BoundCheckedBeforeTheLock) && {
            let room = self.len() < self.limits[priority.index()];
            // Long enough for another one to come in between.
            (0..1_000).for_each(|_| core::hint::spin_loop());
            room
        };
        self.state.with(|state| {
            if state.closed && !mutant!(ClosingFlagReadOutsideTheLock) {
                return Err((runner, RejectReason::Closed)); // S1
            }
            let mut evicted = None;
            if entry == Entry::Granted {
                state.granted -= 1;
            } else if !room_seen && !state.has_room(&self.limits, priority) {
                evicted = match self.policy {
                    FullPolicy::EvictLowest => state.evict_below(priority),
                    FullPolicy::Wait | FullPolicy::Reject => None,
                };
                if evicted.is_none() {
                    return Err((runner, RejectReason::Full));
                }
            }
            runner.head().accept(books.accept());
            let job = state.rows.push(runner);
            let mut sooner = false;
            if let Some(at) = due {
                sooner = state.timers.next_at().is_none_or(|before| at < before);
                let timer = state.timers.insert(at, job);
                state.rows.set_timer(job, timer.place());
            }
            self.note_len(state);
            let ring =
                if mutant!(NotifiesOnlyTheFirst) && state.rows.len() != 1 { None } else { state.idle.take_first() };
            Ok(Accepted { ring, sooner, evicted })
        })
    }

    /// Stands in line for a place, and says under which key.
    pub(crate) fn wait(&self, priority: Priority) -> Option<Key> {
        self.state.with(|state| {
            if state.closed {
                return None;
            }
            let key = state.waiting.push(priority, None).ok();
            // A place may have become free since the push that failed.
            if state.has_room(&self.limits, priority) {
                // Nobody of this priority was waiting (invariant 2), so the grant is this submitter's.
                let _ = state.grant(&self.limits);
            }
            key
        })
    }

    /// Looks where a waiting submitter stands, and leaves its waker.
    pub(crate) fn stand(&self, key: Key, waker: &Waker) -> Standing {
        let new = waker.clone();
        let (standing, old) = self.state.with(|state| match state.waiting.get_mut(key) {
            _ if state.closed => (Standing::Closed, Some(new)),
            Some(place) => (Standing::Waiting, place.replace(new)),
            None => (Standing::Granted, Some(new)),
        });
        drop(old);
        standing
    }

    /// A waiting submitter leaves without having entered: its grant, if it had one, goes to the next, who is to be woken (Q6).
    #[must_use]
    pub(crate) fn leave_line(&self, key: Key) -> Option<Waker> {
        let (old, wake) = self.state.with(|state| {
            if state.closed || mutant!(DroppedSubmitStaysInLine) {
                return (None, None);
            }
            match state.waiting.remove(key) {
                Some(old) => (old, None),
                None if mutant!(CancelledSubmitterKeepsItsPermit) => (None, None),
                None => {
                    state.granted -= 1;
                    (None, state.grant(&self.limits))
                }
            }
        });
        drop(old);
        wake
    }

    /// The next job for `driver`, which is thereby not idle any more.
    #[inline]
    pub(crate) fn pop(&self, driver: usize) -> Taken {
        self.state.with(|state| {
            state.idle.remove(driver);
            let job = state.picker.pick(state.rows.nonempty()).and_then(|priority| state.rows.oldest(priority));
            let mut taken = self.take(state, job);
            taken.ring = state.ring_for_more();
            taken
        })
    }

    /// Takes this job out, if it is here (Q4).
    pub(crate) fn remove(&self, job: &JobRef) -> Taken {
        if mutant!(CancelledEntryKeepsItsPlace) {
            return Taken { runner: None, wake: None, ring: None };
        }
        self.state.with(|state| {
            // SAFETY: a job is in the queue of its own worker, and in no other.
            let job = unsafe { state.rows.find(job) };
            self.take(state, job)
        })
    }

    /// Takes out a job whose time in the queue is over (Q7).
    pub(crate) fn pop_due(&self, now: Instant) -> Taken {
        self.state.with(|state| {
            let due = state.timers.pop_due(now).map(|(_, job)| job);
            self.take(state, due)
        })
    }

    /// Takes out any job.
    pub(crate) fn pop_any(&self) -> Taken {
        self.state.with(|state| {
            let job = state.rows.lowest().and_then(|priority| state.rows.oldest(priority));
            self.take(state, job)
        })
    }

    #[inline(always)]
    fn take(&self, state: &mut State, job: Option<Queued>) -> Taken {
        let Some(job) = job else { return Taken { runner: None, wake: None, ring: None } };
        let runner = state.take(job);
        self.note_len(state);
        let wake = if mutant!(FreedCapacityWakesNobody) { None } else { state.grant(&self.limits) };
        Taken { runner: Some(runner), wake, ring: None }
    }

    /// How many places are promised to submitters that have not come for them yet.
    pub(crate) fn promised(&self) -> usize {
        self.state.with(|state| state.granted)
    }

    /// When the next queued job is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.state.with(|state| state.timers.next_at())
    }

    /// `driver` is about to park with a free lane. False if there is a job for it: then it does not park.
    pub(crate) fn idle(&self, driver: usize) -> bool {
        self.state.with(|state| {
            let empty = state.rows.is_empty();
            if empty {
                state.idle.insert(driver);
            }
            empty
        })
    }

    /// `driver` turns to something else, or leaves. If there are jobs it might have been rung for, says whom to ring instead.
    #[inline]
    pub(crate) fn withdraw(&self, driver: usize) -> Option<usize> {
        self.state.with(|state| {
            state.idle.remove(driver);
            state.ring_for_more()
        })
    }

    /// Lets nothing in any more, and then says so in the books. Gives the wakers of the waiting submitters.
    pub(crate) fn close(&self, books: &Books) -> Vec<Waker> {
        let wakers = self.state.with(|state| {
            state.closed = true;
            let mut wakers = Vec::new();
            if !mutant!(ShutdownForgetsWaitingSubmitters) {
                while let Some(waker) = state.waiting.highest().and_then(|priority| state.waiting.pop(priority)) {
                    wakers.extend(waker);
                }
            }
            wakers
        });
        books.close();
        wakers
    }

    /// What lies in the queue, in the order of priority and arrival.
    pub(crate) fn list(&self, now: Instant) -> Vec<JobInfo> {
        self.state.with(|state| state.rows.iter().map(|job| job.info(now)).collect())
    }

    /// The jobs that lie in the queue.
    pub(crate) fn jobs(&self) -> Vec<JobRef> {
        self.state.with(|state| state.rows.iter().collect())
    }

    fn note_len(&self, state: &State) {
        // Read outside of the lock as a hint; whoever relies on it looks again under the lock, or has seen the closing flag, which is set after it.
        self.len.store(state.rows.len(), Ordering::Release);
    }
}

impl State {
    fn has_room(&self, limits: &[usize; Priority::COUNT], priority: Priority) -> bool {
        self.rows.len() + self.granted < limits[priority.index()]
    }

    /// Takes out the youngest job of the lowest priority, if that is below `priority`.
    fn evict_below(&mut self, priority: Priority) -> Option<Runner> {
        let lower = |lowest: &Priority| *lowest < priority || (*lowest == priority && mutant!(EvictsItsEquals));
        let lowest = self.rows.lowest().filter(lower)?;
        let newest = self.rows.newest(lowest)?;
        Some(self.take(newest))
    }

    /// Takes out a job, and its timer.
    #[inline]
    fn take(&mut self, job: Queued) -> Runner {
        let (runner, timer) = self.rows.take(job);
        // One that is out already, as it was due, has left its place with no other timer in it: nothing is set in between.
        self.timers.remove_at(timer);
        runner
    }

    /// Promises a free place to the first waiting submitter that may have it.
    #[inline]
    fn grant(&mut self, limits: &[usize; Priority::COUNT]) -> Option<Waker> {
        let priority = self.waiting.highest()?;
        // The highest has the widest limit: if it may not enter, nobody may.
        if !self.has_room(limits, priority) || (mutant!(ForgottenPlaceHoldsUpTheLine) && self.granted > 0) {
            return None;
        }
        self.granted += 1;
        if mutant!(LastSubmitterFirst) { self.waiting.pop_newest(priority)? } else { self.waiting.pop(priority)? }
    }

    /// An idle driver, if there is something for it.
    #[inline]
    fn ring_for_more(&mut self) -> Option<usize> {
        if self.rows.is_empty() || mutant!(NotifiesOnlyTheFirst) { None } else { self.idle.take_first() }
    }
}
