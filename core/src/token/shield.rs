//! This room lets a section finish what a cancellation from outside must not cut off.

use super::Token;
use super::hold::NodeRef;
use super::node::Node;
use super::tree;
use super::up::Up;
use super::word::Word;

/// While it lasts, its token does not see the token that it was made from (R9). Made by [`Token::shield`].
///
/// [`Shield::token`] is a child of that token, for use inside the section. It sees its own cancellation, but neither a
/// cancellation nor a deadline from outside; nor do its descendants. An observer of the outer token sees the truth at any
/// time.
///
/// Ending or dropping the shield lets the inner token see the outside at once: if that was cancelled meanwhile, all who
/// wait for the inner token or for a descendant are woken.
///
/// ```
/// use countermand_core::Token;
/// let token = Token::new();
/// let shield = token.shield();
/// let inner = shield.token().clone();
/// token.cancel();
/// assert!(!inner.is_cancelled());
/// shield.end();
/// assert!(inner.is_cancelled());
/// ```
#[derive(Debug)]
#[must_use = "dropping it ends the shield"]
pub struct Shield {
    inner: Token,
}

impl Shield {
    pub(super) fn new(outer: &Token) -> Self {
        let inner = match outer.node() {
            Some(outer) => Token::from_node(NodeRef::new(Node::new(Up::one(outer.clone()), Word::masked()))),
            None => Token::new(),
        };
        Self { inner }
    }

    /// The token of the section.
    #[must_use]
    pub fn token(&self) -> &Token {
        &self.inner
    }

    /// Ends the shield, as dropping it does.
    pub fn end(self) {
        drop(self);
    }
}

impl Drop for Shield {
    fn drop(&mut self) {
        if let Some(node) = self.inner.node() {
            node.word.unmask();
            tree::realign(node);
        }
    }
}
