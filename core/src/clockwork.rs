//! The time within a driver: the reading of its current step, and the timers of its lanes and of its jobs' sleeps.

use core::task::Waker;

use crate::port::Port;
use crate::size::Heap;
use crate::sync::Lock;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::timed::Keeps;
use crate::timers::{TimerKey, Timers};
use crate::{Instant, Token};

/// What a timer does when it is due.
#[derive(Debug)]
pub(crate) enum Due {
    /// Wakes a sleeper.
    Wake(Waker),
    /// Compares a token's deadline with the clock.
    Expire(Token),
}

/// See the head of the file. Shared by a driver and the contexts of the jobs in its lanes.
#[derive(Debug)]
pub(crate) struct Clockwork {
    now: AtomicU64,
    timers: Lock<Timers<Due, Heap>>,
    /// When the next of them is due, in nanoseconds, or [`NEVER`]. Written under the lock, so that who sees nothing due need not take it.
    next: AtomicU64,
    /// When somebody rang for a job, who knew the time, in nanoseconds; [`NEVER`] once the driver has answered.
    rung: AtomicU64,
    pub(crate) port: Port,
}

const NEVER: u64 = u64::MAX;

impl Clockwork {
    pub(crate) fn new() -> Self {
        let timers = Lock::new(Timers::growing());
        Self {
            now: AtomicU64::new(0),
            timers,
            next: AtomicU64::new(NEVER),
            rung: AtomicU64::new(NEVER),
            port: Port::new(),
        }
    }

    /// The clock as read for the current (or the last) step.
    pub(crate) fn now(&self) -> Instant {
        Instant::from_nanos(self.now.load(Ordering::Relaxed))
    }

    /// The driver begins a step. All rings up to here are answered by it.
    #[inline]
    pub(crate) fn begin(&self) {
        if self.port.begin() {
            // After that: whoever notes a time rings afterwards, and so has it taken back by this step or by the next.
            self.rung.store(NEVER, Ordering::Relaxed);
        }
    }

    /// Somebody is about to ring the driver, and has read the clock.
    pub(crate) fn note_ring(&self, now: Instant) {
        self.rung.store(now.as_nanos(), Ordering::Relaxed);
    }

    /// A reading that is as old as the step that the driver is in, or as the ring that it has not answered yet. None if it rests.
    #[inline]
    pub(crate) fn recent(&self) -> Option<Instant> {
        if self.port.is_awake() {
            return Some(self.now());
        }
        let rung = self.rung.load(Ordering::Relaxed);
        (rung != NEVER).then(|| Instant::from_nanos(rung))
    }

    /// A reading of the clock. It never goes back, whatever the host says (C4).
    pub(crate) fn set_now(&self, now: Instant) -> Instant {
        let before = self.now.load(Ordering::Relaxed);
        let now = if mutant!(TrustsABackwardClock) { now.as_nanos() } else { now.as_nanos().max(before) };
        self.now.store(now, Ordering::Relaxed);
        Instant::from_nanos(now)
    }

    /// Sets a timer. Rings the driver if it is parked and would now wake too late.
    pub(crate) fn insert(&self, at: Instant, due: Due) -> TimerKey {
        let (key, earliest) = self.timers.with(|timers| {
            let before = timers.next_at();
            let key = timers.insert(at, due);
            self.note_next(timers);
            (key, before.is_none_or(|before| at < before))
        });
        if earliest && self.port.is_parked() {
            self.port.ring();
        }
        key
    }

    /// Takes a timer back, with what it would have done. `None` if it has fired.
    pub(crate) fn remove(&self, key: TimerKey) -> Option<Due> {
        self.timers.with(|timers| {
            let removed = timers.remove(key);
            self.note_next(timers);
            removed
        })
    }

    /// Takes a timer for `at`, which has passed, back: mostly it has fired, and that is seen without the lock.
    pub(crate) fn remove_past(&self, key: TimerKey, at: Instant) {
        // The next is not later than any that is there.
        if self.next.load(Ordering::SeqCst) <= at.as_nanos() {
            drop(self.remove(key));
        }
    }

    /// Puts another waker into a sleeper's timer; gives back the one that is not needed. `Err` if the timer has fired.
    pub(crate) fn replace_waker(&self, key: TimerKey, waker: Waker) -> Result<Waker, Waker> {
        self.timers.with(|timers| match timers.get_mut(key) {
            Some(Due::Wake(old)) => Ok(core::mem::replace(old, waker)),
            _ => Err(waker),
        })
    }

    /// Whether a sleeper's timer is still set and would wake `waker`.
    pub(crate) fn would_wake(&self, key: TimerKey, waker: &Waker) -> bool {
        self.timers.with(|timers| matches!(timers.get_mut(key), Some(Due::Wake(old)) if old.will_wake(waker)))
    }

    /// The next timer that is due at `now`.
    #[inline]
    pub(crate) fn pop_due(&self, now: Instant) -> Option<Due> {
        // The last nanosecond of the clock never comes (D8), so a timer at NEVER need not be looked for.
        if self.next.load(Ordering::SeqCst) > now.as_nanos() && !mutant!(ClockWraps) {
            return None;
        }
        self.pop(now)
    }

    fn pop(&self, now: Instant) -> Option<Due> {
        let popped = self.timers.with(|timers| {
            let popped = timers.pop_due(now);
            self.note_next(timers);
            popped
        });
        popped.map(|(_, due)| due)
    }

    /// When the next timer is due.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        Some(self.next.load(Ordering::SeqCst)).filter(|next| *next != NEVER).map(Instant::from_nanos)
    }

    /// In one order with whether the driver is parked: whoever sets a timer writes this and then looks whether to ring, the driver parks and then reads it.
    fn note_next(&self, timers: &Timers<Due, Heap>) {
        let next = timers.next_at().map_or(NEVER, Instant::as_nanos);
        if self.next.load(Ordering::Relaxed) != next {
            self.next.store(next, Ordering::SeqCst);
        }
    }
}

impl Keeps for Clockwork {
    fn release(&self, key: TimerKey) {
        drop(self.remove(key));
    }
}
