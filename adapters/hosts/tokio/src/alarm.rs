//! The alarm on tokio's timer.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use countermand_core::{Alarm, Instant};
use tokio::runtime::Handle;
use tokio::time::Sleep;

/// What a time beyond the system's clock is set to: the worker looks again then.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// An alarm of a [`Tokio`](crate::Tokio).
///
/// # Implementation notes
///
/// Setting a timer anew takes its driver's lock; a ring too many costs a turn. So a timer that is set to an earlier time stays as it is, and
/// is set to the wanted one when it has rung: a worker whose jobs all have time-outs and do not reach them sets it once for the length of
/// a time-out.
pub struct TokioAlarm {
    runtime: Handle,
    /// Made when it is needed: a worker without deadlines has none.
    timer: Option<Pin<Box<Sleep>>>,
    /// What it is set to, until it has rung.
    set: Option<Instant>,
}

impl TokioAlarm {
    pub(crate) fn new(runtime: Handle) -> Self {
        Self { runtime, timer: None, set: None }
    }

    /// Sets the timer to `at`.
    fn reset(&mut self, at: Instant) {
        let deadline = match at.to_std() {
            Some(at) => at.into(),
            None => tokio::time::Instant::now() + FAR,
        };
        match &mut self.timer {
            Some(timer) => timer.as_mut().reset(deadline),
            None => {
                // The driver may be polled on a thread that is in another runtime, or in none.
                let _inside = self.runtime.enter();
                self.timer = Some(Box::pin(tokio::time::sleep_until(deadline)));
            }
        }
        self.set = Some(at);
    }
}

impl Alarm for TokioAlarm {
    fn poll_at(mut self: Pin<&mut Self>, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.set.is_none_or(|set| set > at) {
                self.reset(at);
            }
            if let Some(timer) = &mut self.timer {
                ready!(timer.as_mut().poll(cx));
            }
            if self.set.take() == Some(at) {
                return Poll::Ready(());
            }
        }
    }
}

impl fmt::Debug for TokioAlarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokioAlarm").field("set", &self.set).finish_non_exhaustive()
    }
}
