//! Threads that know of no runtime.

use super::Bench;
#[cfg(feature = "std")]
use super::wait::Looks;
use crate::Flaw;
#[cfg(feature = "std")]
use crate::race::message;

impl Bench {
    /// Runs `act` on a new thread that knows of no runtime, while this one lets the host go on.
    ///
    /// # Errors
    ///
    /// [`Flaw::Broken`] with `what` when it panics or does not come back; the thread is then left behind. [`Flaw::NotApplicable`] where there are no
    /// threads.
    #[cfg(feature = "std")]
    pub async fn on_thread<R: Send + 'static>(
        &self,
        what: &str,
        act: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Flaw> {
        use std::panic::{AssertUnwindSafe, catch_unwind};
        use std::sync::mpsc::{TryRecvError, channel};
        use std::thread;

        let (result, arrival) = channel();
        thread::spawn(move || {
            // Nobody listens any more after patience has ended.
            let _ = result.send(catch_unwind(AssertUnwindSafe(act)));
        });
        let mut looks = Looks::new(self.patience());
        loop {
            match arrival.try_recv() {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(payload)) => return Err(Flaw::Broken(format!("{what}: panicked: {}", message(&*payload)))),
                Err(TryRecvError::Disconnected) => return Err(Flaw::Broken(format!("{what}: the thread vanished"))),
                Err(TryRecvError::Empty) if looks.are_over() => {
                    return Err(self.in_vain(what));
                }
                Err(TryRecvError::Empty) => self.pause(&mut looks).await,
            }
        }
    }

    /// There is no other thread.
    ///
    /// # Errors
    ///
    /// [`Flaw::NotApplicable`].
    #[cfg(not(feature = "std"))]
    #[expect(clippy::unused_async, reason = "it is awaited where there are threads")]
    pub async fn on_thread<R: Send + 'static>(
        &self,
        _: &str,
        _: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Flaw> {
        Err(self.lacks(format!("{} declares a target without threads", self.host_name())))
    }

    /// Runs `act`, which may not come back: on a new thread, where there are any; else here, where whoever watches the board ends it.
    ///
    /// # Errors
    ///
    /// As [`on_thread`](Self::on_thread).
    #[cfg(feature = "std")]
    pub(crate) async fn aside<R: Send + 'static>(
        &self,
        what: &str,
        act: impl FnOnce() -> R + Send + 'static,
    ) -> Result<R, Flaw> {
        self.on_thread(what, act).await
    }

    /// As above.
    #[cfg(not(feature = "std"))]
    #[expect(clippy::unused_async, reason = "it is awaited where there are threads")]
    pub(crate) async fn aside<R>(&self, _: &str, act: impl FnOnce() -> R) -> Result<R, Flaw> {
        Ok(act())
    }
}
