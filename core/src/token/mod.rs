//! This room holds the cancellation tree: [`Token`], and what can be done with one.
//!
//! # Invariants
//!
//! 1. Nodes hold their parents, never their children. A node is there for as long as a token, an observer, a registration
//!    or a descendant of it is (R5), and no longer (R6).
//! 2. Whether a node is cancelled is asked upwards: its own word, then its parents' (R2, R3). So nothing needs to be done
//!    to a child that nobody listens to.
//! 3. A node is on its parents' lists once somebody has listened to it: a waiter, a callback, a host that is linked, or a
//!    child that is on its list. It stays there until it is taken down, or a parent is cancelled: whoever listens again
//!    needs the node's own lock only. A linked node is there from the first.
//! 4. Whoever cancels a node, or finds that a parent is cancelled when it puts the node on the parent's list, sweeps it. A
//!    word is cancelled before the list is swept, and looked at again under the list's lock: when somebody joins it, and
//!    when the node itself is put on a list for that. (Whoever only asks for a cause writes it down and sweeps nothing.) So
//!    whoever joins is swept or refused (T6).
//! 5. An entry is on one list at most; whoever takes it off, under that list's lock, tells it (T7, T12).
//!
//! # Locks
//!
//! Each node has one. Two are held at a time in two places only: when a child is put on its parent's list, the child's, then the parent's (`tree::connect`); when it is taken off by a
//! canceller, the parent's, then the child's (`Node::take_lone`). Neither can wait for the other: a child that is on a list is put on none again, and whoever still has its
//! lock from putting it there waits for nothing any more. (A linked node is put on several lists under its lock; so a canceller that finds one does not ask for that.) No users' code
//! is run, cloned or dropped under one (T8).

mod batch;
mod callback;
mod dated;
mod down;
mod entry;
mod guard;
mod hold;
pub(crate) mod hosted;
mod hosting;
mod hub;
mod linked;
mod list;
mod look;
#[cfg(all(test, countermand_loom))]
mod loom;
#[cfg(test)]
mod models;
mod never;
mod node;
mod observer;
mod parents;
mod registration;
mod shield;
mod stack;
mod sweep;
mod taking;
mod tap;
#[cfg(all(test, not(countermand_loom)))]
mod tests;
mod tree;
mod until;
mod up;
mod wait;
mod waiter;
mod word;

use core::fmt;
use core::future::Future;
use core::ops::ControlFlow;

use alloc::boxed::Box;
use alloc::vec::Vec;

pub use guard::DropGuard;
pub use observer::TokenObserver;
pub use registration::Registration;
pub use shield::Shield;
pub use until::RunUntilCancelled;
pub use wait::{Cancelled, CancelledOwned};

use dated::Dated;
use hold::NodeRef;
use never::NodeOrNever;
use node::Node;
use up::Up;
use word::Word;

use crate::{Cause, CauseKind, Instant};

/// A handle on a node of a cancellation tree.
///
/// Clones are handles on the same node. Cancelling a node cancels all of its descendants, never an ancestor or a sibling.
/// Dropping tokens cancels nothing.
///
/// ```
/// use countermand_core::{Cause, Token};
///
/// let service = Token::new();
/// let request = service.child_token();
/// assert!(service.cancel_with(Cause::SHUTDOWN));
/// assert!(request.is_cancelled());
/// assert_eq!(request.cause(), Some(Cause::SHUTDOWN));
/// assert!(!request.cancel(), "it was cancelled already");
/// ```
///
/// # Implementation notes
///
/// A child that nobody waits on is not known to its parent: a check looks at the node and then at its ancestors, without
/// a lock. So a check costs one load for each level, and in exchange creating, dropping and cancelling such children costs
/// the parent nothing, however many there are. The usual way, a list of all children that a cancel walks through, has a
/// moment at which siblings disagree, and makes every child contend for the parent's lock.
#[derive(Default)]
pub struct Token {
    node: NodeOrNever,
}

impl Token {
    /// A root.
    #[must_use]
    pub fn new() -> Self {
        Self::root(None)
    }

    /// A token that is never cancelled. It costs no allocation, and registers nothing (T14).
    ///
    /// [`cancel`](Self::cancel) does nothing and returns `false`. A child of it is a root.
    #[must_use]
    pub const fn never() -> Self {
        Self { node: NodeOrNever::never() }
    }

    /// A root with a deadline. One at the last nanosecond of the clock is none (D8).
    #[must_use]
    pub fn with_deadline(at: Instant) -> Self {
        Self::root(Some(at))
    }

