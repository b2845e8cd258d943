//! This room knows what lies above a node, and around it.
#![allow(unsafe_code, reason = "the types of what a word leads to")]

use core::ptr::{self, NonNull};

use alloc::boxed::Box;

use super::dated::Dated;
use super::hold::NodeRef;
use super::hosted::Hosted;
use super::tap::Linked;
use super::up::{Up, Way};
use crate::Instant;

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

impl Up {
    pub(super) fn one(parent: NodeRef) -> Self {
        Self::to(parent.into_address(), Way::Plain)
    }

    /// The parents of the node that is the first field of `whole`.
    pub(super) fn many(whole: NonNull<Linked>) -> Self {
        Self::to(whole, Way::Many)
    }

    /// The parents of the node that is the first field of `host`.
    pub(super) fn hosted_by(host: NonNull<Hosted>) -> Self {
        Self::to(host, Way::Hosted)
    }

    /// The parent and the deadline of the node that is the first field of `whole`.
    pub(super) fn dated(whole: NonNull<Dated>) -> Self {
        Self::to(whole, Way::Dated)
    }

    /// The host of the node: good for as long as the node is, and, unlike a reference, for all of the host's memory.
    #[inline]
    pub(super) fn host(&self) -> Option<NonNull<Hosted>> {
        if self.way() == Way::Hosted { NonNull::new(self.address()) } else { None }
    }

    /// What the host has said of the node.
    #[inline]
    pub(super) fn hosted(&self) -> Option<&Hosted> {
        // SAFETY: the host is there for as long as the node is whose field this is.
        self.host().map(|host| unsafe { host.as_ref() })
    }

    #[inline]
    pub(super) fn get(&self) -> Parents<'_> {
        if self.is_none() {
            return Parents::None;
        }
        match self.way() {
            // SAFETY: a `NodeRef` is nothing but such an address, and so is an `Up`, which owns a count of it until `take`.
            Way::Plain => Parents::One(unsafe { &*ptr::from_ref(self).cast::<NodeRef>() }),
            // SAFETY: the address of the whole, which is there for as long as the node is whose field this is.
            Way::Many => Parents::Many(unsafe { &*self.address::<Linked>() }),
            // SAFETY: as above.
            Way::Hosted => unsafe { &*self.address::<Hosted>() }.parent().map_or(Parents::None, Parents::One),
            // SAFETY: as above.
            Way::Dated => unsafe { &*self.address::<Dated>() }.parent().map_or(Parents::None, Parents::One),
        }
    }

    /// Gives up the parent of a node that is [plain](Self::is_plain).
    ///
    /// # Safety
    ///
    /// As for [`take`](Self::take).
    #[inline]
    pub(super) unsafe fn take_plain(self) -> Option<NodeRef> {
        // SAFETY: from `NodeRef::into_address`, and `self` is gone afterwards.
        NonNull::new(self.address()).map(|address| unsafe { NodeRef::from_address(address) })
    }

    /// The deadline of the node itself.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.way() {
            Way::Plain => None,
            // SAFETY: as in `get`.
            Way::Many => unsafe { &*self.address::<Linked>() }.deadline(),
            // SAFETY: as above.
            Way::Hosted => unsafe { &*self.address::<Hosted>() }.deadline(),
            // SAFETY: as above.
            Way::Dated => Some(unsafe { &*self.address::<Dated>() }.deadline),
        }
    }

    /// Gives up what the word owns; for a linked or dated node that is the node itself.
    ///
    /// # Safety
    ///
    /// The word was taken out of its node, and the caller takes the node down.
    pub(super) unsafe fn take(self) -> Taken {
        match self.way() {
            // SAFETY: promised by the caller.
            Way::Plain => unsafe { self.take_plain() }.map_or(Taken::None, Taken::One),
            // SAFETY: made by `Box`; the caller takes the node down, and with it the whole.
            Way::Many => Taken::Many(unsafe { Box::from_raw(self.address::<Linked>()) }),
            // SAFETY: the address of a host is never null.
            Way::Hosted => Taken::Hosted(unsafe { NonNull::new_unchecked(self.address()) }),
            // SAFETY: made by `Box`; the caller takes the node down, and with it the whole.
            Way::Dated => Taken::Dated(unsafe { Box::from_raw(self.address::<Dated>()) }),
        }
    }
}
