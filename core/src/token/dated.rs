//! This room gives a node a deadline of its own.
#![allow(unsafe_code, reason = "a node with a deadline lies in one allocation with it")]

use core::ptr::NonNull;

use alloc::boxed::Box;

use super::hold::NodeRef;
use super::node::Node;
use super::up::Up;
use super::word::Word;
use crate::Instant;

/// A root or a plain child with a deadline. Most have none, so it is not in the node.
#[repr(C)]
pub(super) struct Dated {
    /// First, so that its address is the whole's.
    node: Node,
    pub(super) deadline: Instant,
    parent: Option<NodeRef>,
}

impl Dated {
    /// Makes one, held once.
    pub(super) fn make(parent: Option<NodeRef>, deadline: Instant) -> NodeRef {
        let whole = Self { node: Node::new(Up::none(), Word::live()), deadline, parent };
        let whole = NonNull::from(Box::leak(Box::new(whole)));
        // SAFETY: just made, and nobody else knows its address. The node is its first field.
        unsafe {
            (*whole.as_ptr()).node.up = Up::dated(whole);
            NodeRef::from_address(whole.cast())
        }
    }

    pub(super) const fn parent(&self) -> Option<&NodeRef> {
        self.parent.as_ref()
    }

    /// Takes it down, but for the count of its parent.
    pub(super) fn into_parent(self) -> Option<NodeRef> {
        self.parent
    }
}
