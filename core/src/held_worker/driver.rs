//! What the host runs: the driver and the keeper of a worker without a heap, in one.
#![allow(unsafe_code, reason = "the driver owns the body of a card that it holds")]

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::HeldWorker;
use super::board::{Next, Seat, wake};
use super::body::{Body, Functions};
use super::card::{NEVER, Stage};
use super::counts::HeldCounts;
use crate::contain::contain;
use crate::{Alarm, Host, Instant, Panic, Step};

/// How many steps it makes before other tasks of its host have their turn (L2).
const TURN_BUDGET: usize = 64;

/// The one attendant of a [`HeldWorker`](crate::HeldWorker), for the host to run: its lanes and what a keeper does.
///
/// It stays on the thread, or at the interrupt priority, where it was made: so jobs that are not `Send` may be given to it.
///
/// Dropping it settles all jobs as cancelled by shutdown (S6).
pub struct HeldDriver<const LANES: usize, const SLOTS: usize, const BYTES: usize> {
    pub(super) worker: &'static HeldWorker<LANES, SLOTS, BYTES>,
    /// Neither `Send` nor `Sync`.
    pub(super) here: PhantomData<*const ()>,
}

/// A card that the driver holds, and its body.
#[derive(Clone, Copy)]
struct Held {
    seat: Seat,
    body: Body,
    functions: &'static Functions,
}

impl<const LANES: usize, const SLOTS: usize, const BYTES: usize> HeldDriver<LANES, SLOTS, BYTES> {
    /// One step at the time `now`: at most one poll of one job. Answers what to do next; a step too many does no harm.
    ///
    /// The waker in `cx` is woken when there is something to do before the time in the answer.
    #[inline(never)]
    pub fn step(&mut self, cx: &mut Context<'_>, now: Instant) -> Step {
        match self.worker.board.with(|state| state.next(now, LANES as u8)) {
            Next::Take(index, polls) => {
                if let Some(held) = self.held(index) {
                    if polls { held.poll() } else { held.discard(None) }
                }
            }
            Next::Wake(waker) => waker.wake(),
            Next::Closed => return Step::Closed,
            Next::Park(until) => {
                // Cloned, and what is not needed dropped, under no lock (T8).
                let waker = cx.waker().clone();
                let (unneeded, rung) = match self.worker.board.with(|state| state.hub.park(waker)) {
                    Ok(old) => (old, false),
                    Err(new) => (Some(new), true),
                };
                drop(unneeded);
                if !rung {
                    return Step::Parked((until != NEVER).then_some(until));
                }
            }
        }
        Step::Again
    }

    /// Steps until the worker is shut down, by the time and the alarm of `host`; then gives the counts.
    pub fn run<H: Host>(self, host: &H) -> HeldRun<'_, H, LANES, SLOTS, BYTES> {
        HeldRun { alarm: host.alarm(), driver: self, host }
    }

    /// A card that was just taken has functions, as it was filled.
    fn held(&self, index: u8) -> Option<Held> {
        let (seat, body) = (self.worker.board.seat(index), self.worker.rooms.get(usize::from(index))?.body());
        seat.with(|_, card| card.functions).map(|functions| Held { seat, body, functions })
    }
}

impl Held {
    fn poll(self) {
        let waker = self.seat.waker();
        let mut emptied = false;
        // SAFETY: the card is held, and its work is in the body.
        let polled =
            contain(|| unsafe { self.functions.poll(self.body, &mut Context::from_waker(&waker), &mut emptied) });
        match polled {
            Ok(Poll::Ready(_)) if mutant!(ReadyThrownAway) && self.seat.with(|_, card| card.is_asked()) => {
                // SAFETY: it has just returned.
                unsafe { self.functions.drop_value(self.body) };
                self.settle(Stage::Stopped, true);
            }
            Ok(Poll::Ready(well)) => self.settle(if well { Stage::Completed } else { Stage::Failed }, false), // J3
            Ok(Poll::Pending) => {
                if !self.seat.with(|hub, card| hub.stay(card)) {
                    self.discard(None); // J4
                }
            }
            Err(panic) if emptied => self.stopped(Some(panic)),
            Err(panic) => self.discard(Some(panic)), // P1
        }
    }

