//! This room keeps the node of a token, or that it has none, in one address.
#![allow(unsafe_code, reason = "the address of a node that is counted, or of what has nothing but a node's word")]

use core::ptr::NonNull;

use super::hold::NodeRef;
use super::node::Node;

/// A counted node; or none, for the token that is never cancelled.
///
/// # Implementation notes
///
/// Where there is no node, the address is that of something that is live and a root's, where a node has its word: so the question that is asked most, whether a token
/// is cancelled, mostly ends with two loads and one comparison, and does not ask first whether there is a node. Of that something nothing else is read, and nothing is written.
#[repr(transparent)]
pub(super) struct NodeOrNever(NonNull<Node>);

#[cfg(not(any(countermand_loom, countermand_shuttle)))]
mod stand_in {
    use core::mem::offset_of;

    use super::Node;
    use crate::token::word::Word;

    /// As much of a node as is looked at before it is known that there is one.
    #[repr(C, align(8))]
    pub(super) struct StandIn {
        before: [u8; offset_of!(Node, word)],
        word: Word,
    }

    pub(super) static NEVER: StandIn = StandIn { before: [0; offset_of!(Node, word)], word: Word::root() };

    const _: () = {
        assert!(align_of::<StandIn>() >= align_of::<Node>());
        assert!(offset_of!(StandIn, word) == offset_of!(Node, word));
    };
}

/// The checkers' words cannot be made before the program runs: there, whether there is a node is asked first.
#[cfg(any(countermand_loom, countermand_shuttle))]
mod stand_in {
    pub(super) static NEVER: u64 = 0;
}

// SAFETY: a counted node, or nothing that anybody writes to.
unsafe impl Send for NodeOrNever {}
// SAFETY: as above.
unsafe impl Sync for NodeOrNever {}

impl NodeOrNever {
    // SAFETY: the address of something is not null.
    const NEVER: NonNull<Node> = unsafe { NonNull::new_unchecked((&raw const stand_in::NEVER).cast_mut().cast()) };

    pub(super) const fn never() -> Self {
        Self(Self::NEVER)
    }

    /// The node, if there is one.
    #[inline]
    pub(super) fn node(&self) -> Option<&NodeRef> {
        // SAFETY: any other address was a `NodeRef`, which is nothing but its address, and is counted for as long as this is.
        (self.0 != Self::NEVER).then(|| unsafe { NonNull::from(&self.0).cast::<NodeRef>().as_ref() })
    }

    /// Whether the node is known at once to be a root that is not cancelled, or there is none. If not, nothing is known.
    #[inline]
    pub(super) fn is_live_root(&self) -> bool {
        #[cfg(not(any(countermand_loom, countermand_shuttle)))]
        // SAFETY: there is a node, or the stand-in, which has a word there, too. No more than the word is looked at.
        return unsafe { (*self.0.as_ptr()).word.load() }.is_root();
        #[cfg(any(countermand_loom, countermand_shuttle))]
        self.node().is_none()
    }
}

impl From<NodeRef> for NodeOrNever {
    #[inline]
    fn from(node: NodeRef) -> Self {
        Self(node.into_address())
    }
}

impl Clone for NodeOrNever {
    #[inline]
    fn clone(&self) -> Self {
        if let Some(node) = self.node() {
            node.clone().into_address();
        }
        Self(self.0)
    }
}

impl Default for NodeOrNever {
    fn default() -> Self {
        Self::never()
    }
}

impl Drop for NodeOrNever {
    #[inline]
    fn drop(&mut self) {
        if self.node().is_some() {
            // SAFETY: the count passes to what is dropped here, and `self` is not used again.
            drop(unsafe { NodeRef::from_address(self.0) });
        }
    }
}
