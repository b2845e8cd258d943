//! This room stacks what was taken off a list, without memory of its own: nodes to be swept or taken down, callbacks to
//! be called.
#![allow(unsafe_code, reason = "the stacks are threaded through the links of what is on them")]

use core::ptr::NonNull;

use super::callback::Callback;
use super::entry::{Entry, Kind};
use super::hold::NodeRef;
use super::linked::Tap;
use super::node::Node;
use crate::sync::Arc;

/// A child, or a tap of a linked node, that was taken off its list together with a count of the node.
///
/// Its link is nobody's but ours until it is given back: it is on no list, and the parent that it was taken from is
/// cancelled, so that it can be put on none.
pub(super) struct Held(Entry);

/// A stack of nodes still to be dealt with, threaded through their own links: it needs neither memory nor recursion (R8).
pub(super) struct Todo {
    top: Entry,
}

impl Held {
    /// # Safety
    ///
    /// The entry is a child or a tap, off its list, and the caller passes on a count of its node.
    pub(super) unsafe fn new(entry: Entry) -> Self {
        Self(entry)
    }

    /// # Safety
    ///
    /// The node was counted down to zero, and the caller is the one to take it down.
    pub(super) unsafe fn dead(node: NonNull<Node>) -> Self {
        Self(Entry::child(node))
    }

    /// The node itself.
    pub(super) fn node(&self) -> &Node {
        // SAFETY: held.
        unsafe { self.owner().as_ref() }
    }

    fn owner(&self) -> NonNull<Node> {
        // SAFETY: the node is held, and keeps its taps; an entry is never null.
        unsafe {
            match self.0.kind() {
                Kind::Child => NonNull::new_unchecked(self.0.address()),
                _ => (*self.0.address::<Tap>()).owner,
            }
        }
    }
}

impl Todo {
    pub(super) const fn new() -> Self {
        Self { top: Entry::NONE }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.top == Entry::NONE
    }

    pub(super) fn push(&mut self, held: Held) {
        // SAFETY: the node is held, and its link is ours (see `Held`). `prev` stays `LOOSE`: others may look at that.
        unsafe { held.0.set(|link| link.next = self.top) };
        self.top = held.0;
    }

    fn take(&mut self) -> Option<Held> {
        let held = Held(self.top);
        if self.top == Entry::NONE {
            return None;
        }
        // SAFETY: as in `push`.
        self.top = unsafe { held.0.get() }.next;
        Some(held)
    }

    /// The next node of those that were held.
    pub(super) fn pop(&mut self) -> Option<NodeRef> {
        // SAFETY: its count was given up with `into_address` in `List::hold`.
        self.take().map(|held| unsafe { NodeRef::from_address(held.owner()) })
    }

    /// The next node of those that are dead.
    pub(super) fn pop_dead(&mut self) -> Option<NonNull<Node>> {
        self.take().map(|held| held.owner())
    }
}

/// Callbacks that were taken off their lists and are to be called, threaded through their own links.
pub(super) struct Calls {
    top: Entry,
}

impl Calls {
    pub(super) const fn new() -> Self {
        Self { top: Entry::NONE }
    }

    pub(super) fn push(&mut self, callback: Arc<Callback>) {
        let entry = Entry::callback(&callback);
        // The count passes to the stack.
        core::mem::forget(callback);
        // SAFETY: off every list, and it is on none again; so its link is ours. `prev` stays `LOOSE`.
        unsafe { entry.set(|link| link.next = self.top) };
        self.top = entry;
    }

    pub(super) fn pop(&mut self) -> Option<Arc<Callback>> {
        let entry = self.top;
        if entry == Entry::NONE {
            return None;
        }
        // SAFETY: as in `push`, which left us the count.
        unsafe {
            self.top = entry.get().next;
            Some(Arc::from_raw(entry.address::<Callback>()))
        }
    }
}
