//! A host whose clock stands still until it is moved, on top of one whose threads are real.
//!
//! The core takes time as an argument, so a worker does not see the difference: its deadlines are due when this clock says so, to the nanosecond,
//! and no sooner or later because a machine is busy.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use countermand::{Alarm, Call, Host, Instant, WouldDeadlock};

/// The clock. A clone is the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock(Arc<Face>);

#[derive(Debug, Default)]
struct Face {
    nanos: AtomicU64,
    /// Who wants to know when it moves, by the number of its alarm.
    waiting: Mutex<Vec<(u64, Waker)>>,
    alarms: AtomicU64,
}

impl Clock {
    /// The time.
    pub(crate) fn now(&self) -> Instant {
        Instant::from_nanos(self.0.nanos.load(Ordering::SeqCst))
    }

    /// Moves it on, and wakes everybody who waits: who is too early waits again.
    pub(crate) fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.0.nanos.fetch_add(by, Ordering::SeqCst);
        let waiting = std::mem::take(&mut *self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        waiting.into_iter().for_each(|(_, waker)| waker.wake());
    }

    fn with(&self, look: impl FnOnce(&mut Vec<(u64, Waker)>)) {
        look(&mut self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// `H`, but for its time.
#[derive(Debug)]
pub(crate) struct Clocked<H> {
    pub(crate) host: H,
    pub(crate) clock: Clock,
}

impl<H: Host> Host for Clocked<H> {
    type Alarm = Bell;

    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn alarm(&self) -> Bell {
        let number = self.clock.0.alarms.fetch_add(1, Ordering::Relaxed);
        Bell { clock: self.clock.clone(), number }
    }

    fn offload(&self, call: Call) -> Result<(), Call> {
        self.host.offload(call)
    }

    fn has_threads(&self) -> bool {
        self.host.has_threads()
    }

    fn block(&self, wait: &mut dyn FnMut()) -> Result<(), WouldDeadlock> {
        self.host.block(wait)
    }
}

/// An alarm on the clock.
#[derive(Debug)]
pub(crate) struct Bell {
    clock: Clock,
    number: u64,
}

impl Bell {
    fn withdraw(&self) {
        self.clock.with(|waiting| waiting.retain(|(number, _)| *number != self.number));
    }
}

impl Alarm for Bell {
    fn poll_at(self: Pin<&mut Self>, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        self.withdraw();
        let waker = cx.waker().clone();
        self.clock.with(|waiting| waiting.push((self.number, waker)));
        // Registered first, looked at then: a move in between is seen.
        if at.is_due(self.clock.now()) {
            self.withdraw();
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.withdraw();
    }
}
