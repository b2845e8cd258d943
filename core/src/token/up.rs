//! This room keeps the parents of a node in one word.
#![allow(unsafe_code, reason = "one word for a reference or a linked node's own address, told apart by its lowest bit")]

use core::ptr::{self, NonNull};

use alloc::boxed::Box;

use super::dated::Dated;
use super::hold::NodeRef;
use super::hosted::Hosted;
use super::linked::Linked;
use crate::Instant;

/// The parents of a node: none, one, or those of a linked node, which lie beside it; and the way to what else lies beside it. Never changes.
///
/// | value | meaning |
/// | --- | --- |
/// | 0 | a root |
/// | lowest bits `00` | the address of the parent, as in a [`NodeRef`]; the word owns a count of it |
/// | lowest bits `01` | the address of the linked whole that the node is the first field of, plus one |
/// | lowest bits `10` | the address of the host that the node is the first field of, plus two |
/// | lowest bits `11` | the address of the dated whole that the node is the first field of, plus three |
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
    /// The node goes with its host.
    Hosted(NonNull<Hosted>),
    /// The whole, the node included, with its parent, if it has one.
    Dated(Box<Dated>),
}

const MANY: usize = 1;
const HOSTED: usize = 2;
const DATED: usize = 3;
const KIND: usize = 3;

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

    /// The parents of the node that is the first field of `host`.
    pub(super) fn hosted_by(host: NonNull<Hosted>) -> Self {
        Self(host.as_ptr().cast::<()>().map_addr(|addr| addr | HOSTED))
    }

    /// The parent and the deadline of the node that is the first field of `whole`.
    pub(super) fn dated(whole: NonNull<Dated>) -> Self {
        Self(whole.as_ptr().cast::<()>().map_addr(|addr| addr | DATED))
    }

    #[inline]
    fn kind(&self) -> usize {
        self.0.addr() & KIND
    }

    fn whole<T>(&self) -> *mut T {
        self.0.map_addr(|addr| addr & !KIND).cast()
    }

    /// The host of the node: good for as long as the node is, and, unlike a reference, for all of the host's memory.
    #[inline]
    pub(super) fn host(&self) -> Option<NonNull<Hosted>> {
        if self.kind() == HOSTED { NonNull::new(self.whole()) } else { None }
    }

    /// What the host has said of the node.
    #[inline]
    pub(super) fn hosted(&self) -> Option<&Hosted> {
        // SAFETY: the host is there for as long as the node is whose field this is.
        self.host().map(|host| unsafe { host.as_ref() })
    }

    #[inline]
    pub(super) fn is_none(&self) -> bool {
        self.0.is_null()
    }

    #[inline]
    pub(super) fn get(&self) -> Parents<'_> {
        if self.is_none() {
            return Parents::None;
        }
        if self.is_plain() {
            // SAFETY: a `NodeRef` is nothing but such an address, and the word owns a count of it until `take`.
            return Parents::One(unsafe { &*ptr::from_ref(&self.0).cast::<NodeRef>() });
        }
        match self.kind() {
            // SAFETY: the address of the whole, which is there for as long as the node is whose field this is.
            MANY => Parents::Many(unsafe { &*self.whole::<Linked>() }),
            // SAFETY: as above.
            HOSTED => unsafe { &*self.whole::<Hosted>() }.parent().map_or(Parents::None, Parents::One),
            // SAFETY: as above.
            _ => unsafe { &*self.whole::<Dated>() }.parent().map_or(Parents::None, Parents::One),
        }
    }

    /// Whether nothing lies around the node: it is a root or a plain child.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        self.kind() == 0
    }

    /// Gives up the parent of a node that is [plain](Self::is_plain).
    ///
    /// # Safety
    ///
    /// As for [`take`](Self::take).
    #[inline]
    pub(super) unsafe fn take_plain(self) -> Option<NodeRef> {
        // SAFETY: from `NodeRef::into_address`, and `self` is gone afterwards.
        NonNull::new(self.0.cast()).map(|address| unsafe { NodeRef::from_address(address) })
    }

    /// The deadline of the node itself.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.kind() {
            0 => None,
            // SAFETY: as in `get`.
            MANY => unsafe { &*self.whole::<Linked>() }.deadline(),
            // SAFETY: as above.
            HOSTED => unsafe { &*self.whole::<Hosted>() }.deadline(),
            // SAFETY: as above.
            _ => Some(unsafe { &*self.whole::<Dated>() }.deadline),
        }
    }

    /// Gives up what the word owns; for a linked or dated node that is the node itself.
    ///
    /// # Safety
    ///
    /// The word was taken out of its node, and the caller takes the node down.
    pub(super) unsafe fn take(self) -> Taken {
        if self.kind() == MANY {
            // SAFETY: made by `Box`; the caller takes the node down, and with it the whole.
            return Taken::Many(unsafe { Box::from_raw(self.whole::<Linked>()) });
        }
        if self.kind() == HOSTED {
            // SAFETY: the address of a host is never null.
            return Taken::Hosted(unsafe { NonNull::new_unchecked(self.whole()) });
        }
        if self.kind() == DATED {
            // SAFETY: made by `Box`; the caller takes the node down, and with it the whole.
            return Taken::Dated(unsafe { Box::from_raw(self.whole::<Dated>()) });
        }
        // SAFETY: promised by the caller.
        unsafe { self.take_plain() }.map_or(Taken::None, Taken::One)
    }
}
