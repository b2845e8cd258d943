//! A work that is made when its job starts, of what the job knows of itself.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::context::HeldContext;
use super::seat::Seat;
use super::watch::Watch;
use super::work::HeldWork;

pin_project! {
    /// A work that is made at the first poll. Made by [`HeldJob::task_with`](crate::HeldJob::task_with).
    pub struct HeldMade<M, W> {
        #[pin]
        stage: Made<M, W>,
        // Whether its last poll ended within a section that is shielded.
        shielded: bool,
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
        Self { stage: Made::Not { make: Some(make) }, shielded: false }
    }
}

impl<M, W> Watch for HeldMade<M, W> {
    const WATCHES: bool = true;
    const GRACED: bool = true;

    fn is_over(self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool {
        !self.shielded && Seat::stops(cx)
    }
}

impl<M, W> HeldWork for HeldMade<M, W>
where
    M: FnOnce(HeldContext) -> W + 'static,
    W: HeldWork,
{
    type Value = W::Value;
    type Error = W::Error;

    fn poll_work(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<W::Value, W::Error>> {
        let this = self.project();
        let (seat, mut stage) = (Seat::of(cx), this.stage);
        // Also where the last poll of another did not come to its end.
        let shielded = || seat.is_some_and(|seat| seat.with(|hub, _| core::mem::take(&mut hub.shielded)));
        shielded();
        if let MadeStage::Not { make } = stage.as_mut().project() {
            let made = seat.zip(make.take()).map(|(seat, make)| make(HeldContext::new(seat)));
            if let Some(work) = made {
                stage.set(Made::Now { work });
            }
        }
        let polled = match stage.project() {
            MadeStage::Now { work } => work.poll_work(cx),
            MadeStage::Not { .. } => Poll::Pending,
        };
        let was_shielded = core::mem::replace(this.shielded, shielded());
        if let (true, false, Some(seat)) = (was_shielded, *this.shielded, seat) {
            // What was asked meanwhile is looked at in the next step (R9).
            seat.with(|_, card| card.ready = true);
        }
        polled
    }
}

impl<M, W> fmt::Debug for HeldMade<M, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldMade").finish_non_exhaustive()
    }
}
