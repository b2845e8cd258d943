//! Turns a panic of users' code into a value, where the target unwinds.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
#[cfg(feature = "alloc")]
use core::any::Any;
use core::fmt;

/// What a job panicked with. Without a heap there is none: nothing unwinds there.
pub struct Panic {
    #[cfg(feature = "alloc")]
    payload: Box<dyn Any + Send>,
    #[cfg(not(feature = "alloc"))]
    never: core::convert::Infallible,
}

#[cfg(feature = "alloc")]
impl Panic {
    /// Wraps a payload as `catch_unwind` gives it.
    #[must_use]
    pub fn new(payload: Box<dyn Any + Send>) -> Self {
        Self { payload }
    }

    /// The payload itself, for `std::panic::resume_unwind`.
    #[must_use]
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        self.payload
    }
}

impl Panic {
    /// The text of the panic, where it has one.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        #[cfg(feature = "alloc")]
        {
            let text = self.payload.downcast_ref::<&'static str>().copied();
            text.or_else(|| self.payload.downcast_ref::<alloc::string::String>().map(|text| &**text))
        }
        #[cfg(not(feature = "alloc"))]
        match self.never {}
    }

    /// Drops it, and the payload with it: that, too, is others' code.
    pub(crate) fn discard(self) {
        if let Err(second) = contain_drop(self) {
            // A payload whose destructor panics is not given a second chance; text has none.
            if second.message().is_none() {
                core::mem::forget(second);
            }
        }
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Panic").field("message", &self.message()).finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Panic {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=str}", self.message().unwrap_or("a payload that is not text"));
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.message().unwrap_or("a payload that is not text"))
    }
}

/// Runs others' code whose panic is nobody's outcome. Whether it came to its end; where nothing unwinds, it does.
pub(crate) fn survives(f: impl FnOnce()) -> bool {
    contain(f).map_err(Panic::discard).is_ok()
}

/// The first panic of several pieces of users' code, each of which must have its turn before the panic goes on (T9).
#[derive(Default)]
pub(crate) struct FirstPanic(Option<Panic>);

impl FirstPanic {
    pub(crate) fn run(&mut self, f: impl FnOnce()) {
        if let Err(panic) = contain(f) {
            if self.0.is_none() {
                self.0 = Some(panic);
            } else {
                panic.discard();
            }
        }
    }

    #[cfg(feature = "alloc")]
    pub(crate) fn is_some(&self) -> bool {
        self.0.is_some()
    }

    /// Lets the first panic go on, if there was one, unless this thread is panicking already.
    pub(crate) fn go_on(self) {
        #[cfg(feature = "std")]
        if let Some(panic) = self.0 {
            if std::thread::panicking() {
                panic.discard();
            } else {
                std::panic::resume_unwind(panic.into_payload());
            }
        }
    }
}

/// Runs `f` until it says that nothing is left, whatever panics in between. The first panic goes on afterwards (T9).
#[cfg(not(any(countermand_loom, countermand_shuttle)))]
pub(crate) fn exhaust(mut f: impl FnMut() -> bool) {
    let (mut panic, mut more) = (FirstPanic::default(), true);
    while more {
        // Where it panics, it has not said that nothing is left.
        panic.run(|| more = f());
    }
    panic.go_on();
}

/// Runs `f`; a panic inside comes out as a value. Without `std` there is no unwinding to stop, and `f` is simply run.
pub(crate) fn contain<R>(f: impl FnOnce() -> R) -> Result<R, Panic> {
    #[cfg(feature = "std")]
    return std::panic::catch_unwind(core::panic::AssertUnwindSafe(f)).map_err(Panic::new);
    #[cfg(not(feature = "std"))]
    return Ok(f());
}

/// Drops `value`; a panic of its destructor comes out as a value.
pub(crate) fn contain_drop<T>(value: T) -> Result<(), Panic> {
    contain(|| drop(value))
}
