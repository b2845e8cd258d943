//! Blocking waits for callers without a runtime: on any thread, on every host (J12), and refused where they would deadlock (C3).

use crate::sync::Arc;
use alloc::task::Wake;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::thread::{self, Thread};

use crate::job::head::Desk;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::turn::{InStep, InTurn};
use crate::{Handle, Outcome, WouldDeadlock};

/// Unparks a thread, once for each time it was woken.
struct Unpark {
    thread: Thread,
    rung: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        if !mutant!(WaitingThreadIsNotWoken) {
            self.thread.unpark();
        }
    }
}

/// Waits for `future` on this thread, for at most `limit` by the host's clock. `None`: the time is out.
pub(crate) fn block_on<F: Future>(
    desk: &dyn Desk,
    mut future: Pin<&mut F>,
    limit: Option<Duration>,
) -> Result<Option<F::Output>, WouldDeadlock> {
    if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        return Ok(Some(value));
    }
    let in_poll = InTurn::current().is_some_and(|current| current.in_poll);
    if (in_poll || InStep::is_of(desk.address())) && !mutant!(BlocksInsideOfADriver) {
        return Err(WouldDeadlock);
    }
    let until = limit.and_then(|limit| desk.now().checked_add(limit)); // D8
    let unpark = Arc::new(Unpark { thread: thread::current(), rung: AtomicBool::new(true) });
    let waker = Waker::from(unpark.clone());
    let mut value = None;
    let mut looked = false;
    desk.block(&mut || {
        loop {
            if unpark.rung.swap(false, Ordering::Acquire) {
                if let Poll::Ready(ready) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                    value = Some(ready);
                    return;
                }
            }
            if !core::mem::replace(&mut looked, true) && is_rung_soon(&unpark.rung) {
                continue;
            }
            match until.map(|until| until.saturating_since(desk.now())) {
                None => thread::park(),
                Some(Duration::ZERO) => return,
                Some(left) => thread::park_timeout(left),
            }
        }
    })?;
    Ok(value)
}

/// Looks for a while whether the thread is rung, before it sleeps for the first time. A model checker would try every order of looks.
fn is_rung_soon(rung: &AtomicBool) -> bool {
    #[cfg(not(any(countermand_loom, countermand_shuttle)))]
    {
        static SPIN: crate::Spin = crate::Spin::new();
        SPIN.until(|| rung.load(Ordering::Relaxed))
    }
    #[cfg(any(countermand_loom, countermand_shuttle))]
    rung.load(Ordering::Relaxed)
}

/// A wait that brought no outcome. The handle is in it; nothing is lost.
#[non_exhaustive]
pub struct WaitError<H> {
    /// The handle, to wait for again.
    pub handle: H,
    /// Why there is no outcome.
    pub reason: WaitReason,
}

/// Why a wait brought no outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitReason {
    /// The limit of the wait has passed. The job goes on.
    TimedOut,
    /// Blocking here would stop the driver that must go on (C3).
    WouldDeadlock,
}

impl<H> fmt::Debug for WaitError<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitError").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<H> fmt::Display for WaitError<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            WaitReason::TimedOut => f.write_str("the job has not settled within the limit of the wait"),
            WaitReason::WouldDeadlock => WouldDeadlock.fmt(f),
        }
    }
}

impl<H> core::error::Error for WaitError<H> {}

impl<T, E> Handle<T, E> {
    /// Blocks this thread until the outcome is there (J12).
    ///
    /// # Errors
    ///
    /// [`WaitReason::WouldDeadlock`] in a job's poll, in a callback or destructor that a driver or the keeper of the job's worker runs,
    /// and on threads of the host that its drivers need (C3). The handle is in the error.
    pub fn wait(self) -> Result<Outcome<T, E>, WaitError<Self>> {
        self.wait_within(None)
    }

    /// [`wait`](Self::wait) for at most `limit`, by the host's clock. A limit beyond the clock is none (D8).
    ///
    /// # Errors
    ///
    /// As for [`wait`](Self::wait), and [`WaitReason::TimedOut`].
    pub fn wait_timeout(self, limit: Duration) -> Result<Outcome<T, E>, WaitError<Self>> {
        self.wait_within(Some(limit))
    }

    fn wait_within(mut self, limit: Option<Duration>) -> Result<Outcome<T, E>, WaitError<Self>> {
        let job = self.job.clone();
        match block_on(&**job.desk, Pin::new(&mut self), limit) {
            Ok(Some(outcome)) => Ok(outcome),
            Ok(None) => Err(WaitError { handle: self, reason: WaitReason::TimedOut }),
            Err(_) => Err(WaitError { handle: self, reason: WaitReason::WouldDeadlock }),
        }
    }
}
