//! The name of an entry in a stream.

use std::fmt;
use std::str::FromStr;

/// Names an entry in its stream, as the server does: milliseconds and a number among those of the same millisecond. Later entries are greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct EntryId {
    /// When the server took the entry in, in milliseconds since 1970 on its clock.
    pub millis: u64,
    /// Counts those of the same millisecond.
    pub number: u64,
}

impl EntryId {
    /// The name of these two numbers.
    #[must_use]
    pub const fn new(millis: u64, number: u64) -> Self {
        Self { millis, number }
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.number)
    }
}

/// A text that is no [`EntryId`]: not two decimal numbers with `-` between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of an entry is two decimal numbers with \"-\" between them")]
#[non_exhaustive]
pub struct NotAnEntryId;

impl FromStr for EntryId {
    type Err = NotAnEntryId;

    fn from_str(text: &str) -> Result<Self, NotAnEntryId> {
        let (millis, number) = text.split_once('-').ok_or(NotAnEntryId)?;
        Ok(Self { millis: decimal(millis).ok_or(NotAnEntryId)?, number: decimal(number).ok_or(NotAnEntryId)? })
    }
}

/// The number that these digits write; unlike `parse`, without a sign.
pub(crate) fn decimal(digits: &str) -> Option<u64> {
    (digits.bytes().all(|digit| digit.is_ascii_digit())).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_id_is_read_as_it_is_shown() {
        let id = EntryId::new(1_764_000_000_000, 3);
        assert_eq!(id.to_string().parse(), Ok(id));
        for wrong in ["", "-", "1", "1-", "-1", "1-+2", "1-2-3", "1-18446744073709551616", "OK"] {
            assert_eq!(wrong.parse::<EntryId>(), Err(NotAnEntryId), "{wrong}");
        }
    }
}
