//! What of a walk is counted.

use std::hint::black_box;

/// What runs in here is counted.
#[inline(never)]
pub(super) fn measured<T>(work: impl FnOnce() -> T) -> T {
    // Looked at afterwards, so that this frame is there until the work is done.
    black_box(work())
}
