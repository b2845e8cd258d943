//! This room keeps whether a held token is cancelled by itself, and why.
//!
//! It is written under the lock, and read without: what a cause adds is written before the kind is, and whoever has seen the kind reads what it adds.
#![allow(unsafe_code, reason = "what a cause adds is not written any more when its kind is there")]

#[cfg(all(test, countermand_loom))]
mod loom;

use crate::sync::UnsafeCell;
use crate::sync::atomic::{AtomicU8, Ordering};
use crate::{Cause, CauseKind, Detail};

/// The kind of a token that is not cancelled by itself.
const LIVE: u8 = 0;

/// See the head of the file.
pub(super) struct Why {
    /// [`LIVE`], or one more than the number of the cause's kind.
    kind: AtomicU8,
    detail: UnsafeCell<Detail>,
}

// SAFETY: the detail is written by one at a time, before the kind is, and read after that.
unsafe impl Send for Why {}
// SAFETY: as above.
unsafe impl Sync for Why {}

impl Why {
    #[cfg(not(countermand_loom))]
    pub(super) const fn new() -> Self {
        Self { kind: AtomicU8::new(LIVE), detail: UnsafeCell::new(Detail::None) }
    }

    #[cfg(countermand_loom)]
    pub(super) fn new() -> Self {
        Self { kind: AtomicU8::new(LIVE), detail: UnsafeCell::new(Detail::None) }
    }

    #[inline]
    pub(super) fn is_there(&self) -> bool {
        self.kind.load(Ordering::Acquire) != LIVE
    }

    /// # Safety
    ///
    /// Nobody else is in here, and there is none yet.
    pub(super) unsafe fn set(&self, cause: Cause) {
        // SAFETY: nobody reads it before the kind is written.
        self.detail.with_mut(|detail| unsafe { *detail = cause.detail() });
        self.kind.store(1 + cause.kind().number(), Ordering::Release); // T3, T5
    }

    pub(super) fn get(&self) -> Option<Cause> {
        let number = self.kind.load(Ordering::Acquire).checked_sub(1)?;
        let cause = Cause::new(CauseKind::numbered(number));
        // SAFETY: the kind was seen written, so this is not written any more.
        Some(cause.with_detail(self.detail.with(|detail| unsafe { *detail })))
    }
}
