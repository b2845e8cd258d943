//! This room takes those who are to be told out of the lock, so that they are called when it is released.

use core::mem;
use core::task::Waker;

use super::callback::Callback;
use super::stack::Calls;
use crate::Cause;
use crate::contain::FirstPanic;
use crate::sync::Arc;

/// The listeners that were taken off a list under one hold of its lock. They are users' code, so never called, cloned or
/// dropped under a lock (T8).
pub(super) struct Batch {
    wakers: [Option<Waker>; Batch::SIZE],
    len: usize,
    calls: Calls,
}

impl Batch {
    /// How many wakers are taken under one hold of a lock. Few for the model checker, so that it sees more than one hold.
    const SIZE: usize = if cfg!(countermand_loom) { 1 } else { 16 };

    pub(super) const fn new() -> Self {
        Self { wakers: [const { None }; Self::SIZE], len: 0, calls: Calls::new() }
    }

    pub(super) fn is_full(&self) -> bool {
        self.len == Self::SIZE
    }

    /// Adds a waker. There must be room.
    pub(super) fn wake(&mut self, waker: Waker) {
        self.wakers[self.len] = Some(waker);
        self.len += 1;
    }

    /// Adds a callback.
    pub(super) fn call(&mut self, callback: Arc<Callback>) {
        self.calls.push(callback);
    }

    /// Tells them all, whichever of them panic (T9).
    pub(super) fn tell(&mut self, cause: Cause, panic: &mut FirstPanic) {
        let mut places = self.wakers[..mem::take(&mut self.len)].iter_mut();
        // As many as there are, or up to one that panics; then on from there.
        while !places.as_slice().is_empty() {
            let cut_off = mutant!(PanicEndsTheLoop) && panic.is_some();
            panic.run(|| {
                for waker in places.by_ref().filter_map(Option::take) {
                    if cut_off {
                        mem::forget(waker);
                        continue;
                    }
                    if mutant!(WakesTwice) {
                        waker.wake_by_ref();
                    }
                    waker.wake();
                }
            });
        }
        while let Some(callback) = self.calls.pop() {
            if mutant!(PanicEndsTheLoop) && panic.is_some() {
                continue;
            }
            panic.run(|| callback.run(cause));
            panic.run(|| drop(callback));
        }
    }
}
