//! A receiver on its way to an item.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::state::Turn;
use super::wakes::{let_go, wake};
use super::{PriorityQueue, RecvError, Standing};
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
        let mut waker = None;
        loop {
            let turn = self.state.with(|state| state.leave_in_turn(standing, &mut waker));
            if let Turn::Bring = turn {
                waker = Some(cx.waker().clone());
                continue;
            }
            let_go(waker);
            return match turn {
                Turn::Now(left) => Poll::Ready(left.map(|(item, sender)| {
                    wake(sender);
                    item
                })),
                Turn::Waiting | Turn::Bring => Poll::Pending,
            };
        }
    }

    /// A receiver that stood in line gives up.
    pub(super) fn leave_receivers(&self, standing: &mut Standing) {
        if standing.is_some() {
            let (own, next) = self.state.with(|state| state.leave_receivers(standing));
            wake(next);
            let_go(own);
        }
    }
}
