//! A sender of the queue between tasks as a sink.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use countermand_core::priority_queue::{SendError, Sender};
use countermand_core::{Heap, Priority, Size};
use futures_sink::Sink;

/// Sends what it is fed to a queue, as urgent as the sink, or each item, is.
///
/// ```
/// use countermand_core::Priority;
/// use countermand_core::priority_queue::bounded;
/// use countermand_futures::SenderSink;
/// use futures::{FutureExt as _, SinkExt as _, executor::block_on};
///
/// let (sender, receiver) = bounded(1);
/// let mut sink = SenderSink::new(sender, Priority::Normal);
/// block_on(sink.send("first"))?;
/// assert!(sink.send("second").now_or_never().is_none()); // no place, and given up at once
/// assert_eq!((receiver.try_recv(), sink.held()), (Ok("first"), Some(&"second")));
/// block_on(sink.flush())?; // it was not lost
/// assert_eq!(receiver.try_recv(), Ok("second"));
/// # Ok::<(), countermand_core::priority_queue::SendError<&str>>(())
/// ```
///
/// - An item that has no place is *held* by the sink, one at the most, and has its place in line (Q9). The sink is ready for the next one when that has gone in, so a less
///   urgent one that is held keeps a more urgent one waiting: give each urgency a sink of its own where that matters.
/// - Every error has the item in it: the one that was fed or, of a flush, the one that was held. So a sink whose queue is closed is ready, and says no to the item.
/// - Closing it sends what is held, and ends this sender alone: the queue is closed with the last one.
///
/// # Cancellation
///
/// `feed` and `send` own the item until the sink is ready for it: dropped before, they drop it, and what the sink holds is still in line. Afterwards the sink owns it:
/// dropping the future of a `send`, `flush` or `close` loses neither the item nor its place in line. [`take`](Self::take) has it back. Dropping the sink
/// drops what it holds; a place that it was granted goes to the next in line (Q6).
pub struct SenderSink<T, S: Size = Heap> {
    /// Until the sink is closed.
    sender: Option<Sender<T, S>>,
    urgency: Urgency<T>,
    held: Option<T>,
    /// That of the item that is held.
    priority: Priority,
}

enum Urgency<T> {
    Always(Priority),
    OfEach(fn(&T) -> Priority),
}

impl<T> Clone for Urgency<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Urgency<T> {}

impl<T, S: Size> SenderSink<T, S> {
    /// A sink for items that are all of `priority`.
    #[must_use]
    pub const fn new(sender: Sender<T, S>, priority: Priority) -> Self {
        Self { sender: Some(sender), urgency: Urgency::Always(priority), held: None, priority }
    }

    /// A sink for items that say how urgent they are.
    #[must_use]
    pub const fn by(sender: Sender<T, S>, priority: fn(&T) -> Priority) -> Self {
        Self { sender: Some(sender), urgency: Urgency::OfEach(priority), held: None, priority: Priority::Normal }
    }

    /// The item that waits for its place, if one does.
    #[must_use]
    pub const fn held(&self) -> Option<&T> {
        self.held.as_ref()
    }

    /// Takes back the item that waits for its place; a place that it was granted goes to the next in line.
    #[must_use = "the item is not sent any more"]
    pub fn take(&mut self) -> Option<T> {
        if let Some(sender) = &mut self.sender {
            sender.abandon_send();
        }
        self.held.take()
    }

    /// The sender, to ask how full the queue is or to send past what is held. `None` once the sink is closed.
    #[must_use]
    pub const fn sender(&self) -> Option<&Sender<T, S>> {
        self.sender.as_ref()
    }

    fn poll_held(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), SendError<T>>> {
        match (&mut self.sender, &self.held) {
            (Some(sender), Some(_)) => sender.poll_send(&mut self.held, self.priority, cx),
            _ => Poll::Ready(Ok(())),
        }
    }
}

// The item that is held is never pinned: nobody polls it.
impl<T, S: Size> Unpin for SenderSink<T, S> {}

impl<T, S: Size> Sink<T> for SenderSink<T, S> {
    type Error = SendError<T>;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.get_mut().poll_held(cx)
    }

    fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), Self::Error> {
        let this = self.get_mut();
        let Some(sender) = &this.sender else { return Err(SendError::Closed(item)) };
        if this.held.is_some() {
            return Err(SendError::Full(item)); // it was not ready
        }
        this.priority = match this.urgency {
            Urgency::Always(priority) => priority,
            Urgency::OfEach(priority) => priority(&item),
        };
        match sender.try_send(item, this.priority) {
            Err(SendError::Full(item)) => {
                this.held = Some(item);
                Ok(())
            }
            sent => sent,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.get_mut().poll_held(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        let this = self.get_mut();
        let sent = ready!(this.poll_held(cx));
        this.sender = None;
        Poll::Ready(sent)
    }
}

/// Another sink to the same queue, which holds nothing.
impl<T, S: Size> Clone for SenderSink<T, S> {
    fn clone(&self) -> Self {
        Self { sender: self.sender.clone(), urgency: self.urgency, held: None, priority: self.priority }
    }
}

impl<T, S: Size> fmt::Debug for SenderSink<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SenderSink")
            .field("sender", &self.sender)
            .field("holds", &self.held.is_some())
            .finish_non_exhaustive()
    }
}
