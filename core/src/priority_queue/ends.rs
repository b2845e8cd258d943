//! The ends of a queue that can be handed out: it is closed when there are no senders any more, or no receivers.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;
use core::task::{Context, Poll};

use super::{PriorityQueue, Recv, RecvError, RecvMany, Send, SendError, SendMany, Standing};
use crate::Priority;
use crate::size::{Heap, Size};
use crate::sync::Arc;
use crate::sync::atomic::{AtomicUsize, Ordering};

struct Shared<T, S: Size> {
    queue: PriorityQueue<T, S>,
    senders: AtomicUsize,
    receivers: AtomicUsize,
}

pub(super) fn split<T, S: Size>(queue: PriorityQueue<T, S>) -> (Sender<T, S>, Receiver<T, S>) {
    let shared = Arc::new(Shared { queue, senders: AtomicUsize::new(1), receivers: AtomicUsize::new(1) });
    let sender = Sender { shared: shared.clone(), standing: None, priority: Priority::Normal };
    (sender, Receiver { shared, standing: None })
}

/// The end of a [priority queue](super) that items are sent to. A clone is another sender to the same queue; when the last one is dropped the queue is closed.
pub struct Sender<T, S: Size = Heap> {
    shared: Arc<Shared<T, S>>,
    /// Of [`poll_send`](Self::poll_send).
    standing: Standing,
    priority: Priority,
}

/// The end of a [priority queue](super) that items are received from. A clone is another receiver from the same queue: each item goes to one of them. When
/// the last one is dropped the queue is closed, and what is in it is dropped.
pub struct Receiver<T, S: Size = Heap> {
    shared: Arc<Shared<T, S>>,
    /// Of [`poll_recv`](Self::poll_recv).
    standing: Standing,
}

/// What both ends can be asked.
macro_rules! both_ends {
    ($end:ident) => {
        impl<T, S: Size> $end<T, S> {
            /// Lets nothing in any more, and tells all who wait. What is in the queue can still be received.
            ///
            /// # Returns
            ///
            /// Whether it was open.
            pub fn close(&self) -> bool {
                self.shared.queue.close()
            }

            /// Whether the queue is closed.
            #[must_use]
            pub fn is_closed(&self) -> bool {
                self.shared.queue.is_closed()
            }

            /// The number of items in the queue.
            #[must_use]
            pub fn len(&self) -> usize {
                self.shared.queue.len()
            }

            /// The number of items of `priority` in the queue.
            #[must_use]
            pub fn len_of(&self, priority: Priority) -> usize {
                self.shared.queue.len_of(priority)
            }

            /// Whether there is no item in the queue.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.shared.queue.is_empty()
            }

            /// Whether nothing enters now, of whatever priority, without waiting.
            #[must_use]
            pub fn is_full(&self) -> bool {
                self.shared.queue.is_full()
            }

            /// The greatest number of items.
            #[must_use]
            pub fn capacity(&self) -> usize {
                self.shared.queue.capacity()
            }

            /// The number of places that are promised to those who waited: see [`PriorityQueue::promised`].
            #[must_use]
            pub fn promised(&self) -> usize {
                self.shared.queue.promised()
            }
        }

        impl<T, S: Size> fmt::Debug for $end<T, S> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($end)).field(&self.shared.queue).finish()
            }
        }
    };
}

both_ends!(Sender);
both_ends!(Receiver);

