//! A handful of wakers, collected while the lock is held, called when it is open.

use core::task::Waker;

use crate::contain::survives;

/// How many items, or wakers, go through one turn of the lock.
pub(super) const HANDFUL: usize = 16;

/// See the head of the file.
pub(super) struct Wakes {
    wakers: [Option<Waker>; HANDFUL],
    len: usize,
}

impl Wakes {
    pub(super) const fn new() -> Self {
        Self { wakers: [const { None }; HANDFUL], len: 0 }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) const fn has_room(&self) -> bool {
        self.len < HANDFUL
    }

    /// The caller has made sure that there is room.
    pub(super) fn push(&mut self, waker: Option<Waker>) {
        if waker.is_some() {
            self.wakers[self.len] = waker;
            self.len += 1;
        }
    }

    /// Wakes them all, and holds none afterwards.
    pub(super) fn wake(&mut self) {
        for waker in &mut self.wakers[..self.len] {
            wake(waker.take());
        }
        self.len = 0;
    }
}

/// Wakes whoever is there to be woken. A panic is contained: it is not the caller's, and others may be next (P3).
#[inline]
pub(super) fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        survives(|| waker.wake());
    }
}

/// Drops a waker that is not used any more. That is others' code too.
#[inline]
pub(super) fn let_go(waker: Option<Waker>) {
    if let Some(waker) = waker {
        survives(|| drop(waker));
    }
}
