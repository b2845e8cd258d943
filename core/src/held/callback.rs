//! This room has a function called when a held token is cancelled.
#![allow(unsafe_code, reason = "the list of a token is touched under the lock, and a waker stands for what is static")]

use core::fmt;
use core::ptr;
use core::task::{RawWaker, RawWakerVTable, Waker};

use super::HeldToken;
use super::list::Waiter;
use crate::Cause;
use crate::sync::alone;

/// A function that is called when a static token is cancelled, in a static of its own: so it is there when it is called, whoever withdraws it meanwhile.
///
/// It is called by whoever cancels, which may be an interrupt handler, under no lock (T8).
///
/// ```
/// use countermand_core::{Cause, HeldCallback, HeldToken};
///
/// static MAINS: HeldToken<'static> = HeldToken::new();
/// static SHUT: HeldCallback = HeldCallback::new(&MAINS, |_cause| { /* shuts the valve */ });
///
/// SHUT.register();
/// MAINS.cancel();
/// assert!(!SHUT.unregister(), "it was called");
/// ```
///
/// A token that any of several cancels, with that one's cause (R7):
///
/// ```
/// # use countermand_core::{Cause, HeldCallback, HeldToken};
/// static DEVICE: HeldToken<'static> = HeldToken::new();
/// static SESSION: HeldToken<'static> = HeldToken::new();
/// static TRANSFER: HeldToken<'static> = HeldToken::below(&DEVICE);
/// static LINK: HeldCallback = HeldCallback::new(&SESSION, |cause| _ = TRANSFER.cancel_with(cause));
///
/// LINK.register();
/// SESSION.cancel_with(Cause::SHUTDOWN);
/// assert_eq!(TRANSFER.cause(), Some(Cause::SHUTDOWN));
/// ```
pub struct HeldCallback {
    /// On the list of the token's root while it is registered.
    waiter: Waiter,
    call: fn(Cause),
}

// SAFETY: what is in a waiter is touched under the lock, but for the token, which may be used on any thread.
unsafe impl Send for HeldCallback {}
// SAFETY: as above.
unsafe impl Sync for HeldCallback {}

impl HeldCallback {
    /// For this token. It is not registered yet.
    #[must_use]
    pub const fn new(token: &'static HeldToken<'static>, call: fn(Cause)) -> Self {
        Self { waiter: Waiter::new(token), call }
    }

    /// From here on it is called when the token is cancelled, once; at once, by the caller, if it is cancelled already (T12). One that is
    /// registered stays so.
    pub fn register(&'static self) {
        let cancelled = alone(|| {
            if self.token().is_cancelled() {
                return true;
            }
            // The waker that comes back is one of these, and holds nothing.
            // SAFETY: under the lock; the waiter is static, and on no other list.
            drop(unsafe { self.token().with_list(|list| list.put(&self.waiter, self.waker())) });
            false
        });
        if cancelled && !mutant!(ForgetsCallbackWhenCancelled) {
            self.run();
        }
    }

    /// It is not called any more. Never blocks, and may be called from the function itself.
    ///
    /// # Returns
    ///
    /// Whether that prevented a call: then it is not called after this (T13). False if it was called, is just being called, or was not registered.
    pub fn unregister(&'static self) -> bool {
        // SAFETY: under the lock; the waiter is on no other list.
        let prevented = alone(|| unsafe { self.token().with_list(|list| list.remove(&self.waiter)) }).is_some();
        prevented || mutant!(UnregisterClaimsTooMuch)
    }

    fn token(&'static self) -> &'static HeldToken<'static> {
        // SAFETY: it is static.
        unsafe { self.waiter.token() }
    }

    fn run(&'static self) {
        if let Some(cause) = self.token().cause() {
            (self.call)(cause);
        }
    }

    /// Waking it calls it.
    fn waker(&'static self) -> Waker {
        const TABLE: RawWakerVTable = RawWakerVTable::new(|data| RawWaker::new(data, &TABLE), run, run, |_| {});
        fn run(data: *const ()) {
            // SAFETY: it was made of a static callback.
            unsafe { &*data.cast::<HeldCallback>() }.run();
        }
        // SAFETY: the functions of the table take a static callback.
        unsafe { Waker::from_raw(RawWaker::new(ptr::from_ref(self).cast(), &TABLE)) }
    }
}

impl fmt::Debug for HeldCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldCallback").finish_non_exhaustive()
    }
}
