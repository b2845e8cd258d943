//! What one thread has counted, or all those that have no page of their own.

use alloc::boxed::Box;

use super::{OUTCOMES, REASONS};
use crate::Priority;
use crate::histogram::SharedHistogram;
#[cfg(feature = "std")]
use crate::sync::Once;
use crate::sync::atomic::{AtomicU64, Ordering};

/// The counters of one priority.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) submitted: AtomicU64,
    pub(super) started: AtomicU64,
    pub(super) settled: [AtomicU64; OUTCOMES.len()],
    pub(super) rejected: [AtomicU64; REASONS.len()],
    pub(super) evicted: AtomicU64,
    pub(super) late: AtomicU64,
    pub(super) stalled: AtomicU64,
    pub(super) polls: AtomicU64,
}

/// The distributions of one priority: 16 kB, so they are there once something is to be recorded.
#[derive(Default)]
pub(super) struct Spread {
    pub(super) queued: SharedHistogram,
    pub(super) running: SharedHistogram,
}

/// See the head of the file. On lines of the cache of its own, as its owner writes it all the time.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Page {
    counters: [Counters; Priority::COUNT],
    spreads: Spreads,
}

impl Page {
    #[inline]
    pub(super) const fn counters(&self, priority: Priority) -> &Counters {
        &self.counters[priority.index()]
    }

    /// The distributions of a priority, for whoever records.
    #[inline]
    pub(super) fn spread(&self, priority: Priority) -> &Spread {
        self.spreads.of(priority)
    }

    /// The distributions of a priority, if anything was recorded.
    pub(super) fn recorded(&self, priority: Priority) -> Option<&Spread> {
        self.spreads.there(priority)
    }
}

#[derive(Default)]
#[cfg(feature = "std")]
struct Spreads([Once<Box<Spread>>; Priority::COUNT]);

#[derive(Default)]
#[cfg(not(feature = "std"))]
struct Spreads(Box<[Spread; Priority::COUNT]>);

#[cfg(feature = "std")]
impl Spreads {
    #[inline]
    fn of(&self, priority: Priority) -> &Spread {
        self.0[priority.index()].get_or_init(Box::default)
    }

    fn there(&self, priority: Priority) -> Option<&Spread> {
        self.0[priority.index()].get().map(|spread| &**spread)
    }
}

#[cfg(not(feature = "std"))]
impl Spreads {
    const fn of(&self, priority: Priority) -> &Spread {
        &self.0[priority.index()]
    }

    const fn there(&self, priority: Priority) -> Option<&Spread> {
        Some(self.of(priority))
    }
}

/// Counts on a page.
pub(super) trait Count {
    /// Adds to a counter.
    fn add(counter: &AtomicU64, more: u64, ordering: Ordering);

    /// Adds to a distribution.
    fn record(spread: &SharedHistogram, duration: core::time::Duration);
}

/// On the page of this thread, which nobody else writes.
#[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle))))]
pub(super) struct Alone;

/// On a page that others write too.
pub(super) struct Together;

#[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle))))]
impl Count for Alone {
    #[inline]
    fn add(counter: &AtomicU64, more: u64, ordering: Ordering) {
        counter.store(counter.load(Ordering::Relaxed) + more, ordering);
    }

    #[inline]
    fn record(spread: &SharedHistogram, duration: core::time::Duration) {
        spread.record_alone(duration);
    }
}

impl Count for Together {
    fn add(counter: &AtomicU64, more: u64, ordering: Ordering) {
        counter.fetch_add(more, ordering);
    }

    fn record(spread: &SharedHistogram, duration: core::time::Duration) {
        spread.record(duration);
    }
}
