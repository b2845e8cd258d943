//! An item on its way into the queue.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::state::State;
use super::wakes::wake;
use super::{PriorityQueue, SMALL, SendError, Standing};
use crate::Priority;
use crate::size::Size;

/// The future of [`PriorityQueue::send`]: ready when the item is in the queue, or comes back.
///
/// # Cancellation
///
/// Dropping it sends nothing and loses no place (Q6). The item is dropped with it.
#[must_use = "nothing is sent until it is awaited"]
pub struct Send<'a, T, S: Size> {
    queue: &'a PriorityQueue<T, S>,
    item: Option<T>,
    priority: Priority,
    standing: Standing,
}

impl<'a, T, S: Size> Send<'a, T, S> {
    pub(super) const fn new(queue: &'a PriorityQueue<T, S>, item: T, priority: Priority) -> Self {
        Self { queue, item: Some(item), priority, standing: None }
    }

    /// Takes the item back instead of sending it. `None` if it has been sent.
    #[must_use]
    pub fn into_item(mut self) -> Option<T> {
        self.item.take()
    }
}

// The item inside is never pinned: nobody polls it.
impl<T, S: Size> Unpin for Send<'_, T, S> {}

impl<T, S: Size> Future for Send<'_, T, S> {
    type Output = Result<(), SendError<T>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.queue.poll_enter(&mut this.standing, &mut this.item, this.priority, cx)
    }
}

impl<T, S: Size> Drop for Send<'_, T, S> {
    fn drop(&mut self) {
        self.queue.leave_senders(&mut self.standing);
    }
}

impl<T, S: Size> fmt::Debug for Send<'_, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Send").field("priority", &self.priority).finish_non_exhaustive()
    }
}

impl<T, S: Size> PriorityQueue<T, S> {
    /// Without an item there is nothing to be done, and it is pending.
    #[inline]
    pub(super) fn poll_enter(
        &self,
        standing: &mut Standing,
        item: &mut Option<T>,
        priority: Priority,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), SendError<T>>> {
        if standing.is_some() || SMALL {
            return self.enter_or_wait(standing, item, priority, None, cx);
        }
        // Mostly there is room.
        let Some(offered) = item.take() else { return Poll::Pending };
        match self.state.with(|state| state.enter(offered, priority)) {
            Ok(receiver) => {
                wake(receiver);
                Poll::Ready(Ok(()))
            }
            Err(SendError::Full(back)) => {
                *item = Some(back);
                self.enter_or_wait(standing, item, priority, Some(cx.waker().clone()), cx)
            }
            Err(closed) => Poll::Ready(Err(closed)),
        }
    }

    #[inline(never)]
    fn enter_or_wait(
        &self,
        standing: &mut Standing,
        item: &mut Option<T>,
        priority: Priority,
        waker: Option<Waker>,
        cx: &Context<'_>,
    ) -> Poll<Result<(), SendError<T>>> {
        self.poll_turn(waker, cx, |state, waker| state.enter_in_turn(standing, item, priority, waker))
            .map(|entered| entered.map(wake))
    }

    /// A sender that stood in line gives up.
    #[inline]
    pub(super) fn leave_senders(&self, standing: &mut Standing) {
        self.leave_line(standing, State::leave_senders);
    }
}
