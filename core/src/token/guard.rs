//! This room cancels a token when a scope is left.

use core::mem;

use super::Token;
use crate::Cause;

/// Cancels its token when it is dropped, unless it was disarmed (T11). Made by [`Token::drop_guard`].
///
/// The cause is [`Cause::HANDLE_DROPPED`].
///
/// ```
/// use countermand_core::Token;
/// let token = Token::new();
/// let guard = token.clone().drop_guard();
/// drop(guard);
/// assert!(token.is_cancelled());
/// ```
#[derive(Debug)]
#[must_use = "dropping it cancels the token"]
pub struct DropGuard {
    token: Token,
}

impl DropGuard {
    pub(super) fn new(token: Token) -> Self {
        Self { token }
    }

    /// The token that will be cancelled.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// Gives the token back without cancelling it.
    #[must_use = "gives the token back"]
    pub fn disarm(mut self) -> Token {
        let token = mem::replace(&mut self.token, Token::never());
        if mutant!(DisarmedGuardCancels) {
            token.cancel_with(Cause::HANDLE_DROPPED);
        }
        token
    }
}

impl Drop for DropGuard {
    fn drop(&mut self) {
        self.token.cancel_with(Cause::HANDLE_DROPPED);
    }
}
