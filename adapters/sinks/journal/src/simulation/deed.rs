//! One thing that was done to a disk.

use fastrand::Rng;

use super::files::{Files, Name};

/// What a disk writes at once or not at all.
const SECTOR: usize = 512;

/// One thing that was done to a disk.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Write { name: Name, at: usize, bytes: Vec<u8> },
    Length { name: Name, length: usize },
    Sync { name: Name },
    Replace,
}

impl Deed {
    pub(super) const fn name(&self) -> Name {
        match self {
            Self::Write { name, .. } | Self::Length { name, .. } | Self::Sync { name } => *name,
            Self::Replace => Name::Database,
        }
    }

    pub(super) fn rename(&mut self) {
        if let Self::Write { name: name @ Name::Fresh, .. } | Self::Length { name: name @ Name::Fresh, .. } = self {
            *name = Name::Database;
        }
    }

    pub(super) fn apply(&self, files: &mut Files) {
        match self {
            Self::Write { name, at, bytes } => files.file(*name).write(*at, bytes),
            Self::Length { name, length } => files.file(*name).bytes.resize(*length, 0),
            Self::Sync { .. } | Self::Replace => {}
        }
    }

    /// Some of its sectors.
    pub(super) fn tear(&self, files: &mut Files, random: &mut Rng) {
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
