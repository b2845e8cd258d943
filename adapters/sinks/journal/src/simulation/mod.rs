//! A disk in memory that can be full, and that forgets at a crash what was not synced.

mod deed;
mod files;
mod handle;
mod history;
mod platter;

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

use deed::Deed;
use files::Name;
use handle::{Handle, Raw};
pub use history::History;
use platter::{BLOCK, Platter};

use crate::disk::{Disk, FixedFile};
use crate::{JournalError, Verification, verification};

/// A disk in memory. Clones are the same disk.
///
/// It can have a capacity, and is full then as a real one is: what has its blocks can be written over, what would need a new one fails. It can
/// remember everything that was done to it; [`History`] makes the disks of it that a crash would have left.
#[derive(Clone, Debug, Default)]
pub struct SimulatedDisk {
    platter: Arc<Mutex<Platter>>,
}

impl SimulatedDisk {
    /// An empty disk without bounds.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.platter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives it so many bytes, in blocks of 4096, or no bound. To be called while it is empty, or after it had a bound.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.platter().capacity = bytes.map(|bytes| bytes / BLOCK);
    }

    /// How many bytes have been given out, if it has a capacity.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.platter().files.blocks() * BLOCK
    }

    /// The bytes of the journal's file, as they are now.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.platter().files.database.bytes.clone()
    }

    /// Makes these the bytes of the journal's file.
    pub fn set_bytes(&self, bytes: impl Into<Vec<u8>>) {
        self.platter().files.database.bytes = bytes.into();
    }

    /// The bytes of the reserve, as they are now.
    #[must_use]
    pub fn reserve_bytes(&self) -> Vec<u8> {
        self.platter().files.reserve.bytes.clone()
    }

    /// Makes these the bytes of the reserve.
    pub fn set_reserve_bytes(&self, bytes: impl Into<Vec<u8>>) {
        self.platter().files.reserve.bytes = bytes.into();
    }

    /// Looks whether the journal on it is whole, and changes nothing, as [`Journal::verify`](crate::Journal::verify) does.
    ///
    /// # Errors
    ///
    /// It is no journal. Damage is no error: the answer tells of it.
    pub fn verify(&self) -> Result<Verification, JournalError> {
        let file = || self.handle(Name::Database);
        verification::examine(Raw::new(file()), || Ok(file()), &self.place())
    }

    /// Begins to remember what is done to it. What is there now counts as synced.
    pub fn record(&self) {
        let mut platter = self.platter();
        platter.record = Some((platter.files.clone(), Vec::new()));
    }

    /// How many deeds have been remembered.
    #[must_use]
    pub fn recorded(&self) -> usize {
        self.platter().record.as_ref().map_or(0, |(_, deeds)| deeds.len())
    }

    /// What was remembered.
    #[must_use]
    pub fn history(&self) -> History {
        let (start, deeds) = self.platter().record.clone().unwrap_or_default();
        History::new(start, deeds)
    }

    fn handle(&self, name: Name) -> Handle {
        Handle { disk: self.clone(), name }
    }
}

impl Disk for SimulatedDisk {
    fn place(&self) -> String {
        "a simulated disk".to_owned()
    }

    fn database(&self) -> io::Result<Box<dyn StorageBackend>> {
        Ok(Box::new(self.handle(Name::Database)))
    }

    fn raw(&self) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Raw::new(self.handle(Name::Database))))
    }

    fn fresh(&self) -> io::Result<Box<dyn StorageBackend>> {
        self.platter().set_length(Name::Fresh, 0)?;
        Ok(Box::new(self.handle(Name::Fresh)))
    }

    fn discard(&self) {
        let _ = self.platter().set_length(Name::Fresh, 0);
    }

    fn replace(&self) -> io::Result<String> {
        let mut platter = self.platter();
        platter.files.replace();
        platter.note(|| Deed::Replace);
        platter.set_aside += 1;
        Ok(format!("damaged {}", platter.set_aside))
    }

    fn reserve(&self, bytes: u64) -> io::Result<Box<dyn FixedFile>> {
        let mut platter = self.platter();
        let length = platter.files.reserve.bytes.len();
        let wanted = usize::try_from(bytes).map_err(io::Error::other)?;
        if length < wanted {
            platter.write(Name::Reserve, length as u64, &vec![0; wanted - length])?;
            platter.note(|| Deed::Sync { name: Name::Reserve });
        }
        drop(platter);
        Ok(Box::new(self.handle(Name::Reserve)))
    }
}
