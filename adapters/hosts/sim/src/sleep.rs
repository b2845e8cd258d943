//! Waiting on the virtual clock.

use std::pin::Pin;
use std::task::{Context, Poll};

use countermand_core::{Alarm, Instant};

use crate::alarm::SimAlarm;

/// The future of [`Sim::sleep`](crate::Sim::sleep) and [`Sim::sleep_until`](crate::Sim::sleep_until).
///
/// # Cancellation
///
/// Dropping it clears its alarm.
#[derive(Debug)]
#[must_use = "futures do nothing unless they are awaited"]
pub struct Sleep {
    alarm: SimAlarm,
    /// `None`: so late that the clock will never show it (D8).
    until: Option<Instant>,
}

impl Sleep {
    pub(crate) const fn new(alarm: SimAlarm, until: Option<Instant>) -> Self {
        Self { alarm, until }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.until {
            Some(at) => Pin::new(&mut self.alarm).poll_at(at, cx),
            None => Poll::Pending,
        }
    }
}

/// The future of [`Sim::yield_now`](crate::Sim::yield_now).
#[derive(Debug, Default)]
#[must_use = "futures do nothing unless they are awaited"]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
