//! This room counts the holders of a node and takes the node down when the last one lets go.
#![allow(unsafe_code, reason = "a reference count of our own: see the notes at NodeRef")]

use core::mem;
use core::ops::Deref;
use core::ptr::NonNull;

use alloc::boxed::Box;

use super::batch::FirstPanic;
use super::hosted;
use super::node::Node;
use super::stack::{Held, Todo};
use super::tree;
use super::up::{Taken, Up};
use crate::sync::atomic::{Ordering, fence};

/// A counted reference to a node.
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
        // SAFETY: promised by the caller. Only this field: whoever takes the node down changes others.
        let refs = unsafe { &(*address.as_ptr()).refs };
        let mut count = refs.load(Ordering::Relaxed);
        while count != 0 {
            match refs.compare_exchange_weak(count, count + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(Self(address)),
                Err(now) => count = now,
            }
        }
        None
    }

    /// Whether this is the only reference at the moment.
    pub(super) fn is_held_once(&self) -> bool {
        self.refs.load(Ordering::Relaxed) == 1
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

    /// Counts down. The last holder gets the node's address, to take it down.
    fn let_go(self) -> Option<NonNull<Node>> {
        let address = self.into_address();
        // SAFETY: this reference was counted until this line.
        let last = unsafe { address.as_ref() }.refs.fetch_sub(1, Ordering::Release) == 1;
        if !last {
            return None;
        }
        fence(Ordering::Acquire);
        Some(address)
    }
}

impl Clone for NodeRef {
    fn clone(&self) -> Self {
        let count = self.refs.fetch_add(1, Ordering::Relaxed);
        if count > usize::MAX / 2 {
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

impl Drop for NodeRef {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the count of `self` passes to the copy, and `self` is not used again.
        if let Some(dead) = unsafe { Self::from_address(self.0) }.let_go() {
            // SAFETY: just counted down to zero.
            unsafe { take_down(dead) };
        }
    }
}

/// Takes down a node that nobody holds, and each ancestor that it was the last to hold, in a loop (R8).
///
/// # Safety
///
/// The node was counted down to zero, by the caller.
#[inline(never)]
pub(super) unsafe fn take_down(dead: NonNull<Node>) {
    let mut panic = FirstPanic::default();
    let mut next = Some(dead);
    let mut rest = Todo::new();
    while let Some(dead) = next.take().or_else(|| rest.pop_dead()) {
        // SAFETY: counted down to zero.
        unsafe { leave_parents(dead, &mut panic) };
        // SAFETY: nobody holds it and it is on no list, so nobody has its address.
        let node = unsafe { &mut *dead.as_ptr() };
        if !node.hub.get_mut().list.is_empty() {
            drop_listeners(node, &mut panic);
        }
        let up = mem::replace(&mut node.up, Up::none());
        // SAFETY: the node is taken down here.
        let up = unsafe { up.take() };
        if !matches!(up, Taken::Many(_) | Taken::Hosted(_)) {
            // SAFETY: made by `Box` in `NodeRef::new`, since it is neither linked nor hosted.
            drop(unsafe { Box::from_raw(dead.as_ptr()) });
        }
        match up {
            Taken::None => {}
            Taken::One(parent) if mutant!(RecursesPerLevel) => drop(parent),
            Taken::One(parent) => next = parent.let_go(),
            Taken::Hosted(host) => {
                // SAFETY: nobody holds it any more; this is the last that is done with it.
                unsafe {
                    let parent = (*host.as_ptr()).take_parent();
                    ((*host.as_ptr()).release())(host);
                    next = parent.and_then(NodeRef::let_go);
                }
            }
            Taken::Many(whole) => whole.into_parents().filter_map(NodeRef::let_go).for_each(|dead| {
                // SAFETY: just counted down to zero. Off the lists first, for the stack needs the link.
                unsafe {
                    leave_parents(dead, &mut panic);
                    rest.push(Held::dead(dead));
                }
            }),
        }
    }
    panic.go_on();
}

/// Takes a dead node off its parents' lists. Until then a canceller may find it there, though it can no longer hold it.
///
/// # Safety
///
/// The node was counted down to zero, by the caller.
#[inline(always)]
unsafe fn leave_parents(dead: NonNull<Node>, panic: &mut FirstPanic) {
    // SAFETY: nobody holds the node, and whoever finds it on a list does not look at its hub.
    let hub = unsafe { &mut (*dead.as_ptr()).hub };
    if mem::take(&mut hub.get_mut().attached) {
        // SAFETY: the node is there until the caller takes it down.
        unsafe { run(&*dead.as_ptr(), panic, &mut || tree::leave_parents(dead)) };
    }
}

/// Drops callbacks that never ran, and the wakers of futures that were forgotten: users' destructors.
#[cold]
fn drop_listeners(node: &mut Node, panic: &mut FirstPanic) {
    while let Some(listener) = node.hub.get_mut().list.take() {
        let mut listener = Some(listener);
        run(node, panic, &mut || drop(listener.take()));
    }
}

/// Runs others' code for a node that is taken down: what panics there is its host's to count, or else goes on.
fn run(node: &Node, panic: &mut FirstPanic, f: &mut dyn FnMut()) {
    // SAFETY: the node is there, and nobody has it any more but the caller.
    if !unsafe { hosted::contain(node, f) } {
        panic.run(f);
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
