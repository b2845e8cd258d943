//! This room lets somebody see a token without being able to cancel it.

use super::{Cancelled, CancelledOwned, Token};
use crate::{Cause, Instant};

/// Sees whether a token is cancelled, and waits for it; cannot cancel it, and cannot be turned into a token (T15).
///
/// Made by [`Token::observer`].
///
/// ```compile_fail
/// # use countermand_core::Token;
/// Token::new().observer().cancel();
/// ```
#[derive(Clone, Debug)]
pub struct TokenObserver {
    token: Token,
}

impl TokenObserver {
    pub(super) fn new(token: Token) -> Self {
        Self { token }
    }

    /// Whether the token is cancelled. See [`Token::is_cancelled`].
    #[must_use]
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Why the token was cancelled, if it was. See [`Token::cause`].
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        self.token.cause()
    }

    /// The earliest deadline of the token and its ancestors. See [`Token::deadline`].
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.token.deadline()
    }

    /// Waits until the token is cancelled. See [`Token::cancelled`].
    pub fn cancelled(&self) -> Cancelled<'_> {
        self.token.cancelled()
    }

    /// Waits until the token is cancelled, holding it. See [`Token::cancelled_owned`].
    pub fn cancelled_owned(self) -> CancelledOwned {
        self.token.cancelled_owned()
    }
}
