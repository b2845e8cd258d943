//! This room cancels a held token when a scope is left.

use core::mem;

use super::HeldToken;
use crate::Cause;

/// Cancels its token when it is dropped, unless it was disarmed (T11). Made by [`HeldToken::drop_guard`].
///
/// The cause is [`Cause::HANDLE_DROPPED`].
#[derive(Debug)]
#[must_use = "dropping it cancels the token"]
pub struct HeldGuard<'a> {
    token: &'a HeldToken<'a>,
}

impl<'a> HeldGuard<'a> {
    pub(super) const fn new(token: &'a HeldToken<'a>) -> Self {
        Self { token }
    }

    /// Lets go of the token without cancelling it.
    pub fn disarm(self) {
        if mutant!(DisarmedGuardCancels) {
            return;
        }
        mem::forget(self);
    }
}

impl Drop for HeldGuard<'_> {
    fn drop(&mut self) {
        self.token.cancel_with(Cause::HANDLE_DROPPED);
    }
}
