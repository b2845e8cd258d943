//! Who is to be told when the outcome of a job is fixed.
//!
//! Whoever asks puts a callback on the list, and then marks the job's slot; the publisher fills the slot, and sees the mark or not. If not, whoever asked
//! sees that the slot is full. So one of the two takes what is on the list.

use alloc::boxed::Box;

use crate::Class;
use crate::sync::Lock;

/// What is called.
pub(crate) type Callback = Box<dyn FnOnce(Class) + Send>;

/// See the head of the file. Most jobs have none, so that an empty list is all that lies in a job.
pub(crate) struct Told(Lock<List>);

/// Linked through boxes.
#[derive(Default)]
pub(crate) struct List(Option<Box<Asked>>);

struct Asked {
    callback: Callback,
    next: List,
}

impl Told {
    pub(super) fn new() -> Self {
        Self(Lock::new(List(None)))
    }

    /// Whether nothing is in it that would have to be dropped.
    #[inline]
    pub(super) fn is_bare(&mut self) -> bool {
        self.0.get_mut().0.is_none()
    }

    /// Puts a callback on the list.
    pub(crate) fn ask(&self, callback: Callback) {
        let mut asked = Box::new(Asked { callback, next: List(None) });
        self.0.with(|list| {
            asked.next.0 = list.0.take();
            list.0 = Some(asked);
        });
    }

    /// What is on the list, to be called: who asked first is first.
    pub(crate) fn take(&self) -> List {
        let mut newest_first = self.0.with(core::mem::take);
        let mut list = List(None);
        while let Some(mut asked) = newest_first.0.take() {
            newest_first.0 = core::mem::replace(&mut asked.next, list).0.take();
            list = List(Some(asked));
        }
        list
    }
}

impl Iterator for List {
    type Item = Callback;

    fn next(&mut self) -> Option<Callback> {
        let Asked { callback, mut next } = *self.0.take()?;
        self.0 = next.0.take();
        Some(callback)
    }
}

impl Drop for List {
    fn drop(&mut self) {
        // One by one: a long list must not recurse.
        self.for_each(drop);
    }
}
