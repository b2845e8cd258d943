//! This room keeps how many hold a node and who listens to it, in two words.
//!
//! A lock around its data would begin with a word of its own. This one is a byte, and count and marks are its neighbours.
#![allow(unsafe_code, reason = "what the latch guards lies beside it")]

use core::fmt;

use super::list::List;
use crate::sync::atomic::AtomicU32;
use crate::sync::{Latch, UnsafeCell};

/// See the head of the file.
pub(super) struct Hub {
    /// How many hold the node beside one: tokens, observers, children, and a canceller on its way. Negative, as a signed number, once nobody does. See
    /// [`ATTACHED`](Self::ATTACHED) for its lowest bit. Not guarded.
    pub(super) refs: AtomicU32,
    /// The node's lock.
    latch: Latch,
    hears: UnsafeCell<bool>,
    attached: UnsafeCell<bool>,
    /// For a host's node: whether its parent, which it then holds, must tell it of a cancel; another one is looked up to, no more. Never changes once the node is known to others.
    pub(super) linked: bool,
    list: UnsafeCell<List>,
}

/// Who listens to a node, for whoever has the node's lock.
pub(super) struct Listeners<'a> {
    /// Waiters, callbacks and children.
    pub(super) list: &'a mut List,
    /// Whether the node's host is still to be told that the node was cancelled.
    pub(super) hears: &'a mut bool,
    /// Whether the node was put on its parents' lists. It stays there until it is taken down, or a canceller of a parent
    /// takes it off, under the parent's lock; so this never becomes false again.
    pub(super) attached: &'a mut bool,
}

impl Hub {
    /// In `refs`: the node was put on a parent's list.
    pub(super) const ATTACHED: u32 = 1;
    /// In `refs`: one more that holds it.
    pub(super) const ONE: u32 = 2;

    /// Added to `refs`: one less that holds it. Added, as the compiler takes the sign of a sum, but not that of a difference, from the instruction that makes it.
    pub(super) const LESS: u32 = 0_u32.wrapping_sub(Self::ONE);

    /// What `refs` is when the last one has let go of a node that was put on no list.
    pub(super) const NONE: u32 = Self::held_by(1).wrapping_add(Self::LESS);

    /// What `refs` is while so many hold it, one at least.
    #[inline]
    pub(super) const fn held_by(holders: u32) -> u32 {
        (holders - 1) * Self::ONE
    }

    /// Whether nobody holds the node any more, or so many that the count has run over.
    #[inline]
    pub(super) const fn is_gone(refs: u32) -> bool {
        refs.cast_signed() < 0
    }

    /// Of a node that one holds, and nobody listens to.
    #[inline]
    pub(super) fn new() -> Self {
        Self {
            refs: AtomicU32::new(Self::held_by(1)),
            latch: Latch::new(),
            hears: UnsafeCell::new(false),
            attached: UnsafeCell::new(false),
            linked: false,
            list: UnsafeCell::new(List::new()),
        }
    }

    /// Runs `f` under the node's lock. As for `Lock::with`: no users' code, and not the same lock again.
    #[inline]
    pub(super) fn with<R>(&self, f: impl FnOnce(&mut Listeners<'_>) -> R) -> R {
        // SAFETY: these three are reached from here and from `alone` only, so by whoever has the latch, or the whole hub to himself; and `f`
        // does not come here again.
        self.latch.with(|| unsafe { self.open(f) })
    }

    /// For the one who has the node to himself.
    #[inline]
    pub(super) fn alone<R>(&mut self, f: impl FnOnce(&mut Listeners<'_>) -> R) -> R {
        // SAFETY: nobody else has a reference to the hub.
        unsafe { self.open(f) }
    }

    /// # Safety
    ///
    /// Nobody else is in here.
    #[inline]
    unsafe fn open<R>(&self, f: impl FnOnce(&mut Listeners<'_>) -> R) -> R {
        self.list.with_mut(|list| {
            self.hears.with_mut(|hears| {
                self.attached.with_mut(|attached| {
                    // SAFETY: promised by the caller.
                    let mut listeners =
                        unsafe { Listeners { list: &mut *list, hears: &mut *hears, attached: &mut *attached } };
                    f(&mut listeners)
                })
            })
        })
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("refs", &self.refs).finish_non_exhaustive()
    }
}
