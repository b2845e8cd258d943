//! This room runs a future until a token is cancelled.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::{Cancelled, Token};
use crate::Cause;

pin_project_lite::pin_project! {
    /// Runs a future until its token is cancelled. Made by [`Token::run_until_cancelled`].
    ///
    /// # Cancellation
    ///
    /// Dropping it drops the future, and cancels nothing.
    #[must_use = "futures do nothing unless polled"]
    pub struct RunUntilCancelled<'a, F> {
        #[pin]
        future: Option<F>,
        #[pin]
        cancelled: Cancelled<'a>,
        token: &'a Token,
        started: bool,
    }
}

impl<'a, F> RunUntilCancelled<'a, F> {
    pub(super) fn new(token: &'a Token, future: F) -> Self {
        Self { future: Some(future), cancelled: token.cancelled(), token, started: false }
    }
}

impl<F: Future> Future for RunUntilCancelled<'_, F> {
    type Output = Result<F::Output, Cause>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // Before the first poll a cancellation wins: nothing has begun. After it a value does: the work is done (J3).
        if *this.started || !this.token.is_cancelled() {
            *this.started = true;
            if let Some(future) = this.future.as_mut().as_pin_mut() {
                if let Poll::Ready(value) = future.poll(cx) {
                    this.future.set(None);
                    return Poll::Ready(Ok(value));
                }
            }
        }
        let cause = core::task::ready!(this.cancelled.poll(cx));
        this.future.set(None);
        Poll::Ready(Err(cause))
    }
}

impl<F> fmt::Debug for RunUntilCancelled<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunUntilCancelled").field("started", &self.started).finish_non_exhaustive()
    }
}
