//! A lock that is one byte, and knows no poison: for what there are many of.
//!
//! ```text
//!              take              let go
//!   FREE ─────────────► HELD ─────────────► FREE
//!                        │ somebody waits    ▲ the waiters of this bed are woken
//!                        ▼                   │
//!                     AWAITED ───────────────┘
//! ```
//!
//! Whoever waits looks a few times, and then sleeps in one of few beds, which is found by the latch's address and shared with others. A waiter looks at the byte
//! under the bed's lock before it sleeps, and whoever lets go wakes under that lock after it has changed the byte: so no wake is lost. Waiters of
//! other latches in the same bed wake for nothing, and sleep again.
//!
//! # Implementation notes
//!
//! `std::sync::Mutex` takes eight bytes with its poison, and looks twice at each use whether its thread panics. It sleeps at its own address, which the standard
//! library offers to nobody else.
#![allow(unsafe_code, reason = "data behind a latch")]

use super::atomic::{AtomicU8, Ordering};
use super::sleep::{Condvar, Mutex, PoisonError};

/// See the head of the file.
#[derive(Debug)]
pub(crate) struct Latch(AtomicU8);

const FREE: u8 = 0;
const HELD: u8 = 1;
/// Held, and somebody sleeps until it is let go.
const AWAITED: u8 = 2;

/// How often a waiter looks before it sleeps.
const LOOKS: u32 = if cfg!(countermand_loom) { 0 } else { 4 };

/// How long it looks away before a look, in turns of the loop: 96 at first, 256 at the most. Long, so that whoever has the latch may have it some more times, with all that it guards at
/// hand; where two threads take turns, each use waits for the line of the cache to come over.
const AWAY: [u32; 2] = [96, 256];

/// Where those sleep who wait.
pub(super) struct Bed {
    door: Mutex<()>,
    bell: Condvar,
}

impl Latch {
    #[cfg(not(countermand_loom))]
    #[inline]
    pub(crate) const fn new() -> Self {
        Self(AtomicU8::new(FREE))
    }

    /// Runs `f` while the latch is held. A panic inside lets it go.
    #[cfg(not(countermand_loom))]
    #[inline]
    pub(crate) fn with<R>(&self, f: impl FnOnce() -> R) -> R {
        self.with_bed(|| self.bed(), f)
    }

    /// Apart, so that nothing of it is done before it is needed.
    #[cfg(not(countermand_loom))]
    #[cold]
    #[inline(never)]
    fn bed(&self) -> &'static Bed {
        &BEDS[core::ptr::from_ref(self).addr() / 16 % BEDS.len()]
    }

    #[inline]
    fn with_bed<'b, R>(&self, bed: impl Fn() -> &'b Bed, f: impl FnOnce() -> R) -> R {
        if self.0.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_err() {
            self.wait(bed());
        }
        let _held = LetsGo { latch: self, bed };
        f()
    }

    #[cold]
    fn wait(&self, bed: &Bed) {
        for look in 0..LOOKS {
            (0..AWAY[1].min(AWAY[0] << look)).for_each(|_| core::hint::spin_loop());
            let free = self.0.load(Ordering::Relaxed) == FREE;
            if free && self.0.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok() {
                return;
            }
        }
        // From here on whoever lets go wakes. That may be once too often, for it is not known whether others sleep.
        while self.0.swap(AWAITED, Ordering::Acquire) != FREE {
            let mut inside = entered(bed.door.lock());
            while self.0.load(Ordering::Relaxed) == AWAITED {
                inside = entered(bed.bell.wait(inside));
            }
        }
    }
}

/// Data behind a [`Latch`]: what [`Lock`](super::Lock) is, and promises. The latch lies before the first of the data, so in the same line of the cache.
#[cfg(not(countermand_loom))]
#[repr(C)]
pub(crate) struct Latched<T> {
    latch: Latch,
    data: core::cell::UnsafeCell<T>,
}

// SAFETY: the data goes from one thread to another, and is never with two at a time.
#[cfg(not(countermand_loom))]
unsafe impl<T: Send> Sync for Latched<T> {}

