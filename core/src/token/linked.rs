//! This room joins several parents in one token.
#![allow(unsafe_code, reason = "a linked node and its taps lie in one allocation and name each other")]

use core::ops::ControlFlow;
use core::ptr::NonNull;

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::hold::NodeRef;
use super::look::LEVELS;
use super::node::Node;
use super::parents::Parents;
use super::tap::{Linked, Tap, Taps};
use super::tree;
use super::up::Up;
use super::word::Word;

/// A node with these parents (R7); a root if there are none, a plain child if there is one to look up to.
pub(super) fn link(parents: &[&NodeRef]) -> NodeRef {
    let parents = outermost_removed(parents);
    if let [] | [_] = &parents[..] {
        let up = parents.first().map_or(Up::none(), |parent| Up::one((*parent).clone()));
        return NodeRef::new(Node::new(up, Word::live()));
    }
    join(Taps::More(parents.iter().map(|parent| Tap::new(parent)).collect()))
}

/// A node that hears of both: that of the two which looks up to the other anyway, or else one with these two parents. That is nobody's token, so whoever asks for the same two shares it,
/// as long as it is the first on the list of `one`: of many jobs below one token that is one for all.
pub(super) fn joined(one: &NodeRef, two: &NodeRef) -> NodeRef {
    if let Some(shared) = at_hand(one, two) {
        shared
    } else if one.sees(two) {
        one.clone()
    } else if two.sees(one) {
        two.clone()
    } else {
        join(Taps::Two([Tap::new(one), Tap::new(two)]))
    }
}

/// The first of the two that [`joined`] was given, where it has given back `node`.
pub(super) fn one_of(node: &NodeRef) -> &NodeRef {
    match node.up.get() {
        // Others have taps in a box: nobody else joins two in one allocation.
        Parents::Many(Linked { taps: Taps::Two([first, _]), .. }) => &first.parent,
        _ => node,
    }
}

/// The node that [`joined`] has made of these two, if it is at hand and nobody is about to take it down.
fn at_hand(one: &NodeRef, two: &NodeRef) -> Option<NodeRef> {
    one.hub.with(|above| {
        let owner = above.first_tap()?;
        // SAFETY: its tap is on the list whose lock is held; whoever takes it down comes for that first, and changes nothing before.
        let owner_up = unsafe { &(*owner.as_ptr()).up };
        let Parents::Many(Linked { taps: Taps::Two([first, second]), .. }) = owner_up.get() else { return None };
        // SAFETY: as above.
        if first.parent.is(one) && second.parent.is(two) { unsafe { NodeRef::try_hold(owner) } } else { None }
    })
}

/// Makes the node, and puts it on the lists of its parents.
fn join(taps: Taps) -> NodeRef {
    let level = 1 + taps.as_slice().iter().map(|tap| level_above(&tap.parent)).max().unwrap_or(0);
    let too_high = level > LEVELS;
    let above = taps.as_slice().iter().filter(|_| too_high);
    let deadline = above.filter_map(|tap| tap.parent.deadline()).min();
    let level = if too_high { 0 } else { level };
    let whole = Linked { node: Node::new(Up::none(), Word::live()), taps, deadline, level };
    let whole = NonNull::from(Box::leak(Box::new(whole)));
    let owner = whole.cast::<Node>();
    // SAFETY: just made, and nobody else knows its address. The node is its first field.
    let node = unsafe {
        (*whole.as_ptr()).node.up = Up::many(whole);
        match &mut (*whole.as_ptr()).taps {
            Taps::Two(taps) => taps.iter_mut().for_each(|tap| tap.owner = owner),
            Taps::More(taps) => taps.iter_mut().for_each(|tap| tap.owner = owner),
        }
        NodeRef::from_address(owner)
    };
    tree::realign(&node);
    node
}

/// The parents without those that occur twice, or that another parent looks up to anyway.
fn outermost_removed<'a>(parents: &[&'a NodeRef]) -> Vec<&'a NodeRef> {
    let mut kept: Vec<&NodeRef> = Vec::with_capacity(parents.len());
    for parent in parents {
        if !kept.iter().any(|other| other.sees(parent)) {
            kept.retain(|other| !parent.sees(other));
            kept.push(parent);
        }
    }
    if mutant!(LinkedHearsFirstParentOnly) {
        kept.truncate(1);
    }
    kept
}

impl NodeRef {
    /// Whether `other` is this node or an ancestor that it will always look up to.
    fn sees(&self, other: &Self) -> bool {
        let found = |node: &Self, _| if node.is(other) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        self.look_up(found).is_some()
    }
}

/// The level of the nearest linked node at or above `node`; 0 if there is none.
fn level_above(node: &Node) -> usize {
    let mut node = node;
    loop {
        match node.up.get() {
            Parents::None => return 0,
            Parents::One(parent) => node = parent,
            Parents::Many(linked) => return linked.level,
        }
    }
}
