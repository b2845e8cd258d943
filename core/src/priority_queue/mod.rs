//! A bounded queue of four priorities between tasks: many may send, many may receive, and both can wait.
//!
//! ```
//! use countermand_core::Priority;
//! use countermand_core::priority_queue::{SendError, bounded};
//!
//! let (sender, receiver) = bounded(2);
//! sender.try_send("a letter", Priority::Low)?;
//! sender.try_send("fire", Priority::Critical)?;
//! assert_eq!(sender.try_send("a parcel", Priority::Normal), Err(SendError::Full("a parcel")));
//! assert_eq!(receiver.try_recv(), Ok("fire"));
//! # Ok::<(), SendError<&str>>(())
//! ```
//!
//! - Higher priorities go first, and within a priority it is first in, first out (Q2). That is the strict discipline, under which a steady flow of
//!   urgent items starves the others; [`PriorityQueue::discipline`] sets another one (Q3).
//! - What happens when it is full is for each send to say: [`send`](PriorityQueue::send) waits, [`try_send`](PriorityQueue::try_send) gives
//!   the item back, [`force_send`](PriorityQueue::force_send) hands out a less urgent one in its place (Q5).
//! - Those who wait for a place are served in the order of priority, within a priority in that of their arrival (Q9). Places can be
//!   reserved for the higher ones ([`PriorityQueue::reserve`], Q8). Among those who wait for items no order is promised.
//! - It allocates when it grows beyond what it has held before, never for an item. [`PriorityQueue::new`] makes one in place, without a
//!   heap.
//! - A closed queue refuses items and gives away those that it has. [`Sender`]s and [`Receiver`]s close it when the last of either is dropped.
//! - A [`Receiver`] is a [`Stream`](futures_core::Stream); `countermand-futures` makes a sink of a [`Sender`].

#[cfg(feature = "alloc")]
mod ends;
mod error;
mod line;
#[cfg(all(test, countermand_loom))]
mod loom;
#[cfg(feature = "alloc")]
mod many;
mod recv;
mod send;
mod state;
#[cfg(feature = "alloc")]
mod stream;
mod wakes;

use core::{fmt, mem};

#[cfg(feature = "alloc")]
pub use ends::{Receiver, Sender};
pub use error::{RecvError, SendError};
#[cfg(feature = "alloc")]
pub use many::{RecvMany, SendMany};
pub use recv::Recv;
pub use send::Send;
use state::State;
use wakes::{Wakes, wake};

#[cfg(not(countermand_loom))]
use crate::size::Fixed;
#[cfg(feature = "alloc")]
use crate::size::Heap;
use crate::size::Size;
use crate::sync::Latched;
use crate::{Discipline, Priority};

/// A [bounded queue of four priorities](self), to be used by reference: both ends in one.
///
/// [`bounded`] makes one with a sending and a receiving end that can be handed out. Where there is no heap it is a `static`, or lies in whoever owns it:
///
/// ```
/// use countermand_core::priority_queue::PriorityQueue;
/// use countermand_core::{Fixed, Priority};
///
/// static COMMANDS: PriorityQueue<u32, Fixed<8>> = PriorityQueue::new();
/// COMMANDS.try_send(1, Priority::Normal)?;
/// COMMANDS.try_send(2, Priority::High)?;
/// assert_eq!((COMMANDS.try_recv(), COMMANDS.try_recv()), (Ok(2), Ok(1)));
/// # Ok::<(), countermand_core::priority_queue::SendError<u32>>(())
/// ```
///
/// # Implementation notes
///
/// One small lock over a ring for each priority (without a heap, chains through one array) and the lines of those who wait: nothing leaves the queue from its middle, so it needs no
/// [`Shelf`](crate::Shelf). Lock-free rings, one for each priority, were slower: a receiver must look at all
/// of them, and a sender must tell receivers of one thing. A heap is not first in, first out among equals.
///
/// Who waits has a numbered place in a line, not a node in a list through the waiting futures: so futures can be moved,
/// and dropping one is a call like any other. The price is that without a heap only so many can wait as there are places.
///
/// Wakers are cloned, called and dropped when the lock is open (T8); the panic of one is contained, as another is in line behind it (P3).
pub struct PriorityQueue<T, S: Size> {
    state: Latched<State<T, S>>,
}

