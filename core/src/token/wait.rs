//! This room waits for a cancellation.
#![allow(unsafe_code, reason = "a waiter is on the node's list while its future is pinned")]

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::Token;
use super::hold::NodeRef;
use super::tree::{self, Joined};
use super::waiter::Waiter;
use crate::Cause;
use crate::sync::atomic::Ordering;

impl Waiter {
    /// Ready once `node` is cancelled. Must always be called with the same node.
    #[inline]
    fn poll(self: Pin<&Self>, node: &NodeRef, cx: &Context<'_>) -> Poll<Cause> {
        // Mostly it is polled twice: before the node is cancelled, and when it was told.
        if !self.joined.get() && !node.is_cancelled() && self.join(node, cx.waker()) {
            return Poll::Pending;
        }
        self.poll_on(node, cx)
    }

    #[inline(never)]
    fn poll_on(self: Pin<&Self>, node: &NodeRef, cx: &Context<'_>) -> Poll<Cause> {
        loop {
            if let Some(cause) = node.cause() {
                self.leave(node);
                return Poll::Ready(cause);
            }
            let listening = if self.joined.get() { self.renew(node, cx.waker()) } else { self.join(node, cx.waker()) };
            if listening {
                return Poll::Pending;
            }
        }
    }

    /// Puts the waiter on the list. Says whether it is on it; if not, the node is cancelled.
    #[inline]
    fn join(self: Pin<&Self>, node: &NodeRef, waker: &Waker) -> bool {
        let new = waker.clone(); // T8: users' code, so before the lock
        // SAFETY: off the list.
        unsafe { self.with_waker(|waker| *waker = Some(new)) };
        self.joined.set(true);
        // SAFETY: the waiter is pinned, on no list, and leaves this one in `leave` before it is dropped.
        unsafe { tree::join(node, self.entry(), &self.link) == Joined::Listening }
    }

    /// Makes sure that it is `waker` that will be woken (T6). Says whether the waiter is still on the list.
    fn renew(self: Pin<&Self>, node: &NodeRef, waker: &Waker) -> bool {
        let is_same = |old: &mut Option<Waker>| old.as_ref().map(|old| old.will_wake(waker));
        // SAFETY: under the lock.
        match node.hub.with(|_| unsafe { self.with_waker(is_same) }) {
            None => return false,
            Some(true) => return true,
            Some(false) if mutant!(KeepsTheFirstWaker) => return true,
            Some(false) => {}
        }
        let new = waker.clone(); // T8
        let swap = |place: &mut Option<Waker>| {
            let on_list = place.is_some();
            let unneeded = if on_list { place.replace(new) } else { Some(new) };
            if mutant!(DropsReplacedWakerUnderTheLock) {
                drop(unneeded);
                return (on_list, None);
            }
            (on_list, unneeded)
        };
        // SAFETY: under the lock.
        let (on_list, unneeded) = node.hub.with(|_| unsafe { self.with_waker(swap) });
        drop(unneeded); // T8: after the lock
        on_list
    }

    /// Takes the waiter off the list.
    #[inline]
    fn leave(self: Pin<&Self>, node: &NodeRef) {
        if self.joined.replace(false) && !self.told.load(Ordering::Acquire) {
            self.part(node);
        }
    }

    #[inline(never)]
    fn part(self: Pin<&Self>, node: &NodeRef) {
        // SAFETY: this list is the only one that the waiter was ever on.
        unsafe { tree::part(node, &self.link) };
        // SAFETY: off the list.
        drop(unsafe { self.with_waker(Option::take) });
    }
}

pin_project_lite::pin_project! {
    /// Waits until a token is cancelled, and says why. Made by [`Token::cancelled`].
    ///
    /// # Cancellation
    ///
    /// Dropping it takes it off the token's list at once; nothing is left behind, and nothing is woken.
    #[must_use = "futures do nothing unless polled"]
    pub struct Cancelled<'a> {
        token: &'a Token,
        #[pin]
        waiter: Waiter,
    }

    impl PinnedDrop for Cancelled<'_> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(node) = this.token.node() {
                this.waiter.as_ref().leave(node);
            }
        }
    }
}

pin_project_lite::pin_project! {
    /// Waits until a token is cancelled, and says why. Holds the token. Made by [`Token::cancelled_owned`].
    ///
    /// # Cancellation
    ///
    /// Dropping it takes it off the token's list at once; nothing is left behind, and nothing is woken.
    #[must_use = "futures do nothing unless polled"]
    pub struct CancelledOwned {
        token: Token,
        #[pin]
        waiter: Waiter,
    }

    impl PinnedDrop for CancelledOwned {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(node) = this.token.node() {
                this.waiter.as_ref().leave(node);
            }
        }
    }
}

impl<'a> Cancelled<'a> {
    #[inline]
    pub(super) fn new(token: &'a Token) -> Self {
        Self { token, waiter: Waiter::new() }
    }
}

impl CancelledOwned {
    #[inline]
    pub(super) fn new(token: Token) -> Self {
        Self { token, waiter: Waiter::new() }
    }
}

impl Future for Cancelled<'_> {
    type Output = Cause;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Cause> {
        let this = self.project();
        match this.token.node() {
            Some(node) => this.waiter.as_ref().poll(node, cx),
            None => Poll::Pending, // T14
        }
    }
}

impl Future for CancelledOwned {
    type Output = Cause;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Cause> {
        let this = self.project();
        match this.token.node() {
            Some(node) => this.waiter.as_ref().poll(node, cx),
            None => Poll::Pending, // T14
        }
    }
}

impl fmt::Debug for Cancelled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancelled").field("token", self.token).finish_non_exhaustive()
    }
}

impl fmt::Debug for CancelledOwned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelledOwned").field("token", &self.token).finish_non_exhaustive()
    }
}
