//! What the driver asks of a work besides to be polled: how long it may wait and run, whether its time is over, and whether a token above it is cancelled.

use core::pin::Pin;
use core::task::Context;

use crate::{Cause, HeldCancelled, Instant};

/// Seals [`HeldWork`](super::HeldWork). What is not used by a type of work costs nothing there.
#[expect(unnameable_types, reason = "that it cannot be named is what seals HeldWork")]
pub trait Watch {
    /// Whether [`is_over`](Self::is_over) is asked before each poll.
    const WATCHES: bool = false;

    /// Whether it is polled on when it was asked to stop (J5).
    const GRACED: bool = false;

    /// Whether it has limits besides its deadline: [`admit`](Self::admit) and [`set_out`](Self::set_out) are called.
    const LIMITED: bool = false;

    /// It comes in at the time `now`, with this deadline. When its time in the queue is out (D5).
    fn admit(&mut self, deadline: Instant, now: Instant) -> Instant {
        let _ = now;
        deadline
    }

    /// It is about to be polled: if for the first time, its job has other limits from now on, as [`begin`](Self::begin) has it.
    fn set_out(self: Pin<&mut Self>, _: &Context<'_>) {}

    /// It is about to be polled for the first time, at the time `now`. When its time is out, which was at `deadline` up to now (D5).
    fn begin(self: Pin<&mut Self>, deadline: Instant, now: Instant) -> Instant {
        let _ = now;
        deadline
    }

    /// Whether it was asked to stop, and has no grace left. It is not polled any more then.
    fn is_over(self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool;

    /// Shows each of its waits for a token above it.
    fn tethers(&self, _: &mut impl FnMut(&HeldCancelled<'static>)) {}

    /// Why a token above it is cancelled, if one is.
    fn cause(&self) -> Option<Cause> {
        let mut cause = None;
        self.tethers(&mut |wait| cause = cause.or_else(|| wait.cause()));
        cause
    }
}
