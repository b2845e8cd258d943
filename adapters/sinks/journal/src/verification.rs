//! Whether a journal is whole, without changing it.

use std::fmt;
use std::fs::{File, TryLockError};
use std::io::Read;
use std::path::Path;

use countermand_core::Priority;
use redb::backends::FileBackend;
use redb::{Builder, ReadableDatabase, StorageBackend};

use crate::audit::audit;
use crate::database::has_journal;
use crate::fault::{Fault, contain};
use crate::frame::Kind;
use crate::overlay::Overlay;
use crate::scan::scan;
use crate::tables::Views;
use crate::{JournalConfig, JournalError};

/// What was found in a journal that was not changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// Everything that is wrong, in words.
    pub problems: Vec<String>,
    /// How many records of each priority can be read, by [`Priority::index`].
    pub records: [u64; Priority::COUNT],
    /// How many dead letters can be.
    pub dead_letters: u64,
    /// How many frames of records were found in the raw bytes that are whole, with older copies and what is removed already. From a damaged file as
    /// many can be saved, and no more.
    pub whole_frames: u64,
    /// How many bytes the file has.
    pub bytes: u64,
}

impl Verification {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.problems.is_empty()
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records, dead_letters, bytes, whole_frames, .. } = self;
        f.write_str(if self.is_whole() { "whole" } else { "damaged" })?;
        write!(f, ": {} records and {dead_letters} dead letters in {bytes} bytes", records.iter().sum::<u64>())?;
        if !self.is_whole() {
            write!(f, ", {whole_frames} records in the raw bytes are whole")?;
        }
        self.problems.iter().try_for_each(|problem| write!(f, "\n{problem}"))
    }
}

/// Looks at the journal in this file.
pub(crate) fn verify(path: &Path) -> Result<Verification, JournalError> {
    let place = path.display().to_string();
    let at = |error: std::io::Error| Fault::from(error).at(&place);
    let file = File::open(path).map_err(at)?;
    // An open journal holds this lock for itself.
    match file.try_lock_shared() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(JournalError::InUse { place }),
        Err(TryLockError::Error(error)) => return Err(at(error)),
    }
    let raw = file.try_clone().map_err(at)?;
    examine(raw, || Ok(FileBackend::new(file)?), &place)
}

/// Looks at the journal of which these are the bytes, from the front and in any order.
pub(crate) fn examine<B: StorageBackend>(
    raw: impl Read,
    backend: impl FnOnce() -> Result<B, Fault>,
    place: &str,
) -> Result<Verification, JournalError> {
    let mut verification = Verification::default();
    let mut found = false;
    let scanned = scan::<Fault>(raw, |kind, _, _| {
        found = true;
        verification.whole_frames += u64::from(kind == Kind::Record);
        Ok(())
    });
    let scanned = scanned.map_err(|fault| fault.at(place))?;
    verification.bytes = scanned.bytes;
    match contain(|| look(backend()?)) {
        Ok((problems, records, dead_letters)) => {
            (verification.problems, verification.records, verification.dead_letters) =
                (problems, records, dead_letters);
        }
        Err(fault) if fault.is_damage() && (scanned.may_be_ours || found) => {
            verification.problems.push(fault.text());
        }
        Err(fault) if fault.is_damage() => return Err(JournalError::NotAJournal { place: place.to_owned() }),
        Err(fault) => return Err(fault.at(place)),
    }
    Ok(verification)
}

fn look(backend: impl StorageBackend) -> Result<(Vec<String>, [u64; Priority::COUNT], u64), Fault> {
    let mut builder = Builder::new();
    builder.set_cache_size(JournalConfig::default().cache).set_check_integrity_on_open(true);
    let database = builder.create_with_backend(Overlay::new(backend)?)?;
    if !has_journal(&database)? {
        return Err(Fault::Damaged("there is no journal in it".to_owned()));
    }
    audit(&Views::open(&database.begin_read()?)?)
}
