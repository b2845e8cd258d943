//! Who is to be told when the outcome of a job is fixed.
//!
//! Whoever asks puts a callback on the list, and then marks the job's slot; the publisher fills the slot, and sees the mark or not. If not, whoever asked
//! sees that the slot is full. So one of the two takes what is on the list.

#![allow(unsafe_code, reason = "a list whose head is an address that two may change")]

use alloc::boxed::Box;
use core::ptr;

use crate::Class;
use crate::sync::atomic::{AtomicPtr, Ordering};

/// What is called.
pub(crate) type Callback = Box<dyn FnOnce(Class) + Send>;

/// See the head of the file. Most jobs have none, so that one word is all that lies in a job: the address of the newest, who owns the next. It is only ever added to, or taken whole.
pub(crate) struct Told(AtomicPtr<Asked>);

/// Linked through boxes that it owns.
pub(crate) struct List(*mut Asked);

struct Asked {
    callback: Callback,
    next: *mut Self,
}

// SAFETY: what is on the list is `Send`, and whoever has the list has all of it.
unsafe impl Send for List {}

impl Told {
    #[inline]
    pub(super) fn new() -> Self {
        Self(AtomicPtr::new(ptr::null_mut()))
    }

    /// Whether nothing is in it that would have to be dropped.
    #[inline]
    pub(super) fn is_bare(&mut self) -> bool {
        self.0.load(Ordering::Relaxed).is_null()
    }

    /// Puts a callback on the list.
    pub(crate) fn ask(&self, callback: Callback) {
        let mut newest = self.0.load(Ordering::Relaxed);
        let asked = Box::into_raw(Box::new(Asked { callback, next: newest }));
        while let Err(now) = self.0.compare_exchange_weak(newest, asked, Ordering::Release, Ordering::Relaxed) {
            newest = now;
            // SAFETY: nobody else knows of it yet.
            unsafe { (*asked).next = now };
        }
    }

    /// What is on the list, to be called: who asked first is first.
    #[inline]
    pub(crate) fn take(&self) -> List {
        // What each of those who asked has written is seen, as each exchange goes on from the one before it.
        let mut newest = self.0.swap(ptr::null_mut(), Ordering::Acquire);
        let mut oldest = ptr::null_mut();
        while !newest.is_null() {
            // SAFETY: it was put there by `ask`, and is nobody else's since it was taken off.
            let next = unsafe { core::mem::replace(&mut (*newest).next, oldest) };
            (oldest, newest) = (newest, next);
        }
        List(oldest)
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        drop(self.take());
    }
}

impl Iterator for List {
    type Item = Callback;

    #[inline]
    fn next(&mut self) -> Option<Callback> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: from `Told::ask`; the list owns it, and goes on with the next.
        let Asked { callback, next } = *unsafe { Box::from_raw(self.0) };
        self.0 = next;
        Some(callback)
    }
}

impl Drop for List {
    fn drop(&mut self) {
        // One by one: a long list must not recurse.
        self.for_each(drop);
    }
}
