//! This room describes a linked node, and its places on the lists of its parents.
#![allow(unsafe_code, reason = "a tap says of itself that it can be on a list")]

use core::fmt;
use core::mem::offset_of;
use core::ptr::NonNull;

use alloc::boxed::Box;

use super::entry::{Entry, Kind, Link, Listed};
use super::hold::NodeRef;
use super::node::Node;
use crate::Instant;
use crate::sync::UnsafeCell;

/// A linked node and its parents, in one allocation.
///
/// # Implementation notes
///
/// A linked node is on its parents' lists from the first to the last, though nobody listens to it: it must learn which of
/// its parents was cancelled first (T10), and a look upwards later could not tell. The look upwards is still made, so that
/// there is no moment at which a parent was seen cancelled and the linked token was not (R3).
#[repr(C)]
pub(super) struct Linked {
    /// The node itself. First, so that its address is the whole's.
    pub(super) node: Node,
    pub(super) taps: Taps,
    /// Where it does not look up: the earliest above it, as deadlines do not travel down the lists.
    pub(super) deadline: Option<Instant>,
    /// 1 if no linked node is above, else one more than the highest of those; 0 for one that does not look up.
    pub(super) level: usize,
}

/// Two taps, as a job's token has them, need no allocation of their own.
pub(super) enum Taps {
    Two([Tap; 2]),
    More(Box<[Tap]>),
}

impl Taps {
    pub(super) fn as_slice(&self) -> &[Tap] {
        match self {
            Self::Two(taps) => taps,
            Self::More(taps) => taps,
        }
    }
}

/// A linked node's place on the list of one parent.
#[repr(C)]
pub(super) struct Tap {
    /// Guarded by the parent's lock. First: see [`Entry`].
    pub(super) link: UnsafeCell<Link>,
    /// The node that the tap belongs to. Never changes once the node is known to others.
    pub(super) owner: NonNull<Node>,
    pub(super) parent: NodeRef,
}

impl Linked {
    /// The parents, and the node's place on each parent's list.
    pub(super) fn places(&self) -> impl Iterator<Item = (&NodeRef, Entry)> {
        self.taps.as_slice().iter().map(|tap| (&tap.parent, Entry::of(NonNull::from(tap))))
    }

    pub(super) fn parents(&self) -> impl Iterator<Item = &NodeRef> {
        self.taps.as_slice().iter().map(|tap| &tap.parent)
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Takes the node down; its parents are left.
    pub(super) fn into_parents(self) -> impl Iterator<Item = NodeRef> {
        let (two, more) = match self.taps {
            Taps::Two(taps) => (Some(taps), None),
            Taps::More(taps) => (None, Some(taps.into_vec())),
        };
        two.into_iter().flatten().chain(more.into_iter().flatten()).map(|tap| tap.parent)
    }
}

// SAFETY: `link` comes first.
unsafe impl Listed for Tap {
    const KIND: Kind = {
        assert!(offset_of!(Self, link) == 0);
        Kind::Tap
    };
}

impl Tap {
    pub(super) fn new(parent: &NodeRef) -> Self {
        Self { link: Link::new(), owner: NonNull::dangling(), parent: parent.clone() }
    }
}

impl fmt::Debug for Linked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Linked").field("parents", &self.taps.as_slice().len()).field("level", &self.level).finish()
    }
}
