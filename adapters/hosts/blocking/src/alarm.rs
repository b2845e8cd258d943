//! The alarm of a thread that sleeps.

use std::pin::Pin;
use std::task::{Context, Poll};

use countermand_core::{Alarm, Instant};

use crate::role;

/// An alarm of a [`Blocking`](crate::Blocking): it is the time-out with which the driver's thread goes to sleep, and costs nothing to set.
///
/// It has a thread to wake only on those that [`Blocking::launch`](crate::Blocking::launch) starts. Polled elsewhere it wakes at once, which is
/// correct and a waste.
#[derive(Debug)]
pub struct BlockingAlarm(());

impl BlockingAlarm {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl Alarm for BlockingAlarm {
    fn poll_at(self: Pin<&mut Self>, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if at <= Instant::from_std(std::time::Instant::now()) {
            return Poll::Ready(());
        }
        if !role::wake_at(at) {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}
