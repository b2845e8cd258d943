//! This room keeps who waits for the tokens of one tree.
#![allow(unsafe_code, reason = "an intrusive list: what is on it lies in pinned futures")]

use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use core::task::Waker;

use super::HeldToken;
use crate::sync::UnsafeCell;

/// A place on a list, inside a future. On the list exactly while it has a waker. Guarded by the lock, but for `token`.
pub(super) struct Waiter {
    next: UnsafeCell<Option<NonNull<Waiter>>>,
    /// Taken before it goes, so that there is nothing to be dropped with it.
    waker: UnsafeCell<ManuallyDrop<Option<Waker>>>,
    /// For whom it waits. Never changes.
    token: *const HeldToken<'static>,
}

/// Singly linked: a token is waited for by few, and a word for each is saved.
pub(super) struct List {
    first: Option<NonNull<Waiter>>,
}

impl Waiter {
    pub(super) const fn new(token: *const HeldToken<'static>) -> Self {
        Self { next: UnsafeCell::new(None), waker: UnsafeCell::new(ManuallyDrop::new(None)), token }
    }

    /// For whom it waits.
    ///
    /// # Safety
    ///
    /// The token is there.
    pub(super) unsafe fn token<'a>(&self) -> &'a HeldToken<'a> {
        // SAFETY: promised by the caller; the lifetime that it was borrowed for is not longer than the token's own.
        unsafe { &*self.token }
    }

    /// # Safety
    ///
    /// Under the lock.
    unsafe fn swap_waker(&self, waker: Option<Waker>) -> Option<Waker> {
        // SAFETY: promised by the caller.
        self.waker.with_mut(|place| core::mem::replace(unsafe { &mut **place }, waker))
    }
}

// The safety of every function below: the caller has the lock, and whoever is on the list is there, as is the token that it names.
impl List {
    pub(super) const fn new() -> Self {
        Self { first: None }
    }

    /// Puts the waiter on the list, or changes its waker if it is on it. Gives the waker that is not needed any more.
    ///
    /// # Safety
    ///
    /// See above. The waiter leaves the list before it goes or moves, and is put on no other.
    pub(super) unsafe fn put(&mut self, waiter: &Waiter, waker: Waker) -> Option<Waker> {
        // SAFETY: under the lock.
        unsafe {
            let old = waiter.swap_waker(Some(waker));
            if old.is_none() {
                waiter.next.with_mut(|next| *next = self.first);
                self.first = Some(NonNull::from(waiter));
            }
            old
        }
    }

    /// Takes off the first that waits for a token that `wanted` is true of, and gives its waker.
    ///
    /// # Safety
    ///
    /// See above.
    pub(super) unsafe fn take(&mut self, wanted: impl Fn(&HeldToken<'_>) -> bool) -> Option<Waker> {
        // SAFETY: see above.
        unsafe { self.unlink(|waiter| wanted(waiter.token())).and_then(|waiter| waiter.swap_waker(None)) }
    }

    /// Takes this one off, and gives its waker, if it is on the list.
    ///
    /// # Safety
    ///
    /// See above. The waiter is on no other list.
    pub(super) unsafe fn remove(&mut self, gone: &Waiter) -> Option<Waker> {
        // SAFETY: see above.
        unsafe {
            let waker = gone.swap_waker(None)?;
            self.unlink(|waiter| core::ptr::eq(waiter, gone));
            Some(waker)
        }
    }

    /// Takes off all that wait for a token that `wanted` is true of. What they have is left to them.
    ///
    /// # Safety
    ///
    /// See above.
    pub(super) unsafe fn forget(&mut self, wanted: impl Fn(&HeldToken<'_>) -> bool) {
        // SAFETY: see above.
        while unsafe { self.unlink(|waiter| wanted(waiter.token())) }.is_some() {}
    }

    /// Takes the first of these off, and leaves its waker.
    ///
    /// # Safety
    ///
    /// See above.
    unsafe fn unlink<'a>(&mut self, wanted: impl Fn(&Waiter) -> bool) -> Option<&'a Waiter> {
        let mut before: Option<&Waiter> = None;
        let mut at = self.first;
        // SAFETY: see above.
        unsafe {
            while let Some(here) = at {
                let waiter: &Waiter = here.as_ref();
                let next = waiter.next.with(|next| *next);
                if wanted(waiter) {
                    match before {
                        None => self.first = next,
                        Some(before) => before.next.with_mut(|place| *place = next),
                    }
                    return Some(waiter);
                }
                before = Some(waiter);
                at = next;
            }
        }
        None
    }
}
