//! The alarm on the timer queue of embassy's time driver.

use core::pin::Pin;
use core::task::{Context, Poll};

use countermand_core::{Alarm, Instant};

use crate::ticks;

/// An alarm of an [`Embassy`](crate::Embassy).
///
/// # Implementation notes
///
/// The queue keeps one time for each task, the earliest of those that it was given, and forgets it when it has woken the task. So an alarm that is
/// set to a later time may ring at the earlier one once more, which costs a turn; and there is nothing to keep here.
#[derive(Debug)]
pub struct EmbassyAlarm(());

impl EmbassyAlarm {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

impl Alarm for EmbassyAlarm {
    fn poll_at(self: Pin<&mut Self>, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if at.is_due(ticks::now()) {
            return Poll::Ready(());
        }
        // A time that comes in between wakes at once.
        embassy_time_driver::schedule_wake(ticks::first_at(at), cx.waker());
        Poll::Pending
    }
}
