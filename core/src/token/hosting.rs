//! This room lets a job use the node that it hosts as its token.
#![allow(unsafe_code, reason = "the node's memory is its host's")]

use core::mem::ManuallyDrop;
use core::ptr::NonNull;

use super::down::{Dead, take_down};
use super::hold::NodeRef;
use super::hosted::{Hooks, Hosted};
use super::hub::Hub;
use super::node::Node;
use super::up::Up;
use super::word::Word;
use super::{Token, linked, tree};
use crate::sync::atomic::Ordering;

impl Hosted {
    /// A node below `root`, or, with `parent`, one that is cancelled with that too, and told of it.
    ///
    /// # Safety
    ///
    /// `root` outlives the node. The hooks are there for ever. The node is moved no more after [`settle_in`](Self::settle_in), which is to be called before anything else is done with it.
    #[inline]
    pub(crate) unsafe fn new(root: &Token, parent: Option<&Token>, deadline: u64, hooks: NonNull<Hooks>) -> Self {
        let above = match (parent.and_then(Token::node), root.node()) {
            (Some(parent), Some(root)) => Some(linked::joined(parent, root)),
            (Some(parent), None) => Some(parent.clone()),
            (None, _) => None,
        };
        let linked = above.is_some();
        let parent = match above {
            Some(above) => Some(ManuallyDrop::new(above)),
            // SAFETY: not counted, and so never dropped. It outlives the node, promised by the caller.
            None => root.node().map(|root| ManuallyDrop::new(unsafe { NodeRef::from_address(root.address()) })),
        };
        let mut node = Node::new(Up::none(), Word::live());
        node.hub.alone(|hub| *hub.hears = true);
        node.hub.linked = linked;
        Self { node, parent, deadline, hooks }
    }

    /// From now on it is told of a cancel, also after it was [dismissed](Self::dismiss). May be where it learns of one of the parent that was before; of one
    /// between the two it does not.
    ///
    /// # Panics
    ///
    /// As [`Token::cancel`].
    pub(crate) fn attend(&self) {
        if self.is_linked() {
            tree::attend(&self.own());
        }
    }

    /// The parent that it was given beside the root.
    pub(crate) fn own_parent(&self) -> Option<Token> {
        let above = self.parent.as_deref().filter(|_| self.is_linked())?;
        Some(Token::from_node(linked::one_of(above).clone()))
    }

    /// The token that the node is, without a count of it.
    ///
    /// # Safety
    ///
    /// It is used for as long as the node is there, and never dropped.
    pub(crate) unsafe fn token(this: NonNull<Self>) -> ManuallyDrop<Token> {
        // SAFETY: promised by the caller.
        ManuallyDrop::new(Token::from_node(unsafe { NodeRef::from_address(this.cast()) }))
    }

    /// Counts one less. With the last the host is released.
    ///
    /// # Safety
    ///
    /// The caller had a count of it, and does not use it any more.
    #[inline]
    pub(crate) unsafe fn let_go(this: NonNull<Self>) {
        // SAFETY: the caller has a count of it up to here.
        let hosted = unsafe { this.as_ref() };
        // Whoever held it before has let go of it, so that what it did is seen here. If it was on no list, nobody can come to hold it again: so there
        // is nobody to be counted down against.
        if hosted.node.hub.refs.load(Ordering::Acquire) == Hub::held_by(1) {
            hosted.node.hub.refs.store(Hub::NONE, Ordering::Relaxed);
            let release = hosted.release();
            // SAFETY: nobody but the caller has it any more; `hosted` is not used again.
            let plain = unsafe { (*this.as_ptr()).is_plain() };
            if plain {
                // SAFETY: the count was the caller's, and the last; there is nobody to take leave of.
                unsafe { release(this) };
            } else {
                // SAFETY: the count was the caller's, and the last; it is on no list.
                unsafe { Self::take_down(this) };
            }
        } else {
            // SAFETY: promised by the caller.
            drop(unsafe { NodeRef::from_address(this.cast()) });
        }
    }

    /// Takes it down when it is on no list, or no more.
    ///
    /// # Safety
    ///
    /// As for [`take_down`](super::down::take_down).
    #[inline(never)]
    unsafe fn take_down(this: NonNull<Self>) {
        // SAFETY: nobody but the caller has it any more.
        unsafe {
            if (*this.as_ptr()).node.hub.alone(|hub| hub.list.is_empty()) {
                let (parent, release) = ((*this.as_ptr()).take_parent(), (*this.as_ptr()).release());
                release(this);
                drop(parent);
            } else {
                take_down(Dead { node: this.cast(), attached: false });
            }
        }
    }
}
