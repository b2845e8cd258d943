//! What can be wrong with a journal.

use std::io;

use crate::Sequence;

/// What can be wrong with a journal. It names the file, or whatever the disk calls it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Somebody has it open.
    #[error("{place}: the journal is in use by another process, or is open already in this one")]
    InUse {
        /// Which one.
        place: String,
    },
    /// There is something, and it is no journal. It was left as it is.
    #[error("{place}: this is not a journal; it was left as it is")]
    NotAJournal {
        /// Which file.
        place: String,
    },
    /// A later version of this crate wrote it.
    #[error("{place}: written in layout {layout} by a later version; this one knows layouts up to {known}")]
    Newer {
        /// Which one.
        place: String,
        /// Its layout.
        layout: u32,
        /// The highest layout that can be read.
        known: u32,
    },
    /// The disk does not do what it is asked to.
    #[error("{place}: {source}")]
    Disk {
        /// Which file.
        place: String,
        /// What it said.
        source: io::Error,
    },
    /// The disk is full: nothing was changed. It is tried again by itself.
    #[error("{0}")]
    Full(String),
    /// The file cannot be written or read at the moment: nothing was changed. It is tried again by itself.
    #[error("{0}")]
    Unavailable(String),
    /// What is kept of a record is damaged. Opening the journal again checks and repairs it.
    #[error("record {sequence} is damaged; open the journal again to have it repaired")]
    Damaged {
        /// Which one.
        sequence: Sequence,
    },
    /// A consumer's name must be one to 64 bytes of text.
    #[error("a consumer's name is 1 to 64 bytes long; this one has {length}")]
    Name {
        /// How long it is.
        length: usize,
    },
    /// No such consumer, or it was removed.
    #[error("there is no consumer {name:?}")]
    UnknownConsumer {
        /// Its name.
        name: String,
    },
    /// The journal has been closed.
    #[error("the journal has been closed")]
    Closed,
}
