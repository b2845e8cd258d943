//! This room lets others look at a held token, and not cancel it.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::{HeldCancelled, HeldToken};
use crate::{Cause, Instant};

/// Checks a [`HeldToken`] and waits for it, and cannot cancel it (T15). Made by [`HeldToken::observer`] and [`HeldToken::observer_pinned`].
///
/// ```
/// use countermand_core::HeldToken;
///
/// static TOKEN: HeldToken<'static> = HeldToken::new();
/// let observer = TOKEN.observer();
/// TOKEN.cancel();
/// assert!(observer.is_cancelled());
/// ```
///
/// ```compile_fail,E0599
/// # use countermand_core::HeldToken;
/// static TOKEN: HeldToken<'static> = HeldToken::new();
/// TOKEN.observer().cancel();
/// ```
#[derive(Clone, Copy)]
pub struct HeldObserver<'a>(Option<Pin<&'a HeldToken<'a>>>);

impl HeldObserver<'static> {
    /// Of a token that can never be cancelled, for where none is given: its check is a comparison (T14).
    pub const NEVER: Self = Self(None);
}

impl<'a> HeldObserver<'a> {
    pub(super) const fn new(token: Pin<&'a HeldToken<'a>>) -> Self {
        Self(Some(token))
    }

    /// Whether the token is cancelled, by itself or by an ancestor. Takes no lock (T4).
    #[must_use]
    pub fn is_cancelled(self) -> bool {
        self.0.is_some_and(|token| token.is_cancelled())
    }

    /// Why it was cancelled, if it was.
    #[must_use]
    pub fn cause(self) -> Option<Cause> {
        self.0?.cause()
    }

    /// The earliest of the deadlines of the token and its ancestors (D1).
    #[must_use]
    pub fn deadline(self) -> Option<Instant> {
        self.0?.deadline()
    }

    /// Waits until the token is cancelled, and says why.
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves nothing behind.
    pub fn cancelled(self) -> HeldObserved<'a> {
        HeldObserved { wait: self.0.map(HeldToken::cancelled_pinned) }
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for HeldObserver<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "HeldObserver {} {}", self.cause(), self.deadline());
    }
}

impl fmt::Debug for HeldObserver<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldObserver").field("cause", &self.cause()).finish_non_exhaustive()
    }
}

pin_project_lite::pin_project! {
    /// Waits until an observed token is cancelled, and says why. Made by [`HeldObserver::cancelled`].
    ///
    /// # Cancellation
    ///
    /// Dropping it leaves nothing behind.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct HeldObserved<'a> {
        #[pin]
        wait: Option<HeldCancelled<'a>>,
    }
}

impl Future for HeldObserved<'_> {
    type Output = Cause;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Cause> {
        self.project().wait.as_pin_mut().map_or(Poll::Pending, |wait| wait.poll(cx))
    }
}
