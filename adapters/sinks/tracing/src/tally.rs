//! What became of the packets that a layer made.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells what became of the packets that a layer made; it stays when the layer has gone into a subscriber. Clones tell of the same layer.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    taken: AtomicU64,
    refused: AtomicU64,
    quiet: AtomicU64,
    panicked: AtomicU64,
    unknown_priority: AtomicU64,
}

/// What became of the packets that a layer made, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// They were taken.
    pub taken: u64,
    /// They were not taken.
    pub refused: u64,
    /// None was made, as it was in a stretch of [`quiet`](crate::quiet()).
    pub quiet: u64,
    /// The taking panicked.
    pub panicked: u64,
    /// Of all that were made: their field `priority` names none, and their level decided (E1).
    pub unknown_priority: u64,
}

/// What happened to one packet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Taken,
    Refused,
    Quiet,
    Panicked,
}

impl Tally {
    /// The figures now.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Figures {
            taken: read(&self.0.taken),
            refused: read(&self.0.refused),
            quiet: read(&self.0.quiet),
            panicked: read(&self.0.panicked),
            unknown_priority: read(&self.0.unknown_priority),
        }
    }

    pub(crate) fn count(&self, fate: Fate) {
        let counter = match fate {
            Fate::Taken => &self.0.taken,
            Fate::Refused => &self.0.refused,
            Fate::Quiet => &self.0.quiet,
            Fate::Panicked => &self.0.panicked,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_unknown_priority(&self) {
        self.0.unknown_priority.fetch_add(1, Ordering::Relaxed);
    }
}
