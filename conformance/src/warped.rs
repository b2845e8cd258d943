//! A host whose clock the rule moves: everything else is handed on to the host beneath.

use std::fmt;
use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use countermand_core::{Alarm, Call, Host, Instant, WouldDeadlock};

/// Whether time goes on by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pace {
    /// The time is what the rule last set; the host's clock and timers are not used. This makes scripts exact.
    Still,
    /// The host's own clock and timers, plus what the rule added.
    Running,
}

/// The moved clock. All hosts of one bench and one pace share it.
///
/// Time is `offset` (still) or `host + offset` (running). Alarms wait in a list; moving the clock wakes those that are due
/// by it (running: all, so that they set the host's timer anew).
pub struct Clock {
    pace: Pace,
    offset: AtomicU64,
    /// How often alarms were polled.
    polls: AtomicU64,
    sleepers: Mutex<Sleepers>,
    /// What is done before the next look at the clock, and on which thread that look must be.
    intruder: Mutex<Option<(Here, Intruder)>>,
    /// Whether there is an intruder.
    watched: AtomicBool,
}

type Intruder = Box<dyn FnOnce() + Send>;

/// A thread. A driver of a worker that an earlier part of the rule left behind looks at the same clock, on another one.
#[cfg(feature = "std")]
type Here = std::thread::ThreadId;
#[cfg(not(feature = "std"))]
type Here = ();

fn here() -> Here {
    #[cfg(feature = "std")]
    return std::thread::current().id();
}

#[derive(Default)]
struct Sleepers {
    next: u64,
    asleep: Vec<Sleeper>,
    /// While set, moving the clock wakes nobody: the host's timer is late.
    deaf: bool,
}

struct Sleeper {
    key: u64,
    at: Instant,
    waker: Waker,
}

impl Clock {
    /// A clock that starts `start` after its origin (still), or that far ahead of the host's (running).
    #[must_use]
    pub fn new(pace: Pace, start: Duration) -> Self {
        Self {
            pace,
            offset: AtomicU64::new(nanos(start)),
            polls: AtomicU64::new(0),
            sleepers: Mutex::default(),
            intruder: Mutex::default(),
            watched: AtomicBool::new(false),
        }
    }

    /// Moves the clock forward by `by`, and wakes the alarms that are due then.
    pub fn advance(&self, by: Duration) {
        let now = self.offset.fetch_add(nanos(by), Ordering::SeqCst).saturating_add(nanos(by));
        let now = Instant::from_nanos(now);
        self.wake(|sleeper| self.pace == Pace::Running || sleeper.at <= now);
    }

    /// Wakes every alarm, due or not. An early alarm may cost a turn and change nothing.
    pub fn ring_all(&self) {
        self.wake(|_| true);
    }

    /// Makes the alarms deaf (the host's timer is late), or cures them. Cured ones that are due wake at the next move.
    pub fn deafen(&self, deaf: bool) {
        self.sleepers().deaf = deaf;
    }

    /// Runs `act` before this thread looks at the clock next, in the middle of whatever looks at it.
    pub fn before_the_next_look(&self, act: impl FnOnce() + Send + 'static) {
        let before = self.intruder.lock().unwrap_or_else(PoisonError::into_inner).replace((here(), Box::new(act)));
        self.watched.store(true, Ordering::SeqCst);
        drop(before);
    }

    /// How many alarms are set.
    #[must_use]
    pub fn alarms_set(&self) -> usize {
        self.sleepers().asleep.len()
    }

    /// How often alarms were polled.
    #[must_use]
    pub fn alarm_polls(&self) -> u64 {
        self.polls.load(Ordering::SeqCst)
    }

    /// The time, given the host's.
    #[must_use]
    pub fn now(&self, host: impl FnOnce() -> Instant) -> Instant {
        if self.watched.load(Ordering::Relaxed) {
            let intruder = {
                let mut intruder = self.intruder.lock().unwrap_or_else(PoisonError::into_inner);
                let intruder = intruder.take_if(|(place, _)| *place == here());
                if intruder.is_some() {
                    self.watched.store(false, Ordering::SeqCst);
                }
                intruder
            };
            intruder.into_iter().for_each(|(_, act)| act());
        }
        let offset = self.offset.load(Ordering::SeqCst);
        match self.pace {
            Pace::Still => Instant::from_nanos(offset),
            Pace::Running => Instant::from_nanos(host().as_nanos().saturating_add(offset)),
        }
    }

