//! This room describes one node of the tree and the look upwards from it.

use core::fmt;
use core::mem;
use core::ops::ControlFlow;
use core::task::Waker;

use super::entry::Link;
use super::hold::NodeRef;
use super::hub::{Hub, Listeners};
use super::linked;
use super::up::{Parents, Up};
use super::word::{Seen, Word};
use crate::sync::UnsafeCell;
use crate::{Cause, Instant};

/// One node of the tree. Nodes know their parents; a parent knows a child only while somebody listens to the child.
#[repr(C)]
pub(super) struct Node {
    /// Its place on the list of its one parent. Guarded by the parent's lock; unused by a linked node. First: see [`Entry`](super::entry::Entry).
    pub(super) branch: UnsafeCell<Link>,
    /// How many hold it, and who listens to it.
    pub(super) hub: Hub,
    /// Whether it is cancelled, and why.
    pub(super) word: Word,
    /// Whom it looks up to, and what lies around it. Never changes.
    pub(super) up: Up,
}

/// Who alone listens to a node.
#[derive(Debug)]
pub(super) enum Only {
    Nobody,
    Waiter(Waker),
    Host,
}

impl Node {
    #[inline]
    pub(super) fn new(up: Up, word: Word) -> Self {
        Self { branch: Link::new(), hub: Hub::new(), word, up }
    }

    /// Takes over the cause of `above`, its parent's word. If nobody listens to the node but one who waits, or its host, takes that one, and nobody has to come here any more. `None`
    /// if others listen.
    ///
    /// The caller has the lock of the parent, on whose list the node was: so the node is there, although the caller does not hold it. That the child's lock is waited for under its
    /// parent's is no danger: see the locks of this room.
    pub(super) fn take_lone(&self, above: &Word) -> Option<Only> {
        if mutant!(WakesUnderTheLock) {
            return None;
        }
        self.hub.with(|hub| {
            self.word.inherit(above);
            hub.take_only()
        })
    }

    /// The node's own deadline.
    pub(super) fn own_deadline(&self) -> Option<Instant> {
        self.up.deadline()
    }
}

/// The look upwards.
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
                Parents::Many(linked) => return linked::look_up(linked, &mut visit),
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
                Parents::Many(linked) => return linked::is_cancelled(linked),
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
            if let Some(own) = node.own_deadline() {
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

impl Listeners<'_> {
    /// Whether nobody listens.
    pub(super) fn is_bare(&self) -> bool {
        self.list.is_empty() && !*self.hears
    }

    /// If there is no listener, or only a waiter or the host, takes it. `None` if there are others.
    pub(super) fn take_only(&mut self) -> Option<Only> {
        if self.list.is_empty() {
            return Some(if mem::take(self.hears) { Only::Host } else { Only::Nobody });
        }
        self.take_only_waiter().map(Only::Waiter)
    }

    /// If there is one who waits, and no other listener, takes it.
    fn take_only_waiter(&mut self) -> Option<Waker> {
        if *self.hears { None } else { self.list.take_only_waiter() }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("word", &self.word).field("deadline", &self.own_deadline()).finish_non_exhaustive()
    }
}
