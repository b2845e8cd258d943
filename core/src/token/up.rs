//! This room keeps the way up from a node in one word.
#![allow(unsafe_code, reason = "one word for addresses of several types, told apart by its lowest bits")]

use core::ptr::{self, NonNull};

/// The way up from a node: to its one parent, or to what it is the first field of. Never changes.
///
/// | value | meaning |
/// | --- | --- |
/// | 0 | a root |
/// | lowest bits `00` | the address of the parent, as in a `NodeRef`; the word owns a count of it |
/// | lowest bits `01` | the address of the linked whole that the node is the first field of, plus one |
/// | lowest bits `10` | the address of the host that the node is the first field of, plus two |
/// | lowest bits `11` | the address of the dated whole that the node is the first field of, plus three |
///
/// What is there is asked in `parents`. Dropping it drops nothing: a node is taken down in a loop, which calls `take`.
#[repr(transparent)]
pub(super) struct Up(*mut ());

/// What an [`Up`] leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// A parent, or none.
    Plain = 0,
    Many = 1,
    Hosted = 2,
    Dated = 3,
}

const WAY: usize = 3;

// SAFETY: what it leads to may be used on any thread.
unsafe impl Send for Up {}
// SAFETY: as above.
unsafe impl Sync for Up {}

impl Up {
    pub(super) const fn none() -> Self {
        Self(ptr::null_mut())
    }

    pub(super) fn to<T>(address: NonNull<T>, way: Way) -> Self {
        Self(address.as_ptr().cast::<()>().map_addr(|addr| addr | way as usize))
    }

    #[inline]
    pub(super) fn way(&self) -> Way {
        match self.0.addr() & WAY {
            0 => Way::Plain,
            1 => Way::Many,
            2 => Way::Hosted,
            _ => Way::Dated,
        }
    }

    /// The address that it leads to.
    #[inline]
    pub(super) fn address<T>(&self) -> *mut T {
        self.0.map_addr(|addr| addr & !WAY).cast()
    }

    #[inline]
    pub(super) fn is_none(&self) -> bool {
        self.0.is_null()
    }

    /// Whether nothing lies around the node: it is a root or a plain child.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        self.way() == Way::Plain
    }
}
