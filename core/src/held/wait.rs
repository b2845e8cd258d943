//! This room waits for a held token to be cancelled.
#![allow(unsafe_code, reason = "a waiter is on a list while its future is pinned")]

use core::fmt;
use core::future::Future;
use core::marker::{PhantomData, PhantomPinned};
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll, Waker};

use super::HeldToken;
use super::list::Waiter;
use crate::Cause;
use crate::sync::alone;

pin_project_lite::pin_project! {
    /// Waits until a [`HeldToken`] is cancelled, and says why. Made by [`HeldToken::cancelled`] and
    /// [`HeldToken::cancelled_pinned`].
    ///
    /// # Cancellation
    ///
    /// Dropping it takes it off the list at once; nothing is left behind, and nothing is woken. One that is forgotten instead is
    /// taken off when its token goes.
    #[must_use = "futures do nothing unless polled"]
    pub struct HeldCancelled<'a> {
        waiter: Waiter,
        token: PhantomData<Pin<&'a HeldToken<'a>>>,
        #[pin]
        pinned: PhantomPinned,
    }

    impl PinnedDrop for HeldCancelled<'_> {
        fn drop(this: Pin<&mut Self>) {
            this.into_ref().get_ref().leave();
        }
    }
}

// SAFETY: a token may be used on any thread; what else is in a waiter is touched under the lock.
unsafe impl Send for HeldCancelled<'_> {}
// SAFETY: as above.
unsafe impl Sync for HeldCancelled<'_> {}

impl<'a> HeldCancelled<'a> {
    pub(super) const fn new(token: Pin<&'a HeldToken<'a>>) -> Self {
        let address = ptr::from_ref(token.get_ref()).cast();
        Self { waiter: Waiter::new(address), token: PhantomData, pinned: PhantomPinned }
    }

    fn token(&self) -> &'a HeldToken<'a> {
        // SAFETY: it is borrowed for as long as this is.
        unsafe { self.waiter.token() }
    }

    /// Why the token is cancelled, if it is.
    pub(crate) fn cause(&self) -> Option<Cause> {
        self.token().cause()
    }

    /// Puts it on the list, as a poll does. Gives a waker that is not needed any more.
    ///
    /// # Safety
    ///
    /// Under the lock; it stays where it is until it is dropped.
    pub(crate) unsafe fn enlist(&self, waker: Waker) -> Option<Waker> {
        // SAFETY: promised by the caller.
        unsafe { self.token().with_list(|list| list.put(&self.waiter, waker)) }
    }

    fn leave(&self) {
        // SAFETY: under the lock; this list is the only one that the waiter was ever on. The waker is dropped after it (T8).
        drop(alone(|| unsafe { self.token().with_list(|list| list.remove(&self.waiter)) }));
    }
}

impl Future for HeldCancelled<'_> {
    type Output = Cause;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Cause> {
        let this = self.into_ref().get_ref();
        let token = this.token();
        let new = cx.waker().clone(); // T8: users' code, so before the lock
        let unneeded = alone(|| {
            // T6: whoever cancels writes and looks through the list under this lock.
            if token.is_cancelled() {
                return Some(new);
            }
            // SAFETY: under the lock; the future is pinned, and leaves the list when it is dropped.
            unsafe { token.with_list(|list| list.put(&this.waiter, new)) }
        });
        drop(unneeded); // T8: after the lock
        match token.cause() {
            Some(cause) => Poll::Ready(cause),
            None => Poll::Pending,
        }
    }
}

impl fmt::Debug for HeldCancelled<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldCancelled").field("token", self.token()).finish_non_exhaustive()
    }
}
