//! What was done when a journal was opened.

use std::fmt;

/// What was done when a journal was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// There was none; it was created.
    pub created: bool,
    /// How many records of a commit that was torn were whole, and were taken in.
    pub from_torn_commit: u64,
    /// How many records waited in the reserve, and are in the file now.
    pub from_reserve: u64,
    /// How many CRITICAL records still wait in the reserve, because the disk is full.
    pub in_reserve: u64,
    /// Why there is no reserve, if there is to be one and it could not be made.
    pub no_reserve: Option<String>,
    /// The file was damaged and has been rebuilt.
    pub salvage: Option<Salvage>,
}

/// What was saved of a damaged file. It was rebuilt from every record in it, and in the reserve, that was whole.
///
/// The cursors of the consumers are those of the newest state that was whole. Acknowledgements ahead of a gap are gone, and what was removed
/// or purged not long before may be there again: everything comes at least once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Salvage {
    /// What was wrong.
    pub reason: String,
    /// How many records were kept.
    pub records: u64,
    /// How many dead letters were.
    pub dead_letters: u64,
    /// How many bytes there were.
    pub bytes: u64,
    /// How many of them were those of records that could not be read.
    pub unreadable: u64,
    /// Whether the consumers' cursors were found.
    pub consumers: bool,
    /// What the damaged file is called now.
    pub damaged: String,
}

impl Recovery {
    /// Whether there was nothing to recover from.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.from_torn_commit == 0 && self.from_reserve == 0 && self.in_reserve == 0 && self.salvage.is_none()
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.created { "created" } else { "opened" })?;
        if self.from_torn_commit > 0 {
            write!(f, "; {} records of a torn commit were whole", self.from_torn_commit)?;
        }
        if self.from_reserve > 0 {
            write!(f, "; {} records came from the reserve", self.from_reserve)?;
        }
        if self.in_reserve > 0 {
            write!(f, "; the disk is full, {} records wait in the reserve", self.in_reserve)?;
        }
        if let Some(reason) = &self.no_reserve {
            write!(f, "; there is no reserve: {reason}")?;
        }
        if let Some(salvage) = &self.salvage {
            let Salvage { reason, records, dead_letters, bytes, unreadable, damaged, .. } = salvage;
            write!(f, "; the file was damaged ({reason}) and has been rebuilt with {records} records and ")?;
            write!(
                f,
                "{dead_letters} dead letters, {unreadable} of {bytes} bytes were unreadable; it is kept as {damaged}"
            )?;
        }
        Ok(())
    }
}
