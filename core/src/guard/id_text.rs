//! The text of an identifier, which has been looked at.

use core::borrow::Borrow;
use core::fmt;

use super::id_error::{self, ALLOWED, EXCERPT, IdError, IdFault};
use crate::Text;

/// What an [`Identifier`](crate::Identifier) consists of: ASCII letters, digits and `._:/@+-`, at least one letter or digit, at most
/// [`LIMIT`](Self::LIMIT) bytes (G1). There is no other way to one than [`parse`](Self::parse).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdText(Text<{ Self::LIMIT }>);

impl IdText {
    /// How many bytes an identifier has at the most.
    pub const LIMIT: usize = id_error::LIMIT;

    /// Looks at `text`, which is to identify a `kind` of thing.
    ///
    /// # Errors
    ///
    /// [`IdError`] with the first fault.
    pub fn parse(kind: &'static str, text: &str) -> Result<Self, IdError> {
        let fault = match fault_of(text) {
            Some(IdFault::Blank) if mutant!(BlankIdentifierAccepted) => None,
            Some(IdFault::TooLong { .. }) if mutant!(LongIdentifierIsCut) => None,
            fault => fault,
        };
        match fault {
            None => Ok(Self(Text::of(text))),
            Some(fault) => Err(IdError { kind, fault, excerpt: excerpt(text, fault) }),
        }
    }

    /// The text.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

fn fault_of(text: &str) -> Option<IdFault> {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || ALLOWED.contains(character);
    if text.is_empty() {
        return Some(IdFault::Empty);
    }
    if text.trim().is_empty() {
        return Some(IdFault::Blank);
    }
    if text.len() > IdText::LIMIT {
        return Some(IdFault::TooLong { length: text.len() });
    }
    if let Some((at, character)) = text.char_indices().find(|(_, character)| !is_allowed(*character)) {
        return Some(IdFault::Forbidden { character, at });
    }
    (!text.contains(|character: char| character.is_ascii_alphanumeric())).then_some(IdFault::Blank)
}

/// The beginning of `text`, or what is around its forbidden character.
fn excerpt(text: &str, fault: IdFault) -> Text<EXCERPT> {
    let before = match fault {
        // What comes before it is ASCII.
        IdFault::Forbidden { at, .. } => at.saturating_sub(EXCERPT / 2),
        _ => 0,
    };
    let mark = if before > 0 { "…" } else { "" };
    Text::of(format_args!("{mark}{}", &text[before..]))
}

impl AsRef<str> for IdText {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for IdText {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for IdText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for IdText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
