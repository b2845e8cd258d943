//! What became of each packet so far, for whoever holds its receipt.

use alloc::vec::Vec;
use core::mem;
use core::task::Waker;

use crate::telemetry::Fate;

/// No entry.
const NONE: u32 = u32::MAX;

/// The table of all packets that are on their way, or whose receipt has not been read.
///
/// Entries are used again, so that a packet costs no allocation here; a number of generation keeps an old key from a new entry (D7).
#[derive(Debug)]
pub(super) struct Docket {
    entries: Vec<Entry>,
    free: u32,
}

/// Names a packet in the docket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Case {
    index: u32,
    generation: u32,
}

#[derive(Debug)]
struct Entry {
    generation: u32,
    /// In how many outlets it still is; or, while it is free, the next free entry.
    left: u32,
    worst: Fate,
    /// A durable outlet has it.
    kept: bool,
    /// Somebody holds the receipt.
    held: bool,
    /// The router's own.
    own: bool,
    waker: Option<Waker>,
}

/// What an outlet's being through with a packet brings about.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// It was the last outlet: so the packet ends.
    pub(super) end: Option<Fate>,
    /// The packet is the router's own.
    pub(super) own: bool,
    /// The receipt is ready: to be woken.
    pub(super) waker: Option<Waker>,
}

impl Docket {
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new(), free: NONE }
    }

    /// A packet that goes to so many outlets, `worst` being what happened to it at those where it did not get in.
    pub(super) fn open(&mut self, left: u32, worst: Fate, held: bool, own: bool) -> Case {
        let entry = |generation| Entry { generation, left, worst, kept: false, held, own, waker: None };
        if let Some(place) = self.entries.get_mut(self.free as usize) {
            let index = mem::replace(&mut self.free, place.left);
            *place = entry(place.generation);
            return Case { index, generation: place.generation };
        }
        self.entries.push(entry(0));
        Case { index: (self.entries.len() - 1) as u32, generation: 0 }
    }

    /// Whether the packet is the router's own.
    pub(super) fn is_own(&self, case: Case) -> bool {
        self.entry(case).is_some_and(|entry| entry.own)
    }

    /// One outlet is through with the packet.
    pub(super) fn leave(&mut self, case: Case, fate: Fate, keeps: bool) -> Change {
        let Some(entry) = self.entry_mut(case) else { return Change::default() };
        entry.left -= 1;
        entry.worst = entry.worst.max(fate);
        entry.kept |= keeps && fate == Fate::Delivered;
        let end = (entry.left == 0).then_some(entry.worst);
        let waker = if end.is_some() || entry.kept { entry.waker.take() } else { None };
        let (own, read) = (entry.own, !entry.held);
        if end.is_some() && read {
            self.close(case);
        }
        Change { end, own, waker }
    }

    /// The fate that a receipt tells: as soon as a durable outlet has the packet, or else at its end.
    pub(super) fn fate(&self, case: Case) -> Option<Fate> {
        let entry = self.entry(case)?;
        if entry.kept { Some(Fate::Delivered) } else { (entry.left == 0).then_some(entry.worst) }
    }

    /// Leaves a waker for when the receipt is ready; gives the one before back.
    pub(super) fn wait(&mut self, case: Case, waker: Waker) -> Option<Waker> {
        match self.entry_mut(case) {
            Some(entry) => entry.waker.replace(waker),
            None => Some(waker),
        }
    }

    /// The receipt is gone. What it left behind comes back, to be dropped outside of the lock.
    pub(super) fn detach(&mut self, case: Case) -> Option<Waker> {
        let entry = self.entry_mut(case)?;
        entry.held = false;
        let waker = entry.waker.take();
        if entry.left == 0 {
            self.close(case);
        }
        waker
    }

    fn close(&mut self, case: Case) {
        let free = self.free;
        if let Some(entry) = self.entry_mut(case) {
            entry.generation = entry.generation.wrapping_add(1);
            entry.left = free;
            self.free = case.index;
        }
    }

    fn entry(&self, case: Case) -> Option<&Entry> {
        self.entries.get(case.index as usize).filter(|entry| entry.generation == case.generation)
    }

    fn entry_mut(&mut self, case: Case) -> Option<&mut Entry> {
        self.entries.get_mut(case.index as usize).filter(|entry| entry.generation == case.generation)
    }
}
