//! What is on a simulated disk, and how much room it has.

use std::io;

use super::deed::Deed;
use super::files::{Files, Name};

/// What a file grows by.
pub(super) const BLOCK: u64 = 4096;

/// What is on a disk.
#[derive(Debug, Default)]
pub(super) struct Platter {
    pub(super) files: Files,
    /// In blocks.
    pub(super) capacity: Option<u64>,
    pub(super) record: Option<(Files, Vec<Deed>)>,
    pub(super) set_aside: u32,
}

impl Platter {
    pub(super) fn note(&mut self, deed: impl FnOnce() -> Deed) {
        if let Some((_, deeds)) = &mut self.record {
            deeds.push(deed());
        }
    }

    pub(super) fn write(&mut self, name: Name, at: u64, bytes: &[u8]) -> io::Result<()> {
        if let Some(capacity) = self.capacity {
            let used = self.files.blocks();
            let last = (at + bytes.len() as u64).div_ceil(BLOCK);
            let file = self.files.file(name);
            let new = (at / BLOCK..last).filter(|block| !file.blocks.contains(block)).collect::<Vec<_>>();
            if used + new.len() as u64 > capacity {
                return Err(io::ErrorKind::StorageFull.into());
            }
            file.blocks.extend(new);
        }
        let at = usize::try_from(at).map_err(io::Error::other)?;
        self.files.file(name).write(at, bytes);
        self.note(|| Deed::Write { name, at, bytes: bytes.to_vec() });
        Ok(())
    }

    pub(super) fn set_length(&mut self, name: Name, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        let file = self.files.file(name);
        file.bytes.resize(length, 0);
        file.blocks.retain(|block| *block * BLOCK < length as u64);
        self.note(|| Deed::Length { name, length });
        Ok(())
    }
}
