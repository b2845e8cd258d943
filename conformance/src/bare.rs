//! The names of `std` that rules use, on a target that has none: what `core` and `alloc` have, what one thread can have, and for the rest a panic.
//!
//! In a build without the feature `std` this crate goes by the name `std` within itself, so that a rule is the same text on every target. A rule that needs
//! threads or unwinding says so, and is not applicable here; one that comes to them all the same panics, and that ends the image as a broken rule.

pub(crate) use core::{any, array, cell, cmp, convert, fmt, future, hint, iter, marker, mem, num, ops, pin};

pub(crate) mod prelude {
    /// As `std` has it.
    pub(crate) mod v1 {
        pub(crate) use alloc::borrow::ToOwned;
        pub(crate) use alloc::boxed::Box;
        pub(crate) use alloc::string::{String, ToString};
        pub(crate) use alloc::vec::Vec;

        pub(crate) use crate::bare::blocks::{DoorBlocks, HandleBlocks};
    }
}

pub(crate) mod blocks {
    //! The methods of the core that block a thread, which it has only with `std`.

    use countermand_core::{Handle, Job, Outcome, Report, Shutdown, SubmitResult, Work, Worker};

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum WaitReason {
        TimedOut,
    }

    pub(crate) struct WaitError<H> {
        pub(crate) handle: H,
        pub(crate) reason: WaitReason,
    }

    impl<H> core::fmt::Debug for WaitError<H> {
        fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.debug_struct("WaitError").field("reason", &self.reason).finish_non_exhaustive()
        }
    }

    fn nobody_else() -> ! {
        panic!("the only thread would block");
    }

    pub(crate) trait HandleBlocks<T, E>: Sized {
        fn wait(self) -> Result<Outcome<T, E>, WaitError<Self>> {
            nobody_else()
        }

        fn wait_timeout(self, _: core::time::Duration) -> Result<Outcome<T, E>, WaitError<Self>> {
            nobody_else()
        }
    }

    impl<T, E> HandleBlocks<T, E> for Handle<T, E> {}

    pub(crate) trait DoorBlocks {
        fn submit_blocking<W: Work>(&self, _: Job<W>) -> SubmitResult<W> {
            nobody_else()
        }

        fn shutdown_blocking(&self, _: Shutdown) -> Result<Report, countermand_core::WouldDeadlock> {
            nobody_else()
        }
    }

    impl DoorBlocks for Worker {}
}

pub(crate) use alloc::boxed;

pub(crate) mod borrow {
    pub(crate) use core::borrow::Borrow;
}

pub(crate) mod collections {
    pub(crate) use alloc::collections::{BTreeMap, BTreeSet};
}

pub(crate) mod rc {
    pub(crate) use alloc::rc::Rc;
}

pub(crate) mod task {
    pub(crate) use alloc::task::Wake;
    pub(crate) use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
}

pub(crate) mod sync {
    //! Locks for one thread: whoever finds one taken would wait for himself, and hangs until the watchdog comes.

    use core::fmt;
    use core::ops::{Deref, DerefMut};

    pub(crate) use alloc::sync::Arc;

    pub(crate) mod atomic {
        pub(crate) use portable_atomic::{
            AtomicBool, AtomicI64, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering,
        };
    }

    /// Nothing poisons a lock where nothing unwinds.
    #[derive(Debug)]
    pub(crate) struct PoisonError<T>(T);

    impl<T> PoisonError<T> {
        pub(crate) fn into_inner(self) -> T {
            self.0
        }
    }

    pub(crate) type LockResult<T> = Result<T, PoisonError<T>>;

    #[derive(Default)]
    pub(crate) struct Mutex<T: ?Sized>(spin::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(spin::Mutex::new(value))
        }

        pub(crate) fn into_inner(self) -> LockResult<T> {
            Ok(self.0.into_inner())
        }
    }

    impl<T: ?Sized> Mutex<T> {
        pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            Ok(MutexGuard(self.0.lock()))
        }
    }

    impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(f)
        }
    }

    pub(crate) struct MutexGuard<'a, T: ?Sized>(spin::MutexGuard<'a, T>);

    impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (**self).fmt(f)
        }
    }

    impl<T: ?Sized> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0
        }
    }

    impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.0
        }
    }

    /// One that is not waited for.
    #[derive(Debug, Default)]
    pub(crate) struct Condvar;

    impl Condvar {
        pub(crate) fn notify_all(&self) {}
    }
}

pub(crate) mod time {
    //! The clock of the suite's own patience, which the image lends.

    pub(crate) use core::time::Duration;

    static CLOCK: spin::Once<fn() -> Duration> = spin::Once::new();

    /// See [`lend_clock`](crate::lend_clock).
    pub(crate) fn lend(clock: fn() -> Duration) {
        CLOCK.call_once(|| clock);
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub(crate) struct Instant(Duration);

    impl Instant {
        pub(crate) fn now() -> Self {
            Self(CLOCK.get().map_or(Duration::ZERO, |clock| clock()))
        }

        pub(crate) fn elapsed(self) -> Duration {
            Self::now().saturating_duration_since(self)
        }

        pub(crate) fn saturating_duration_since(self, earlier: Self) -> Duration {
            self.0.saturating_sub(earlier.0)
        }
    }

    impl core::ops::Add<Duration> for Instant {
        type Output = Self;

        fn add(self, after: Duration) -> Self {
            Self(self.0 + after)
        }
    }
}

pub(crate) mod thread {
    //! The one thread.

    use core::any::Any;
    use core::marker::PhantomData;

    use alloc::boxed::Box;

    pub(crate) type Result<T> = core::result::Result<T, Box<dyn Any + Send>>;

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[expect(unnameable_types, reason = "as a thread's name is shown, and compared, by `Death`")]
    pub struct ThreadId(());

    #[derive(Clone, Debug)]
    pub(crate) struct Thread(());

    impl Thread {
        pub(crate) fn id(&self) -> ThreadId {
            ThreadId(())
        }

        pub(crate) fn unpark(&self) {}
    }

    pub(crate) fn current() -> Thread {
        Thread(())
    }

    pub(crate) fn yield_now() {}

    pub(crate) fn park() {
        panic!("the only thread would park for ever");
    }

    pub(crate) struct JoinHandle<T>(PhantomData<T>);

    impl<T> JoinHandle<T> {
        pub(crate) fn join(self) -> Result<T> {
            unreachable!("there is no second thread to wait for")
        }
    }

    pub(crate) fn spawn<T>(_: impl FnOnce() -> T) -> JoinHandle<T> {
        panic!("this target has no threads");
    }
}

pub(crate) mod panic {
    //! Nothing unwinds: what panics ends the image.

    use core::any::Any;

    pub(crate) use core::panic::AssertUnwindSafe;

    pub(crate) fn catch_unwind<R>(act: impl FnOnce() -> R) -> super::thread::Result<R> {
        Ok(act())
    }

    pub(crate) fn panic_any<M: Any + Send>(_: M) -> ! {
        panic!("a planted panic, on a target that does not unwind");
    }

    pub(crate) fn resume_unwind(_: alloc::boxed::Box<dyn Any + Send>) -> ! {
        panic!("a planted panic, on a target that does not unwind");
    }
}
