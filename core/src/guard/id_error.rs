//! Why a text is no identifier.

use core::fmt;

use crate::Text;

/// How many bytes an identifier has at the most.
pub(super) const LIMIT: usize = 96;

/// The marks that an identifier may have besides ASCII letters and digits: enough for UUIDs, ULIDs, digests (`sha256:…`), paths (`bp/1`),
/// versions (`1.2.0+cpu`) and addresses (`host:6379`). Nothing that a shell, a log line or a URL path takes for more than a letter.
pub(super) const ALLOWED: &str = "._:/@+-";

/// How many bytes of a refused text are shown at the most.
pub(super) const EXCERPT: usize = 40;

/// A text that is no identifier: of which kind, what is wrong with it, where, and how it reads there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdError {
    /// What it was to identify, such as `blueprint`.
    pub kind: &'static str,
    /// What is wrong.
    pub fault: IdFault,
    /// The refused text, or the part of it around the fault.
    pub excerpt: Text<EXCERPT>,
}

/// What is wrong with a text that is no identifier (G1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdFault {
    /// There is nothing.
    Empty,
    /// There is no letter and no digit, only white space or only marks: it names nothing.
    Blank,
    /// It has more than [`IdText::LIMIT`](crate::IdText::LIMIT) bytes.
    TooLong {
        /// How many it has.
        length: usize,
    },
    /// There is a character that no identifier has.
    Forbidden {
        /// The first such character.
        character: char,
        /// The place of its first byte, from 0.
        at: usize,
    },
}

impl fmt::Display for IdFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::Blank => f.write_str("is blank: it has no letter and no digit"),
            Self::TooLong { length } => write!(f, "is too long: {length} bytes, of at most {LIMIT}"),
            Self::Forbidden { character, at } => {
                write!(f, "has {character:?} at byte {at}, where only ASCII letters, digits and {ALLOWED} may be")
            }
        }
    }
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fault {
            IdFault::Empty => write!(f, "{} identifier {}", self.kind, self.fault),
            // Quoted and escaped: what was refused may hold anything.
            _ => write!(f, "{} identifier {:?} {}", self.kind, self.excerpt, self.fault),
        }
    }
}

impl core::error::Error for IdError {}
