//! The reserve: room on the disk that is there already, for CRITICAL records when there is no other (E13).

use std::io;

use crate::disk::FixedFile;
use crate::record::{Draft, Entry};
use crate::scan::scan;
use crate::{Disk, WallTime};

/// Records that wait in the reserve for room in the file.
///
/// Invariants:
/// 1. The frames stand one behind the other from the front. Damage among them ends nothing (E12).
/// 2. What waits has a place from the file's next on. A frame with a lower place has been moved, or is left over.
pub(crate) struct Reserve {
    file: Box<dyn FixedFile>,
    size: usize,
    used: usize,
    waiting: Vec<Entry>,
}

impl Reserve {
    /// Opens the reserve of this disk. `next` is the place of the next record in the file.
    pub(crate) fn open(disk: &dyn Disk, bytes: u64, next: u64) -> io::Result<Self> {
        let mut file = disk.reserve(bytes)?;
        let content = file.read()?;
        let (mut used, mut waiting) = (0, Vec::<Entry>::new());
        scan::<io::Error>(&*content, |_, frame, end| {
            let least = waiting.last().map_or(next, |last| last.sequence.number() + 1);
            waiting.extend(Entry::unseal(frame).filter(|entry| entry.sequence.number() >= least));
            used = usize::try_from(end).unwrap_or(content.len());
            Ok(())
        })?;
        let mut reserve = Self { file, size: content.len(), used, waiting };
        if reserve.waiting.is_empty() {
            reserve.clear();
        }
        Ok(reserve)
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// What waits, in order.
    pub(crate) fn waiting(&self) -> &[Entry] {
        &self.waiting
    }

    /// Puts these behind what waits, as many as there is room for, and syncs. `next` is the place of the next record in the file. How many are safe.
    pub(crate) fn put(&mut self, drafts: Vec<Draft>, next: u64, now: WallTime) -> io::Result<Vec<u64>> {
        let next = self.waiting.last().map_or(next, |last| last.sequence.number() + 1);
        let (mut bytes, mut entries) = (Vec::new(), Vec::new());
        for (sequence, draft) in (next..).zip(drafts) {
            let entry = Entry::of(draft, sequence, now);
            let frame = entry.seal();
            if self.used + bytes.len() + frame.len() > self.size {
                break;
            }
            bytes.extend_from_slice(&frame);
            entries.push(entry);
        }
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        self.file.write(self.used as u64, &bytes)?;
        self.file.sync()?;
        self.used += bytes.len();
        let places = entries.iter().map(|entry| entry.sequence.number()).collect();
        self.waiting.append(&mut entries);
        Ok(places)
    }

    /// The place of the waiting packet with this id.
    pub(crate) fn find(&self, id: u128) -> Option<u64> {
        let waiting = self.waiting.iter().find(|entry| entry.label.id.number() == id);
        waiting.map(|entry| entry.sequence.number())
    }

    /// All that waited has been moved, and committed.
    pub(crate) fn clear(&mut self) {
        if self.used == 0 {
            return;
        }
        // If this fails nothing is lost: what is left over has places that the file has passed.
        let zeros = vec![0; self.used];
        let _ = self.file.write(0, &zeros).and_then(|()| self.file.sync());
        self.used = 0;
        self.waiting.clear();
    }
}