impl<T, S: Size> Sender<T, S> {
    /// Puts `item` behind all others of its priority; waits while there is no place for it.
    ///
    /// # Errors
    ///
    /// Gives the item back: see [`PriorityQueue::send`].
    ///
    /// # Cancellation
    ///
    /// Dropping it sends nothing and loses no place (Q6). The item is dropped with it; [`Send::into_item`] takes it back.
    #[inline]
    pub fn send(&self, item: T, priority: Priority) -> Send<'_, T, S> {
        self.shared.queue.send(item, priority)
    }

    /// Puts `item` behind all others of its priority, if there is a place for it now.
    ///
    /// # Errors
    ///
    /// Gives the item back when the queue is full for its priority, or closed.
    pub fn try_send(&self, item: T, priority: Priority) -> Result<(), SendError<T>> {
        self.shared.queue.try_send(item, priority)
    }

    /// As [`try_send`](Self::try_send); where there is no place, the youngest item of the lowest priority below its own makes room, and is
    /// returned: see [`PriorityQueue::force_send`].
    ///
    /// # Errors
    ///
    /// Gives the item back when the queue is full with nothing less urgent in it, or closed.
    pub fn force_send(&self, item: T, priority: Priority) -> Result<Option<T>, SendError<T>> {
        self.shared.queue.force_send(item, priority)
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
    pub fn send_many<'a>(&'a self, items: &'a mut VecDeque<T>, priority: Priority) -> SendMany<'a, T, S> {
        self.shared.queue.send_many(items, priority)
    }

    /// For futures of one's own: as polling a [`send`](Self::send). Afterwards `item` is empty, unless it is pending.
    ///
    /// Between two polls of an item this sender stands in line for it. [`abandon_send`](Self::abandon_send), or dropping the sender, gives that up; an
    /// item of another priority gives it up for a new place in line.
    ///
    /// # Errors
    ///
    /// As those of `send`.
    pub fn poll_send(
        &mut self,
        item: &mut Option<T>,
        priority: Priority,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<T>>> {
        if self.priority != priority {
            self.abandon_send();
            self.priority = priority;
        }
        self.shared.queue.poll_enter(&mut self.standing, item, priority, cx)
    }

    /// Gives up the place in line that a pending [`poll_send`](Self::poll_send) left, or the place in the queue that it was granted.
    pub fn abandon_send(&mut self) {
        self.shared.queue.leave_senders(&mut self.standing);
    }
}

impl<T, S: Size> Receiver<T, S> {
    /// Takes the item whose turn it is; waits while there is none.
    ///
    /// # Errors
    ///
    /// That the queue is closed and empty: see [`PriorityQueue::recv`].
    ///
    /// # Cancellation
    ///
    /// Dropping it loses no item: what it was woken for, somebody else is woken for (L6).
    #[inline]
    pub fn recv(&self) -> Recv<'_, T, S> {
        self.shared.queue.recv()
    }

    /// Takes the item whose turn it is, if there is one.
    ///
    /// # Errors
    ///
    /// Says whether there may still be one later.
    pub fn try_recv(&self) -> Result<T, RecvError> {
        self.shared.queue.try_recv()
    }

    /// Appends to `buffer` what is there, `limit` items at the most; waits while there is nothing: see [`PriorityQueue::recv_many`].
    ///
    /// # Errors
    ///
    /// As those of [`recv`](Self::recv).
    ///
    /// # Cancellation
    ///
    /// As that of `recv`: an item leaves the queue only when it is in the buffer.
    pub fn recv_many<'a>(&'a self, buffer: &'a mut Vec<T>, limit: usize) -> RecvMany<'a, T, S> {
        self.shared.queue.recv_many(buffer, limit)
    }

    /// For futures and streams of one's own: as polling a [`recv`](Self::recv). Between two polls this receiver stands in line;
    /// [`abandon_recv`](Self::abandon_recv), or dropping the receiver, gives that up.
    ///
    /// # Errors
    ///
    /// As those of `recv`.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        self.shared.queue.poll_leave(&mut self.standing, cx)
    }

    /// Gives up the place in line that a pending [`poll_recv`](Self::poll_recv) left; what it was woken for somebody else is woken for (L6).
    pub fn abandon_recv(&mut self) {
        self.shared.queue.leave_receivers(&mut self.standing);
    }
}

impl<T, S: Size> Clone for Sender<T, S> {
    fn clone(&self) -> Self {
        self.shared.senders.fetch_add(1, Ordering::Relaxed);
        Self { shared: self.shared.clone(), standing: None, priority: Priority::Normal }
    }
}

impl<T, S: Size> Clone for Receiver<T, S> {
    fn clone(&self) -> Self {
        self.shared.receivers.fetch_add(1, Ordering::Relaxed);
        Self { shared: self.shared.clone(), standing: None }
    }
}

impl<T, S: Size> Drop for Sender<T, S> {
    fn drop(&mut self) {
        self.abandon_send();
        if self.shared.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.queue.close();
        }
    }
}

impl<T, S: Size> Drop for Receiver<T, S> {
    fn drop(&mut self) {
        self.abandon_recv();
        if self.shared.receivers.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.queue.close();
            self.shared.queue.clear();
        }
    }
}
