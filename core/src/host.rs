//! What a host lends to the core: the whole seam.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::Instant;

/// What a host lends: the time, an alarm for each driver and, where it has threads, a place to run a blocking closure.
///
/// # For users
///
/// You name a host when you build a worker; you do not call it.
///
/// # For implementers
///
/// - [`now`](Host::now) MUST be monotonic across threads: no reading may be smaller than one that happened before it.
/// - [`alarm`](Host::alarm) is called once for each driver and once for the keeper.
/// - [`offload`](Host::offload) MUST run the call on a thread that may block, or give it back. It MUST NOT run it inline.
/// - [`block`](Host::block) MUST either run `wait` to its end or refuse without having run it; it MUST NOT let a thread
///   block that the drivers need (C3).
pub trait Host: Send + Sync + 'static {
    /// The host's timer, one for each driver.
    type Alarm: Alarm;

    /// The time on the host's monotonic clock.
    fn now(&self) -> Instant;

    /// A new alarm, not set.
    fn alarm(&self) -> Self::Alarm;

    /// Runs a blocking closure elsewhere.
    ///
    /// # Errors
    ///
    /// Gives the call back where the host has no threads, or none any more; the job then settles as cancelled by shutdown.
    #[cfg(feature = "alloc")]
    fn offload(&self, call: Call) -> Result<(), Call> {
        Err(call)
    }

    /// Whether [`offload`](Host::offload) can work at all. Submitting a call to a worker whose host cannot is refused.
    fn has_threads(&self) -> bool {
        false
    }

    /// Lets the calling thread block in `wait`, if that cannot stop the drivers.
    ///
    /// # Errors
    ///
    /// [`WouldDeadlock`] where the calling thread is one that the drivers need in order to go on.
    fn block(&self, wait: &mut dyn FnMut()) -> Result<(), WouldDeadlock> {
        wait();
        Ok(())
    }
}

/// A [`Host`] without its alarm's type, as the worker keeps it.
#[cfg(feature = "alloc")]
pub(crate) trait Lender: Send + Sync {
    fn now(&self) -> Instant;
    fn offload(&self, call: Call) -> Result<(), Call>;
    fn has_threads(&self) -> bool;
    #[cfg(feature = "std")]
    fn block(&self, wait: &mut dyn FnMut()) -> Result<(), WouldDeadlock>;
}

#[cfg(feature = "alloc")]
impl<H: Host> Lender for H {
    fn now(&self) -> Instant {
        Host::now(self)
    }

    fn offload(&self, call: Call) -> Result<(), Call> {
        Host::offload(self, call)
    }

    fn has_threads(&self) -> bool {
        Host::has_threads(self)
    }

    #[cfg(feature = "std")]
    fn block(&self, wait: &mut dyn FnMut()) -> Result<(), WouldDeadlock> {
        Host::block(self, wait)
    }
}

/// A host's timer. It only wakes; whether something is due is decided by the clock.
///
/// # For implementers
///
/// An alarm SHOULD NOT fire late. An early, late or spurious one can cost a turn, never change an outcome.
/// A call with another `at`, or another waker, replaces the last.
pub trait Alarm {
    /// Ready when `at` has come. Else the waker in `cx` is woken at that time.
    fn poll_at(self: Pin<&mut Self>, at: Instant, cx: &mut Context<'_>) -> Poll<()>;
}

/// Blocking here would stop the threads that must go on for the wait to end (C3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "hosts outside this crate answer with it")]
pub struct WouldDeadlock;

impl fmt::Display for WouldDeadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a blocking wait on this thread would stop the driver that must go on for it to end; await the handle instead")
    }
}

impl core::error::Error for WouldDeadlock {}

/// A blocking closure on its way to a thread.
///
/// Running it settles its job, here, and gives its lane back. Dropping it without running it gives the job back to its lane: it then settles as
/// cancelled by shutdown, not started.
#[cfg(feature = "alloc")]
pub struct Call(crate::errand::Errand);

#[cfg(feature = "alloc")]
impl Call {
    pub(crate) fn new(errand: crate::errand::Errand) -> Self {
        Self(errand)
    }

    /// Runs the closure. Does not panic: a panic of the closure is the outcome of its job.
    pub fn run(self) {
        drop(self.run_and_hold());
    }

    /// [`run`](Self::run), but for that the driver is not told yet that its lane is free: that is done by dropping what this gives.
    ///
    /// For a host whose thread may give that driver its turn itself, and so need not wake another one.
    pub fn run_and_hold(self) -> Ended {
        Ended { _back: self.0.run() }
    }
}

/// A [`Call`] that has run, and whose driver has not been told: dropping this tells it. Its job has settled.
#[cfg(feature = "alloc")]
#[must_use = "dropping it wakes the driver"]
pub struct Ended {
    _back: crate::errand::Back,
}

#[cfg(feature = "alloc")]
impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ended").finish_non_exhaustive()
    }
}

#[cfg(feature = "alloc")]
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}
