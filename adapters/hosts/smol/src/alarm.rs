//! The alarm on async-io's timer.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_io::Timer;
use countermand_core::{Alarm, Instant};

/// What a time beyond the system's clock is set to: the worker looks again then.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// An alarm of a [`Smol`](crate::Smol).
///
/// # Implementation notes
///
/// Setting a timer anew takes its reactor's lock; a ring too many costs a turn. So a timer that is set to an earlier time stays as it is, and
/// is set to the wanted one when it has rung: a worker whose jobs all have time-outs and do not reach them sets it once for the length of
/// a time-out.
pub struct SmolAlarm {
    timer: Timer,
    /// What it is set to, until it has rung.
    set: Option<Instant>,
}

impl SmolAlarm {
    pub(crate) fn new() -> Self {
        Self { timer: Timer::never(), set: None }
    }

    /// Sets the timer to `at`.
    fn reset(&mut self, at: Instant) {
        match at.to_std() {
            Some(at) => self.timer.set_at(at),
            None => self.timer.set_after(FAR),
        }
        self.set = Some(at);
    }
}

impl Alarm for SmolAlarm {
    fn poll_at(mut self: Pin<&mut Self>, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.set.is_none_or(|set| set > at) {
                self.reset(at);
            }
            ready!(Pin::new(&mut self.timer).poll(cx));
            if self.set.take() == Some(at) {
                return Poll::Ready(());
            }
        }
    }
}

impl fmt::Debug for SmolAlarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmolAlarm").field("set", &self.set).finish_non_exhaustive()
    }
}
