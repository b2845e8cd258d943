//! The only file that names atomics, `Arc` and locks: it swaps them for the target at hand and for the model checker.
//!
//! | build | lock | atomics, `Arc` |
//! | --- | --- | --- |
//! | `std` | `std::sync::Mutex`, or a byte where there are many | `core`, `alloc` |
//! | without `std` | a critical section, whose implementation the final binary chooses | `portable-atomic` |
//! | `--cfg countermand_loom` | loom's | loom's |
//! | `--cfg countermand_shuttle` | shuttle's | shuttle's, `alloc` |
#![allow(unused_imports, reason = "each build uses its own part")]

#[cfg(countermand_shuttle)]
pub(crate) mod atomic {
    pub(crate) use shuttle::sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
    };
}

#[cfg(not(any(countermand_loom, countermand_shuttle)))]
pub(crate) mod atomic {
    pub(crate) use portable_atomic::{
        AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
    };
}

/// Loom's atomics, but for one thing: a load can be made an exchange.
///
/// When loom looks for orders still to be tried, it remembers only the last access to an atomic. A thread that loads before
/// it exchanges thus hides every load of the others, and their orders are not tried. As an exchange, a load is never
/// hidden; but it never sees an old value. So each model runs both ways (see `crate::loom`). Where loads exchange, stores do too:
/// else loom puts a store in order before an exchange that has not seen it, which no machine does.
#[cfg(countermand_loom)]
pub(crate) mod atomic {
    use core::ops::Deref;
    use core::sync::atomic::AtomicBool as Switch;

    use loom::sync::atomic as loom_atomic;
    pub(crate) use loom_atomic::{Ordering, fence};

    /// Whether loads are exchanges.
    pub(crate) static LOADS_EXCHANGE: Switch = Switch::new(false);

    macro_rules! atomic {
        ($name:ident $(<$t:ident>)?, $value:ty, $zero:expr) => {
            #[derive(Debug)]
            pub(crate) struct $name $(<$t>)? (loom_atomic::$name $(<$t>)?);

            #[allow(dead_code, reason = "not every type is stored to")]
            impl $(<$t>)? $name $(<$t>)? {
                #[track_caller]
                pub(crate) fn new(value: $value) -> Self {
                    Self(loom_atomic::$name::new(value))
                }

                #[track_caller]
                pub(crate) fn load(&self, ordering: Ordering) -> $value {
                    if !LOADS_EXCHANGE.load(Ordering::Relaxed) {
                        return self.0.load(ordering);
                    }
                    match self.0.compare_exchange($zero, $zero, Ordering::AcqRel, Ordering::Acquire) {
                        Ok(now) | Err(now) => now,
                    }
                }

                #[track_caller]
                pub(crate) fn store(&self, value: $value, ordering: Ordering) {
                    if !LOADS_EXCHANGE.load(Ordering::Relaxed) {
                        return self.0.store(value, ordering);
                    }
                    self.0.swap(value, Ordering::AcqRel);
                }
            }

            impl $(<$t>)? Default for $name $(<$t>)? {
                fn default() -> Self {
                    Self::new($zero)
                }
            }

            impl $(<$t>)? Deref for $name $(<$t>)? {
                type Target = loom_atomic::$name $(<$t>)?;

                fn deref(&self) -> &Self::Target {
                    &self.0
                }
            }
        };
    }

    atomic!(AtomicBool, bool, false);
    atomic!(AtomicU8, u8, 0);
    atomic!(AtomicU32, u32, 0);
    atomic!(AtomicU64, u64, 0);
    atomic!(AtomicUsize, usize, 0);
    atomic!(AtomicPtr<T>, *mut T, core::ptr::null_mut());
}

#[cfg(countermand_loom)]
pub(crate) use alloc::sync::Arc;
#[cfg(countermand_loom)]
pub(crate) use alloc::sync::Weak;
#[cfg(all(feature = "alloc", not(countermand_loom)))]
pub(crate) use alloc::sync::{Arc, Weak};

/// What the first who needs it makes, and nobody changes.
#[cfg(feature = "std")]
pub(crate) use std::sync::OnceLock as Once;

/// Data behind a lock that is held for the length of a closure and no longer.
///
/// The closure must not run users' code and must not take the same lock again; it hands out what is to be woken, called or
/// dropped, and the caller does that afterwards (T8). A panic inside poisons nothing (P3).
#[derive(Debug)]
pub(crate) struct Lock<T>(LockOf<T>);

#[cfg(countermand_loom)]
type LockOf<T> = loom::sync::Mutex<T>;
#[cfg(countermand_shuttle)]
type LockOf<T> = shuttle::sync::Mutex<T>;
#[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle))))]
type LockOf<T> = std::sync::Mutex<T>;
#[cfg(all(not(feature = "std"), not(countermand_loom)))]
type LockOf<T> = critical_section::Mutex<core::cell::RefCell<T>>;

