//! A driver or keeper, and the threads that may give it its turns.
//!
//! ```text
//!             take                     leave, unless called
//!   VACANT ─────────► SEATED ───turns──────────────────────► VACANT
//!                        │ its future is ready
//!                        ▼
//!                      CLOSED
//! ```
//!
//! Each has a thread of its own, which is always there: it sleeps while the seat is vacant, until somebody calls it or its time has come. A thread of the pool that has just run a
//! call of this driver is a guest: it gives the driver the turn that the end of the call asks for, and so need not wake the other thread. If that brings a call,
//! and nothing else to do, it leaves the seat and runs that.
//!
//! Invariants:
//! 1. One thread at a time has the seat. It does not leave it once it is called.
//! 2. Whoever calls a vacant seat wakes its own thread, or is a guest, which takes the seat next.
//! 3. While the seat is vacant, its own thread sleeps no longer than until it is due: a guest says when that is before it leaves, and then looks until when the other sleeps;
//!    that one says until when it sleeps, and then looks when it is due. Both behind a fence, so one of them sees the other.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};

use countermand_core::{Call, Instant, Spin};

use crate::pool::Crew;
use crate::role;

/// What a seat is for.
pub(crate) type Attendant = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Woken since its last turn began.
const CALLED: u8 = 1;
/// Some thread has it.
const SEATED: u8 = 2;
/// Its future was ready.
const CLOSED: u8 = 4;

const NEVER: u64 = u64::MAX;

/// See the head of the file.
pub(crate) struct Seat {
    attendant: Mutex<Option<Attendant>>,
    state: AtomicU8,
    /// When it must have a turn at the latest, in nanoseconds. Written by whoever has the seat.
    due: AtomicU64,
    /// Until when its own thread sleeps, in nanoseconds.
    sleeps: AtomicU64,
    own: OnceLock<Thread>,
}

std::thread_local! {
    /// The seat that is called by the end of the call that this thread has run.
    static END: Cell<End> = const { Cell::new(End::Elsewhere) };
}

enum End {
    /// This thread is not at the end of a call.
    Elsewhere,
    Here,
    Left(Arc<Seat>),
}

/// What came of a turn.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// It was called meanwhile, by itself or by others.
    Again,
    Rest,
    Closed,
}

impl Seat {
    pub(crate) fn new(attendant: impl Future<Output = ()> + Send + 'static) -> Arc<Self> {
        Arc::new(Self {
            attendant: Mutex::new(Some(Box::pin(attendant))),
            state: AtomicU8::new(CALLED),
            due: AtomicU64::new(NEVER),
            sleeps: AtomicU64::new(NEVER),
            own: OnceLock::new(),
        })
    }

    /// The life of its own thread, which is this one.
    pub(crate) fn live(self: &Arc<Self>, spin: &Spin) {
        let _first = self.own.set(thread::current());
        let waker = Waker::from(Arc::clone(self));
        let mut cx = Context::from_waker(&waker);
        while !self.is(CLOSED) {
            if self.take() {
                while self.turn(&mut cx) != Turn::Rest || !self.leave() {
                    if self.is(CLOSED) {
                        return;
                    }
                }
            }
            if !spin.until(|| self.waits()) {
                self.sleep();
            }
        }
    }

    /// Gives the attendant its turns, on a thread of the pool, until it rests. Gives the call that this thread is to run next.
    pub(crate) fn visit(self: &Arc<Self>, crew: &Arc<Crew>) -> Option<Call> {
        // If it cannot be had, who has it was called, and sees to it.
        if !self.take() {
            return None;
        }
        let waker = Waker::from(Arc::clone(self));
        let mut cx = Context::from_waker(&waker);
        loop {
            let (turn, call) = role::as_guest_of(crew, || self.turn(&mut cx));
            match (turn, call) {
                (Turn::Closed, call) => {
                    self.wake_own();
                    return call;
                }
                (Turn::Rest, Some(call)) if self.leave() => return Some(call),
                // There is something else to do, which may take long.
                (_, Some(call)) => crew.run(call),
                (Turn::Again, None) => {}
                (Turn::Rest, None) => {
                    let waits = !crew.has_calls() && crew.spin().until(|| self.is(CALLED) || crew.has_calls());
                    if !(waits && self.is(CALLED)) && self.leave() {
                        return None;
                    }
                }
            }
        }
    }

