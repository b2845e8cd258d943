//! An allocator that counts, while it is told to: how often memory was asked for, how much, and how much was held at the most.
//!
//! Timed rounds run with the counting off: then an allocation costs one more load of a flag that nobody writes.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

static ON: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
/// Bytes held, less those that were held when the counting began. What was held before and is freed makes it negative.
static HELD: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

/// The system's allocator, counted.
#[derive(Debug)]
pub(crate) struct Counting;

/// What was counted between two readings.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Calls that asked for memory, growth included.
    pub(crate) allocations: u64,
    /// Bytes asked for.
    pub(crate) bytes: u64,
    /// The most that was held at a time beyond what was held at the beginning.
    pub(crate) peak: i64,
    /// What is held in the end beyond what was held at the beginning.
    pub(crate) left: i64,
}

/// Counts what `work`, and every other thread meanwhile, asks for.
pub(crate) fn count<T>(work: impl FnOnce() -> T) -> (T, Tally) {
    let read = || (ALLOCATIONS.load(Ordering::SeqCst), BYTES.load(Ordering::SeqCst), HELD.load(Ordering::SeqCst));
    let (allocations, bytes, held) = read();
    PEAK.store(held, Ordering::SeqCst);
    ON.store(true, Ordering::SeqCst);
    let value = work();
    ON.store(false, Ordering::SeqCst);
    let after = read();
    let peak = PEAK.load(Ordering::SeqCst) - held;
    let tally =
        Tally { allocations: after.0 - allocations, bytes: after.1 - bytes, peak: peak.max(0), left: after.2 - held };
    (value, tally)
}

#[cold]
fn taken(bytes: usize, returned: usize) {
    ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
    let more = bytes as i64 - returned as i64;
    let held = HELD.fetch_add(more, Ordering::Relaxed) + more;
    PEAK.fetch_max(held, Ordering::Relaxed);
}

#[cold]
fn given_back(bytes: usize) {
    HELD.fetch_sub(bytes as i64, Ordering::Relaxed);
}

#[expect(unsafe_code, reason = "an allocator cannot be had without; it hands everything on to the system's")]
// SAFETY: every method hands its arguments on to `System` as they are and gives back what that gave; the counting touches neither the
// memory nor the layout, does not allocate and does not unwind.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if ON.load(Ordering::Relaxed) {
            taken(layout.size(), 0);
        }
        // SAFETY: the caller keeps the contract of this very method.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if ON.load(Ordering::Relaxed) {
            taken(layout.size(), 0);
        }
        // SAFETY: the caller keeps the contract of this very method.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if ON.load(Ordering::Relaxed) {
            taken(size, layout.size());
        }
        // SAFETY: the caller keeps the contract of this very method, and the block is the system's, as all are that are given out here.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if ON.load(Ordering::Relaxed) {
            given_back(layout.size());
        }
        // SAFETY: the caller keeps the contract of this very method, and the block is the system's, as all are that are given out here.
        unsafe { System.dealloc(block, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_left_and_what_is_freed_was_held() {
        // Other tests may run meanwhile and add theirs; nobody takes any of this away.
        let (kept, tally) = count(|| {
            drop(std::hint::black_box(vec![0_u8; 1 << 20]));
            vec![0_u8; 1 << 10]
        });
        assert!(tally.allocations >= 2 && tally.bytes >= (1 << 20) + (1 << 10), "{tally:?}");
        assert!(tally.peak >= 1 << 20, "{tally:?}");
        assert_eq!(kept.len(), 1 << 10);
    }
}
