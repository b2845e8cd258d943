//! A receiver on its way to an item.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::state::State;
use super::wakes::wake;
use super::{PriorityQueue, RecvError, SMALL, Standing};
use crate::size::Size;

/// The future of [`PriorityQueue::recv`]: ready with the item whose turn it is. It can be polled again for the next one.
///
/// # Cancellation
///
/// Dropping it loses no item, and what it was woken for somebody else is woken for (L6).
#[must_use = "nothing is received until it is awaited"]
pub struct Recv<'a, T, S: Size> {
    queue: &'a PriorityQueue<T, S>,
    standing: Standing,
}

impl<'a, T, S: Size> Recv<'a, T, S> {
    pub(super) const fn new(queue: &'a PriorityQueue<T, S>) -> Self {
        Self { queue, standing: None }
    }
}

impl<T, S: Size> Future for Recv<'_, T, S> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.queue.poll_leave(&mut this.standing, cx)
    }
}

impl<T, S: Size> Drop for Recv<'_, T, S> {
    fn drop(&mut self) {
        self.queue.leave_receivers(&mut self.standing);
    }
}

impl<T, S: Size> fmt::Debug for Recv<'_, T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recv").finish_non_exhaustive()
    }
}

impl<T, S: Size> PriorityQueue<T, S> {
    #[inline]
    pub(super) fn poll_leave(&self, standing: &mut Standing, cx: &mut Context<'_>) -> Poll<Result<T, RecvError>> {
        if standing.is_some() || SMALL {
            return self.leave_or_wait(standing, None, cx);
        }
        // Mostly there is something.
        match self.state.with(State::leave) {
            Ok((item, sender)) => {
                wake(sender);
                Poll::Ready(Ok(item))
            }
            Err(RecvError::Closed) => Poll::Ready(Err(RecvError::Closed)),
            Err(RecvError::Empty) => self.leave_or_wait(standing, Some(cx.waker().clone()), cx),
        }
    }

    #[inline(never)]
    fn leave_or_wait(
        &self,
        standing: &mut Standing,
        waker: Option<Waker>,
        cx: &Context<'_>,
    ) -> Poll<Result<T, RecvError>> {
        let left = self.poll_turn(waker, cx, |state, waker| state.leave_in_turn(standing, waker));
        left.map(|left| {
            left.map(|(item, sender)| {
                wake(sender);
                item
            })
        })
    }

    /// A receiver that stood in line gives up.
    #[inline]
    pub(super) fn leave_receivers(&self, standing: &mut Standing) {
        self.leave_line(standing, State::leave_receivers);
    }
}
