//! What the driver asks of a work besides to be polled: whether its time is over, and whether a token above it is cancelled.

use core::pin::Pin;
use core::task::Context;

use crate::{Cause, HeldCancelled};

/// Seals [`HeldWork`](super::HeldWork). What is not used by a type of work costs nothing there.
#[expect(unnameable_types, reason = "that it cannot be named is what seals HeldWork")]
pub trait Watch {
    /// Whether [`is_over`](Self::is_over) is asked before each poll.
    const WATCHES: bool = false;

    /// Whether it is polled on when it was asked to stop (J5).
    const GRACED: bool = false;

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
