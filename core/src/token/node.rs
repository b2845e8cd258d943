//! This room describes one node of the tree.
#![allow(unsafe_code, reason = "it says of itself that it can be on a list")]

use core::fmt;
use core::mem::offset_of;

use super::entry::{Kind, Link, Listed};
use super::hub::Hub;
use super::up::Up;
use super::word::Word;
use crate::sync::UnsafeCell;

/// One node of the tree. Nodes know their parents; a parent knows a child only while somebody listens to the child.
#[repr(C)]
pub(super) struct Node {
    /// Its place on the list of its one parent. Guarded by the parent's lock; unused by a linked node. First: see [`Entry`](super::entry::Entry).
    pub(super) branch: UnsafeCell<Link>,
    /// How many hold it, and who listens to it.
    pub(super) hub: Hub,
    /// Whether it is cancelled, and why.
    pub(super) word: Word,
    /// Whom it looks up to, and what lies around it. Never changes.
    pub(super) up: Up,
}

// SAFETY: `branch` comes first.
unsafe impl Listed for Node {
    const KIND: Kind = {
        assert!(offset_of!(Self, branch) == 0);
        Kind::Child
    };
}

impl Node {
    #[inline]
    pub(super) fn new(up: Up, word: Word) -> Self {
        Self { branch: Link::new(), hub: Hub::new(), word, up }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("word", &self.word).finish_non_exhaustive()
    }
}
