//! This room describes a function that is called when a token is cancelled.
#![allow(unsafe_code, reason = "a callback is on the node's list, and owned by it")]

use core::mem::offset_of;
use core::ptr::NonNull;

use alloc::boxed::Box;

use super::entry::{Entry, Kind, Link, Listed};
use crate::Cause;
use crate::sync::{Arc, UnsafeCell};

/// What is called.
pub(super) type Function = Box<dyn FnOnce(Cause) + Send>;

/// A function to be called, with its place on a node's list.
///
/// Who may touch `run`: whoever took the callback off the list, under the node's lock; that can be only one.
#[repr(C)]
pub(super) struct Callback {
    /// First: see [`Entry`].
    pub(super) link: UnsafeCell<Link>,
    run: UnsafeCell<Option<Function>>,
}

// SAFETY: `link` is guarded by the node's lock, `run` passes from one owner to the next through it, and is `Send`.
unsafe impl Send for Callback {}
// SAFETY: as above.
unsafe impl Sync for Callback {}

// SAFETY: `link` comes first.
unsafe impl Listed for Callback {
    const KIND: Kind = {
        assert!(offset_of!(Self, link) == 0);
        Kind::Callback
    };
}

impl Callback {
    pub(super) fn new(run: Function) -> Arc<Self> {
        Arc::new(Self { link: Link::new(), run: UnsafeCell::new(Some(run)) })
    }

    pub(super) fn entry(this: &Arc<Self>) -> Entry {
        // SAFETY: the address of a value is never null.
        Entry::of(unsafe { NonNull::new_unchecked(Arc::as_ptr(this).cast_mut()) })
    }

    /// Calls the function. Only for the one who took the callback off its list.
    pub(super) fn run(&self, cause: Cause) {
        if let Some(run) = self.take() {
            run(cause);
        }
    }

    /// Only for the one who took the callback off its list.
    pub(super) fn take(&self) -> Option<Function> {
        // SAFETY: the caller is the only one who may touch it.
        self.run.with_mut(|run| unsafe { (*run).take() })
    }
}
