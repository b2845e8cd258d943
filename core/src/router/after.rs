//! What is to be done once the lock of a router is open again.

use alloc::vec::Vec;
use core::task::Waker;

use crate::contain::survives;
use crate::sync::Arc;
use crate::telemetry::Parcel;

/// What is to be done once the lock is open again: wakers are others' code (T8).
#[derive(Default)]
pub(super) struct After<B> {
    pub(super) wake: Vec<Waker>,
    /// Replaced by others: to be dropped, and not woken, or an outlet would wake itself for ever.
    pub(super) replaced: Vec<Waker>,
    /// To be dropped.
    pub(super) gone: Vec<Arc<Parcel<B>>>,
}

impl<B> After<B> {
    pub(super) const fn new() -> Self {
        Self { wake: Vec::new(), replaced: Vec::new(), gone: Vec::new() }
    }

    /// Does it.
    pub(super) fn attend(self) {
        let Self { wake, replaced, gone } = self;
        for waker in wake {
            survives(|| waker.wake());
        }
        for waker in replaced {
            survives(|| drop(waker));
        }
        for parcel in gone {
            survives(|| drop(parcel));
        }
    }
}
