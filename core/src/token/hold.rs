//! This room counts the holders of a node and takes the node down when the last one lets go.
#![allow(unsafe_code, reason = "a reference count of our own: see the notes at NodeRef")]

use core::mem;
use core::ops::Deref;
use core::ptr::NonNull;

use alloc::boxed::Box;

use super::hosted;
use super::node::Node;
use super::stack::{Held, Todo};
use super::tree;
use super::up::{Taken, Up};
use super::word::Word;
use crate::contain::FirstPanic;
use crate::sync::atomic::{Ordering, fence};

/// A counted reference to a node.
///
/// The count is in all bits of the node's `refs` but the lowest, [`ATTACHED`](Self::ATTACHED): whether the node was put
/// on a parent's list, where others find it who do not hold it, and not taken off that for good by a canceller that then held it. So whoever counts down to
/// zero knows at once whether anybody is left to be waited for.
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
    /// The node was put on a parent's list.
    const ATTACHED: u32 = 1;
    /// One reference.
    pub(super) const ONE: u32 = 2;

    pub(super) fn new(node: Node) -> Self {
        Self(NonNull::from(Box::leak(Box::new(node))))
    }

    /// A plain child.
    #[inline(never)]
    pub(super) fn below(parent: Self) -> Self {
        Self::new(Node::new(Up::one(parent), Word::live()))
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
        unsafe { Self::try_hold_as(address, |count| count + Self::ONE) }
    }

    /// # Safety
    ///
    /// As for [`try_hold`](Self::try_hold).
    #[inline]
    unsafe fn try_hold_as(address: NonNull<Node>, held: impl Fn(u32) -> u32) -> Option<Self> {
        // SAFETY: promised by the caller. Only this field: whoever takes the node down changes others.
        let refs = unsafe { &(*address.as_ptr()).hub.refs };
        let mut count = refs.load(Ordering::Relaxed);
        while count >= Self::ONE {
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
        unsafe { Self::try_hold_as(address, |count| (count & !Self::ATTACHED) + Self::ONE) }
    }

    /// Whether this is the only reference at the moment.
    pub(super) fn is_held_once(&self) -> bool {
        self.hub.refs.load(Ordering::Relaxed) / Self::ONE == 1
    }

    /// Before the node is put on a parent's list: whoever takes it down must take it off first.
    pub(super) fn mark_attached(&self) {
        // Whoever counts down later sees it, for that is a later change of the same word.
        self.hub.refs.fetch_or(Self::ATTACHED, Ordering::Relaxed);
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

    /// Counts down. The last holder gets what is left, to take it down.
    #[inline]
    fn let_go(self) -> Option<Dead> {
        let address = self.into_address();
        // SAFETY: this reference was counted until this line.
        let before = unsafe { address.as_ref() }.hub.refs.fetch_sub(Self::ONE, Ordering::Release);
        if before >= 2 * Self::ONE {
            return None;
        }
        fence(Ordering::Acquire);
        Some(Dead { node: address, attached: before & Self::ATTACHED != 0 })
    }
}

impl Clone for NodeRef {
    #[inline]
    fn clone(&self) -> Self {
        let count = self.hub.refs.fetch_add(Self::ONE, Ordering::Relaxed);
        if count > u32::MAX / 2 {
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

/// A node that was counted down to zero.
pub(super) struct Dead {
    pub(super) node: NonNull<Node>,
    /// It was put on a parent's list. Until it is taken off, a canceller may find it there, though it can no longer hold it.
    pub(super) attached: bool,
}

impl Dead {
    /// Takes the node off its parents' lists, and gives its address.
    ///
    /// # Safety
    ///
    /// The node was counted down to zero, by the caller.
    #[inline]
    unsafe fn leave_parents(self) -> NonNull<Node> {
        if self.attached {
            // SAFETY: the node is there until the caller takes it down.
            unsafe { tree::leave_parents(self.node) };
        }
        self.node
    }
}

/// Takes down a node that nobody holds, and each ancestor that it was the last to hold, in a loop (R8).
///
/// # Safety
///
/// The node was counted down to zero, by the caller.
#[inline(never)]
pub(super) unsafe fn take_down(dead: Dead) {
    // SAFETY: promised by the caller.
    let Some(above) = (unsafe { take_plain_down(&dead) }) else {
        // SAFETY: promised by the caller.
        return unsafe { take_all_down(dead) };
    };
    if let Some(dead) = above.and_then(NodeRef::let_go) {
        // SAFETY: just counted down to zero.
        unsafe { take_all_down(dead) };
    }
}

/// Takes down a node of the usual kind: it was on no list, nobody listens to it, nothing lies around it, and its word owns nothing. Gives the count of its parent; `None` if
/// the node is another one, and nothing was done.
///
/// # Safety
///
/// As for [`take_down`].
#[inline]
unsafe fn take_plain_down(dead: &Dead) -> Option<Option<NodeRef>> {
    // SAFETY: nobody holds it; and if it was on no list, nobody has its address.
    let node = (!dead.attached).then(|| unsafe { &mut *dead.node.as_ptr() })?;
    if !node.up.is_plain() || node.word.is_shared() || !node.hub.alone(|hub| hub.list.is_empty()) {
        return None;
    }
    // SAFETY: the node is taken down here.
    let up = unsafe { mem::replace(&mut node.up, Up::none()).take_plain() };
    // SAFETY: made by `Box` in `NodeRef::new`, since it is a node and nothing else. Nothing in it would have to be dropped.
    drop(unsafe { Box::from_raw(dead.node.cast::<mem::ManuallyDrop<Node>>().as_ptr()) });
    Some(up)
}

/// Takes down a node of whatever kind, and what it was the last to hold.
///
/// # Safety
///
/// As for [`take_down`].
#[inline(never)]
unsafe fn take_all_down(dead: Dead) {
    let mut panic = FirstPanic::default();
    let mut next = Some(dead);
    let mut rest = Todo::new();
    while let Some(dead) = next.take().or_else(|| rest.pop_dead().map(|node| Dead { node, attached: false })) {
        // SAFETY: counted down to zero.
        let dead = unsafe { dead.leave_parents() };
        // SAFETY: nobody holds it and it is on no list, so nobody has its address.
        let node = unsafe { &mut *dead.as_ptr() };
        if !node.hub.alone(|hub| hub.list.is_empty()) {
            drop_listeners(node, &mut panic);
        }
        let up = mem::replace(&mut node.up, Up::none());
        // SAFETY: the node is taken down here.
        let up = unsafe { up.take() };
        if matches!(up, Taken::None | Taken::One(_)) {
            // SAFETY: made by `Box` in `NodeRef::new`, since it is a node and nothing else.
            drop(unsafe { Box::from_raw(dead.as_ptr()) });
        }
        match up {
            Taken::None => {}
            Taken::One(parent) if mutant!(RecursesPerLevel) => drop(parent),
            Taken::One(parent) => next = parent.let_go(),
            Taken::Dated(whole) => next = (*whole).into_parent().and_then(NodeRef::let_go),
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
                    rest.push(Held::dead(dead.leave_parents()));
                }
            }),
        }
    }
    panic.go_on();
}

/// Drops callbacks that never ran, and the wakers of futures that were forgotten: users' destructors.
#[cold]
fn drop_listeners(node: &mut Node, panic: &mut FirstPanic) {
    loop {
        let Node { hub, word, .. } = &mut *node;
        let Some(listener) = hub.alone(|hub| hub.list.take(word)) else { return };
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
