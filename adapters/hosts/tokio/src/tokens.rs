//! Links between countermand's tokens and those of `tokio_util`, both ways.
//!
//! | | [`from_tokio`] | [`to_tokio`] |
//! | --- | --- | --- |
//! | links | a new [`Token`] to a given [`CancellationToken`] | a new `CancellationToken` to a given `Token` |
//! | the new one is cancelled | before the `cancel` of the given one returns | before the `cancel` of the given one returns |
//! | the given one | is not cancelled by the new one | is not cancelled by the new one |
//! | the cause | is [`LINKED`], or one that the caller chooses: `tokio_util` knows none | is at [`TokioToken::cause`]; the token itself knows none |
//! | lasts | until the last handle on the new token, and on its descendants, is dropped | until the [`TokioToken`] is dropped |
//!
//! Neither way spawns a task, or needs a runtime. What a link costs its given token is one entry on a list, which goes when the link does.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, TryLockError, Weak};
use std::task::{Context, Poll, Wake, Waker};

use countermand_core::{Cause, Registration, Token, TokenObserver};
use tokio::task::unconstrained;
use tokio_util::sync::CancellationToken;

/// The cause of a token that was cancelled because one of `tokio_util` was.
pub const LINKED: Cause = Cause::LINKED.with_text("a token of tokio_util");

/// A token that is cancelled, with the cause [`LINKED`], when `theirs` is.
///
/// It is a token like any other: make it a job's parent, or take children of it. Cancelling it does not cancel `theirs`.
///
/// ```
/// use countermand_core::CauseKind;
/// use countermand_tokio::tokens::from_tokio;
/// use tokio_util::sync::CancellationToken;
///
/// let theirs = CancellationToken::new();
/// let request = from_tokio(&theirs.child_token()).child_token();
/// theirs.cancel();
/// assert_eq!(request.cause().map(|cause| cause.kind()), Some(CauseKind::Linked));
/// ```
///
/// # Implementation notes
///
/// `tokio_util` has no callbacks, only a future. It is polled here, once, with a waker that polls it again and then cancels: so the one who cancels
/// `theirs` does the work, where other bridges have a task wait for it. The future belongs to a callback on the new token, and so goes
/// with it. What is cancelled is a parent of the new token that nobody else has: a callback that held its own token would keep it for ever.
#[must_use]
pub fn from_tokio(theirs: &CancellationToken) -> Token {
    from_tokio_with(theirs, LINKED)
}

/// [`from_tokio`] with a cause of one's own: for whoever knows why `theirs` is cancelled.
#[must_use]
pub fn from_tokio_with(theirs: &CancellationToken, cause: Cause) -> Token {
    let root = Token::new();
    let token = root.child_token();
    let wait: Wait = Box::pin(unconstrained(theirs.clone().cancelled_owned()));
    let relay = Arc::new(Relay { root, cause, wait: Mutex::new(Some(wait)), again: AtomicBool::new(false) });
    relay.look();
    // Dropped without being called if the token is never cancelled.
    drop(token.on_cancel(move |_| drop(relay)));
    token
}

type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A wait for their token, and what is cancelled at its end.
struct Relay {
    root: Token,
    cause: Cause,
    /// `None` when it is over.
    wait: Mutex<Option<Wait>>,
    /// Somebody was woken since the last poll began.
    again: AtomicBool,
}

impl Relay {
    /// Polls the wait; whoever comes meanwhile leaves it to the one who is there.
    fn look(self: &Arc<Self>) {
        let waker = Waker::from(Arc::new(Ring(Arc::downgrade(self))));
        self.again.store(true, Ordering::SeqCst);
        while self.again.load(Ordering::SeqCst) {
            let over = {
                let mut wait = match self.wait.try_lock() {
                    Ok(wait) => wait,
                    Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                    Err(TryLockError::WouldBlock) => return,
                };
                self.again.store(false, Ordering::SeqCst);
                match wait.as_mut().map(|wait| wait.as_mut().poll(&mut Context::from_waker(&waker))) {
                    Some(Poll::Ready(())) => wait.take(),
                    Some(Poll::Pending) | None => None,
                }
            };
            // Not under the lock: callbacks are others' code.
            if over.is_some() {
                self.root.cancel_with(self.cause);
            }
        }
    }
}

