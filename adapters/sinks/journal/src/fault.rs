//! What went wrong below: said by the database, or a panic of it.

use std::any::Any;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};

use countermand_core::Panic;
use redb::{CommitError, DatabaseError, StorageError, TableError, TransactionError};

use crate::{JournalError, Sequence};

/// What went wrong below.
#[derive(Debug)]
pub(crate) enum Fault {
    Database(redb::Error),
    /// The database did not expect what it found in the file.
    Panicked(String),
    /// What the journal itself wrote is not what is there.
    Damaged(String),
    Record(u64),
    UnknownConsumer(String),
    NotAJournal,
    Newer(u32),
    /// The database could not be opened again.
    Away(String),
}

macro_rules! from {
    ($($error:ty),*) => {
        $(impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                Self::Database(error.into())
            }
        })*
    };
}

from!(StorageError, TableError, CommitError, TransactionError, DatabaseError, std::io::Error);

impl Fault {
    /// The disk has no room.
    pub(crate) fn is_full(&self) -> bool {
        use ErrorKind::{QuotaExceeded, StorageFull};
        matches!(self, Self::Database(redb::Error::Io(error)) if matches!(error.kind(), StorageFull | QuotaExceeded))
    }

    /// It was asked for what is not there, or is damaged by itself: nobody else is concerned.
    pub(crate) const fn is_askers(&self) -> bool {
        matches!(self, Self::UnknownConsumer(_) | Self::Record(_) | Self::Damaged(_))
    }

    /// The file is not as it was written.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            Self::Database(redb::Error::Io(error)) => {
                matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof | ErrorKind::InvalidInput)
            }
            Self::Database(error) => !matches!(
                error,
                redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch | redb::Error::PreviousIo
            ),
            Self::Panicked(_) | Self::Damaged(_) | Self::Record(_) => true,
            Self::UnknownConsumer(_) | Self::NotAJournal | Self::Newer(_) | Self::Away(_) => false,
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Database(error) => error.to_string(),
            Self::Panicked(text) => format!("the database panicked: {text}"),
            Self::Damaged(text) | Self::Away(text) => text.clone(),
            Self::Record(sequence) => format!("record {sequence} is damaged"),
            Self::UnknownConsumer(name) => format!("there is no consumer {name:?}"),
            Self::NotAJournal => "not a journal".to_owned(),
            Self::Newer(layout) => format!("layout {layout}"),
        }
    }

    /// The error of `place` that this is.
    pub(crate) fn at(self, place: &str) -> JournalError {
        let place = place.to_owned();
        match self {
            fault if fault.is_full() => JournalError::Full(format!("disk full: {place}: {}", fault.text())),
            Self::Database(redb::Error::DatabaseAlreadyOpen | redb::Error::LockProtocolMismatch) => {
                JournalError::InUse { place }
            }
            Self::Database(redb::Error::Io(source)) => JournalError::Disk { place, source },
            Self::Record(sequence) => JournalError::Damaged { sequence: Sequence::new(sequence) },
            Self::UnknownConsumer(name) => JournalError::UnknownConsumer { name },
            Self::NotAJournal => JournalError::NotAJournal { place },
            Self::Newer(layout) => JournalError::Newer { place, layout, known: crate::state::LAYOUT },
            fault => JournalError::Unavailable(format!("{place}: {}", fault.text())),
        }
    }
}

/// Runs what calls the database, which may panic where a file is damaged.
pub(crate) fn contain<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    // What the closure borrows is made anew from the file after any fault, so a half-made change is never seen.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| Err(Fault::Panicked(message(payload))))
}

/// Drops what the database may panic about when it closes.
pub(crate) fn discard<T>(value: T) -> Result<(), Fault> {
    contain(|| {
        drop(value);
        Ok(())
    })
}

fn message(payload: Box<dyn Any + Send>) -> String {
    Panic::new(payload).to_string()
}
