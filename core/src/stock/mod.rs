//! This room keeps the memory of jobs that are gone, for the next ones of their size.
//!
//! Each thread keeps some of its own, so nobody is waited for: whoever lets go of a job last puts its memory here, and whoever makes a job takes it from
//! here. What is kept is bounded in bytes, whatever the sizes, and goes with its thread; what is needed now displaces what was. Without threads of `std` nothing is kept, nor
//! with `--cfg countermand_unkept`: a checker of addresses does not see who uses a job that has gone while its memory is kept.
#![allow(unsafe_code, reason = "memory that is passed on without its allocator")]

#[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle, countermand_unkept, miri))))]
mod kept;

use alloc::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use core::ptr::NonNull;

/// What the threads of this process keep at a moment: see [`kept_memory`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptMemory {
    /// Blocks of the heap.
    pub blocks: usize,
    /// Their size together.
    pub bytes: usize,
}

/// How much memory of jobs that are gone is kept for the next ones, by all threads together. Who counts blocks of the heap to find a leak takes this off.
///
/// A thread keeps 64 KiB at the most, and nothing once it has ended; without `std` nothing is kept. Of threads that take and give meanwhile, each figure is of some
/// moment during the call.
#[must_use]
pub fn kept_memory() -> KeptMemory {
    #[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle, countermand_unkept, miri))))]
    return kept::everything();
    #[cfg(not(all(feature = "std", not(any(countermand_loom, countermand_shuttle, countermand_unkept, miri)))))]
    KeptMemory::default()
}

/// Memory for one value of this layout, which must not be empty; uninitialized.
#[inline]
pub(crate) fn take(layout: Layout) -> NonNull<u8> {
    #[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle, countermand_unkept, miri))))]
    if let Some(kept) = kept::take(layout) {
        return kept;
    }
    let layout = rounded(layout);
    // SAFETY: the layout is not empty, promised by the caller, and rounding makes it no smaller.
    NonNull::new(unsafe { alloc(layout) }).unwrap_or_else(|| handle_alloc_error(layout))
}

/// Gives memory back.
///
/// # Safety
///
/// It came from [`take`] with the same layout, and nobody uses it any more.
#[inline]
pub(crate) unsafe fn give(at: NonNull<u8>, layout: Layout) {
    #[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle, countermand_unkept, miri))))]
    // SAFETY: promised by the caller.
    if unsafe { kept::give(at, layout) } {
        return;
    }
    // SAFETY: promised by the caller.
    unsafe { free(at, layout) }
}

/// Gives memory back to the allocator, whoever could use it next.
///
/// # Safety
///
/// As for [`give`].
pub(crate) unsafe fn free(at: NonNull<u8>, layout: Layout) {
    // SAFETY: `take` allocated it with this layout.
    unsafe { dealloc(at.as_ptr(), rounded(layout)) }
}

/// What allocators round to anyway: so that sizes that differ by a little share what is kept.
const STEP: usize = 16;

/// The layout by which memory for `layout` is allocated.
fn rounded(layout: Layout) -> Layout {
    let step = layout.align_to(STEP).map(|layout| layout.pad_to_align());
    step.unwrap_or(layout)
}

#[cfg(all(test, feature = "std", not(any(countermand_loom, countermand_shuttle, countermand_unkept, miri))))]
mod tests {
    use super::{Layout, give, take};

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 8).expect("a layout")
    }

    #[test]
    fn what_was_given_back_is_taken_next() {
        let (first, other) = (take(layout(200)), take(layout(200)));
        assert_ne!(first, other);
        // SAFETY: both came from `take` with this layout.
        unsafe {
            give(first, layout(200));
            give(other, layout(200));
        }
        let sizes = [200, 193, 208, 209].map(|size| (take(layout(size)), layout(size)));
        assert_eq!(sizes[0].0, other, "the last is the first");
        assert_eq!(sizes[1].0, first, "of almost the same size");
        assert!(sizes[2..].iter().all(|(at, _)| *at != first && *at != other));
        // SAFETY: each came from `take` with its layout.
        sizes.into_iter().for_each(|(at, layout)| unsafe { give(at, layout) });
    }

    #[test]
    fn a_thread_keeps_so_much_and_no_more() {
        // More than it keeps, of three sizes, and one that it never keeps. What is not kept, and what is, is freed; a checker of leaks sees the rest.
        for size in [64, 1_000, 1_024, 100_000] {
            let all: alloc::vec::Vec<_> = (0..200).map(|_| take(layout(size))).collect();
            // SAFETY: each came from `take` with this layout.
            all.into_iter().for_each(|at| unsafe { give(at, layout(size)) });
        }
        assert!((60_000..=65_536).contains(&super::kept::bytes()), "{} bytes", super::kept::bytes());
    }

    #[test]
    fn a_size_that_is_needed_no_more_makes_room_for_one_that_is() {
        let full: alloc::vec::Vec<_> = (0..200).map(|_| take(layout(1_000))).collect();
        // SAFETY: each came from `take` with this layout.
        full.into_iter().for_each(|at| unsafe { give(at, layout(1_000)) });
        let round = || (0..64).map(|_| take(layout(400))).collect::<alloc::vec::Vec<_>>();
        let first = round();
        // SAFETY: as above.
        first.iter().for_each(|at| unsafe { give(*at, layout(400)) });
        let second = round();
        assert!(second.iter().all(|at| first.contains(at)), "they are kept, all of them");
        // SAFETY: as above.
        second.into_iter().for_each(|at| unsafe { give(at, layout(400)) });
        assert!(super::kept::bytes() <= 65_536, "{} bytes", super::kept::bytes());
    }
}