    /// A child: cancelled when this token is, or by itself.
    ///
    /// A child of a cancelled token is cancelled from the start (R4).
    #[must_use]
    #[inline]
    pub fn child_token(&self) -> Self {
        self.child(None)
    }

    /// A child with a deadline of its own. What counts is the earliest of it and its ancestors' (D1).
    #[must_use]
    pub fn child_with_deadline(&self, at: Instant) -> Self {
        self.child(Some(at))
    }

    /// A token with several parents: cancelled when any of them is, with that parent's cause (R7), or by itself.
    ///
    /// A parent that another one descends from is left out, for it is heard of anyway; so is one that is never cancelled.
    /// If none are left, the token is a root; if one is left, it is a plain child of that.
    ///
    /// Linked tokens may have linked ancestors. Up to 16 of them, one above the other, are looked through by a check. One
    /// with more above it is still cancelled before the cancelling call returns, but may be so a moment after others.
    #[must_use]
    pub fn linked<'a>(parents: impl IntoIterator<Item = &'a Self>) -> Self {
        let parents: Vec<&NodeRef> = parents.into_iter().filter_map(Self::node).collect();
        Self::from_node(linked::link(&parents))
    }

    /// Cancels this token and its descendants, with the cause [`Cause::REQUESTED`].
    ///
    /// # Returns
    ///
    /// Whether it was this call that cancelled it (T1); `false` if it was cancelled already, by itself or by an ancestor.
    /// When any call has returned, the token and all of its descendants are cancelled (R2).
    ///
    /// # Panics
    ///
    /// If a waker or a callback panics, that panic goes on when all others have been told (T9).
    #[expect(clippy::must_use_candidate, reason = "most callers do not care who was first")]
    pub fn cancel(&self) -> bool {
        self.cancel_with(Cause::REQUESTED)
    }

    /// Cancels this token and its descendants. See [`cancel`](Self::cancel).
    ///
    /// The first cause of a token wins and never changes (T10).
    #[expect(clippy::must_use_candidate, reason = "most callers do not care who was first")]
    pub fn cancel_with(&self, cause: Cause) -> bool {
        self.node().is_some_and(|node| sweep::cancel(node, cause))
    }

    /// Whether this token is cancelled, by itself or by an ancestor.
    ///
    /// Takes no lock and allocates nothing, so it may be called from an interrupt handler (T4).
    #[must_use]
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        #[cfg(feature = "mutants")]
        if let Some(answer) = self.node().and_then(mutated_check) {
            return answer;
        }
        // Mostly a question ends here.
        !self.node.is_live_root() && self.is_cancelled_above()
    }

    /// Why this token was cancelled, if it was.
    #[must_use]
    pub fn cause(&self) -> Option<Cause> {
        self.node()?.cause()
    }

    /// The earliest of the deadlines of this token and its ancestors (D1).
    ///
    /// A deadline does nothing by itself: it takes effect when somebody who knows the time calls
    /// [`expire_due`](Self::expire_due), as a worker does.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.node()?.deadline()
    }

    /// Cancels the outermost of this token and its ancestors whose deadline is due at `now` (D9), with the cause
    /// [`Cause::DEADLINE`] (D6).
    ///
    /// # Returns
    ///
    /// Whether a deadline is due and this token is cancelled because of one. `false` also for a token that has a due
    /// deadline but was cancelled before, for another reason.
    #[expect(clippy::must_use_candidate, reason = "often called for its effect")]
    pub fn expire_due(&self, now: Instant) -> bool {
        let Some(node) = self.node() else {
            return false;
        };
        let Some(due) = outermost_due(node, now) else {
            return false;
        };
        sweep::cancel(&due, if mutant!(ExpiryIsARequest) { Cause::REQUESTED } else { Cause::DEADLINE });
        node.cause().is_some_and(|cause| cause.kind() == CauseKind::Deadline)
    }

    /// Waits until this token is cancelled, and says why.
    ///
    /// Registering allocates nothing: the place on the list is in the future.
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves nothing behind.
    #[inline]
    pub fn cancelled(&self) -> Cancelled<'_> {
        Cancelled::new(self)
    }

    /// Waits until this token is cancelled, holding it. See [`cancelled`](Self::cancelled).
    pub fn cancelled_owned(self) -> CancelledOwned {
        CancelledOwned::new(self)
    }

    /// Calls `f` when this token is cancelled: on the thread that cancels it, or at once and here if it is already (T12).
    ///
    /// It is called exactly once, in no particular order among others, and may use every method of the tree (T8). If the
    /// token is never cancelled, `f` is dropped when the token is: when the last handle on it, the [`Registration`]
    /// included, has gone.
    ///
    /// # Panics
    ///
    /// If the token is cancelled already and `f` panics. Otherwise a panic of `f` goes to the one who cancels.
    pub fn on_cancel(&self, f: impl FnOnce(Cause) + Send + 'static) -> Registration {
        registration::register(self, Box::new(f))
    }

    /// Cancels this token when the guard is dropped, with the cause [`Cause::HANDLE_DROPPED`], unless it is disarmed (T11).
    pub fn drop_guard(self) -> DropGuard {
        DropGuard::new(self)
    }

    /// A handle that can see this token and wait for it, but not cancel it (T15).
    #[must_use]
    pub fn observer(&self) -> TokenObserver {
        TokenObserver::new(self.clone())
    }

    /// Runs `future` until this token is cancelled.
    ///
    /// # Returns
    ///
    /// What the future returned, or the cause of the cancellation; by then the future has been dropped. A token that is
    /// cancelled before the first poll keeps the future from being polled at all. Later, a value that comes with the same
    /// poll as the cancellation wins.
    ///
    /// # Cancellation
    ///
    /// Dropping it drops `future`, and cancels nothing.
    pub fn run_until_cancelled<F: Future>(&self, future: F) -> RunUntilCancelled<'_, F> {
        RunUntilCancelled::new(self, future)
    }

    /// A child that does not see this token, its ancestors or their deadlines while the [`Shield`] lasts (R9).
    pub fn shield(&self) -> Shield {
        Shield::new(self)
    }

    fn root(deadline: Option<Instant>) -> Self {
        Self::from_node(match in_time(deadline) {
            Some(deadline) => Dated::make(None, deadline),
            None => NodeRef::new(Node::new(Up::none(), Word::root())),
        })
    }

    #[inline]
    fn child(&self, deadline: Option<Instant>) -> Self {
        let Some(parent) = self.node() else { return Self::root(deadline) };
        let parent = parent.clone();
        let child = Self::from_node(match in_time(deadline) {
            Some(deadline) => Dated::make(Some(parent), deadline),
            None => NodeRef::below(parent),
        });
        if mutant!(ParentKeepsDeadChildren) {
            core::mem::forget(child.clone());
        }
        child
    }

    fn from_node(node: NodeRef) -> Self {
        Self { node: node.into() }
    }

    #[inline(never)]
    fn is_cancelled_above(&self) -> bool {
        self.node().is_some_and(NodeRef::is_cancelled)
    }

    #[inline]
    fn node(&self) -> Option<&NodeRef> {
        self.node.node()
    }
}

