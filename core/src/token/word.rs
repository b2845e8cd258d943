//! This room holds the one word of a node that says whether it is cancelled, and why.
#![allow(unsafe_code, reason = "the word owns a count of a shared cause, by its address")]

use core::fmt;
use core::ptr;

use crate::sync::Arc;
use crate::sync::atomic::{AtomicPtr, Ordering};
use crate::{Cause, CauseKind, Detail};

/// Whether a node is cancelled, and why, in one word: both are published by one step (T1, T5) and read by one load (T4).
///
/// ```text
///            shield made            shield ended
///   (new) ──────────────► MASKED ────────────────┐
///     │                     │ cancel             ▼
///     └────► LIVE ──────────┼──────────────► cancelled: the cause, for ever (T2, T10)
///              ▲            │   cancel, or inherited from an ancestor
///              └────────────┘
/// ```
///
/// That of a root begins as `ROOT`, and is otherwise like one that is live.
///
/// | value | meaning |
/// | --- | --- |
/// | 0 | live: the node itself is not cancelled, look at its parents |
/// | 1 | live, and a root's: there is nobody to look at |
/// | 2 | masked: not cancelled, and a shield hides the parents (R9) |
/// | low bits `01` | cancelled, the cause is in the other bits |
/// | any other | cancelled, the address of a shared [`Cause`]; the word owns one count of it |
///
/// # Implementation notes
///
/// A lock-free *claim, write, publish* over a flag and a cause beside it would leave losers of the race waiting for the
/// winner to publish. One word has no such moment, and it lets whoever looks up a cause write it down in the child
/// without a lock.
pub(super) struct Word(AtomicPtr<Cause>);

/// What a [`Word`] was seen to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen(*mut Cause);

const LIVE: usize = 0;
const ROOT: usize = 1;
const MASKED: usize = 2;
/// Set in the low bits of a cause that is in the word itself.
const INLINE: usize = 1;
const TAG: usize = 3;
const KIND_SHIFT: u32 = 2;
const KIND_MASK: usize = 0x3f;
const CODED: usize = 1 << 8;
/// Where a code goes in the word, where a word has room for it.
const CODE_SHIFT: u32 = 32;

impl Seen {
    /// Whether the node itself is not cancelled, and has parents that it sees.
    #[inline]
    pub(super) fn is_live(self) -> bool {
        self.0.addr() == LIVE
    }

    /// Whether the node itself is not cancelled, and is known to have no parents.
    #[inline]
    pub(super) fn is_root(self) -> bool {
        self.0.addr() == ROOT
    }

    /// Whether the node itself is cancelled.
    #[inline]
    pub(super) fn is_cancelled(self) -> bool {
        self.0.addr() > MASKED
    }

    /// Whether a shield hides the node's parents.
    #[inline]
    pub(super) fn is_masked(self) -> bool {
        self.0.addr() == MASKED
    }

    fn is_shared(self) -> bool {
        self.is_cancelled() && self.0.addr() & TAG == 0
    }
}

impl Word {
    pub(super) fn live() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Of a node that has no parents. Only a hint: one that is `live` is right too.
    #[cfg(not(any(countermand_loom, countermand_shuttle)))]
    pub(super) const fn root() -> Self {
        Self(AtomicPtr::new(ptr::without_provenance_mut(ROOT)))
    }

    #[cfg(any(countermand_loom, countermand_shuttle))]
    pub(super) fn root() -> Self {
        Self(AtomicPtr::new(ptr::without_provenance_mut(ROOT)))
    }

    pub(super) fn masked() -> Self {
        Self(AtomicPtr::new(ptr::without_provenance_mut(MASKED)))
    }

    /// Whether it owns a count of a shared cause.
    #[inline]
    pub(super) fn is_shared(&self) -> bool {
        self.load().is_shared()
    }

    /// Reads the word. What happened before it was cancelled has happened for the reader (T3).
    #[inline]
    pub(super) fn load(&self) -> Seen {
        Seen(self.0.load(if mutant!(RelaxedFlag) { Ordering::Relaxed } else { Ordering::SeqCst }))
    }

