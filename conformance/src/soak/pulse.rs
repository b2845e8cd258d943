//! Whether anything happens yet in the soak of this process.

use std::sync::atomic::{AtomicU64, Ordering};

/// Grows for as long as anything does.
static PROGRESS: AtomicU64 = AtomicU64::new(0);

/// Something has happened.
pub(super) fn move_on() {
    PROGRESS.fetch_add(1, Ordering::Relaxed);
}

/// How far it has come, to be compared with the next look.
pub(super) fn progress() -> u64 {
    PROGRESS.load(Ordering::Relaxed)
}
