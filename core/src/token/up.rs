//! This room keeps the parents of a node in one word.
#![allow(unsafe_code, reason = "one word for a reference or a linked node's own address, told apart by its lowest bit")]

use core::ptr::{self, NonNull};

use alloc::boxed::Box;

use super::hold::NodeRef;
use super::linked::Linked;

/// The parents of a node: none, one, or those of a linked node, which lie beside it. Never changes.
///
/// | value | meaning |
/// | --- | --- |
/// | 0 | a root |
/// | lowest bit 0 | the address of the parent, as in a [`NodeRef`]; the word owns a count of it |
/// | lowest bit 1 | the address of the whole that the node is the first field of, plus one |
///
/// Dropping it drops nothing: a node is taken down in a loop, which calls [`Up::take`].
pub(super) struct Up(*mut ());

/// The parents of a node, to be looked at.
#[derive(Clone, Copy)]
pub(super) enum Parents<'a> {
    /// It is a root.
    None,
    /// It is a plain child.
    One(&'a NodeRef),
    /// It is a linked token.
    Many(&'a Linked),
}

/// The parents of a node that is taken down.
pub(super) enum Taken {
    None,
    One(NodeRef),
    /// The whole, the node included: with it the node goes too.
    Many(Box<Linked>),
}

const MANY: usize = 1;

// SAFETY: a reference to a node and a linked node may be used on any thread.
unsafe impl Send for Up {}
// SAFETY: as above.
unsafe impl Sync for Up {}

impl Up {
    pub(super) const fn none() -> Self {
        Self(ptr::null_mut())
    }

    pub(super) fn one(parent: NodeRef) -> Self {
        Self(parent.into_address().as_ptr().cast())
    }

    /// The parents of the node that is the first field of `whole`.
    pub(super) fn many(whole: NonNull<Linked>) -> Self {
        Self(whole.as_ptr().cast::<()>().map_addr(|addr| addr | MANY))
    }

    fn is_many(&self) -> bool {
        self.0.addr() & MANY != 0
    }

    fn linked(&self) -> *mut Linked {
        self.0.map_addr(|addr| addr & !MANY).cast()
    }

    #[inline]
    pub(super) fn is_none(&self) -> bool {
        self.0.is_null()
    }

    #[inline]
    pub(super) fn get(&self) -> Parents<'_> {
        if self.is_none() {
            Parents::None
        } else if self.is_many() {
            // SAFETY: the address of the whole, which is there for as long as the node is whose field this is.
            Parents::Many(unsafe { &*self.linked() })
        } else {
            // SAFETY: a `NodeRef` is nothing but such an address, and the word owns a count of it until `take`.
            Parents::One(unsafe { &*ptr::from_ref(&self.0).cast::<NodeRef>() })
        }
    }

    /// Gives up what the word owns; for a linked node that is the node itself.
    ///
    /// # Safety
    ///
    /// The word was taken out of its node, and the caller takes the node down.
    pub(super) unsafe fn take(self) -> Taken {
        if self.is_many() {
            // SAFETY: made by `Box`; the caller takes the node down, and with it the whole.
            return Taken::Many(unsafe { Box::from_raw(self.linked()) });
        }
        // SAFETY: from `NodeRef::into_address`, and `self` is gone afterwards.
        NonNull::new(self.0.cast()).map_or(Taken::None, |address| Taken::One(unsafe { NodeRef::from_address(address) }))
    }
}
