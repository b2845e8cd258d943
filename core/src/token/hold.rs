//! This room counts the holders of a node. What becomes of it when the last one lets go is in `down`.
#![allow(unsafe_code, reason = "a reference count of our own: see the notes at NodeRef")]

use core::mem;
use core::ops::Deref;
use core::ptr::NonNull;

use alloc::boxed::Box;

use super::hub::Hub;
use super::node::Node;
use super::up::Up;
use super::word::Word;
use crate::sync::atomic::Ordering;

/// A counted reference to a node.
///
/// The count of those beside the first is in all bits of the node's `refs` but the lowest, [`ATTACHED`](Hub::ATTACHED): whether the node was put
/// on a parent's list, where others find it who do not hold it, and not taken off that for good by a canceller that then held it. So whoever counts down as the
/// last sees the count become negative, by what a subtraction tells of itself, and then looks whether anybody is left to be waited for.
///
/// # Implementation notes
///
/// Not an `Arc`, for three reasons: a canceller that finds a child on its parent's list must be able to try to hold it
/// without the child paying for a weak count; a chain of a million nodes must come down in a loop (R8); and the model
/// checker sees the count.
#[repr(transparent)]
pub(super) struct NodeRef(NonNull<Node>);

// SAFETY: a node is shared between threads; what is in it is either immutable, atomic, or guarded by a lock (see `Node`).
unsafe impl Send for NodeRef {}
// SAFETY: as above.
unsafe impl Sync for NodeRef {}

impl NodeRef {
    pub(super) fn new(node: Node) -> Self {
        Self(NonNull::from(Box::leak(Box::new(node))))
    }

    /// A plain child.
    #[inline(never)]
    pub(super) fn below(parent: Self) -> Self {
        // Written where it stays: a copy of what was just written elsewhere, in other pieces, waits for that to arrive.
        let place = Box::leak(Box::new_uninit());
        Self(NonNull::from(place.write(Node::new(Up::one(parent), Word::live()))))
    }

    /// The address of the node, good for as long as the node is.
    pub(super) fn address(&self) -> NonNull<Node> {
        self.0
    }

    pub(super) fn is(&self, other: &Node) -> bool {
        core::ptr::eq(self.0.as_ptr(), other)
    }

    /// Holds the node at `address`, unless the last holder has already let go.
    ///
    /// # Safety
    ///
    /// The node's memory must be there: either somebody holds it, or the caller has the lock of the list that it is on,
    /// which whoever takes the node down needs first.
    pub(super) unsafe fn try_hold(address: NonNull<Node>) -> Option<Self> {
        // SAFETY: promised by the caller.
        unsafe { Self::try_hold_as(address, |count| count + Hub::ONE) }
    }

    /// # Safety
    ///
    /// As for [`try_hold`](Self::try_hold).
    #[inline]
    unsafe fn try_hold_as(address: NonNull<Node>, held: impl Fn(u32) -> u32) -> Option<Self> {
        // SAFETY: promised by the caller. Only this field: whoever takes the node down changes others.
        let refs = unsafe { &(*address.as_ptr()).hub.refs };
        let mut count = refs.load(Ordering::Relaxed);
        while !Hub::is_gone(count) {
            match refs.compare_exchange_weak(count, held(count), Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(Self(address)),
                Err(now) => count = now,
            }
        }
        None
    }

    /// [`try_hold`](Self::try_hold) of a node with one place only, that was just taken off the list that it was on for ever: whoever takes it down need not come for that list.
    ///
    /// # Safety
    ///
    /// As for `try_hold`; and the node is on no list, and will be on none.
    pub(super) unsafe fn try_hold_off(address: NonNull<Node>) -> Option<Self> {
        // SAFETY: promised by the caller.
        unsafe { Self::try_hold_as(address, |count| (count & !Hub::ATTACHED) + Hub::ONE) }
    }

    /// Whether this is the only reference at the moment.
    pub(super) fn is_held_once(&self) -> bool {
        self.hub.refs.load(Ordering::Relaxed) & !Hub::ATTACHED == Hub::held_by(1)
    }

    /// Before the node is put on a parent's list: whoever takes it down must take it off first.
    pub(super) fn mark_attached(&self) {
        // Whoever counts down later sees it, for that is a later change of the same word.
        self.hub.refs.fetch_or(Hub::ATTACHED, Ordering::Relaxed);
    }

    /// Gives up the reference without counting down.
    pub(super) fn into_address(self) -> NonNull<Node> {
        mem::ManuallyDrop::new(self).0
    }

    /// # Safety
    ///
    /// `address` must come from [`into_address`](Self::into_address), once.
    pub(super) unsafe fn from_address(address: NonNull<Node>) -> Self {
        Self(address)
    }
}

impl Clone for NodeRef {
    #[inline]
    fn clone(&self) -> Self {
        let count = self.hub.refs.fetch_add(Hub::ONE, Ordering::Relaxed).wrapping_add(Hub::ONE);
        if Hub::is_gone(count) {
            abort();
        }
        Self(self.0)
    }
}

impl Deref for NodeRef {
    type Target = Node;

    #[inline]
    fn deref(&self) -> &Node {
        // SAFETY: this reference is counted, so the node is there; it is only changed through cells of its own.
        unsafe { self.0.as_ref() }
    }
}

/// As `Arc` does when its count overflows: there is no sound way to go on.
#[cold]
fn abort() -> ! {
    #[cfg(feature = "std")]
    std::process::abort();
    #[cfg(not(feature = "std"))]
    {
        struct Again;
        impl Drop for Again {
            fn drop(&mut self) {
                panic!("too many references to one token");
            }
        }
        let _again = Again;
        panic!("too many references to one token");
    }
}
