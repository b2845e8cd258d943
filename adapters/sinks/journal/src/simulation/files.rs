//! The files of a simulated disk.

use std::collections::HashSet;

/// Which of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Database,
    Fresh,
    Reserve,
}

/// The files, by what they are for.
#[derive(Clone, Debug, Default)]
pub(super) struct Files {
    pub(super) database: Content,
    pub(super) fresh: Content,
    pub(super) reserve: Content,
}

/// What is in a file, and which blocks it has.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    pub(super) blocks: HashSet<u64>,
}

impl Files {
    pub(super) fn file(&mut self, name: Name) -> &mut Content {
        match name {
            Name::Database => &mut self.database,
            Name::Fresh => &mut self.fresh,
            Name::Reserve => &mut self.reserve,
        }
    }

    /// How many blocks they have.
    pub(super) fn blocks(&self) -> u64 {
        [&self.database, &self.fresh, &self.reserve].map(|file| file.blocks.len() as u64).iter().sum()
    }

    pub(super) fn replace(&mut self) {
        self.database = std::mem::take(&mut self.fresh);
    }
}

impl Content {
    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        self.bytes[at..end].copy_from_slice(bytes);
    }
}
