//! A gate that opens once: tasks await it, threads block at it.

use std::future::Future;
use std::pin::Pin;
use std::prelude::v1::*;
#[cfg(feature = "std")]
use std::sync::OnceLock;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
#[cfg(feature = "std")]
use std::time::Duration;

#[cfg(feature = "std")]
use crate::patience::{Patience, STALL};

/// How the host at hand lets a thread block, and for how long it may; there is one host a process.
#[cfg(feature = "std")]
static BLOCKED: OnceLock<(Blocked, Duration)> = OnceLock::new();

/// Lets the thread that calls it block in a closure.
#[cfg(feature = "std")]
type Blocked = fn(&mut dyn FnMut());

/// How long a thread blocks at a gate at the least, before it counts as left behind.
#[cfg(feature = "std")]
const LONGEST: Duration = Duration::from_secs(30);

/// From now on threads block at gates through `blocked`, for as long as a rule may last that waits so `patiently`.
#[cfg(feature = "std")]
pub(crate) fn block_through(blocked: Blocked, patiently: Duration) {
    // A second rule in one process would be of the same host.
    let _ = BLOCKED.set((blocked, LONGEST.max(patiently * 3)));
}

/// Lets this thread block in `wait`, as the host at hand wants it.
#[cfg(feature = "std")]
pub(crate) fn blocking(wait: &mut dyn FnMut()) {
    match BLOCKED.get() {
        Some((blocked, _)) => blocked(wait),
        None => wait(),
    }
}

/// Opens once and stays open. Clones are the same gate. That is how a rule forces an order instead of hoping for it.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Hinge>);

#[derive(Debug, Default)]
struct Hinge {
    leaf: Mutex<Leaf>,
    opened: Condvar,
}

#[derive(Debug, Default)]
struct Leaf {
    open: bool,
    waiting: Vec<Waker>,
}

impl Gate {
    /// A closed one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens it, and wakes all who wait. Opening again does nothing.
    pub fn open(&self) {
        let waiting = {
            let mut leaf = self.leaf();
            leaf.open = true;
            std::mem::take(&mut leaf.waiting)
        };
        self.0.opened.notify_all();
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.leaf().open
    }

    /// How many tasks wait, as far as they said (a dropped one still counts).
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.leaf().waiting.len()
    }

    /// Ready when the gate is open.
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves the gate as it is.
    pub fn wait(&self) -> Pass {
        Pass(self.clone())
    }

    /// Blocks the thread until the gate is open.
    ///
    /// # Panics
    ///
    /// After thirty seconds or more, so that a rule which fails does not leave threads behind.
    #[cfg(feature = "std")]
    pub fn wait_blocking(&self) {
        let longest = BLOCKED.get().map_or(LONGEST, |(_, longest)| *longest);
        let mut opened = false;
        blocking(&mut || {
            let mut patience = Patience::new(longest);
            let mut leaf = self.leaf();
            while !leaf.open && !patience.is_over() {
                let waited = self.0.opened.wait_timeout(leaf, STALL);
                leaf = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            opened = leaf.open;
        });
        assert!(opened, "nobody opened the gate in {longest:?}");
    }

    /// Sees that the gate is open: on the only thread nobody else would open it.
    ///
    /// # Panics
    ///
    /// If it is not.
    #[cfg(not(feature = "std"))]
    pub fn wait_blocking(&self) {
        assert!(self.is_open(), "the only thread would block at a gate");
    }

    fn leaf(&self) -> MutexGuard<'_, Leaf> {
        self.0.leaf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The future of [`Gate::wait`].
#[derive(Debug)]
#[must_use = "a future does nothing until it is polled"]
pub struct Pass(Gate);

impl Future for Pass {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let mut leaf = self.0.leaf();
        if leaf.open {
            return Poll::Ready(());
        }
        if !leaf.waiting.iter().any(|known| known.will_wake(&waker)) {
            leaf.waiting.push(waker);
        }
        Poll::Pending
    }
}