    fn is(&self, mark: u8) -> bool {
        self.state.load(Ordering::SeqCst) & mark != 0
    }

    /// Whether there is something for its own thread to do.
    fn waits(&self) -> bool {
        let state = self.state.load(Ordering::SeqCst);
        state & CLOSED != 0 || state & (SEATED | CALLED) == CALLED
    }

    fn take(&self) -> bool {
        let take = |state: u8| (state & (SEATED | CLOSED) == 0).then_some(state | SEATED);
        self.state.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).is_ok()
    }

    /// False if it was called.
    fn leave(&self) -> bool {
        let left = self.state.compare_exchange(SEATED, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        if left {
            fence(Ordering::SeqCst);
            if self.due.load(Ordering::SeqCst) < self.sleeps.load(Ordering::SeqCst) {
                self.wake_own();
            }
        }
        left
    }

    /// For who has the seat.
    fn turn(&self, cx: &mut Context<'_>) -> Turn {
        self.state.fetch_and(!CALLED, Ordering::SeqCst);
        let mut place = self.attendant.lock().unwrap_or_else(PoisonError::into_inner);
        let closes = Closes(self);
        // Out of its place, so that it goes if this unwinds.
        let Some(mut attendant) = place.take() else { return Turn::Closed };
        let (poll, alarm) = role::as_attendant(|| attendant.as_mut().poll(cx));
        if poll.is_ready() {
            return Turn::Closed;
        }
        *place = Some(attendant);
        std::mem::forget(closes);
        self.due.store(alarm.map_or(NEVER, Instant::as_nanos), Ordering::SeqCst);
        if self.is(CALLED) { Turn::Again } else { Turn::Rest }
    }

    /// Until it is called while it is vacant, or due, or closed. For its own thread.
    fn sleep(&self) {
        loop {
            if self.waits() {
                return;
            }
            // A guest that leaves wakes this thread if it is due at all.
            let until = if self.is(SEATED) { NEVER } else { self.due.load(Ordering::SeqCst) };
            self.sleeps.store(until, Ordering::SeqCst);
            fence(Ordering::SeqCst);
            let sooner = !self.is(SEATED) && self.due.load(Ordering::SeqCst) < until;
            if sooner || self.waits() {
                continue;
            }
            match Instant::from_nanos(until).to_std() {
                Some(at) if until != NEVER => {
                    let left = at.saturating_duration_since(std::time::Instant::now());
                    if left.is_zero() {
                        return;
                    }
                    thread::park_timeout(left);
                }
                _ => thread::park(), // Never, or beyond what the system's clock can say.
            }
        }
    }

    fn wake_own(&self) {
        if let Some(thread) = self.own.get() {
            thread.unpark();
        }
    }

    /// Notes the call. True if nobody sees to it who has the seat, or has been woken.
    fn call(&self) -> bool {
        self.state.fetch_or(CALLED, Ordering::SeqCst) & (CALLED | SEATED | CLOSED) == 0
    }
}

impl Wake for Seat {
    fn wake(self: Arc<Self>) {
        if self.call() {
            if let Some(seat) = leave_to_guest(self) {
                seat.wake_own();
            }
        }
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.call() {
            self.wake_own();
        }
    }
}

/// The attendant is gone, or unwinds.
struct Closes<'s>(&'s Seat);

impl Drop for Closes<'_> {
    fn drop(&mut self) {
        self.0.state.fetch_or(CLOSED, Ordering::SeqCst);
    }
}

/// Runs `call` on a thread of the pool, which then gives the seat that this calls its turns, if nobody else sees to it. Gives the call that the thread is to run next.
pub(crate) fn run(call: Call, crew: &Arc<Crew>) -> Option<Call> {
    let ended = call.run_and_hold();
    END.set(End::Here);
    drop(ended);
    match END.replace(End::Elsewhere) {
        End::Left(seat) => seat.visit(crew),
        End::Elsewhere | End::Here => None,
    }
}

/// Leaves a seat that was called to this thread, if it is at the end of a call. Else gives it back.
fn leave_to_guest(seat: Arc<Seat>) -> Option<Arc<Seat>> {
    // A thread that is ending is at the end of nothing else.
    let end = END.try_with(|end| end.replace(End::Elsewhere)).unwrap_or(End::Elsewhere);
    match end {
        End::Here => {
            END.set(End::Left(seat));
            None
        }
        end => {
            let _there = END.try_with(|place| place.set(end));
            Some(seat)
        }
    }
}
