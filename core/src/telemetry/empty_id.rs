//! An id without a text.

use core::fmt;

/// Something that must be told from others has no id: nothing of that kind can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmptyId {
    /// What is empty, such as `packet_id`.
    pub what: &'static str,
}

impl EmptyId {
    /// The id, if there is one.
    pub(super) fn check<T: AsRef<str>>(what: &'static str, id: T) -> Result<T, Self> {
        if id.as_ref().is_empty() { Err(Self { what }) } else { Ok(id) }
    }
}

impl fmt::Display for EmptyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is empty", self.what)
    }
}

impl core::error::Error for EmptyId {}
