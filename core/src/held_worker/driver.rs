//! What the host runs: the driver and the keeper of a worker without a heap, in one.
#![allow(unsafe_code, reason = "the driver owns the body of a card that it holds")]

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::HeldWorker;
use super::board::Next;
use super::body::{Body, Functions, Room};
use super::local::HeldLocal;
use super::policy::{HeldEnd, HeldPolicy, HeldStrict};
use super::seat::Seat;
use super::stage::Stage;
use crate::contain::{contain, survives};
use crate::held::wake;
use crate::{Alarm, Class, Host, Instant, Panic, Step};

/// How many steps it makes before other tasks of its host have their turn (L2).
const TURN_BUDGET: usize = 64;

/// Answers of a step. Nothing is ever due at the origin that was not when the step began, and the end of the clock is never.
const AGAIN: u64 = 0;
const CLOSED: u64 = u64::MAX - 1;
const UNTIL_WOKEN: u64 = Instant::NEVER.as_nanos();

/// The one attendant of a [`HeldWorker`](crate::HeldWorker), for the host to run: its lanes and what a keeper does.
///
/// It stays on the thread, or at the interrupt priority, where it was made: so jobs that are not `Send` may be given to its [`local`](Self::local) way in.
///
/// Dropping it settles all jobs as cancelled by shutdown (S6).
pub struct HeldDriver<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy = HeldStrict> {
    pub(super) worker: &'static HeldWorker<LANES, SLOTS, BYTES, P>,
    /// Neither `Send` nor `Sync`.
    pub(super) here: PhantomData<*const ()>,
}

/// A card that the driver holds, and its body.
struct Held<P> {
    seat: Seat,
    body: Body,
    functions: &'static Functions,
    policy: PhantomData<P>,
}

impl<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy> HeldDriver<LANES, SLOTS, BYTES, P> {
    /// One step at the time `now`: at most one poll of one job. Answers what to do next; a step too many does no harm.
    ///
    /// The waker in `cx` is woken when there is something to do before the time in the answer.
    pub fn step(&mut self, cx: &mut Context<'_>, now: Instant) -> Step {
        match self.turn(cx, now) {
            AGAIN => Step::Again,
            CLOSED => Step::Closed,
            UNTIL_WOKEN => Step::Parked(None),
            at => Step::Parked(Some(Instant::from_nanos(at))),
        }
    }

    /// A step. Its answer is a number, as that takes fewer instructions: one of those above, or when there is something to do again.
    #[inline(never)]
    fn turn(&mut self, cx: &mut Context<'_>, now: Instant) -> u64 {
        match self.worker.board.with(|state| state.next(now, LANES as u8)) {
            Next::Take(card, index, polls, functions) => {
                let worker = self.worker;
                // SAFETY: there is a room for each card.
                let body = unsafe { Room::body(&worker.rooms, index) };
                let held = Held::<P> { seat: worker.board.seat(card), body, functions, policy: PhantomData };
                if !polls || held.poll() {
                    held.discard(None);
                }
            }
            Next::Wake(waker) => waker.wake(),
            Next::Closed => return CLOSED,
            Next::Park(until) => {
                // Cloned, and what is not needed dropped, under no lock (T8).
                let mut waker = Some(cx.waker().clone());
                let parks = self.worker.board.with(|state| state.hub.park(&mut waker));
                drop(waker);
                if parks {
                    return until.as_nanos();
                }
            }
        }
        AGAIN
    }

    /// The way in for jobs that are not `Send`. It stays here, also when the driver runs.
    #[must_use]
    pub const fn local(&self) -> HeldLocal<LANES, SLOTS, BYTES, P> {
        HeldLocal::new(self.worker)
    }

    /// Steps until the worker is shut down, by the time and the alarm of `host`.
    pub fn run<H: Host>(self, host: &H) -> HeldRun<'_, H, LANES, SLOTS, BYTES, P> {
        HeldRun { alarm: host.alarm(), driver: self, host }
    }
}

// Not derived, as a policy need not be one.
impl<P> Clone for Held<P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Held<P> {}

