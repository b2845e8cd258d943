//! A work that is made when its job starts, of what the job knows of itself.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::context::HeldContext;
use super::job::HeldWork;
use super::seat::Seat;
use super::watch::Watch;

pin_project! {
    /// A work that is made at the first poll. Made by [`HeldJob::task_with`](crate::HeldJob::task_with).
    pub struct HeldMade<M, W> {
        #[pin]
        stage: Made<M, W>,
    }
}

pin_project! {
    #[project = MadeStage]
    enum Made<M, W> {
        // None while it is called, and if it panicked.
        Not { make: Option<M> },
        Now { #[pin] work: W },
    }
}

impl<M, W> HeldMade<M, W> {
    pub(super) const fn new(make: M) -> Self {
        Self { stage: Made::Not { make: Some(make) } }
    }
}

impl<M, W> Watch for HeldMade<M, W> {}

impl<M, W> HeldWork for HeldMade<M, W>
where
    M: FnOnce(HeldContext) -> W + 'static,
    W: HeldWork,
{
    type Value = W::Value;
    type Error = W::Error;

    fn poll_work(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<W::Value, W::Error>> {
        let mut stage = self.project().stage;
        if let MadeStage::Not { make } = stage.as_mut().project() {
            let made = Seat::of(cx).zip(make.take()).map(|(seat, make)| make(HeldContext::new(seat)));
            if let Some(work) = made {
                stage.set(Made::Now { work });
            }
        }
        match stage.project() {
            MadeStage::Now { work } => work.poll_work(cx),
            MadeStage::Not { .. } => Poll::Pending,
        }
    }
}

impl<M, W> fmt::Debug for HeldMade<M, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldMade").finish_non_exhaustive()
    }
}
