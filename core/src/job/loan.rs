//! Where the body of a call is while it is lent to a thread of the host's.
//!
//! ```text
//!   HOME ──lend──► LENT ──closure begins──► BEGUN ──closure ended──► GONE (the thread settles)
//!                    │                        └──abandon──► ABANDONED ──closure ended──► GONE (settled long ago; the value is
//!                    │                                                                         dropped where it ran, B3)
//!                    ├──never run──► REFUSED (the lane discards and settles)
//!                    └──withdraw──► WITHDRAWN (cancelled before it began: the lane discards and settles; the host's thread
//!                                              finds nothing to run, B2)
//! ```
//!
//! Each step is a read-modify-write: of two who want to take it one does. With it the right to the body passes on. From a closure that has begun it never
//! comes back to the lane: whoever ran it settles its job, as nobody else need be woken for that.

use crate::sync::atomic::{AtomicU8, Ordering};

const HOME: u8 = 0;
const LENT: u8 = 1;
const REFUSED: u8 = 2;
const ABANDONED: u8 = 3;
const GONE: u8 = 4;
const BEGUN: u8 = 5;
const WITHDRAWN: u8 = 6;

/// See the head of the file.
pub(crate) struct Loan(AtomicU8);

/// Where the body is, as the lender sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Out,
    /// It was never run.
    Refused,
    /// The closure has ended. Its job is the thread's to settle, or was abandoned.
    Gone,
}

/// How a loan came to its end, as the borrower sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It is over: the lender has the body back that was never run, or the borrower settles what has.
    Over,
    /// The lender had taken it back already.
    Withdrawn,
    /// The lender has left it to the borrower for good: what the call brought is the borrower's to drop.
    Abandoned,
}

impl Loan {
    pub(super) fn new() -> Self {
        Self(AtomicU8::new(HOME))
    }

    pub(super) fn lend(&self) {
        self.0.store(LENT, Ordering::Release);
    }

    pub(super) fn state(&self) -> State {
        match self.0.load(Ordering::Acquire) {
            REFUSED => State::Refused,
            GONE => State::Gone,
            _ => State::Out,
        }
    }

    /// The lender takes the body back, if the call has not begun (B2).
    pub(super) fn withdraw(&self) -> bool {
        if mutant!(CancelledCallBeginsAllTheSame) {
            return false;
        }
        self.step(LENT, WITHDRAWN).is_ok()
    }

    /// The lender leaves the body of a call that has begun to the borrower. False if it has not begun, or has ended.
    pub(super) fn abandon(&self) -> bool {
        // One that has not begun is withdrawn instead (B2).
        self.step(BEGUN, ABANDONED).is_ok()
    }

    /// The borrower begins. False if the lender has taken the body back.
    pub(super) fn begin(&self) -> bool {
        self.step(LENT, BEGUN).is_ok()
    }

    /// The borrower will never run it.
    pub(super) fn refuse(&self) -> End {
        self.end(LENT, REFUSED)
    }

    /// The borrower has run it.
    pub(super) fn end_of_run(&self) -> End {
        self.end(BEGUN, GONE)
    }

    /// What the borrower was left is dropped.
    pub(super) fn is_gone(&self) {
        self.0.store(GONE, Ordering::Release);
    }

    fn end(&self, from: u8, to: u8) -> End {
        match self.step(from, to) {
            Ok(()) => End::Over,
            Err(WITHDRAWN) => End::Withdrawn,
            Err(found) => {
                debug_assert_eq!(found, ABANDONED, "a loan ends once");
                End::Abandoned
            }
        }
    }

    fn step(&self, from: u8, to: u8) -> Result<(), u8> {
        self.0.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).map(|_| ())
    }
}
