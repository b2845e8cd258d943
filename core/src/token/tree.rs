//! This room connects nodes with those who listen, upwards.

use core::ptr::NonNull;

use alloc::vec::Vec;

use super::entry::{Entry, Link};
use super::hold::NodeRef;
use super::hosted::Hosted;
use super::hub::Listeners;
use super::node::Node;
use super::sweep::sweep_found;
use super::up::{Parents, Up};
use super::word::Seen;
use crate::sync::UnsafeCell;

/// What became of an entry that was to be put on a node's list.
#[derive(PartialEq, Eq)]
pub(super) enum Joined {
    /// It is on the list, and will be told.
    Listening,
    /// The node is cancelled, and the entry is on no list.
    Refused,
    /// The node is cancelled, and a canceller has taken the entry, and tells it.
    Told,
}

/// What a step up from a node did.
enum Step {
    /// It was as it should be, and so is what is above.
    Same,
    /// It was put on its parents' lists, and the parents are next.
    Moved,
    /// The node was found cancelled, by itself or by a parent, and somebody may not have been told.
    Cancelled,
}

/// Puts `entry`, whose link this is, on the list of `node`, and sees to it that the node hears of its ancestors.
///
/// # Safety
///
/// As for [`List::push`](super::list::List::push).
#[inline]
#[allow(unsafe_code, reason = "passes the promise on")]
pub(super) unsafe fn join(node: &NodeRef, entry: Entry, link: &UnsafeCell<Link>) -> Joined {
    let step = node.hub.with(|hub| {
        let seen = node.word.load();
        // T6: whoever cancels the node comes for this lock afterwards.
        if seen.is_cancelled() && !mutant!(WaiterDoesNotLookAgain) {
            return None;
        }
        // SAFETY: promised by the caller.
        unsafe { hub.list.push(entry, link) };
        Some(if *hub.attached { Step::Same } else { step(node, seen, hub) })
    });
    match step {
        None => Joined::Refused,
        Some(Step::Same) => Joined::Listening,
        // SAFETY: it was put on this list above, and the caller keeps it there.
        Some(step) => unsafe { joined(node, link, step) },
    }
}

/// What [`join`] does when the node was not on its parents' lists.
///
/// # Safety
///
/// The entry was put on the list of the node, and is there.
#[inline(never)]
#[allow(unsafe_code, reason = "passes the promise on")]
unsafe fn joined(node: &NodeRef, link: &UnsafeCell<Link>, step: Step) -> Joined {
    let Some(cancelled) = go_on(node, step) else {
        return Joined::Listening;
    };
    // SAFETY: promised by the caller.
    let removed = node.hub.with(|hub| unsafe { hub.list.remove(link) });
    sweep_found(cancelled);
    if removed { Joined::Refused } else { Joined::Told }
}

/// Takes an entry, whose link this is, off the list of `node`. Says whether it was on it.
///
/// The node stays on its parents' lists: whoever listened once often does so again.
///
/// # Safety
///
/// As for [`List::remove`](super::list::List::remove).
#[inline]
#[allow(unsafe_code, reason = "passes the promise on")]
pub(super) unsafe fn part(node: &NodeRef, link: &UnsafeCell<Link>) -> bool {
    // SAFETY: promised by the caller.
    node.hub.with(|hub| unsafe { hub.list.remove(link) })
}

/// From now on the host of `node` is to be told of a cancel; puts the node on its parents' lists, and tells who was not told.
pub(super) fn attend(node: &NodeRef) {
    let step = node.hub.with(|hub| {
        // Whoever cancels it from here on comes for the lock afterwards, and finds that it hears.
        let seen = node.word.load();
        *hub.hears |= !seen.is_cancelled() && !mutant!(DismissedForGood);
        step(node, seen, hub)
    });
    if let Some(cancelled) = go_on(node, step) {
        sweep_found(cancelled);
    }
}

/// From `node` upwards: puts each node to whom somebody listens on its parents' lists, and tells who was not told.
///
/// Ends where nothing had to change.
pub(super) fn realign(node: &NodeRef) {
    let step = node.hub.with(|hub| step(node, node.word.load(), hub));
    if let Some(cancelled) = go_on(node, step) {
        sweep_found(cancelled);
    }
}

/// Goes on upwards after the step from `node`. Gives back a node that was found cancelled, which the caller has to sweep.
#[inline]
fn go_on(node: &NodeRef, step: Step) -> Option<&NodeRef> {
    match (step, node.up.get()) {
        (Step::Same, _) | (Step::Moved, Parents::None) => None,
        (Step::Cancelled, _) => Some(node),
        (Step::Moved, Parents::One(parent)) if parent.up.is_none() => None,
        (Step::Moved, _) => climb_on(node),
    }
}