    fn wake(&self, whom: impl Fn(&Sleeper) -> bool) {
        let woken = {
            let mut sleepers = self.sleepers();
            if sleepers.deaf {
                return;
            }
            sleepers.asleep.extract_if(.., |sleeper| whom(sleeper)).collect::<Vec<_>>()
        };
        woken.into_iter().for_each(|sleeper| sleeper.waker.wake());
    }

    /// Puts the waker on the list in the place of the alarm's last.
    fn set(&self, key: u64, at: Instant, waker: Waker) {
        let sleeper = Sleeper { key, at, waker };
        let before = {
            let mut sleepers = self.sleepers();
            match sleepers.asleep.iter_mut().find(|sleeper| sleeper.key == key) {
                Some(known) => Some(std::mem::replace(known, sleeper)),
                None => {
                    sleepers.asleep.push(sleeper);
                    None
                }
            }
        };
        drop(before);
    }

    fn unset(&self, key: u64) {
        let before = {
            let mut sleepers = self.sleepers();
            let place = sleepers.asleep.iter().position(|sleeper| sleeper.key == key);
            place.map(|place| sleepers.asleep.swap_remove(place))
        };
        drop(before);
    }

    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("pace", &self.pace).field("offset", &self.offset).finish_non_exhaustive()
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// A host under a [`Clock`] of the rule's.
pub struct Warped<H> {
    beneath: Arc<H>,
    clock: Arc<Clock>,
}

impl<H> Warped<H> {
    /// Puts `clock` over `beneath`.
    #[must_use]
    pub fn new(beneath: Arc<H>, clock: Arc<Clock>) -> Self {
        Self { beneath, clock }
    }
}

impl<H: fmt::Debug> fmt::Debug for Warped<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warped").field("beneath", &self.beneath).field("clock", &self.clock).finish()
    }
}

impl<H: Host> Host for Warped<H> {
    type Alarm = WarpedAlarm<H::Alarm>;

    fn now(&self) -> Instant {
        self.clock.now(|| self.beneath.now())
    }

    fn alarm(&self) -> Self::Alarm {
        let key = {
            let mut sleepers = self.clock.sleepers();
            sleepers.next += 1;
            sleepers.next
        };
        WarpedAlarm { beneath: Box::pin(self.beneath.alarm()), clock: Arc::clone(&self.clock), key }
    }

    fn offload(&self, call: Call) -> Result<(), Call> {
        self.beneath.offload(call)
    }

    fn has_threads(&self) -> bool {
        self.beneath.has_threads()
    }

    fn block(&self, wait: &mut dyn FnMut()) -> Result<(), WouldDeadlock> {
        self.beneath.block(wait)
    }
}

/// The alarm of a [`Warped`] host.
pub struct WarpedAlarm<A> {
    beneath: Pin<Box<A>>,
    clock: Arc<Clock>,
    key: u64,
}

impl<A: Alarm> Alarm for WarpedAlarm<A> {
    fn poll_at(mut self: Pin<&mut Self>, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.clock.polls.fetch_add(1, Ordering::SeqCst);
        // On the list first, then the look at the clock: a move in between wakes us.
        this.clock.set(this.key, at, cx.waker().clone());
        let due = match this.clock.pace {
            Pace::Still => at.as_nanos() <= this.clock.offset.load(Ordering::SeqCst),
            Pace::Running => {
                let offset = this.clock.offset.load(Ordering::SeqCst);
                let beneath = Instant::from_nanos(at.as_nanos().saturating_sub(offset));
                this.beneath.as_mut().poll_at(beneath, cx).is_ready()
            }
        };
        if due {
            this.clock.unset(this.key);
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl<A> Drop for WarpedAlarm<A> {
    fn drop(&mut self) {
        self.clock.unset(self.key);
    }
}

impl<A> fmt::Debug for WarpedAlarm<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WarpedAlarm").field("key", &self.key).finish_non_exhaustive()
    }
}