/// For the worker.
impl Token {
    /// A token that is cancelled when either is: one of the two where it looks up to the other anyway.
    pub(crate) fn of_both(&self, second: &Self) -> Self {
        match (self.node(), second.node()) {
            (Some(one), Some(two)) => Self::from_node(linked::joined(one, two)),
            (Some(_), None) => self.clone(),
            (None, _) => second.clone(),
        }
    }
}

impl Clone for Token {
    #[inline]
    fn clone(&self) -> Self {
        if mutant!(NeverClonesIntoRoot) && self.node().is_none() {
            return Self::new();
        }
        Self { node: self.node.clone() }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(node) = self.node() else {
            return f.write_str("Token(never)");
        };
        f.debug_struct("Token")
            .field("cause", &node.cause())
            .field("deadline", &node.deadline())
            .finish_non_exhaustive()
    }
}

/// A deadline that can be due: at the end of the clock there is none (D8).
#[inline]
fn in_time(deadline: Option<Instant>) -> Option<Instant> {
    deadline.filter(|at| at.as_nanos() != u64::MAX)
}

/// The outermost of `node` and its ancestors whose own deadline is due.
fn outermost_due(node: &NodeRef, now: Instant) -> Option<NodeRef> {
    let mut due = None;
    node.look_up(|node, _| {
        if node.up.deadline().is_some_and(|at| at.is_due(now)) && !(mutant!(ExpiresTheInnermost) && due.is_some()) {
            due = Some(node);
        }
        ControlFlow::<()>::Continue(())
    });
    due.cloned()
}

#[cfg(feature = "mutants")]
fn mutated_check(node: &NodeRef) -> Option<bool> {
    if mutant!(CheckAllocates) {
        drop(core::hint::black_box(Box::new(0u8)));
    }
    if mutant!(ParentSeenWhenPolledOnly) {
        return Some(node.word.load().is_cancelled());
    }
    if mutant!(CheckForgets) && node.is_cancelled() {
        node.word.forget();
        return Some(true);
    }
    None
}
