//! This room looks upwards from a node.

use core::ops::ControlFlow;
use core::slice;

use super::hold::NodeRef;
use super::node::Node;
use super::parents::Parents;
use super::tap::{Linked, Tap};
use super::word::Seen;
use crate::{Cause, Instant};

/// How many linked tokens may look up through one another.
///
/// A look upwards takes no memory but its own stack (T4), so the branchings that it can come back to must be counted. A
/// linked token beyond that still hears of every cancellation before the cancelling call returns (R2); but another token
/// may be seen cancelled a moment before it. Plain children do not count.
pub(super) const LEVELS: usize = 16;

impl NodeRef {
    /// Visits the node, and each ancestor that can be seen from it, until `visit` breaks.
    #[inline]
    pub(super) fn look_up<'a, R>(&'a self, mut visit: impl FnMut(&'a Self, Seen) -> ControlFlow<R>) -> Option<R> {
        let mut node = self;
        loop {
            let seen = node.word.load();
            if let ControlFlow::Break(found) = visit(node, seen) {
                return Some(found);
            }
            if seen.is_masked() {
                return None; // R9
            }
            match node.up.get() {
                Parents::None => return None,
                Parents::One(_) if mutant!(LooksOneLevelUp) && !node.is(self) => return None,
                Parents::One(parent) if mutant!(MiddleDropCutsOff) && parent.is_held_once() => return None,
                Parents::One(parent) => node = parent,
                Parents::Many(linked) => return above_linked(linked, &mut visit),
            }
        }
    }

    /// Whether the node, or an ancestor that can be seen from it, is cancelled.
    ///
    /// What [`canceller`](Self::canceller) finds, in fewer steps: the question that is asked most.
    #[inline]
    pub(super) fn is_cancelled(&self) -> bool {
        if cfg!(feature = "mutants") {
            return self.canceller().is_some();
        }
        let mut node: &Node = self;
        loop {
            let seen = node.word.load();
            // Mostly a look ends here.
            if seen.is_root() {
                return false;
            }
            if !seen.is_live() {
                return seen.is_cancelled();
            }
            match node.up.get() {
                Parents::None => return false,
                Parents::One(parent) => node = parent,
                Parents::Many(linked) => return is_any_cancelled(linked),
            }
        }
    }

    /// The nearest that is cancelled: the node itself or an ancestor.
    #[inline]
    pub(super) fn canceller(&self) -> Option<&Self> {
        self.look_up(
            |node, seen| if seen.is_cancelled() { ControlFlow::Break(node) } else { ControlFlow::Continue(()) },
        )
    }

    /// The cause, if the node is cancelled. A cause that was found at an ancestor is written down in the node, so that
    /// nobody can change it afterwards (T10).
    pub(super) fn cause(&self) -> Option<Cause> {
        if let Some(own) = self.word.cause() {
            return Some(own);
        }
        let canceller = self.canceller()?;
        if !canceller.is(self) {
            self.word.inherit(&canceller.word);
        }
        self.word.cause()
    }

    /// The earliest deadline of the node and its ancestors (D1).
    pub(super) fn deadline(&self) -> Option<Instant> {
        let mut least: Option<Instant> = None;
        self.look_up(|node, _| {
            if let Some(own) = node.up.deadline() {
                least = Some(least.map_or(own, |least| least.min(own)));
                if mutant!(ChildOverridesDeadline) {
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        });
        least
    }
}

/// Whether any parent of a linked node, or what is above it, is cancelled.
#[inline(never)]
fn is_any_cancelled(linked: &Linked) -> bool {
    let cancelled =
        |_: &NodeRef, seen: Seen| if seen.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    above_linked(linked, &mut { cancelled }).is_some()
}

/// Goes on with a look upwards beyond a linked node: each parent and what is above it, depth first.
#[inline(never)]
fn above_linked<'a, R>(first: &'a Linked, visit: &mut dyn FnMut(&'a NodeRef, Seen) -> ControlFlow<R>) -> Option<R> {
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
