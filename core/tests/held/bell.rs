//! A waker that counts, in a static.

use core::ptr;
use core::task::{RawWaker, RawWakerVTable, Waker};

use portable_atomic::{AtomicU32, Ordering};

/// Counts what is done with the wakers that are made of it.
#[derive(Default)]
pub(crate) struct Bell {
    woken: AtomicU32,
    /// Made, less dropped.
    held: AtomicU32,
}

impl Bell {
    const VTABLE: RawWakerVTable = RawWakerVTable::new(Self::clone, Self::wake, Self::wake_by_ref, Self::drop);

    pub(crate) const fn new() -> Self {
        Self { woken: AtomicU32::new(0), held: AtomicU32::new(0) }
    }

    pub(crate) fn waker(&'static self) -> Waker {
        self.held.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the bell is static, and its functions keep the contract: they only count.
        unsafe { Waker::from_raw(RawWaker::new(ptr::from_ref(self).cast(), &Self::VTABLE)) }
    }

    pub(crate) fn woken(&self) -> u32 {
        self.woken.load(Ordering::SeqCst)
    }

    pub(crate) fn held(&self) -> u32 {
        self.held.load(Ordering::SeqCst)
    }

    fn of(data: *const ()) -> &'static Self {
        // SAFETY: every waker with this table was made of a static bell.
        unsafe { &*data.cast::<Self>() }
    }

    fn clone(data: *const ()) -> RawWaker {
        Self::of(data).held.fetch_add(1, Ordering::SeqCst);
        RawWaker::new(data, &Self::VTABLE)
    }

    fn wake(data: *const ()) {
        Self::wake_by_ref(data);
        Self::drop(data);
    }

    fn wake_by_ref(data: *const ()) {
        Self::of(data).woken.fetch_add(1, Ordering::SeqCst);
    }

    fn drop(data: *const ()) {
        Self::of(data).held.fetch_sub(1, Ordering::SeqCst);
    }
}
