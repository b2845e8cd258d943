//! Who is to be told when the outcome of a job is fixed.
//!
//! Whoever asks marks that there is somebody, and then looks whether the outcome is fixed; the publisher fixes it, and then looks for the mark. All in one
//! order, so one of them sees the other, and takes what is on the list.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use crate::Class;
use crate::sync::Lock;
use crate::sync::atomic::{AtomicBool, Ordering};

/// What is called.
pub(crate) type Callback = Box<dyn FnOnce(Class) + Send>;

/// See the head of the file.
pub(crate) struct Told {
    asked: AtomicBool,
    list: Lock<List>,
}

enum List {
    Waiting(Vec<Callback>),
    Told(Class),
}

impl Told {
    pub(super) fn new() -> Self {
        Self { asked: AtomicBool::new(false), list: Lock::new(List::Waiting(Vec::new())) }
    }

    /// Puts a callback on the list. Gives it back with the outcome, to be called at once, if that was told already.
    pub(crate) fn ask(&self, callback: Callback) -> Option<(Callback, Class)> {
        let at_once = self.list.with(|list| match list {
            List::Waiting(callbacks) => {
                callbacks.push(callback);
                None
            }
            List::Told(class) => Some((callback, *class)),
        });
        self.asked.store(true, Ordering::SeqCst);
        at_once
    }

    /// The outcome is fixed: what is on the list, to be called.
    #[inline]
    pub(crate) fn take(&self, class: Class) -> Vec<Callback> {
        if !self.asked.load(Ordering::SeqCst) {
            return Vec::new();
        }
        match self.list.with(|list| mem::replace(list, List::Told(class))) {
            List::Waiting(callbacks) => callbacks,
            List::Told(_) => Vec::new(),
        }
    }
}
