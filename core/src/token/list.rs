//! This room keeps, for one node, the list of those who are to hear of its cancellation.
#![allow(unsafe_code, reason = "an intrusive list: what is on it lives in futures, callbacks and nodes")]

use core::fmt;
use core::ptr::NonNull;
use core::task::Waker;

use super::callback::Callback;
use super::entry::{Entry, Kind, Link};
use super::hold::NodeRef;
use super::linked::Tap;
use super::node::{Node, Only};
use super::stack::Held;
use super::wait::Waiter;
use super::word::Word;
use crate::sync::atomic::Ordering;
use crate::sync::{Arc, UnsafeCell};

/// A list of [`Entry`]s, doubly linked so that each can leave at any time.
pub(super) struct List {
    head: Entry,
}

/// What was taken off a list, with what is needed to notify it once the lock is released.
pub(super) enum Taken {
    /// The waker of a waiter, or of the only one to wait on a child, which is cancelled.
    Waiter(Option<Waker>),
    /// A callback, and the list's count of it.
    Callback(Arc<Callback>),
    /// A child, held, with others listening to it.
    Node(Held),
    /// A child, held, of which its host alone is to be told.
    Host(Held),
    /// A child that is being taken down.
    Gone,
}

// The safety of every function below: the caller has `&mut List`, so the lock that guards the list and the links of the
// entries on it. An entry on the list is there: it leaves, under the same lock, before it goes away.
impl List {
    pub(super) const fn new() -> Self {
        Self { head: Entry::NONE }
    }

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

    /// The owner of the first entry, if that is a tap.
    pub(super) fn first_tap(&self) -> Option<NonNull<Node>> {
        let entry = self.head;
        // SAFETY: see above.
        (entry != Entry::NONE && entry.kind() == Kind::Tap).then(|| unsafe { (*entry.address::<Tap>()).owner })
    }

    /// Takes the first entry off the list of the node that has this word. If it is a child, that is cancelled with what the word says; and a child that nobody listens to, or
    /// but one who waits, or its host, needs no more than that.
    pub(super) fn take(&mut self, word: &Word) -> Option<Taken> {
        let entry = self.head;
        if entry == Entry::NONE {
            return None;
        }
        // SAFETY: see above.
        unsafe {
            self.head = entry.get().next;
            if self.head != Entry::NONE {
                self.head.set(|link| link.prev = Entry::NONE);
            }
            entry.set(|link| link.prev = Entry::LOOSE);
        }
        // SAFETY: see above; each arm names the type that the kind stands for. A list owns a count of each callback on it. Whoever takes a node down first comes for this lock.
        unsafe {
            Some(match entry.kind() {
                Kind::Waiter => Taken::Waiter(Self::wakes(entry)),
                Kind::Callback => Taken::Callback(Arc::from_raw(entry.address::<Callback>())),
                Kind::Child => match (*entry.address::<Node>()).take_lone(word) {
                    Some(Only::Nobody) => Taken::Waiter(None),
                    Some(Only::Waiter(waker)) => Taken::Waiter(Some(waker)),
                    // It has this one place, and its parent is cancelled.
                    Some(Only::Host) => Self::held(entry, NodeRef::try_hold_off(child(entry)), Taken::Host),
                    None => Self::held(entry, NodeRef::try_hold_off(child(entry)), Taken::Node),
                },
                Kind::Tap => Self::held(entry, NodeRef::try_hold((*entry.address::<Tap>()).owner), Taken::Node),
            })
        }
    }

    /// Takes the first entry off the list, if it is a waiter and the only entry, and gives its waker.
    #[inline]
    pub(super) fn take_only_waiter(&mut self) -> Option<Waker> {
        let entry = self.head;
        // SAFETY: see above.
        if entry == Entry::NONE || entry.kind() != Kind::Waiter || unsafe { entry.get() }.next != Entry::NONE {
            return None;
        }
        self.head = Entry::NONE;
        // SAFETY: see above; the entry is a waiter, and off the list.
        unsafe {
            entry.set(|link| link.prev = Entry::LOOSE);
            Self::wakes(entry)
        }
    }

    /// The waker of a waiter that was taken off its list.
    ///
    /// # Safety
    ///
    /// The entry is such a one, and the lock of the list is still held: it guards the waker.
    #[inline]
    unsafe fn wakes(entry: Entry) -> Option<Waker> {
        let waiter = entry.address::<Waiter>();
        // SAFETY: promised by the caller.
        unsafe {
            let waker = (*waiter).waker.with_mut(|waker| (*waker).take());
            // From here on its future may drop it, lock or no lock.
            (*waiter).told.store(true, Ordering::Release);
            waker
        }
    }

    /// # Safety
    ///
    /// The entry is a child or a tap that was just taken off, and `held` its node, if that could be held.
    #[inline]
    unsafe fn held(entry: Entry, held: Option<NodeRef>, taken: impl FnOnce(Held) -> Taken) -> Taken {
        match held {
            Some(held) => {
                held.into_address();
                // SAFETY: promised by the caller, and the count is passed on.
                taken(unsafe { Held::new(entry) })
            }
            None => Taken::Gone,
        }
    }
}

/// The node of a child's entry.
///
/// # Safety
///
/// It is one.
unsafe fn child(entry: Entry) -> NonNull<Node> {
    // SAFETY: promised by the caller.
    unsafe { NonNull::new_unchecked(entry.address()) }
}

// SAFETY: the addresses on a list are only followed under its lock, and what they lead to may be used on any thread
// (wakers, `Send` callbacks, nodes).
unsafe impl Send for List {}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "List(empty)" } else { "List(..)" })
    }
}
