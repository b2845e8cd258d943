//! This room calls a function when a token is cancelled.
#![allow(unsafe_code, reason = "a callback is on the node's list, and owned by it")]

use core::fmt;

use super::Token;
use super::callback::{Callback, Function};
use super::hold::NodeRef;
use super::tree::{self, Joined};
use crate::sync::Arc;

/// A callback that was registered with [`Token::on_cancel`].
///
/// Dropping it leaves the callback registered. It holds the token's place in the tree, so that a token of which only this
/// is left can still be cancelled by its ancestors.
pub struct Registration(Option<Registered>);

struct Registered {
    node: NodeRef,
    callback: Arc<Callback>,
}

impl Registration {
    /// Withdraws the callback. Never blocks for a callback that runs, so it may be called from inside of one (T13).
    ///
    /// # Returns
    ///
    /// Whether this prevented the run: then the callback never runs, and has been dropped. Otherwise it has run, or is
    /// running on another thread, or about to.
    pub fn unregister(self) -> bool {
        let Some(Registered { node, callback }) = self.0 else {
            return false;
        };
        if mutant!(UnregisterClaimsTooMuch) {
            return true;
        }
        // SAFETY: this list is the only one that the callback was ever on, and it is there.
        let removed = unsafe { tree::part(&node, &callback.link) };
        if removed {
            // SAFETY: the count that the list had (see `register`).
            drop(unsafe { Arc::from_raw(Arc::as_ptr(&callback)) });
            drop(callback.take());
        }
        removed
    }
}

/// Registers `f` with `token`, or calls it at once.
pub(super) fn register(token: &Token, f: Function) -> Registration {
    let Some(node) = token.node() else {
        return Registration(None);
    };
    if let Some(cause) = node.cause() {
        if !mutant!(ForgetsCallbackWhenCancelled) {
            f(cause);
        }
        return Registration(None);
    }
    let callback = Callback::new(f);
    let entry = Callback::entry(&callback);
    core::mem::forget(Arc::clone(&callback)); // The list's count.
    // SAFETY: the callback is new, and the list has a count of it.
    let joined = unsafe { tree::join(node, entry, &callback.link) };
    match joined {
        Joined::Listening | Joined::Told => {}
        Joined::Refused => {
            // SAFETY: the count that the list was to have.
            drop(unsafe { Arc::from_raw(Arc::as_ptr(&callback)) });
            // T12: off the list, so nobody else runs it.
            if let Some(cause) = node.cause().filter(|_| !mutant!(LosesACallbackOnARace)) {
                callback.run(cause);
            }
        }
    }
    Registration(Some(Registered { node: node.clone(), callback }))
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").finish_non_exhaustive()
    }
}