impl<P: HeldPolicy> Held<P> {
    /// Whether the work is to be dropped.
    fn poll(self) -> bool {
        // Its destructor would do nothing.
        let waker = ManuallyDrop::new(self.seat.waker());
        let mut emptied = false;
        // SAFETY: the card is held, and its work is in the body.
        let polled =
            contain(|| unsafe { self.functions.poll(self.body, &mut Context::from_waker(&waker), &mut emptied) });
        match polled {
            Ok(Poll::Ready(_)) if emptied && mutant!(ReadyThrownAway) && self.seat.is_asked() => {
                // SAFETY: it has just returned.
                unsafe { self.functions.drop_value(self.body) };
                self.settle(Stage::Cancelled, None);
            }
            Ok(Poll::Ready(Stage::Cancelled)) => return true, // J4, J5
            Ok(Poll::Ready(_)) if mutant!(LateValueIsLost) && self.seat.with(|_, card| card.is_timed_out()) => {
                // SAFETY: it has just returned.
                unsafe { self.functions.drop_value(self.body) };
                self.settle(Stage::Cancelled, None);
            }
            Ok(Poll::Ready(ended)) => self.settle(ended, None), // J3
            // Whatever was asked of it meanwhile: the next step drops it, and polls nothing before that (J4).
            Ok(Poll::Pending) => {}
            Err(panic) if emptied => self.settle(Stage::Cancelled, Some(panic)),
            Err(panic) => self.discard(Some(panic)), // P1
        }
        false
    }

    /// Drops the work, then settles (J7); a panic of its destructor is the outcome (P2), unless there was one before.
    fn discard(self, panic: Option<Panic>) {
        if mutant!(OutcomeBeforeDrop) {
            self.settle(Stage::Cancelled, panic);
            // SAFETY: as below; that somebody may use the slot by now is what is wrong with it.
            return unsafe { self.functions.drop_work(self.body) };
        }
        // SAFETY: the card is held, and its work is in the body.
        let second = contain(|| unsafe { self.functions.drop_work(self.body) }).err();
        match (panic, second) {
            (Some(first), Some(second)) => {
                second.discard();
                self.settle(Stage::Cancelled, Some(first));
            }
            (first, second) => self.settle(Stage::Cancelled, first.or(second)),
        }
    }

    #[inline(never)]
    fn settle(self, ended: Stage, mut panic: Option<Panic>) {
        // What was dropped has left nothing.
        let mut emptied = ended == Stage::Cancelled;
        // Beside what the loop gives, so that a policy that is not interested does not carry it.
        let mut end = None;
        let reader = loop {
            let settled = self.seat.with(|hub, card| {
                let ended = card.settles_at(ended, panic.is_some());
                end = Some(HeldEnd { priority: card.priority, class: card.class(ended) });
                hub.settle(card, ended, &mut panic, emptied)
            });
            if let Ok(reader) = settled {
                break reader;
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
        if let Some(end) = end.filter(|end| {
            !(mutant!(UnstartedEndsUntold) && matches!(end.class, Class::Cancelled { started: false, .. }))
        }) {
            survives(|| P::settled(end));
        }
        wake(reader);
    }
}

impl<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy> Drop
    for HeldDriver<LANES, SLOTS, BYTES, P>
{
    fn drop(&mut self) {
        if mutant!(VanishedRuntimeStrandsJobs) {
            return;
        }
        // Nobody is left to be woken.
        drop(self.worker.board.with(|state| state.hub.leave()));
        // All of them were asked to stop, so that nothing is polled.
        let unused = ManuallyDrop::new(self.worker.board.first().waker());
        let mut cx = Context::from_waker(&unused);
        while self.turn(&mut cx, Instant::ORIGIN) == AGAIN {}
    }
}

impl<const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy> fmt::Debug
    for HeldDriver<LANES, SLOTS, BYTES, P>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldDriver").finish_non_exhaustive()
    }
}

/// Steps a [`HeldDriver`] until its worker is shut down. Made by [`HeldDriver::run`].
///
/// # Cancellation
///
/// As dropping the driver.
#[must_use = "nothing runs until the driver is driven"]
pub struct HeldRun<'a, H: Host, const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy = HeldStrict>
{
    driver: HeldDriver<LANES, SLOTS, BYTES, P>,
    host: &'a H,
    alarm: H::Alarm,
}

impl<H: Host, const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy> Future
    for HeldRun<'_, H, LANES, SLOTS, BYTES, P>
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: the alarm alone is pinned with it, and stays where it is: there is no destructor here that would move it.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        let mut alarm = unsafe { Pin::new_unchecked(&mut this.alarm) };
        for _ in 0..TURN_BUDGET {
            let parked = match this.driver.turn(cx, this.host.now()) {
                AGAIN => false,
                CLOSED => return Poll::Ready(()),
                UNTIL_WOKEN => true,
                at => alarm.as_mut().poll_at(Instant::from_nanos(at), cx).is_pending(),
            };
            if parked {
                return Poll::Pending;
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<H: Host, const LANES: usize, const SLOTS: usize, const BYTES: usize, P: HeldPolicy> fmt::Debug
    for HeldRun<'_, H, LANES, SLOTS, BYTES, P>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldRun").finish_non_exhaustive()
    }
}
