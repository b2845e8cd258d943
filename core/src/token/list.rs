//! This room keeps, for one node, the list of those who are to hear of its cancellation.
#![allow(unsafe_code, reason = "an intrusive list: what is on it lives in futures, callbacks and nodes")]

use core::fmt;

use super::entry::{Entry, Kind, Link};
use crate::sync::UnsafeCell;

/// A list of [`Entry`]s, doubly linked so that each can leave at any time.
pub(super) struct List {
    head: Entry,
}

// The safety of every function below: the caller has `&mut List`, so the lock that guards the list and the links of the
// entries on it. An entry on the list is there: it leaves, under the same lock, before it goes away.
impl List {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { head: Entry::NONE }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.head == Entry::NONE
    }

    /// Puts an entry, whose link this is, on the list.
    ///
    /// # Safety
    ///
    /// The entry is on no list, is used with no other list from now on, and leaves this one before it goes away. For a
    /// callback, the caller gives the list a count of it.
    #[inline]
    pub(super) unsafe fn push(&mut self, entry: Entry, link: &UnsafeCell<Link>) {
        // SAFETY: see above; `entry` is there, promised by the caller.
        unsafe {
            link.with_mut(|link| *link = Link { prev: Entry::NONE, next: self.head });
            if self.head != Entry::NONE {
                self.head.set(|link| link.prev = entry);
            }
        }
        self.head = entry;
    }

    /// Takes an entry, whose link this is, off the list, if it is on it.
    ///
    /// # Safety
    ///
    /// The entry is there, and has never been on any other list.
    #[inline]
    pub(super) unsafe fn remove(&mut self, own: &UnsafeCell<Link>) -> bool {
        // SAFETY: see above.
        unsafe {
            let Link { prev, next } = own.with(|link| *link);
            if prev == Entry::LOOSE {
                return false;
            }
            if next != Entry::NONE {
                next.set(|link| link.prev = prev);
            }
            if prev == Entry::NONE {
                self.head = next;
            } else {
                prev.set(|link| link.next = next);
            }
            own.with_mut(|link| (*link).prev = Entry::LOOSE);
        }
        true
    }

    /// The first entry.
    #[inline]
    pub(super) fn first(&self) -> Option<Entry> {
        if self.is_empty() { None } else { Some(self.head) }
    }

    /// Takes the first entry off the list, if it is of this kind and the only one.
    #[inline]
    pub(super) fn take_only(&mut self, kind: Kind) -> Option<Entry> {
        let entry = self.head;
        // SAFETY: see above.
        if entry == Entry::NONE || entry.kind() != kind || unsafe { entry.get() }.next != Entry::NONE {
            return None;
        }
        self.head = Entry::NONE;
        // SAFETY: see above.
        unsafe { entry.set(|link| link.prev = Entry::LOOSE) };
        Some(entry)
    }

    /// Takes the first entry off the list.
    #[inline]
    pub(super) fn take(&mut self) -> Option<Entry> {
        let entry = self.first()?;
        // SAFETY: see above.
        unsafe {
            self.head = entry.get().next;
            if self.head != Entry::NONE {
                self.head.set(|link| link.prev = Entry::NONE);
            }
            entry.set(|link| link.prev = Entry::LOOSE);
        }
        Some(entry)
    }
}

// SAFETY: the addresses on a list are only followed under its lock, and what they lead to may be used on any thread
// (wakers, `Send` callbacks, nodes).
unsafe impl Send for List {}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "List(empty)" } else { "List(..)" })
    }
}
