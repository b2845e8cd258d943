//! This room says how what can be on the list of a node is named.
#![allow(unsafe_code, reason = "an address with its kind, and the way from it to the link of what is there")]

use core::ptr::{self, NonNull};

use crate::sync::UnsafeCell;

/// The address of something that can be on a list, with its kind in the low two bits.
///
/// There are four kinds: a *waiter* inside a pinned future, a *callback*, a plain *child* node, and a *tap* of a linked
/// node. All are aligned to four bytes at least, and have their [`Link`] for their first field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry(*mut ());

/// What is at the address of an [`Entry`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A waiter.
    Waiter = 0,
    /// A callback.
    Callback = 1,
    /// A plain child: its node.
    Child = 2,
    /// A tap of a linked node.
    Tap = 3,
}

/// What can be on a list.
///
/// # Safety
///
/// It has an `UnsafeCell<Link>` for its first field, and is the one type of its kind.
pub(super) unsafe trait Listed {
    const KIND: Kind;
}

/// The bits of the kind.
const KIND: usize = 3;

/// What an entry holds for its place on a list. Guarded by the lock of the list's owner.
///
/// An entry that is on no list has [`Entry::LOOSE`] for `prev`.
#[derive(Clone, Copy)]
pub(super) struct Link {
    pub(super) prev: Entry,
    pub(super) next: Entry,
}

impl Link {
    pub(super) fn new() -> UnsafeCell<Self> {
        UnsafeCell::new(Self { prev: Entry::LOOSE, next: Entry::NONE })
    }
}

impl Entry {
    pub(super) const NONE: Self = Self(ptr::null_mut());
    /// No entry is at this address.
    pub(super) const LOOSE: Self = Self(ptr::without_provenance_mut(usize::MAX));

    #[inline]
    pub(super) fn of<T: Listed>(listed: NonNull<T>) -> Self {
        Self(listed.as_ptr().cast::<()>().map_addr(|addr| addr | T::KIND as usize))
    }

    #[inline]
    pub(super) fn kind(self) -> Kind {
        match self.0.addr() & KIND {
            0 => Kind::Waiter,
            1 => Kind::Callback,
            2 => Kind::Child,
            _ => Kind::Tap,
        }
    }

    #[inline]
    pub(super) fn address<T>(self) -> *mut T {
        self.0.map_addr(|addr| addr & !KIND).cast()
    }

    /// # Safety
    ///
    /// The entry must still be there, and be neither `NONE` nor `LOOSE`.
    #[inline]
    pub(super) unsafe fn link<'a>(self) -> &'a UnsafeCell<Link> {
        // SAFETY: promised by the caller; whatever the kind is, the link is the first field.
        unsafe { &*self.address::<UnsafeCell<Link>>() }
    }

    /// # Safety
    ///
    /// As for [`link`](Self::link), and the link is the caller's to read.
    #[inline]
    pub(super) unsafe fn get(self) -> Link {
        // SAFETY: promised by the caller.
        unsafe { self.link() }.with(|link| unsafe { *link })
    }

    /// # Safety
    ///
    /// As for [`link`](Self::link), and the link is the caller's to change.
    #[inline]
    pub(super) unsafe fn set(self, change: impl FnOnce(&mut Link)) {
        // SAFETY: promised by the caller.
        unsafe { self.link() }.with_mut(|link| change(unsafe { &mut *link }));
    }
}
