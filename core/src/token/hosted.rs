//! This room lets a node lie in somebody else's memory: a job's, whose token it is.
#![allow(unsafe_code, reason = "a node in memory that its host allocates and frees")]

use core::mem::ManuallyDrop;
use core::ptr::NonNull;

use super::hold::NodeRef;
use super::hub::Hub;
use super::node::Node;
use super::up::Up;
use crate::Instant;
use crate::sync::atomic::AtomicU32;

/// A node whose memory is its host's, and what its host wants to know of it. Whoever holds the node holds all of it: there is one count for both.
///
/// # Implementation notes
///
/// A job has a token, and most are never looked at. So the node lies in the job's own allocation, its parent, the worker's root, is
/// borrowed and not counted, and nothing is put on any list: it costs a few words to write.
#[repr(C)]
pub(crate) struct Hosted {
    /// First, so that its address is the whole's.
    pub(super) node: Node,
    /// Counted only where it is linked; null for a root.
    pub(super) parent: Option<ManuallyDrop<NodeRef>>,
    /// In nanoseconds. One at the last nanosecond of the clock is none (D8).
    pub(super) deadline: u64,
    /// Those of a table of the host's, of which they are the first field.
    pub(super) hooks: NonNull<Hooks>,
}

/// What a host does for its node.
pub(crate) struct Hooks {
    /// The node was cancelled: by itself, or by a parent that it is linked to. Called by the canceller, under no lock, at most once.
    ///
    /// # Safety
    ///
    /// The node is there, and held by the caller.
    pub(crate) cancelled: unsafe fn(NonNull<Hosted>),
    /// Runs others' code that is nobody's business but the host's: destructors of what was registered with the node.
    ///
    /// # Safety
    ///
    /// The node is there; nobody but the caller has it any more.
    pub(crate) contain: unsafe fn(NonNull<Hosted>, &mut dyn FnMut()),
    /// Nobody holds the node any more, and it is taken down: drops the host, and gives the memory back.
    ///
    /// # Safety
    ///
    /// Called once, as the last thing that is done with it.
    pub(crate) release: unsafe fn(NonNull<Hosted>),
}

// SAFETY: as for a `NodeRef`; the hooks may be called on any thread.
unsafe impl Send for Hosted {}
// SAFETY: as above.
unsafe impl Sync for Hosted {}

impl Hosted {
    /// The node has the place where it stays. The caller has so many counts of it.
    ///
    /// # Safety
    ///
    /// `this` was made by [`new`](Self::new), nobody knows of it yet, and it stays there until it is released.
    #[inline]
    pub(crate) unsafe fn settle_in(this: NonNull<Self>, holders: u32) {
        // SAFETY: promised by the caller.
        unsafe {
            (*this.as_ptr()).node.up = Up::hosted_by(this);
            (*this.as_ptr()).node.hub.refs = AtomicU32::new(Hub::held_by(holders));
        }
    }

    /// Whether nothing is in it that would have to be dropped. For who takes it down, or is about to.
    #[inline]
    pub(crate) fn is_bare(&mut self) -> bool {
        !self.node.word.is_shared() && self.node.hub.alone(|hub| hub.list.is_empty())
    }

    /// It is not told any more. Of one that is cancelled already whoever did that tells it, or has: no second time comes.
    #[inline]
    pub(crate) fn dismiss(&self) {
        if self.is_linked() && !self.node.word.load().is_cancelled() {
            self.node.hub.with(|hub| *hub.hears = false);
        }
    }

    /// Whether a parent of its own tells it of a cancel.
    #[inline]
    pub(crate) const fn is_linked(&self) -> bool {
        self.node.hub.linked
    }

    /// The hooks, with the right to the whole table that they are the first field of.
    #[inline]
    pub(crate) const fn table(&self) -> NonNull<Hooks> {
        self.hooks
    }

    fn hooks(&self) -> &'static Hooks {
        // SAFETY: there for ever, promised by who made the node.
        unsafe { self.hooks.as_ref() }
    }

    pub(super) fn parent(&self) -> Option<&NodeRef> {
        self.parent.as_deref()
    }

    /// Its own; see [`Token::deadline`](crate::Token::deadline) for that which counts.
    #[inline]
    pub(crate) fn deadline(&self) -> Option<Instant> {
        if self.deadline == u64::MAX { None } else { Some(Instant::from_nanos(self.deadline)) }
    }

    pub(super) fn own(&self) -> ManuallyDrop<NodeRef> {
        // SAFETY: `self` is there for as long as the reference is used, which is never dropped.
        ManuallyDrop::new(unsafe { NodeRef::from_address(NonNull::from(&self.node)) })
    }

    /// Counts one more that holds it.
    #[inline]
    pub(crate) fn hold(&self) {
        let _ = ManuallyDrop::new(NodeRef::clone(&self.own()));
    }

    /// Whether taking it down, when it is on no list, comes to nothing but its release: nobody listens, and its parent is not counted. The usual case.
    #[inline]
    pub(super) fn is_plain(&mut self) -> bool {
        !self.is_linked() && self.node.hub.alone(|hub| hub.list.is_empty())
    }

    /// The node is taken down: gives up the parent, if it is counted.
    pub(super) fn take_parent(&mut self) -> Option<NodeRef> {
        let parent = self.parent.take()?;
        self.is_linked().then(|| ManuallyDrop::into_inner(parent))
    }

    /// How it is released.
    pub(super) fn release(&self) -> unsafe fn(NonNull<Self>) {
        self.hooks().release
    }
}

/// Tells the host of a node, if it has one, that the node was cancelled.
pub(super) fn tell(node: &Node) {
    if let Some(host) = node.up.host() {
        // SAFETY: the node is there and held, as whoever cancels holds what it cancels.
        unsafe { (host.as_ref().hooks().cancelled)(host) }
    }
}

/// Runs others' code for a node that is taken down, if the node has a host.
///
/// # Safety
///
/// The node is there, and nobody but the caller has it any more.
pub(super) unsafe fn contain(node: &Node, f: &mut dyn FnMut()) -> bool {
    let Some(host) = node.up.host() else { return false };
    // SAFETY: promised by the caller.
    unsafe { (host.as_ref().hooks().contain)(host, f) };
    true
}

impl core::fmt::Debug for Hosted {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Hosted").field("node", &self.node).field("linked", &self.is_linked()).finish_non_exhaustive()
    }
}
