//! A gate that opens once, for tasks and for calls.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::sim::Sim;
use crate::world::wake_all;

/// A gate that is shut until it is opened, and open from then on. All clones are the same gate.
///
/// Tasks await [`wait`](Self::wait), calls use [`wait_blocking`](Self::wait_blocking). With gates between them, tasks and calls meet
/// in the order that the seed decides and in no other, so runs with blocking closures replay as well.
///
/// ```
/// use countermand_sim::{Gate, Sim};
/// let sim = Sim::new(1);
/// let gate = Gate::new();
/// let call = sim.spawn_call({ let gate = gate.clone(); move || { gate.wait_blocking(); "through" } });
/// let text = sim.block_on(async { gate.open(); call.await });
/// assert_eq!(text, Ok("through"));
/// ```
#[derive(Clone, Default)]
pub struct Gate(Arc<Mutex<Leaf>>);

#[derive(Default)]
struct Leaf {
    open: bool,
    next: u64,
    waiting: Vec<(u64, Waker)>,
}

impl Gate {
    /// A gate that is shut.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens it and wakes all who wait. Opening it again does nothing.
    pub fn open(&self) {
        let waiting = {
            let mut leaf = self.leaf();
            leaf.open = true;
            std::mem::take(&mut leaf.waiting)
        };
        wake_all(waiting.into_iter().map(|(_, waker)| waker).collect());
    }

    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.leaf().open
    }

    /// How many wait at it.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.leaf().waiting.len()
    }

    /// Waits, in a task, until it is open.
    pub fn wait(&self) -> GateWait {
        GateWait { gate: self.clone(), ticket: None }
    }

    /// Waits, in a call of a sim, until it is open; others have their turns meanwhile.
    ///
    /// # Panics
    ///
    /// On a thread that runs no call of a sim, if the gate is shut: a task must not block.
    pub fn wait_blocking(&self) {
        if self.is_open() {
            return;
        }
        let Some(sim) = Sim::current() else {
            panic!("only a call of a sim can block at a gate; await `Gate::wait` instead")
        };
        sim.block_on(self.wait());
    }

    fn leaf(&self) -> MutexGuard<'_, Leaf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("open", &self.is_open()).field("waiting", &self.waiting()).finish()
    }
}

/// The future of [`Gate::wait`].
///
/// # Cancellation
///
/// Dropping it withdraws it from the gate.
#[derive(Debug)]
#[must_use = "futures do nothing unless they are awaited"]
pub struct GateWait {
    gate: Gate,
    ticket: Option<u64>,
}

impl Future for GateWait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let waker = cx.waker().clone();
        let this = &mut *self;
        let mut leaf = this.gate.leaf();
        if leaf.open {
            drop(leaf);
            return Poll::Ready(());
        }
        let ticket = *this.ticket.get_or_insert_with(|| {
            leaf.next += 1;
            leaf.next
        });
        let old = match leaf.waiting.iter_mut().find(|(holder, _)| *holder == ticket) {
            Some((_, kept)) => Some(std::mem::replace(kept, waker)),
            None => {
                leaf.waiting.push((ticket, waker));
                None
            }
        };
        drop(leaf);
        drop(old);
        Poll::Pending
    }
}

impl Drop for GateWait {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let left = {
            let mut leaf = self.gate.leaf();
            let place = leaf.waiting.iter().position(|(holder, _)| *holder == ticket);
            place.map(|place| leaf.waiting.remove(place))
        };
        drop(left);
    }
}
