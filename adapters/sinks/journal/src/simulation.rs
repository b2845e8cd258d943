//! A disk in memory that can be full, and that forgets at a crash what was not synced.

use std::collections::HashSet;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;
use redb::StorageBackend;

use crate::disk::{Disk, FixedFile};

/// What a disk writes at once or not at all.
const SECTOR: usize = 512;
/// What a file grows by.
const BLOCK: u64 = 4096;

/// A disk in memory. Clones are the same disk.
///
/// It can have a capacity, and is full then as a real one is: what has its blocks can be written over, what would need a new one fails. It can
/// remember everything that was done to it; [`History`] makes the disks of it that a crash would have left.
#[derive(Clone, Debug, Default)]
pub struct SimulatedDisk {
    platter: Arc<Mutex<Platter>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Database,
    Fresh,
    Reserve,
}

#[derive(Debug, Default)]
struct Platter {
    files: Files,
    /// In blocks.
    capacity: Option<u64>,
    record: Option<(Files, Vec<Deed>)>,
    set_aside: u32,
}

#[derive(Clone, Debug, Default)]
struct Files {
    database: Content,
    fresh: Content,
    reserve: Content,
}

#[derive(Clone, Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    blocks: HashSet<u64>,
}

/// One thing that was done to a disk.
#[derive(Clone, Debug)]
enum Deed {
    Write { name: Name, at: usize, bytes: Vec<u8> },
    Length { name: Name, length: usize },
    Sync { name: Name },
    Replace,
}

impl Files {
    fn file(&mut self, name: Name) -> &mut Content {
        match name {
            Name::Database => &mut self.database,
            Name::Fresh => &mut self.fresh,
            Name::Reserve => &mut self.reserve,
        }
    }

    fn replace(&mut self) {
        self.database = std::mem::take(&mut self.fresh);
    }
}

impl Content {
    fn write(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[at..end].copy_from_slice(bytes);
    }
}

impl Platter {
    fn note(&mut self, deed: impl FnOnce() -> Deed) {
        if let Some((_, deeds)) = &mut self.record {
            deeds.push(deed());
        }
    }

    fn write(&mut self, name: Name, at: u64, bytes: &[u8]) -> io::Result<()> {
        if let Some(capacity) = self.capacity {
            let used =
                [Name::Database, Name::Fresh, Name::Reserve].map(|name| self.files.file(name).blocks.len() as u64);
            let last = (at + bytes.len() as u64).div_ceil(BLOCK);
            let file = self.files.file(name);
            let new = (at / BLOCK..last).filter(|block| !file.blocks.contains(block)).collect::<Vec<_>>();
            if used.iter().sum::<u64>() + new.len() as u64 > capacity {
                return Err(io::ErrorKind::StorageFull.into());
            }
            file.blocks.extend(new);
        }
        let at = usize::try_from(at).map_err(io::Error::other)?;
        self.files.file(name).write(at, bytes);
        self.note(|| Deed::Write { name, at, bytes: bytes.to_vec() });
        Ok(())
    }

    fn set_length(&mut self, name: Name, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let file = self.files.file(name);
        file.bytes.resize(length, 0);
        file.blocks.retain(|block| *block * BLOCK < length as u64);
        self.note(|| Deed::Length { name, length });
        Ok(())
    }
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
        let mut platter = self.platter();
        let names = [Name::Database, Name::Fresh, Name::Reserve];
        names.iter().map(|name| platter.files.file(*name).blocks.len() as u64 * BLOCK).sum()
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
        History { synced: start, pending: Vec::new(), deeds, at: 0, deaf: false }
    }
}

/// What was done to a disk, at one point in it: what is synced there, and what is not yet.
#[derive(Clone, Debug)]
pub struct History {
    synced: Files,
    pending: Vec<Deed>,
    deeds: Vec<Deed>,
    at: usize,
    deaf: bool,
}

impl History {
    /// Makes the disk one that does nothing when it is asked to sync. A journal on it cannot keep its word.
    #[must_use]
    pub const fn without_syncs(mut self) -> Self {
        self.deaf = true;
        self
    }

    /// How many deeds are before this point.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// How many deeds there are.
    #[must_use]
    pub const fn recorded(&self) -> usize {
        self.deeds.len()
    }

