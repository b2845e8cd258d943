//! A list through pinned futures, of those who wait for something on the board of a worker without a heap.
#![allow(unsafe_code, reason = "an intrusive list: what is on it lies in pinned futures")]

use core::ptr::NonNull;
use core::task::Waker;

use crate::sync::UnsafeCell;

/// A place on the list, inside a future. On the list exactly while it has a waker. Guarded by the lock of its board.
pub(super) struct Link<X>(UnsafeCell<Linked<X>>);

pub(super) struct Linked<X> {
    next: Option<NonNull<Link<X>>>,
    waker: Option<Waker>,
    /// What it waits for.
    pub(super) what: X,
}

/// Who waits, the newest first. There are few.
pub(super) struct Chain<X> {
    first: Option<NonNull<Link<X>>>,
}

// SAFETY: what is on it is touched under the lock; wakers are `Send`.
unsafe impl<X: Send> Send for Chain<X> {}

impl<X> Link<X> {
    pub(super) const fn new(what: X) -> Self {
        Self(UnsafeCell::new(Linked { next: None, waker: None, what }))
    }

    /// # Safety
    ///
    /// Under the lock, and nobody else has what this gives.
    #[expect(clippy::mut_from_ref, reason = "guarded by the lock")]
    pub(super) unsafe fn linked(&self) -> &mut Linked<X> {
        // SAFETY: promised by the caller.
        self.0.with_mut(|linked| unsafe { &mut *linked })
    }
}

impl<X> Linked<X> {
    pub(super) const fn is_on(&self) -> bool {
        self.waker.is_some()
    }
}

impl<X> Chain<X> {
    pub(super) const fn new() -> Self {
        Self { first: None }
    }

    /// Puts this one on the list, or changes its waker if it is on it. Gives the waker that is not needed any more.
    ///
    /// # Safety
    ///
    /// Under the lock. It is put on no other list, and leaves this one before it goes or moves.
    pub(super) unsafe fn put(&mut self, link: &Link<X>, waker: Waker) -> Option<Waker> {
        // SAFETY: promised by the caller.
        let linked = unsafe { link.linked() };
        let old = linked.waker.replace(waker);
        if old.is_none() {
            linked.next = self.first;
            self.first = Some(NonNull::from(link));
        }
        old
    }

    /// Takes this one off, if it is on the list, and gives its waker.
    ///
    /// # Safety
    ///
    /// Under the lock. It was put on no other list.
    pub(super) unsafe fn remove(&mut self, link: &Link<X>) -> Option<Waker> {
        // SAFETY: promised by the caller.
        let is_on = unsafe { link.linked() }.is_on();
        let own = NonNull::from(link);
        if is_on { self.take(|other, _| other == own) } else { None }
    }

    /// Takes the first of these off, and gives its waker. Whoever calls it has the lock.
    pub(super) fn take(&mut self, mut wanted: impl FnMut(NonNull<Link<X>>, &mut X) -> bool) -> Option<Waker> {
        let mut link = &mut self.first;
        while let Some(here) = *link {
            // SAFETY: under the lock, as this list is; whoever is on it is there, and each is had once.
            let linked = unsafe { here.as_ref().linked() };
            if wanted(here, &mut linked.what) {
                *link = linked.next.take();
                return linked.waker.take();
            }
            link = &mut linked.next;
        }
        None
    }
}