/// Climbs on from the parents of `node`.
#[inline(never)]
fn climb_on(node: &NodeRef) -> Option<&NodeRef> {
    let mut moved = node;
    let mut rest: Vec<&NodeRef> = Vec::new();
    loop {
        let mut next = match moved.up.get() {
            Parents::None => None,
            Parents::One(parent) => Some(parent),
            Parents::Many(linked) => {
                // A root has nothing above it.
                let mut parents = linked.parents().filter(|parent| !parent.up.is_none());
                let first = parents.next();
                rest.extend(parents);
                first
            }
        };
        moved = loop {
            let node = match next.take() {
                Some(node) => node,
                None => rest.pop()?,
            };
            match node.hub.with(|hub| step(node, node.word.load(), hub)) {
                Step::Same => {}
                Step::Moved => break node,
                Step::Cancelled => return Some(node),
            }
        };
    }
}

/// Puts the node on its parents' lists, if its hub requires it. `seen` is a look at its word under the lock.
#[inline]
fn step(node: &NodeRef, seen: Seen, hub: &mut Listeners<'_>) -> Step {
    if *hub.attached || node.up.is_none() {
        return Step::Same;
    }
    // One look at the word for both questions: it may be cancelled at any time, lock or no lock, by somebody who asks for
    // the cause.
    if has_untold(seen, hub) {
        return Step::Cancelled;
    }
    if wants_to_hear(node, seen, hub) { connect(node, hub) } else { Step::Same }
}

/// Puts the node on its parents' lists.
///
/// The only place where two locks are held: the child's, by the caller, then the parent's.
#[allow(unsafe_code, reason = "puts the node on its parents' lists")]
#[inline]
fn connect(node: &NodeRef, hub: &mut Listeners<'_>) -> Step {
    *hub.attached = true;
    node.mark_attached();
    let mut all = true;
    for_each_place(node.address(), &node.up, |parent, place| {
        all &= parent.hub.with(|above| {
            if parent.word.load().is_cancelled() && !mutant!(ChildLinkedAfterSweep) {
                // R4, T6: the parent's canceller has been here, or is yet to come for this lock.
                node.word.inherit(&parent.word);
                return false;
            }
            // SAFETY: whoever takes the node down takes it off first, since it is marked.
            unsafe { above.list.push(place, place.link()) };
            true
        });
    });
    if all { Step::Moved } else { Step::Cancelled }
}

/// Takes a node that nobody holds, and that was attached, off its parents' lists.
///
/// # Safety
///
/// The node is there.
#[inline(never)]
#[allow(unsafe_code, reason = "takes the node off its parents' lists")]
pub(super) unsafe fn leave_parents(address: NonNull<Node>) {
    // SAFETY: promised by the caller.
    let up = unsafe { &(*address.as_ptr()).up };
    for_each_place(address, up, |parent, place| {
        // SAFETY: the node is there, and this place of it belongs to this parent.
        parent.hub.with(|above| unsafe { above.list.remove(place.link()) });
    });
}

/// Whether the node has to be on its parents' lists.
fn wants_to_hear(node: &Node, seen: Seen, hub: &Listeners<'_>) -> bool {
    if seen.is_cancelled() || seen.is_masked() {
        return false;
    }
    let host_hears = || *hub.hears && node.up.hosted().is_some_and(Hosted::is_linked);
    !hub.list.is_empty() || host_hears() || matches!(node.up.get(), Parents::Many(_))
}

/// Whether the node is cancelled while somebody still listens to it.
///
/// Whoever asks for the cause writes it down in the node and tells nobody. If the ancestor's canceller went by before the
/// node was on its parents' lists, nobody comes a second time: so whoever comes by on the way up looks here (T6, T12).
fn has_untold(seen: Seen, hub: &Listeners<'_>) -> bool {
    let blind = [mutant!(WaiterDoesNotLookAgain), mutant!(ChildLinkedAfterSweep)];
    if blind.contains(&true) {
        return false;
    }
    seen.is_cancelled() && !hub.is_bare()
}

/// Each parent of the node at `address`, with the node's place on the parent's list.
#[inline(always)]
fn for_each_place(address: NonNull<Node>, up: &Up, mut f: impl FnMut(&NodeRef, Entry)) {
    match up.get() {
        Parents::None => {}
        Parents::One(parent) => f(parent, Entry::child(address)),
        Parents::Many(linked) => linked.places().for_each(|(parent, place)| f(parent, place)),
    }
}