    /// Moves behind the next deed. `false` at the end.
    pub fn step(&mut self) -> bool {
        let Some(deed) = self.deeds.get(self.at) else { return false };
        self.at += 1;
        match deed {
            Deed::Sync { .. } if self.deaf => {}
            Deed::Sync { name } => {
                let name = *name;
                let (synced, pending) =
                    std::mem::take(&mut self.pending).into_iter().partition(|deed| deed.name() == name);
                self.pending = pending;
                synced.iter().for_each(|deed| deed.apply(&mut self.synced));
            }
            // The disk puts the new file in place for good; what of it was not synced is not there for good.
            Deed::Replace => {
                self.synced.replace();
                self.pending.retain(|deed| deed.name() != Name::Database);
                self.pending.iter_mut().for_each(Deed::rename);
            }
            Deed::Write { .. } | Deed::Length { .. } => self.pending.push(deed.clone()),
        }
        true
    }

    /// The disk that a crash at this point leaves: what was synced, and of the rest whatever `seed` says, torn between sectors.
    #[must_use]
    pub fn crash(&self, seed: u64) -> SimulatedDisk {
        let mut random = Rng::with_seed(seed);
        let mut files = self.synced.clone();
        // In one of eight crashes everything got there, in one nothing did.
        let all = random.u8(..8);
        for deed in &self.pending {
            match (all, random.u8(..4)) {
                (0, _) => deed.apply(&mut files),
                (1, _) | (_, 0) => {}
                (_, 1) => deed.tear(&mut files, &mut random),
                _ => deed.apply(&mut files),
            }
        }
        let platter = Platter { files, ..Platter::default() };
        SimulatedDisk { platter: Arc::new(Mutex::new(platter)) }
    }
}

impl Deed {
    const fn name(&self) -> Name {
        match self {
            Self::Write { name, .. } | Self::Length { name, .. } | Self::Sync { name } => *name,
            Self::Replace => Name::Database,
        }
    }

    fn rename(&mut self) {
        if let Self::Write { name: name @ Name::Fresh, .. } | Self::Length { name: name @ Name::Fresh, .. } = self {
            *name = Name::Database;
        }
    }

    fn apply(&self, files: &mut Files) {
        match self {
            Self::Write { name, at, bytes } => files.file(*name).write(*at, bytes),
            Self::Length { name, length } => files.file(*name).bytes.resize(*length, 0),
            Self::Sync { .. } | Self::Replace => {}
        }
    }

    /// Some of its sectors.
    fn tear(&self, files: &mut Files, random: &mut Rng) {
        let Self::Write { name, at, bytes } = self else { return };
        let mut begin = 0;
        while begin < bytes.len() {
            let end = ((at + begin) / SECTOR + 1) * SECTOR - at;
            let end = end.min(bytes.len());
            if random.bool() {
                files.file(*name).write(at + begin, &bytes[begin..end]);
            }
            begin = end;
        }
    }
}

/// One file of a disk.
#[derive(Debug)]
struct Handle {
    disk: SimulatedDisk,
    name: Name,
}

impl StorageBackend for Handle {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.platter().files.file(self.name).bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut platter = self.disk.platter();
        let bytes = &platter.files.file(self.name).bytes;
        let at = usize::try_from(offset).map_err(io::Error::other)?;
        let there = at.checked_add(out.len()).and_then(|end| bytes.get(at..end));
        out.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.disk.platter().set_length(self.name, len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let name = self.name;
        self.disk.platter().note(|| Deed::Sync { name });
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.disk.platter().write(self.name, offset, data)
    }
}

/// The bytes of a file, from the front.
struct Raw {
    handle: Handle,
    at: usize,
}

impl Read for Raw {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut platter = self.handle.disk.platter();
        let read = platter.files.file(self.handle.name).bytes.get(self.at..).unwrap_or_default().read(out)?;
        self.at += read;
        Ok(read)
    }
}

impl FixedFile for Handle {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.disk.platter().files.file(self.name).bytes.clone())
    }

    fn write(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.platter().write(self.name, at, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        StorageBackend::sync_data(self)
    }
}

impl SimulatedDisk {
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
        Ok(Box::new(Raw { handle: self.handle(Name::Database), at: 0 }))
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
