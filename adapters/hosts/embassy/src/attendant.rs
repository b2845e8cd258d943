//! A driver or keeper as embassy's task runs it.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use countermand_core::{Drive, Host};
use pin_project_lite::pin_project;

pin_project! {
    /// An attendant of a worker: what a task of embassy's has to await. [`tasks!`](crate::tasks) declares such tasks.
    ///
    /// # Cancellation
    ///
    /// As for [`Drive`].
    #[must_use = "nothing runs until every attendant of a worker is driven"]
    pub struct Attendant<H: Host> {
        #[pin]
        attendant: Drive<H>,
    }
}

impl<H: Host> Attendant<H> {
    pub(crate) fn new(attendant: Drive<H>) -> Self {
        Self { attendant }
    }
}

impl<H: Host> Future for Attendant<H> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        #[cfg(feature = "std")]
        thread::is_an_executors();
        self.project().attendant.poll(cx)
    }
}

impl<H: Host> fmt::Debug for Attendant<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Attendant").field(&self.attendant).finish()
    }
}

/// Which threads must not block (C3).
#[cfg(feature = "std")]
pub(crate) mod thread {
    use core::cell::Cell;

    std::thread_local! {
        /// Whether an executor with workers on it runs on this thread. Executors do not move, and most never end.
        static NEEDED: Cell<bool> = const { Cell::new(false) };
    }

    pub(crate) fn is_an_executors() {
        NEEDED.set(true);
    }

    /// Whether it is. A thread that is ending runs none.
    pub(crate) fn is_needed() -> bool {
        NEEDED.try_with(Cell::get).unwrap_or(false)
    }
}