/// Who stands in a line of waiting senders or receivers, if anybody. Whoever holds it gives it up with `leave_senders` or `leave_receivers`.
type Standing = Option<crate::Key>;

/// Whether flash is dearer than instructions: then there is one way in and one way out, and no shorter ones beside them for what is mostly the case.
const SMALL: bool = cfg!(not(feature = "std"));

/// A queue for at most `capacity` items (and at least one), with an end to send to and an end to receive from.
///
/// ```
/// # use countermand_core::Priority;
/// # use countermand_core::priority_queue::{RecvError, bounded};
/// # use core::pin::pin;
/// # use core::task::{Context, Poll, Waker};
/// let (sender, receiver) = bounded(16);
/// let producer = async move { sender.send(6 * 7, Priority::Normal).await };
/// let consumer = async move { receiver.recv().await };
/// # let mut context = Context::from_waker(Waker::noop());
/// # assert!(producer_polled(producer, &mut context));
/// # fn producer_polled<F: Future>(f: F, cx: &mut Context<'_>) -> bool { pin!(f).poll(cx).is_ready() }
/// # assert_eq!(pin!(consumer).poll(&mut context), Poll::Ready(Ok(42)));
/// ```
#[cfg(feature = "alloc")]
#[must_use]
pub fn bounded<T>(capacity: usize) -> (Sender<T, Heap>, Receiver<T, Heap>) {
    PriorityQueue::bounded(capacity).split()
}

#[cfg(feature = "alloc")]
impl<T> PriorityQueue<T, Heap> {
    /// A queue for at most `capacity` items (and at least one). Allocates nothing yet.
    #[must_use]
    pub fn bounded(capacity: usize) -> Self {
        Self { state: Latched::new(State::growing(capacity.max(1))) }
    }
}

#[cfg(not(countermand_loom))]
impl<T, const N: usize> PriorityQueue<T, Fixed<N>> {
    /// A queue for at most `N` items, on which at most `N` can wait to send and at most `N` to receive.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(N > 0, "a queue has at least one place") }
        Self { state: Latched::new(State::fixed()) }
    }
}

#[cfg(not(countermand_loom))]
impl<T, const N: usize> Default for PriorityQueue<T, Fixed<N>> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, S: Size> PriorityQueue<T, S> {
    /// Serves the priorities by this discipline instead of the strict one. Nothing in the queue is lost. A weight of zero counts as one.
    ///
    /// What is "submitted" and "starts" in the words of [`Discipline::bound`] is sent and received here (Q3).
    #[must_use]
    pub fn discipline(mut self, discipline: Discipline) -> Self {
        self.state.get_mut().set_discipline(discipline);
        self
    }

    /// Keeps so many of the places for `priority` and those above it: what is less urgent never takes them (Q8). More than there are left are all that are left; then
    /// nothing below `priority` ever enters.
    #[must_use]
    pub fn reserve(mut self, priority: Priority, places: usize) -> Self {
        self.state.get_mut().reserve(priority, places);
        self
    }

