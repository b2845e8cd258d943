//! What one thread keeps, by size.
//!
//! A thread that keeps something is on a list of all such threads, so that the whole can be told. It is on it from the first block until it ends; only the list
//! has a lock. What a thread keeps it alone changes, and others read how much that is.
#![allow(unsafe_code, reason = "lists of memory that is nobody's, linked through itself, and of threads")]

use alloc::alloc::{Layout, dealloc};
use core::cell::Cell;
use core::ptr::{self, NonNull};

use super::{KeptMemory, STEP, rounded};
use crate::sync::Latched;
use crate::sync::atomic::{AtomicUsize, Ordering};

/// How many sizes are kept: all up to a kibibyte.
const SIZES: usize = u64::BITS as usize;
/// How many bytes a thread keeps at the most.
const MOST: usize = 64 * 1024;

/// Memory that is kept: its first word is the address of the next of its size.
type Free = *mut u8;

struct Stock {
    /// For each size, what was put here last.
    rows: [Cell<Free>; SIZES],
    /// Which rows have something: a bit for each.
    filled: Cell<u64>,
    bytes: AtomicUsize,
    blocks: AtomicUsize,
    listed: Cell<bool>,
    /// The next on the list of all. Under the list's lock.
    next: Cell<*const Stock>,
}

std::thread_local! {
    static STOCK: Stock = const {
        Stock {
            rows: [const { Cell::new(ptr::null_mut()) }; SIZES],
            filled: Cell::new(0),
            bytes: AtomicUsize::new(0),
            blocks: AtomicUsize::new(0),
            listed: Cell::new(false),
            next: Cell::new(ptr::null()),
        }
    };
}

/// The first of those that keep something, or did.
struct All(*const Stock);

// SAFETY: what is on the list is there, and is asked under the lock only for what may be asked from any thread.
unsafe impl Send for All {}

static ALL: Latched<All> = Latched::new(All(ptr::null()));

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

/// What all threads keep.
pub(super) fn everything() -> KeptMemory {
    ALL.with(|all| {
        let mut kept = KeptMemory { blocks: 0, bytes: 0 };
        let mut at = all.0;
        // SAFETY: a stock leaves the list, under the lock, before it goes.
        while let Some(stock) = unsafe { at.as_ref() } {
            kept.blocks += stock.blocks.load(Ordering::Relaxed);
            kept.bytes += stock.bytes.load(Ordering::Relaxed);
            at = stock.next.get();
        }
        kept
    })
}

#[cfg(test)]
pub(super) fn bytes() -> usize {
    STOCK.with(|stock| stock.bytes.load(Ordering::Relaxed))
}

impl Stock {
    #[inline]
    fn take(&self, row: usize) -> Option<NonNull<u8>> {
        let first = NonNull::new(self.rows[row].get())?;
        // SAFETY: what is kept is nobody's, and begins with the address of the next.
        let next = unsafe { first.cast::<Free>().read() };
        self.rows[row].set(next);
        if next.is_null() {
            self.filled.set(self.filled.get() & !(1 << row));
        }
        // Nobody else writes these two.
        self.bytes.store(self.bytes.load(Ordering::Relaxed) - (row + 1) * STEP, Ordering::Relaxed);
        self.blocks.store(self.blocks.load(Ordering::Relaxed) - 1, Ordering::Relaxed);
        Some(first)
    }

