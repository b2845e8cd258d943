//! Many items on their way, a handful at each turn of the lock.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::wakes::{HANDFUL, Wakes};
use super::{PriorityQueue, RecvError, SendError, Standing};
use crate::Priority;
use crate::size::Size;

/// The future of [`PriorityQueue::send_many`]: ready when all items are in the queue, or when they cannot be.
///
/// # Cancellation
///
/// Dropping it loses no place; what was not sent is still with its owner (Q6).
#[must_use = "nothing is sent until it is awaited"]
pub struct SendMany<'a, T, S: Size> {
    queue: &'a PriorityQueue<T, S>,
    items: &'a mut VecDeque<T>,
    priority: Priority,
    standing: Standing,
}

impl<'a, T, S: Size> SendMany<'a, T, S> {
    pub(super) const fn new(queue: &'a PriorityQueue<T, S>, items: &'a mut VecDeque<T>, priority: Priority) -> Self {
        Self { queue, items, priority, standing: None }
    }
}

impl<T, S: Size> Future for SendMany<'_, T, S> {
    type Output = Result<(), SendError<()>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let mut wakes = Wakes::new();
        while !this.items.is_empty() {
            if this.standing.is_none() {
                let (items, priority) = (&mut *this.items, this.priority);
                let sent = this.queue.state.with(|state| state.enter_some(items, priority, &mut wakes));
                wakes.wake();
                if sent > 0 {
                    continue;
                }
            }
            // The next one as any other: it waits in line, and comes for its place.
            let mut item = this.items.pop_front();
            let entered = this.queue.poll_enter(&mut this.standing, &mut item, this.priority, cx);
            if let Some(item) = item {
                this.items.push_front(item);
            }
            match entered {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(back)) => {
                    let closed = back.is_closed();
                    this.items.push_front(back.into_item());
                    return Poll::Ready(Err(if closed { SendError::Closed(()) } else { SendError::Full(()) }));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<T, S: Size> Drop for SendMany<'_, T, S> {
    fn drop(&mut self) {
        self.queue.leave_senders(&mut self.standing);
    }
}

impl<T, S: Size> fmt::Debug for SendMany<'_, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendMany")
            .field("priority", &self.priority)
            .field("left", &self.items.len())
            .finish_non_exhaustive()
    }
}

/// The future of [`PriorityQueue::recv_many`]: ready when something was appended, with how much.
///
/// # Cancellation
///
/// Dropping it loses no item, and what it was woken for somebody else is woken for (L6).
#[must_use = "nothing is received until it is awaited"]
pub struct RecvMany<'a, T, S: Size> {
    queue: &'a PriorityQueue<T, S>,
    buffer: &'a mut Vec<T>,
    limit: usize,
    standing: Standing,
}

impl<'a, T, S: Size> RecvMany<'a, T, S> {
    pub(super) const fn new(queue: &'a PriorityQueue<T, S>, buffer: &'a mut Vec<T>, limit: usize) -> Self {
        Self { queue, buffer, limit, standing: None }
    }
}

impl<T, S: Size> Future for RecvMany<'_, T, S> {
    type Output = Result<usize, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if this.limit == 0 {
            return Poll::Ready(Ok(0));
        }
        // Grown outside of the lock, and before anything is taken out.
        this.buffer.reserve(this.limit.min(HANDFUL));
        // The first one as any other: it is waited for in line.
        match this.queue.poll_leave(&mut this.standing, cx) {
            Poll::Ready(Ok(first)) => this.buffer.push(first),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
        let mut wakes = Wakes::new();
        let mut count = 1;
        while count < this.limit {
            let some = (this.limit - count).min(HANDFUL);
            this.buffer.reserve(some);
            let buffer = &mut *this.buffer;
            let taken = this.queue.state.with(|state| state.leave_some(some, &mut wakes, |item| buffer.push(item)));
            wakes.wake();
            if taken == 0 {
                break;
            }
            count += taken;
        }
        Poll::Ready(Ok(count))
    }
}

impl<T, S: Size> Drop for RecvMany<'_, T, S> {
    fn drop(&mut self) {
        self.queue.leave_receivers(&mut self.standing);
    }
}

impl<T, S: Size> fmt::Debug for RecvMany<'_, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvMany").field("limit", &self.limit).finish_non_exhaustive()
    }
}
