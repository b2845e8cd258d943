//! This room describes a place on a node's list, inside a future.
#![allow(unsafe_code, reason = "it is shared with whoever has the node's lock")]

use core::cell::Cell;
use core::marker::PhantomPinned;
use core::mem::offset_of;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::Waker;

use super::entry::{Entry, Kind, Link, Listed};
use crate::sync::UnsafeCell;
use crate::sync::atomic::{AtomicBool, Ordering};

/// A place on a node's list, inside a future.
///
/// Who may touch what: `link` and `waker` belong to whoever has the node's lock from the time that `joined` is set until
/// the waiter is found off the list; before and after, to the future alone.
#[repr(C)]
pub(super) struct Waiter {
    /// First: see [`Entry`].
    pub(super) link: UnsafeCell<Link>,
    pub(super) waker: UnsafeCell<Option<Waker>>,
    /// Whether the waiter may be on the list. The future's alone.
    pub(super) joined: Cell<bool>,
    /// Set by whoever takes the waiter off the list in order to wake it, as the last thing that is done to it.
    pub(super) told: AtomicBool,
    _pinned: PhantomPinned,
}

// SAFETY: what is shared is guarded by the node's lock; `joined` is only used through `Pin<&mut _>` of the future.
unsafe impl Send for Waiter {}
// SAFETY: as above.
unsafe impl Sync for Waiter {}

// SAFETY: `link` comes first.
unsafe impl Listed for Waiter {
    const KIND: Kind = {
        assert!(offset_of!(Self, link) == 0);
        Kind::Waiter
    };
}

impl Waiter {
    #[inline]
    pub(super) fn new() -> Self {
        Self {
            link: Link::new(),
            waker: UnsafeCell::new(None),
            joined: Cell::new(false),
            told: AtomicBool::new(false),
            _pinned: PhantomPinned,
        }
    }

    pub(super) fn entry(self: Pin<&Self>) -> Entry {
        Entry::of(NonNull::from(self.get_ref()))
    }

    /// # Safety
    ///
    /// The waker is the caller's: the waiter is off the list, or this is called under the node's lock.
    pub(super) unsafe fn with_waker<R>(&self, f: impl FnOnce(&mut Option<Waker>) -> R) -> R {
        // SAFETY: promised by the caller.
        self.waker.with_mut(|waker| f(unsafe { &mut *waker }))
    }

    /// The waker of a waiter that was taken off its list.
    ///
    /// # Safety
    ///
    /// It is such a one, and the lock of the list is still held: it guards the waker.
    #[inline]
    pub(super) unsafe fn wakes(waiter: *mut Self) -> Option<Waker> {
        // SAFETY: promised by the caller.
        unsafe {
            let waker = (*waiter).waker.with_mut(|waker| (*waker).take());
            // From here on its future may drop it, lock or no lock.
            (*waiter).told.store(true, Ordering::Release);
            waker
        }
    }
}
