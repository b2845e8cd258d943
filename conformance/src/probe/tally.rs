//! A global allocator that counts, for the rules that speak of allocation.
#![allow(
    unsafe_code,
    reason = "an allocator is an unsafe trait; this file hands every call on to the system's and counts"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering};

/// Counts allocations by thread, and live bytes and blocks of the whole process. [`main!`](crate::main) installs it.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Tally;

static BYTES: AtomicI64 = AtomicI64::new(0);
static BLOCKS: AtomicI64 = AtomicI64::new(0);

thread_local! {
    static HERE: Cell<u64> = const { Cell::new(0) };
    static KEPT: Cell<(i64, i64)> = const { Cell::new((0, 0)) };
}

impl Tally {
    /// For `#[global_allocator] static TALLY: Tally = Tally::new();`
    #[must_use]
    pub const fn new() -> Self {
        Self
    }

    /// How many allocations and reallocations this thread has made, or `None` if the program does not count.
    #[must_use]
    pub fn here() -> Option<u64> {
        let before = HERE.get();
        drop(std::hint::black_box(Box::new(0_u64)));
        (HERE.get() != before).then(|| HERE.get())
    }

    /// Bytes of the heap in use by the whole process (zero if the program does not count; ask [`here`](Self::here)).
    #[must_use]
    pub fn live_bytes() -> i64 {
        BYTES.load(Ordering::SeqCst)
    }

    /// Blocks of the heap in use by the whole process (zero if the program does not count).
    #[must_use]
    pub fn live_blocks() -> i64 {
        BLOCKS.load(Ordering::SeqCst)
    }

    /// Blocks and bytes that this thread has allocated and not freed. What one thread frees of another's counts as less than
    /// nothing, so ask where one thread does both; other threads of the host do not disturb this.
    #[must_use]
    pub fn kept_here() -> (i64, i64) {
        KEPT.get()
    }

    fn count(allocations: u64, blocks: i64, bytes: i64) {
        BYTES.fetch_add(bytes, Ordering::Relaxed);
        BLOCKS.fetch_add(blocks, Ordering::Relaxed);
        // A thread that is ending may allocate after its locals are gone.
        let _ = HERE.try_with(|here| here.set(here.get() + allocations));
        let _ = KEPT.try_with(|kept| kept.set((kept.get().0 + blocks, kept.get().1 + bytes)));
    }
}

fn size(bytes: usize) -> i64 {
    // A layout is never larger than isize::MAX.
    bytes as i64
}

// SAFETY: every call is handed on unchanged to `System`, which keeps the contract; counting allocates nothing.
unsafe impl GlobalAlloc for Tally {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count(1, 1, size(layout.size()));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::count(1, 1, size(layout.size()));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        Self::count(1, 0, size(new_size) - size(layout.size()));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.realloc(block, layout, new_size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        Self::count(0, -1, -size(layout.size()));
        // SAFETY: the caller's promise is handed on.
        unsafe { System.dealloc(block, layout) }
    }
}
