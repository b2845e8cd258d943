//! This room joins several parents in one token.
#![allow(unsafe_code, reason = "a linked node and its taps lie in one allocation and name each other")]

use core::fmt;
use core::ops::ControlFlow;
use core::ptr::NonNull;
use core::slice;

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::entry::{Entry, Link};
use super::hold::NodeRef;
use super::node::Node;
use super::tree;
use super::up::{Parents, Up};
use super::word::{Seen, Word};
use crate::Instant;
use crate::sync::UnsafeCell;

/// How many linked tokens may look up through one another.
///
/// A look upwards takes no memory but its own stack (T4), so the branchings that it can come back to must be counted. A
/// linked token beyond that still hears of every cancellation before the cancelling call returns (R2); but another token
/// may be seen cancelled a moment before it. Plain children do not count.
pub(super) const LEVELS: usize = 16;

/// A linked node and its parents, in one allocation.
///
/// # Implementation notes
///
/// A linked node is on its parents' lists from the first to the last, though nobody listens to it: it must learn which of
/// its parents was cancelled first (T10), and a look upwards later could not tell. The look upwards is still made, so that
/// there is no moment at which a parent was seen cancelled and the linked token was not (R3).
#[repr(C)]
pub(super) struct Linked {
    /// The node itself. First, so that its address is the whole's.
    pub(super) node: Node,
    taps: Taps,
    /// Where it does not look up: the earliest above it, as deadlines do not travel down the lists.
    deadline: Option<Instant>,
    /// 1 if no linked node is above, else one more than the highest of those; 0 for one that does not look up.
    level: usize,
}

/// Two taps, as a job's token has them, need no allocation of their own.
enum Taps {
    Two([Tap; 2]),
    More(Box<[Tap]>),
}

impl Taps {
    fn as_slice(&self) -> &[Tap] {
        match self {
            Self::Two(taps) => taps,
            Self::More(taps) => taps,
        }
    }
}

/// A linked node's place on the list of one parent.
#[repr(C)]
pub(super) struct Tap {
    /// Guarded by the parent's lock. First: see [`Entry`].
    pub(super) link: UnsafeCell<Link>,
    /// The node that the tap belongs to. Never changes once the node is known to others.
    pub(super) owner: NonNull<Node>,
    parent: NodeRef,
}

impl Linked {
    /// The parents, and the node's place on each parent's list.
    pub(super) fn places(&self) -> impl Iterator<Item = (&NodeRef, Entry)> {
        self.taps.as_slice().iter().map(|tap| (&tap.parent, Entry::tap(NonNull::from(tap))))
    }

    pub(super) fn parents(&self) -> impl Iterator<Item = &NodeRef> {
        self.taps.as_slice().iter().map(|tap| &tap.parent)
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Takes the node down; its parents are left.
    pub(super) fn into_parents(self) -> impl Iterator<Item = NodeRef> {
        let (two, more) = match self.taps {
            Taps::Two(taps) => (Some(taps), None),
            Taps::More(taps) => (None, Some(taps.into_vec())),
        };
        two.into_iter().flatten().chain(more.into_iter().flatten()).map(|tap| tap.parent)
    }
}

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
        let owner = above.list.first_tap()?;
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

impl Tap {
    fn new(parent: &NodeRef) -> Self {
        Self { link: Link::new(), owner: NonNull::dangling(), parent: parent.clone() }
    }
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

/// Whether any parent of a linked node, or what is above it, is cancelled.
#[inline(never)]
pub(super) fn is_cancelled(linked: &Linked) -> bool {
    let cancelled =
        |_: &NodeRef, seen: Seen| if seen.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    look_up(linked, &mut { cancelled }).is_some()
}

/// Goes on with a look upwards beyond a linked node: each parent and what is above it, depth first.
#[inline(never)]
pub(super) fn look_up<'a, R>(
    first: &'a Linked,
    visit: &mut dyn FnMut(&'a NodeRef, Seen) -> ControlFlow<R>,
) -> Option<R> {
    let mut open: [slice::Iter<'a, Tap>; LEVELS] = [const { [].as_slice() }; LEVELS].map(<[Tap]>::iter);
    let mut depth = 0;
    let mut next = Some(first);
    loop {
        if let Some(linked) = next.take().filter(|linked| linked.level > 0) {
            // Levels fall on the way up, so there is room.
            open[depth] = linked.taps.as_slice().iter();
            depth += 1;
        }
        if depth == 0 {
            return None;
        }
        let Some(tap) = open[depth - 1].next() else {
            depth -= 1;
            continue;
        };
        let mut node = &tap.parent;
        next = loop {
            let seen = node.word.load();
            if let ControlFlow::Break(found) = visit(node, seen) {
                return Some(found);
            }
            match node.up.get() {
                _ if seen.is_masked() => break None, // R9
                Parents::None => break None,
                Parents::One(parent) => node = parent,
                Parents::Many(linked) => break Some(linked),
            }
        };
    }
}

impl fmt::Debug for Linked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Linked").field("parents", &self.taps.as_slice().len()).field("level", &self.level).finish()
    }
}
