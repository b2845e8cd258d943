//! The count of allocations on a target with one thread, whose image owns the allocator and reports to it.

use std::prelude::v1::*;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Counts what the image's allocator reports with [`count`](Tally::count).
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Tally;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicI64 = AtomicI64::new(0);
static BLOCKS: AtomicI64 = AtomicI64::new(0);

impl Tally {
    /// So many allocations and reallocations more, and so many blocks and bytes more, or less.
    pub fn count(allocations: u64, blocks: i64, bytes: i64) {
        ALLOCATIONS.fetch_add(allocations, Ordering::Relaxed);
        BLOCKS.fetch_add(blocks, Ordering::Relaxed);
        BYTES.fetch_add(bytes, Ordering::Relaxed);
    }

    /// How many allocations and reallocations there were, or `None` if the image does not count.
    #[must_use]
    pub fn here() -> Option<u64> {
        let before = ALLOCATIONS.load(Ordering::SeqCst);
        drop(std::hint::black_box(Box::new(0_u64)));
        let now = ALLOCATIONS.load(Ordering::SeqCst);
        (now != before).then_some(now)
    }

    /// Bytes of the heap in use.
    #[must_use]
    pub fn live_bytes() -> i64 {
        BYTES.load(Ordering::SeqCst)
    }

    /// Blocks of the heap in use.
    #[must_use]
    pub fn live_blocks() -> i64 {
        BLOCKS.load(Ordering::SeqCst)
    }

    /// Blocks and bytes in use: one thread does it all.
    #[must_use]
    pub fn kept_here() -> (i64, i64) {
        (Self::live_blocks(), Self::live_bytes())
    }
}