    /// # Safety
    ///
    /// `at` is memory of this row's size that nobody uses, aligned to [`STEP`].
    unsafe fn give(&self, row: usize, at: NonNull<u8>) -> bool {
        let size = (row + 1) * STEP;
        let full = self.bytes.load(Ordering::Relaxed) + size > MOST;
        if full && (self.filled.get() & !(1 << row) == 0 || !self.make_room(row)) {
            return false;
        }
        let bytes = self.bytes.load(Ordering::Relaxed) + size;
        if !self.listed.get() {
            self.enlist();
        }
        self.bytes.store(bytes, Ordering::Relaxed);
        self.blocks.store(self.blocks.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        let next = self.rows[row].get();
        if next.is_null() {
            self.filled.set(self.filled.get() | 1 << row);
        }
        // SAFETY: promised by the caller; the smallest has room for an address.
        unsafe { at.cast::<Free>().write(next) };
        self.rows[row].set(at.as_ptr());
        true
    }

    /// Frees what is kept of other sizes, as one of this size was needed last. False if there is nothing.
    #[cold]
    fn make_room(&self, row: usize) -> bool {
        while self.bytes.load(Ordering::Relaxed) + (row + 1) * STEP > MOST {
            let others = self.filled.get() & !(1 << row);
            let Some(largest) = others.checked_ilog2() else { return false };
            self.free_one(largest as usize);
        }
        true
    }

    fn free_one(&self, row: usize) -> bool {
        let Some(at) = self.take(row) else { return false };
        if let Ok(layout) = Layout::from_size_align((row + 1) * STEP, STEP) {
            // SAFETY: `super::take` allocated it with this layout, and it is nobody's.
            unsafe { dealloc(at.as_ptr(), rounded(layout)) }
        }
        true
    }

    /// Goes on the list. It is a thread's own, and stays where it is until that ends.
    #[cold]
    fn enlist(&self) {
        ALL.with(|all| {
            self.next.set(all.0);
            all.0 = self;
        });
        self.listed.set(true);
    }

    /// Leaves the list.
    fn delist(&self) {
        ALL.with(|all| {
            if ptr::eq(all.0, self) {
                all.0 = self.next.get();
                return;
            }
            let mut at = all.0;
            // SAFETY: a stock leaves the list, under the lock, before it goes.
            while let Some(before) = unsafe { at.as_ref() } {
                if ptr::eq(before.next.get(), self) {
                    before.next.set(self.next.get());
                    return;
                }
                at = before.next.get();
            }
        });
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        if self.listed.get() {
            self.delist();
        }
        for row in 0..SIZES {
            while self.free_one(row) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{Layout, MOST, NonNull, Ordering, SIZES, STEP, Stock, row};

    fn layout(row: usize) -> Layout {
        Layout::from_size_align((row + 1) * STEP, STEP).unwrap()
    }

    #[test]
    fn each_size_has_its_row_up_to_the_largest() {
        for size in 1..=SIZES * STEP {
            assert_eq!(row(Layout::from_size_align(size, 8).unwrap()), Some((size - 1) / STEP), "{size} bytes");
        }
        assert_eq!(row(Layout::from_size_align(SIZES * STEP + 1, 8).unwrap()), None);
        assert_eq!(row(Layout::from_size_align(8, 2 * STEP).unwrap()), None);
    }

    /// What it keeps, by size; as many bytes as it says.
    fn kept(stock: &Stock) -> Vec<(usize, usize)> {
        let mut all = Vec::new();
        for (row, first) in stock.rows.iter().enumerate() {
            let (mut at, mut count) = (first.get(), 0);
            while !at.is_null() {
                count += 1;
                // SAFETY: what is kept begins with the address of the next.
                at = unsafe { at.cast::<super::Free>().read() };
            }
            assert_eq!(stock.filled.get() >> row & 1 == 1, count > 0);
            all.extend((count > 0).then_some((row, count)));
        }
        let bytes: usize = all.iter().map(|(row, count)| (row + 1) * STEP * count).sum();
        assert_eq!(bytes, stock.bytes.load(Ordering::Relaxed));
        assert_eq!(all.iter().map(|(_, count)| count).sum::<usize>(), stock.blocks.load(Ordering::Relaxed));
        all
    }

    #[test]
    fn no_more_room_is_made_than_is_needed() {
        std::thread::spawn(|| {
            super::STOCK.with(|stock| {
                let give = |row: usize| {
                    // SAFETY: just allocated with the layout of its row, and nobody else's.
                    unsafe { stock.give(row, NonNull::new(alloc::alloc::alloc(layout(row))).unwrap()) }
                };
                assert!((0..MOST / STEP / 32).all(|_| give(31)));
                assert!(give(63), "which takes as much as two of the others");
                assert_eq!(kept(stock), [(31, MOST / STEP / 32 - 2), (63, 1)]);
            });
        })
        .join()
        .unwrap();
    }

    #[test]
    fn what_is_needed_now_takes_as_much_room_of_other_sizes_as_it_must_and_of_its_own_none() {
        std::thread::spawn(|| {
            super::STOCK.with(|stock| {
                let give = |row: usize| {
                    // SAFETY: just allocated with the layout of its row, and nobody else's.
                    let at = unsafe { NonNull::new(alloc::alloc::alloc(layout(row))).unwrap() };
                    // SAFETY: as above.
                    let kept = unsafe { stock.give(row, at) };
                    if !kept {
                        // SAFETY: it was not taken.
                        unsafe { super::dealloc(at.as_ptr(), layout(row)) };
                    }
                    kept
                };
                let full = MOST / STEP / 64;
                assert!((0..full).all(|_| give(63)), "to the last byte");
                assert!(!give(63), "its own make no room");
                assert_eq!(kept(stock), [(63, full)]);
                assert!(give(0));
                assert_eq!(kept(stock), [(0, 1), (63, full - 1)]);
                // As many as one of the others was large; then one more goes.
                assert!((1..64).all(|_| give(0)));
                assert_eq!(kept(stock), [(0, 64), (63, full - 1)]);
                // Its own make no room either where there are others that are smaller.
                assert!(give(63));
                assert_eq!(kept(stock), [(63, full)]);
                assert!((0..64).all(|_| give(0)));
                assert_eq!(kept(stock), [(0, 64), (63, full - 1)]);
                assert!(give(0));
                assert_eq!(kept(stock), [(0, 65), (63, full - 2)]);
                // The largest go first; and the smallest, where there is nothing else.
                assert!((0..2 * full - 4).all(|_| give(31)));
                assert_eq!(
                    kept(stock),
                    [(0, 65), (31, 2 * full - 4), (63, 0)].into_iter().filter(|one| one.1 > 0).collect::<Vec<_>>()
                );
                assert!(give(31));
                assert!(kept(stock).contains(&(31, 2 * full - 3)));
            });
        })
        .join()
        .unwrap();
    }
}
