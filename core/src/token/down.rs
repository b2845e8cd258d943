//! This room takes a node down when the last one lets go of it.
#![allow(unsafe_code, reason = "whoever counts down to zero has the node to himself")]

use core::mem;
use core::ptr::NonNull;

use alloc::boxed::Box;

use super::hold::NodeRef;
use super::hosted;
use super::hub::Hub;
use super::node::Node;
use super::parents::Taken;
use super::stack::{Held, Todo};
use super::tree;
use super::up::Up;
use crate::contain::FirstPanic;
use crate::sync::atomic::Ordering;

impl NodeRef {
    /// Counts down. The last holder gets what is left, to take it down.
    #[inline]
    fn let_go(self) -> Option<Dead> {
        let address = self.into_address();
        // SAFETY: this reference was counted until this line.
        let refs = unsafe { address.as_ref() }.hub.refs.fetch_add(Hub::LESS, Ordering::Release).wrapping_add(Hub::LESS);
        if !Hub::is_gone(refs) {
            return None;
        }
        // What all who have counted down before did has happened. Not by a fence, which a checker of races does not see.
        // SAFETY: whoever has counted down as the last has the node until he takes it down.
        let refs = unsafe { address.as_ref() }.hub.refs.load(Ordering::Acquire);
        Some(Dead { node: address, attached: refs & Hub::ATTACHED != 0 })
    }
}

impl Drop for NodeRef {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the count of `self` passes to the copy, and `self` is not used again.
        if let Some(dead) = unsafe { Self::from_address(self.address()) }.let_go() {
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
        let Some(listener) = hub.alone(|hub| hub.take(word)) else { return };
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