    /// The cause, if the node itself is cancelled.
    pub(super) fn cause(&self) -> Option<Cause> {
        let seen = self.load();
        if !seen.is_cancelled() {
            return None;
        }
        if seen.is_shared() {
            // SAFETY: a word that was cancelled never changes again, and owns a count of the cause until it is dropped.
            return Some(unsafe { *seen.0 });
        }
        Some(unpack(seen.0.addr()))
    }

    /// Cancels with `cause`. Says whether it was this call that did (T1).
    pub(super) fn cancel(&self, cause: Cause) -> bool {
        let mut seen = self.load();
        if seen.is_cancelled() && !mutant!(LaterCauseOverwrites) {
            return false;
        }
        if mutant!(ShieldHidesOwnCancel) && seen.is_masked() {
            return true;
        }
        let new = Seen(match pack(cause) {
            Some(packed) => ptr::without_provenance_mut(packed),
            None => Arc::into_raw(Arc::new(cause)).cast_mut(),
        });
        loop {
            if self.swap_from(seen, new) {
                return true;
            }
            seen = self.load();
            if seen.is_cancelled() {
                release(new);
                return false;
            }
        }
    }

    /// Takes over the cause of `above`, an ancestor's word, if this one is live and that one is cancelled.
    pub(super) fn inherit(&self, above: &Self) {
        let seen = above.load();
        if !seen.is_cancelled() || !self.load().is_live() {
            return;
        }
        if seen.is_shared() {
            // SAFETY: the address came from `Arc::into_raw`, and `above` owns a count of it for as long as it is borrowed.
            unsafe { Arc::increment_strong_count(seen.0.cast_const()) };
        }
        if !self.swap_from(Seen(ptr::null_mut()), seen) {
            release(seen);
        }
    }

    /// Lets the node see its parents again.
    pub(super) fn unmask(&self) {
        self.swap_from(Seen(ptr::without_provenance_mut(MASKED)), Seen(ptr::null_mut()));
    }

    fn swap_from(&self, seen: Seen, new: Seen) -> bool {
        // In one order with the state of a job whose token it is: see `job::head`.
        self.0.compare_exchange(seen.0, new.0, Ordering::SeqCst, Ordering::Acquire).is_ok()
    }

    /// Forgets that the node was cancelled; only a defect does.
    #[cfg(feature = "mutants")]
    pub(super) fn forget(&self) {
        let seen = self.load();
        if seen.is_cancelled() && !seen.is_shared() {
            self.swap_from(seen, Seen(ptr::null_mut()));
        }
    }
}

impl Drop for Word {
    fn drop(&mut self) {
        release(self.load());
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause() {
            Some(cause) => f.debug_tuple("Cancelled").field(&cause).finish(),
            None if self.load().is_masked() => f.write_str("Masked"),
            None => f.write_str("Live"),
        }
    }
}

/// Gives back the count that a word owns, or would have owned.
fn release(seen: Seen) {
    if seen.is_shared() {
        // SAFETY: the address came from `Arc::into_raw`, and the caller gives up the count that goes with it.
        drop(unsafe { Arc::from_raw(seen.0.cast_const()) });
    }
}

/// `cause` in a word, if it fits.
fn pack(cause: Cause) -> Option<usize> {
    let kind = 1 + usize::from(cause.kind().number());
    let packed = INLINE | kind << KIND_SHIFT;
    match cause.detail() {
        Detail::None => Some(packed),
        Detail::Code(code) => Some(packed | CODED | usize::try_from(code).ok()?.checked_shl(CODE_SHIFT)?),
        Detail::Text(_) => None,
    }
}

/// What [`pack`] packed.
fn unpack(packed: usize) -> Cause {
    let kind = (packed >> KIND_SHIFT & KIND_MASK) as u8;
    let cause = Cause::new(CauseKind::numbered(kind.wrapping_sub(1)));
    if packed & CODED == 0 {
        return cause;
    }
    let code = packed.checked_shr(CODE_SHIFT).unwrap_or(0);
    cause.with_code(u32::try_from(code).unwrap_or(u32::MAX))
}
