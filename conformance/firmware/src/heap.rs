//! The heap, which counts for the rules that speak of allocation.
#![allow(unsafe_code, reason = "an allocator is an unsafe trait; this file hands every call on and counts")]

use core::alloc::{GlobalAlloc, Layout};

use countermand_conformance::Tally;
use embedded_alloc::LlffHeap;

const SIZE: usize = 3 * 1024 * 1024;

static mut MEMORY: [u64; SIZE / 8] = [0; SIZE / 8];

#[global_allocator]
static HEAP: Counting = Counting(LlffHeap::empty());

struct Counting(LlffHeap);

/// Once, before anything is allocated.
pub(crate) fn set_up() {
    // SAFETY: the memory is used by nobody else, and this is called once, as the peripherals are taken once.
    unsafe { HEAP.0.init((&raw mut MEMORY).addr(), SIZE) }
}

fn size(bytes: usize) -> i64 {
    // A layout is never larger than isize::MAX.
    bytes as i64
}

// SAFETY: every call is handed on unchanged to a heap that keeps the contract; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Tally::count(1, 1, size(layout.size()));
        // SAFETY: the caller's promise is handed on.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        Tally::count(0, -1, -size(layout.size()));
        // SAFETY: the caller's promise is handed on.
        unsafe { self.0.dealloc(block, layout) }
    }
}
