//! Who is to be told when the outcome of a job is fixed.
//!
//! Whoever asks puts a callback on the list, and then marks the job's slot; the publisher fills the slot, and sees the mark or not. One of the two is
//! second, and takes what is on the list.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use crate::Class;
use crate::sync::Lock;

/// What is called.
pub(crate) type Callback = Box<dyn FnOnce(Class) + Send>;

/// See the head of the file.
pub(crate) struct Told(Lock<List>);

enum List {
    Waiting(Vec<Callback>),
    Told(Class),
}

impl Told {
    pub(super) fn new() -> Self {
        Self(Lock::new(List::Waiting(Vec::new())))
    }

    /// Whether nothing is in it that would have to be dropped.
    pub(super) fn is_bare(&mut self) -> bool {
        match self.0.get_mut() {
            List::Waiting(callbacks) => callbacks.capacity() == 0,
            List::Told(_) => true,
        }
    }

    /// Puts a callback on the list. Gives it back with the outcome, to be called at once, if that was told already.
    pub(crate) fn ask(&self, callback: Callback) -> Option<(Callback, Class)> {
        self.0.with(|list| match list {
            List::Waiting(callbacks) => {
                callbacks.push(callback);
                None
            }
            List::Told(class) => Some((callback, *class)),
        })
    }

    /// The outcome is fixed: what is on the list, to be called.
    pub(crate) fn take(&self, class: Class) -> Vec<Callback> {
        match self.0.with(|list| mem::replace(list, List::Told(class))) {
            List::Waiting(callbacks) => callbacks,
            List::Told(_) => Vec::new(),
        }
    }
}
