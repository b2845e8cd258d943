//! One file of a simulated disk.

use std::io::{self, Read};

use redb::StorageBackend;

use super::SimulatedDisk;
use super::deed::Deed;
use super::files::Name;
use crate::disk::FixedFile;

/// One file of a disk.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) disk: SimulatedDisk,
    pub(super) name: Name,
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
pub(super) struct Raw {
    handle: Handle,
    at: usize,
}

impl Raw {
    pub(super) const fn new(handle: Handle) -> Self {
        Self { handle, at: 0 }
    }
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
