//! What one thread keeps, by size.
#![allow(unsafe_code, reason = "lists of memory that is nobody's, linked through itself")]

use alloc::alloc::{Layout, dealloc};
use core::cell::Cell;
use core::ptr::{self, NonNull};

use super::{STEP, rounded};

/// How many sizes are kept: all up to a kibibyte.
const SIZES: usize = 64;
/// How many bytes a thread keeps at the most.
const MOST: usize = 64 * 1024;

/// Memory that is kept: its first word is the address of the next of its size.
type Free = *mut u8;

struct Stock {
    /// For each size, what was put here last.
    rows: [Cell<Free>; SIZES],
    bytes: Cell<usize>,
}

std::thread_local! {
    static STOCK: Stock = const { Stock { rows: [const { Cell::new(ptr::null_mut()) }; SIZES], bytes: Cell::new(0) } };
}

/// The row of a layout. None for what is large, or aligned to more than allocators do anyway.
#[inline]
fn row(layout: Layout) -> Option<usize> {
    let row = layout.size().wrapping_sub(1) / STEP;
    (row < SIZES && layout.align() <= STEP).then_some(row)
}

#[inline]
pub(super) fn take(layout: Layout) -> Option<NonNull<u8>> {
    let row = row(layout)?;
    // A thread that is ending keeps nothing any more.
    STOCK.try_with(|stock| stock.take(row)).ok().flatten()
}

/// # Safety
///
/// As for [`super::give`], if this is true; else nothing was done.
#[inline]
pub(super) unsafe fn give(at: NonNull<u8>, layout: Layout) -> bool {
    let Some(row) = row(layout) else { return false };
    // SAFETY: promised by the caller.
    STOCK.try_with(|stock| unsafe { stock.give(row, at) }).unwrap_or(false)
}

#[cfg(test)]
pub(super) fn bytes() -> usize {
    STOCK.with(|stock| stock.bytes.get())
}

impl Stock {
    #[inline]
    fn take(&self, row: usize) -> Option<NonNull<u8>> {
        let first = NonNull::new(self.rows[row].get())?;
        // SAFETY: what is kept is nobody's, and begins with the address of the next.
        self.rows[row].set(unsafe { first.cast::<Free>().read() });
        self.bytes.set(self.bytes.get() - (row + 1) * STEP);
        Some(first)
    }

    /// # Safety
    ///
    /// `at` is memory of this row's size that nobody uses, aligned to [`STEP`].
    unsafe fn give(&self, row: usize, at: NonNull<u8>) -> bool {
        let bytes = self.bytes.get() + (row + 1) * STEP;
        if bytes > MOST {
            return false;
        }
        self.bytes.set(bytes);
        // SAFETY: promised by the caller; the smallest has room for an address.
        unsafe { at.cast::<Free>().write(self.rows[row].get()) };
        self.rows[row].set(at.as_ptr());
        true
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        for row in 0..SIZES {
            while let Some(at) = self.take(row) {
                let Ok(layout) = Layout::from_size_align((row + 1) * STEP, STEP) else { continue };
                // SAFETY: `super::take` allocated it with this layout, and it is nobody's.
                unsafe { dealloc(at.as_ptr(), rounded(layout)) }
            }
        }
    }
}
