//! A receiver as the stream of what is left to receive.

use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::{FusedStream, Stream};

use super::Receiver;
use crate::size::Heap;

/// The items as their turn comes, and the end when the queue is closed and empty. A clone is another stream from the same queue: each item is in one of them.
///
/// A place in line for which there may be no room, as without a heap, would be an error in the midst: [`recv`](Receiver::recv) can tell it, a stream cannot. So the receivers
/// of a [`Fixed`](crate::Fixed) queue are none.
///
/// # Cancellation
///
/// Dropping the future of the next item, or taking it up again later, loses none. Between two polls the receiver stands in line: what it is woken for waits until
/// it is polled again, or goes to somebody else when it is dropped or [gives that up](Receiver::abandon_recv) (L6).
impl<T> Stream for Receiver<T, Heap> {
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        // The one error with a heap is that there will be none any more.
        self.get_mut().poll_recv(cx).map(Result::ok)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // Others receive too. What is in a closed queue is all that there will be.
        (0, self.is_closed().then(|| self.len()))
    }
}

impl<T> FusedStream for Receiver<T, Heap> {
    fn is_terminated(&self) -> bool {
        // In this order: a closed queue grows no more.
        self.is_closed() && self.is_empty()
    }
}