    /// One end to send to, one to receive from.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn split(self) -> (Sender<T, S>, Receiver<T, S>) {
        ends::split(self)
    }

    /// Puts `item` behind all others of its priority; waits while there is no place for it.
    ///
    /// # Errors
    ///
    /// Gives the item back: [`SendError::Closed`] when the queue is closed; [`SendError::Full`] only without a heap, when as many
    /// wait as can.
    ///
    /// # Cancellation
    ///
    /// Dropping it sends nothing and loses no place: one that it was granted goes to the next in line (Q6). The item is dropped with it;
    /// [`Send::into_item`] takes it back.
    pub const fn send(&self, item: T, priority: Priority) -> Send<'_, T, S> {
        Send::new(self, item, priority)
    }

    /// Puts `item` behind all others of its priority, if there is a place for it now.
    ///
    /// # Errors
    ///
    /// Gives the item back when the queue is full for its priority, or closed.
    pub fn try_send(&self, item: T, priority: Priority) -> Result<(), SendError<T>> {
        let receiver = self.state.with(|state| state.enter(item, priority))?;
        wake(receiver);
        Ok(())
    }

    /// Puts `item` behind all others of its priority. If there is no place for it, the youngest item of the lowest priority that is below its own makes room
    /// (Q5), and also those who wait in line do not go before it.
    ///
    /// # Returns
    ///
    /// The item that made room, if one had to.
    ///
    /// # Errors
    ///
    /// Gives the item back when the queue is full with nothing less urgent in it, or closed.
    pub fn force_send(&self, item: T, priority: Priority) -> Result<Option<T>, SendError<T>> {
        let (evicted, receiver) = self.state.with(|state| state.force(item, priority))?;
        wake(receiver);
        Ok(evicted)
    }

    /// Takes the item whose turn it is; waits while there is none.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] when the queue is closed and empty; [`RecvError::Empty`] only without a heap, when as many wait as can.
    ///
    /// # Cancellation
    ///
    /// Dropping it loses no item: what it was woken for, somebody else is woken for (L6).
    pub const fn recv(&self) -> Recv<'_, T, S> {
        Recv::new(self)
    }

    /// Takes the item whose turn it is, if there is one.
    ///
    /// # Errors
    ///
    /// Says whether there may still be one later.
    pub fn try_recv(&self) -> Result<T, RecvError> {
        let (item, sender) = self.state.with(State::leave)?;
        wake(sender);
        Ok(item)
    }

    /// Sends the front of `items` for as long as there is any, waiting for places where there are none.
    ///
    /// # Errors
    ///
    /// As those of [`send`](Self::send); what was not sent is still in `items`.
    ///
    /// # Cancellation
    ///
    /// As that of `send`; what was not sent is still in `items`.
    #[cfg(feature = "alloc")]
    pub const fn send_many<'a>(
        &'a self,
        items: &'a mut alloc::collections::VecDeque<T>,
        priority: Priority,
    ) -> SendMany<'a, T, S> {
        SendMany::new(self, items, priority)
    }

    /// Appends to `buffer` what is there, `limit` items at the most; waits while there is nothing. A few are taken at once, so what comes meanwhile may be more urgent than the last
    /// of them.
    ///
    /// # Returns
    ///
    /// How many they are: none only if `limit` is 0.
    ///
    /// # Errors
    ///
    /// As those of [`recv`](Self::recv).
    ///
    /// # Cancellation
    ///
    /// As that of `recv`: an item leaves the queue only when it is in the buffer.
    #[cfg(feature = "alloc")]
    pub const fn recv_many<'a>(&'a self, buffer: &'a mut alloc::vec::Vec<T>, limit: usize) -> RecvMany<'a, T, S> {
        RecvMany::new(self, buffer, limit)
    }

    /// Lets nothing in any more, and tells all who wait. What is in the queue can still be received.
    ///
    /// # Returns
    ///
    /// Whether it was open.
    pub fn close(&self) -> bool {
        let mut wakes = Wakes::new();
        let was_open = self.state.with(|state| !mem::replace(&mut state.closed, true));
        // Nobody joins a line from here on.
        loop {
            self.state.with(|state| {
                state.pop_waiting(&mut wakes);
                if mutant!(CloseWakesUnderTheLock) {
                    wakes.wake();
                }
            });
            if wakes.is_empty() {
                return was_open;
            }
            wakes.wake();
        }
    }

    /// Whether it is closed: then nothing enters any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state.with(|state| state.closed)
    }

    /// The number of items in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.with(|state| state.len())
    }

    /// The number of items of `priority` in it.
    #[must_use]
    pub fn len_of(&self, priority: Priority) -> usize {
        self.state.with(|state| state.len_of(priority))
    }

    /// Whether there is no item in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether nothing enters now, of whatever priority, without waiting. Places that are promised to those who wait count as taken.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.state.with(|state| !state.has_room(Priority::Critical))
    }

    /// The greatest number of items.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.state.with(|state| state.capacity())
    }

    /// The number of places that are promised to those who waited and have not come for them yet. A waiting send that is forgotten (`mem::forget`) leaves one
    /// that nobody gets (X5).
    #[must_use]
    pub fn promised(&self) -> usize {
        self.state.with(|state| state.granted())
    }

    /// Drops what is in it, when nobody can receive it any more.
    #[cfg(feature = "alloc")]
    fn clear(&self) {
        while let Some(item) = self.state.with(State::discard) {
            drop(item);
        }
    }
}

impl<T, S: Size> fmt::Debug for PriorityQueue<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (len, capacity, closed) = self.state.with(|state| (state.len(), state.capacity(), state.closed));
        f.debug_struct("PriorityQueue")
            .field("len", &len)
            .field("capacity", &capacity)
            .field("closed", &closed)
            .finish()
    }
}
