//! What is wrong with bytes that should be a packet.

use std::fmt;

/// How many bytes of a message are kept: it may quote what was sent.
const LONGEST: usize = 400;

/// What kind of thing is wrong with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WireFault {
    /// Larger or deeper than is read (see [`Limits`](crate::Limits)).
    Limit,
    /// Not protobuf's binary form, not JSON, not UTF-8, or not all of it.
    Malformed,
    /// A key that is there twice in one object.
    Duplicate,
    /// A value that its field cannot have.
    BadValue,
    /// A field that every packet must have is absent or empty.
    Missing,
}

/// Why bytes are not a packet.
///
/// Shown, it names what is wrong and where: the field, and for JSON the column. The line is the caller's to name. What was sent is
/// quoted without its control characters, and not at any length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireError {
    fault: WireFault,
    field: String,
    column: Option<usize>,
    message: String,
}

impl WireError {
    pub(crate) fn new(fault: WireFault, field: impl fmt::Display, message: impl fmt::Display) -> Self {
        Self { fault, field: quotable(field), column: None, message: quotable(message) }
    }

    /// Says in which column of a JSON text it was seen.
    pub(crate) fn at(mut self, column: usize) -> Self {
        self.column = Some(column);
        self
    }

    /// What kind of thing is wrong.
    #[must_use]
    pub const fn fault(&self) -> WireFault {
        self.fault
    }

    /// The path of the field, like `events[0].level`; empty where it is about the packet as a whole.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// Where in a JSON text it was seen: in characters, counted from 1. A wrong value is seen at its end.
    #[must_use]
    pub const fn column(&self) -> Option<usize> {
        self.column
    }

    /// What is wrong, in a sentence, without the place.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(column) = self.column {
            write!(f, "column {column}: ")?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for WireError {}

/// As much of `text` as is worth reading, with a sign in the place of each control character.
fn quotable(text: impl fmt::Display) -> String {
    countermand_core::Text::<LONGEST>::of(text).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_quoted_within_bounds() {
        let error = WireError::new(WireFault::BadValue, "a\u{1b}[2Jb", "x\n".repeat(1 << 20)).at(7);
        let shown = error.to_string();
        assert!(shown.starts_with("column 7: a\u{fffd}[2Jb: x\u{fffd}x"), "{shown}");
        assert!(shown.ends_with('…') && shown.len() < 1_000, "{}", shown.len());
    }
}