/// The waker of a wait. Weak, for the wait is in what it points to.
struct Ring(Weak<Relay>);

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(relay) = self.0.upgrade() {
            relay.look();
        }
    }
}

/// A token of `tokio_util` that is cancelled when `ours` is.
///
/// ```
/// use countermand_core::{Cause, Token};
/// use countermand_tokio::tokens::to_tokio;
///
/// let ours = Token::new();
/// let theirs = to_tokio(&ours);
/// let request = theirs.child_token();
/// ours.cancel_with(Cause::SHUTDOWN);
/// assert!(request.is_cancelled());
/// assert_eq!(theirs.cause(), Some(Cause::SHUTDOWN));
/// ```
#[must_use = "dropping it unlinks its token"]
pub fn to_tokio(ours: &Token) -> TokioToken {
    let token = CancellationToken::new();
    let theirs = token.clone();
    let registration = ours.on_cancel(move |_| theirs.cancel());
    TokioToken { token, ours: ours.observer(), registration: Some(registration) }
}

/// A token of `tokio_util` that is linked to one of ours; see [`to_tokio`]. It dereferences to the [`CancellationToken`].
///
/// # Cancellation
///
/// Dropping it cancels nothing, and unlinks: clones of its token are not cancelled by ours any more. [`detach`](Self::detach) leaves them
/// linked.
#[must_use = "dropping it unlinks its token"]
pub struct TokioToken {
    token: CancellationToken,
    ours: TokenObserver,
    /// Taken when it is detached.
    registration: Option<Registration>,
}

impl TokioToken {
    /// Why our token was cancelled, if it was.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        self.ours.cause()
    }

    /// Leaves the token linked for as long as ours is there. The entry on our token's list is there as long, also when nobody has the
    /// other token any more: not for a link a request under a token that lives as long as the service.
    #[must_use]
    pub fn detach(mut self) -> CancellationToken {
        drop(self.registration.take());
        self.token.clone()
    }
}

impl Deref for TokioToken {
    type Target = CancellationToken;

    fn deref(&self) -> &CancellationToken {
        &self.token
    }
}

impl Drop for TokioToken {
    fn drop(&mut self) {
        if let Some(registration) = self.registration.take() {
            registration.unregister();
        }
    }
}

impl fmt::Debug for TokioToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokioToken").field("token", &self.token).field("cause", &self.cause()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A relay with its token, and a look at whether it is still there.
    fn relay_of(theirs: &CancellationToken) -> (Token, Weak<Relay>) {
        let root = Token::new();
        let token = root.child_token();
        let wait: Wait = Box::pin(unconstrained(theirs.clone().cancelled_owned()));
        let relay =
            Arc::new(Relay { root, cause: LINKED, wait: Mutex::new(Some(wait)), again: AtomicBool::new(false) });
        relay.look();
        let weak = Arc::downgrade(&relay);
        drop(token.on_cancel(move |_| drop(relay)));
        (token, weak)
    }

    #[test]
    fn a_link_goes_with_its_token() {
        let theirs = CancellationToken::new();
        let (token, relay) = relay_of(&theirs);
        let child = token.child_token();
        drop(token);
        assert!(relay.upgrade().is_some(), "a child holds its parent, and the link with it");
        drop(child);
        assert!(relay.upgrade().is_none());
        theirs.cancel();
    }

    #[test]
    fn a_link_goes_when_either_is_cancelled() {
        let theirs = CancellationToken::new();
        let (token, relay) = relay_of(&theirs);
        theirs.cancel();
        assert!(token.is_cancelled() && relay.upgrade().is_none());

        let theirs = CancellationToken::new();
        let (token, relay) = relay_of(&theirs);
        token.cancel();
        assert!(!theirs.is_cancelled() && relay.upgrade().is_none());
    }

    #[test]
    fn a_wake_for_nothing_cancels_nothing() {
        let theirs = CancellationToken::new();
        let (token, relay) = relay_of(&theirs);
        Waker::from(Arc::new(Ring(relay))).wake();
        assert!(!token.is_cancelled());
        theirs.cancel();
        assert!(token.is_cancelled(), "it was registered again");
    }
}
