//! Tokens whose deadline somebody keeps: a worker's keeper, or the driver of a job.

use core::fmt;
use core::ops::Deref;

use crate::Token;
use crate::sync::Arc;
use crate::timers::TimerKey;

/// Keeps deadlines of tokens.
pub(crate) trait Keeps: Send + Sync {
    /// The token is not to be kept any longer.
    fn release(&self, key: TimerKey);
}

/// A token that is cancelled, with cause `Deadline`, when its time is out, without anybody having to look.
///
/// # Cancellation
///
/// Dropping it cancels nothing and gives the timer back: from then on its deadline takes effect only where somebody compares it
/// with the clock, as a worker does for the jobs it is a parent of.
#[must_use = "the deadline is kept for as long as this lives"]
pub struct TimedToken {
    token: Token,
    timer: Option<(Arc<dyn Keeps>, TimerKey)>,
}

impl TimedToken {
    pub(crate) fn new(token: Token, timer: Option<(Arc<dyn Keeps>, TimerKey)>) -> Self {
        Self { token, timer }
    }
}

impl Deref for TimedToken {
    type Target = Token;

    fn deref(&self) -> &Token {
        &self.token
    }
}

impl Drop for TimedToken {
    fn drop(&mut self) {
        if let Some((keeper, key)) = self.timer.take() {
            keeper.release(key);
        }
    }
}

impl fmt::Debug for TimedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TimedToken").field(&self.token).finish()
    }
}
