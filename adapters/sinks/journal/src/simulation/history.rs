//! What was done to a disk, and the disks that a crash in the midst of it would have left.

use std::sync::{Arc, Mutex};

use fastrand::Rng;

use super::SimulatedDisk;
use super::deed::Deed;
use super::files::{Files, Name};
use super::platter::Platter;

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
    pub(super) const fn new(start: Files, deeds: Vec<Deed>) -> Self {
        Self { synced: start, pending: Vec::new(), deeds, at: 0, deaf: false }
    }

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