impl<T> Lock<T> {
    #[cfg(countermand_loom)]
    pub(crate) fn new(value: T) -> Self {
        Self(LockOf::new(value))
    }

    #[cfg(all(feature = "std", not(countermand_loom)))]
    pub(crate) const fn new(value: T) -> Self {
        Self(LockOf::new(value))
    }

    #[cfg(not(any(feature = "std", countermand_loom)))]
    pub(crate) const fn new(value: T) -> Self {
        Self(LockOf::new(core::cell::RefCell::new(value)))
    }

    /// The data, for the one who has the lock to himself.
    #[cfg(any(countermand_loom, all(feature = "std", countermand_shuttle)))]
    #[inline]
    pub(crate) fn get_mut(&mut self) -> &mut T {
        match self.0.get_mut() {
            Ok(data) => data,
            Err(poisoned) => poisoned.into_inner(),
        }
    }

    /// The data, for the one who has the lock to himself.
    #[cfg(not(any(feature = "std", countermand_loom)))]
    #[inline]
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().get_mut()
    }

    /// Runs `f` on the data while the lock is held.
    #[cfg(any(feature = "std", countermand_loom))]
    #[inline]
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let mut guard = match self.0.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        };
        f(&mut guard)
    }

    /// Runs `f` on the data while the lock is held.
    #[cfg(not(any(feature = "std", countermand_loom)))]
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        critical_section::with(|section| f(&mut self.0.borrow_ref_mut(section)))
    }
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

#[cfg(all(feature = "std", not(countermand_shuttle), any(not(countermand_loom), test)))]
mod latch;

/// What the latch's waiters sleep by.
#[cfg(all(feature = "std", not(countermand_shuttle), any(not(countermand_loom), test)))]
mod sleep {
    #[cfg(countermand_loom)]
    pub(super) use loom::sync::{Condvar, Mutex};
    pub(super) use std::sync::PoisonError;
    #[cfg(not(countermand_loom))]
    pub(super) use std::sync::{Condvar, Mutex};
}

#[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle))))]
pub(crate) use latch::{Latch, Latched};

/// Data behind a [`Latch`].
#[cfg(any(not(feature = "std"), countermand_loom, countermand_shuttle))]
pub(crate) use Lock as Latched;

/// A lock that guards what lies beside it.
#[cfg(all(feature = "alloc", any(not(feature = "std"), countermand_loom, countermand_shuttle)))]
#[derive(Debug)]
pub(crate) struct Latch(Lock<()>);

#[cfg(all(feature = "alloc", any(not(feature = "std"), countermand_loom, countermand_shuttle)))]
impl Latch {
    pub(crate) fn new() -> Self {
        Self(Lock::new(()))
    }

    /// Runs `f` while the latch is held: what [`Lock::with`] says.
    pub(crate) fn with<R>(&self, f: impl FnOnce() -> R) -> R {
        self.0.with(|()| f())
    }
}

/// The lock for what is done under a lock of another crate's, which a thread that waits for its turn must not hold.
#[cfg(all(feature = "alloc", not(countermand_shuttle)))]
pub(crate) type Unscheduled<T> = Lock<T>;

/// As above: its holder is never made to wait for another thread's turn.
#[cfg(countermand_shuttle)]
pub(crate) struct Unscheduled<T>(std::sync::Mutex<T>);

#[cfg(countermand_shuttle)]
impl<T> Unscheduled<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// Runs `f` while nobody else in the program is in here: one lock for things that are too small to have one each.
///
/// As in [`Lock::with`], `f` must not run users' code and must not come here again.
#[cfg(not(any(countermand_loom, countermand_shuttle)))]
pub(crate) fn alone<R>(f: impl FnOnce() -> R) -> R {
    #[cfg(feature = "std")]
    {
        static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let _alone = match ALONE.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        };
        f()
    }
    #[cfg(not(feature = "std"))]
    critical_section::with(|_| f())
}

/// What each thread has of its own: a thread of the model's, where threads are modelled.
#[cfg(countermand_shuttle)]
pub(crate) use shuttle::thread_local;
#[cfg(all(feature = "std", not(countermand_shuttle)))]
pub(crate) use std::thread_local;

#[cfg(countermand_loom)]
pub(crate) use loom::cell::UnsafeCell;

/// A cell whose accesses the model checker can follow: it has loom's interface.
#[cfg(not(countermand_loom))]
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(core::cell::UnsafeCell<T>);

#[cfg(not(countermand_loom))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(core::cell::UnsafeCell::new(value))
    }

    /// Reads through the pointer that is given to `f`.
    #[inline]
    pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    /// Writes through the pointer that is given to `f`.
    #[inline]
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}