#[cfg(not(countermand_loom))]
impl<T> Latched<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { latch: Latch::new(), data: core::cell::UnsafeCell::new(value) }
    }

    /// Runs `f` on the data while the latch is held.
    #[inline]
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: the data is reached from here only, so by whoever has the latch; and `f` does not come here again.
        self.latch.with(|| f(unsafe { &mut *self.data.get() }))
    }

    /// The data, for the one who has all of it to himself.
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.data.get_mut()
    }
}

/// Lets the latch go.
struct LetsGo<'l, 'b, B: Fn() -> &'b Bed> {
    latch: &'l Latch,
    bed: B,
}

impl<'b, B: Fn() -> &'b Bed> Drop for LetsGo<'_, 'b, B> {
    #[inline]
    fn drop(&mut self) {
        if self.latch.0.swap(FREE, Ordering::Release) == AWAITED {
            (self.bed)().wake();
        }
    }
}

impl Bed {
    #[cold]
    fn wake(&self) {
        let _inside = entered(self.door.lock());
        self.bell.notify_all();
    }
}

/// Nobody panics inside.
fn entered<T>(result: Result<T, PoisonError<T>>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}

#[cfg(not(countermand_loom))]
static BEDS: [Bed; 64] = [const { Bed { door: Mutex::new(()), bell: Condvar::new() } }; 64];

#[cfg(all(test, countermand_loom))]
mod loom {
    use std::sync::Arc;

    use ::loom::thread;

    use super::{AtomicU8, Bed, Condvar, FREE, Latch, Mutex};
    use crate::loom_model_bounded;
    use crate::sync::UnsafeCell;

    #[test]
    fn loom_t6_a_latch_lets_one_in_at_a_time_and_each_in_the_end() {
        loom_model_bounded("t6_a_latch_lets_one_in_at_a_time_and_each_in_the_end", || {
            struct Shared {
                latch: Latch,
                bed: Bed,
                count: UnsafeCell<u32>,
            }
            // SAFETY: the latch guards the count; the checker looks whether it does.
            unsafe impl Sync for Shared {}
            let shared = Arc::new(Shared {
                latch: Latch(AtomicU8::new(FREE)),
                bed: Bed { door: Mutex::new(()), bell: Condvar::new() },
                count: UnsafeCell::new(0),
            });
            let add = |shared: &Shared| {
                // SAFETY: as above.
                shared.latch.with_bed(|| &shared.bed, || shared.count.with_mut(|count| unsafe { *count += 1 }));
            };
            let threads = [(); 2].map(|()| {
                let shared = shared.clone();
                thread::spawn(move || add(&shared))
            });
            add(&shared);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            // SAFETY: the others have ended.
            shared.count.with(|count| assert_eq!(unsafe { *count }, 3));
        });
    }
}

#[cfg(all(test, not(countermand_loom)))]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{FREE, HELD, Latch};

    #[test]
    fn many_threads_are_in_one_after_the_other() {
        let (latch, inside, count) = (Latch::new(), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..2_000 {
                        latch.with(|| {
                            assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                            // As long as others look before they sleep.
                            (0..round % 64).for_each(|_| std::hint::spin_loop());
                            if round % 64 == 0 {
                                // So that the others come to sleep.
                                std::thread::yield_now();
                            }
                            count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                            inside.fetch_sub(1, Ordering::Relaxed);
                        });
                    }
                });
            }
        });
        assert_eq!((count.into_inner(), latch.0.load(Ordering::Relaxed)), (8_000, FREE));
    }

    #[test]
    fn whoever_has_waited_has_it() {
        let latch = Latch::new();
        latch.wait(latch.bed());
        assert_eq!(latch.0.load(Ordering::Relaxed), HELD);
    }

    #[test]
    fn p3_a_panic_inside_lets_it_go() {
        let latch = Latch::new();
        let panicked = catch_unwind(AssertUnwindSafe(|| latch.with(|| panic!("on purpose"))));
        assert!(panicked.is_err());
        assert_eq!(latch.with(|| 7), 7);
    }
}