    /// Drops the work, then settles (J7); a panic of its destructor is the outcome (P2), unless there was one before.
    fn discard(self, panic: Option<Panic>) {
        if mutant!(OutcomeBeforeDrop) {
            self.stopped(panic);
            // SAFETY: as below; that somebody may use the slot by now is what is wrong with it.
            return unsafe { self.functions.drop_work(self.body) };
        }
        // SAFETY: the card is held, and its work is in the body.
        let second = contain(|| unsafe { self.functions.drop_work(self.body) }).err();
        match (panic, second) {
            (Some(first), Some(second)) => {
                second.discard();
                self.stopped(Some(first));
            }
            (first, second) => self.stopped(first.or(second)),
        }
    }

    fn stopped(self, panic: Option<Panic>) {
        self.seat.with(|_, card| card.panic = panic);
        self.settle(Stage::Stopped, true);
    }

    fn settle(self, ended: Stage, mut emptied: bool) {
        let (reader, panic) = loop {
            if let Ok(settled) = self.seat.with(|hub, card| hub.settle(card, ended, emptied)) {
                break settled;
            }
            emptied = true;
            // SAFETY: the card is held, and its value is in the body.
            if let Err(panic) = contain(|| unsafe { self.functions.drop_value(self.body) }) {
                panic.discard(); // nobody's outcome
            }
        };
        if let Some(panic) = panic {
            panic.discard();
        }
        wake(reader);
    }
}

impl<const LANES: usize, const SLOTS: usize, const BYTES: usize> Drop for HeldDriver<LANES, SLOTS, BYTES> {
    fn drop(&mut self) {
        if mutant!(VanishedRuntimeStrandsJobs) {
            return;
        }
        let now = self.worker.board.with(|state| {
            // Nobody is left to be woken.
            drop(state.hub.close(Instant::ORIGIN));
            state.hub.now
        });
        // All of them were asked to stop, so that nothing is polled.
        while self.step(&mut Context::from_waker(Waker::noop()), now) == Step::Again {}
    }
}

impl<const LANES: usize, const SLOTS: usize, const BYTES: usize> fmt::Debug for HeldDriver<LANES, SLOTS, BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldDriver").finish_non_exhaustive()
    }
}

/// Steps a [`HeldDriver`] until its worker is shut down; then gives the counts. Made by [`HeldDriver::run`].
///
/// # Cancellation
///
/// As dropping the driver.
#[must_use = "nothing runs until the driver is driven"]
pub struct HeldRun<'a, H: Host, const LANES: usize, const SLOTS: usize, const BYTES: usize> {
    driver: HeldDriver<LANES, SLOTS, BYTES>,
    host: &'a H,
    alarm: H::Alarm,
}

impl<H: Host, const LANES: usize, const SLOTS: usize, const BYTES: usize> Future
    for HeldRun<'_, H, LANES, SLOTS, BYTES>
{
    type Output = HeldCounts;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<HeldCounts> {
        // SAFETY: the alarm alone is pinned with it, and stays where it is: there is no destructor here that would move it.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        let mut alarm = unsafe { Pin::new_unchecked(&mut this.alarm) };
        for _ in 0..TURN_BUDGET {
            let parked = match this.driver.step(cx, this.host.now()) {
                Step::Again => false,
                Step::Closed => return Poll::Ready(this.driver.worker.counts()),
                Step::Parked(None) => true,
                Step::Parked(Some(at)) => alarm.as_mut().poll_at(at, cx).is_pending(),
            };
            if parked {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<H: Host, const LANES: usize, const SLOTS: usize, const BYTES: usize> fmt::Debug
    for HeldRun<'_, H, LANES, SLOTS, BYTES>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldRun").finish_non_exhaustive()
    }
}
