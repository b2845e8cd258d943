//! This room takes those who are to hear of a cancellation off the list of a node.
#![allow(unsafe_code, reason = "the types of what is on a list")]

use core::mem;
use core::ptr::NonNull;
use core::task::Waker;

use super::callback::Callback;
use super::entry::{Entry, Kind};
use super::hold::NodeRef;
use super::hub::Listeners;
use super::node::Node;
use super::stack::Held;
use super::tap::Tap;
use super::waiter::Waiter;
use super::word::Word;
use crate::sync::Arc;

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

/// Who alone listens to a node.
#[derive(Debug)]
pub(super) enum Only {
    Nobody,
    Waiter(Waker),
    Host,
}

impl Node {
    /// Takes over the cause of `above`, its parent's word. If nobody listens to the node but one who waits, or its host, takes that one, and nobody has to come here any more. `None`
    /// if others listen.
    ///
    /// The caller has the lock of the parent, on whose list the node was: so the node is there, although the caller does not hold it. That the child's lock is waited for under its
    /// parent's is no danger: see the locks of this room.
    #[inline]
    pub(super) fn take_lone(&self, above: &Word) -> Option<Only> {
        if mutant!(WakesUnderTheLock) {
            return None;
        }
        self.hub.with(|hub| {
            self.word.inherit(above);
            hub.take_only()
        })
    }
}

// The safety of every function below: the caller has the lock that guards the list, so that what is on it is there, and so is what was just taken off.
impl Listeners<'_> {
    /// Whether nobody listens.
    #[inline]
    pub(super) fn is_bare(&self) -> bool {
        self.list.is_empty() && !*self.hears
    }

    /// If there is no listener, or only a waiter or the host, takes it. `None` if there are others.
    #[inline]
    pub(super) fn take_only(&mut self) -> Option<Only> {
        if self.list.is_empty() {
            return Some(if mem::take(self.hears) { Only::Host } else { Only::Nobody });
        }
        self.take_only_waiter().map(Only::Waiter)
    }

    /// If there is one who waits, and no other listener, takes it.
    #[inline]
    fn take_only_waiter(&mut self) -> Option<Waker> {
        if *self.hears {
            return None;
        }
        let waiter = self.list.take_only(Kind::Waiter)?;
        // SAFETY: see above; it is a waiter.
        unsafe { Waiter::wakes(waiter.address()) }
    }

    /// The owner of the first entry, if that is a tap.
    pub(super) fn first_tap(&self) -> Option<NonNull<Node>> {
        let tap = self.list.first().filter(|entry| entry.kind() == Kind::Tap)?;
        // SAFETY: see above; it is a tap.
        Some(unsafe { (*tap.address::<Tap>()).owner })
    }

    /// Takes the first entry off the list of the node that has this word. If it is a child, that is cancelled with what the word says; and a child that nobody listens to, or
    /// but one who waits, or its host, needs no more than that.
    pub(super) fn take(&mut self, word: &Word) -> Option<Taken> {
        let entry = self.list.take()?;
        // SAFETY: see above; each arm names the type that the kind stands for. A list owns a count of each callback on it. Whoever takes a node down first comes for this lock.
        unsafe {
            Some(match entry.kind() {
                Kind::Waiter => Taken::Waiter(Waiter::wakes(entry.address())),
                Kind::Callback => Taken::Callback(Arc::from_raw(entry.address::<Callback>())),
                Kind::Child => match (*entry.address::<Node>()).take_lone(word) {
                    Some(Only::Nobody) => Taken::Waiter(None),
                    Some(Only::Waiter(waker)) => Taken::Waiter(Some(waker)),
                    // It has this one place, and its parent is cancelled.
                    Some(Only::Host) => held(entry, NodeRef::try_hold_off(child(entry)), Taken::Host),
                    None => held(entry, NodeRef::try_hold_off(child(entry)), Taken::Node),
                },
                Kind::Tap => held(entry, NodeRef::try_hold((*entry.address::<Tap>()).owner), Taken::Node),
            })
        }
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

/// The node of a child's entry.
///
/// # Safety
///
/// It is one.
#[inline]
unsafe fn child(entry: Entry) -> NonNull<Node> {
    // SAFETY: promised by the caller.
    unsafe { NonNull::new_unchecked(entry.address()) }
}
