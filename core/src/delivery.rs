//! Serves a sink at an outlet, as a job of a worker.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::Poll;

use crate::contain::{contain, survives};
use crate::job::context::JobContext;
use crate::router::{Outlet, OutletTurn};
use crate::telemetry::{Batch, Sink};

impl<B: Send + Sync + 'static> Outlet<B> {
    /// Serves `sink` until the router is closed and everything is delivered; then gives the sink back.
    ///
    /// A sink that panics is contained, and one that takes longer than its patience is dropped with its batch; both come again later. Give the
    /// outlet of each sink a job of its own, in a worker with as many lanes: then a sink that never answers holds up nothing but its own
    /// line (E9).
    ///
    /// # Cancellation
    ///
    /// Dropping it loses nothing; see [`Outlet`].
    ///
    /// ```
    /// # use countermand_core::{Event, Job, JobContext, Label, Outlet, Sink};
    /// # fn example<S: Sink<String> + Send + 'static>(outlet: Outlet<String>, sink: S) where S::Delivery: Send {
    /// let job = Job::task_with(move |context: JobContext| async move { outlet.run(context, sink).await; });
    /// # let _ = job;
    /// # }
    /// ```
    pub async fn run<S: Sink<B>>(mut self, context: JobContext, mut sink: S) -> S {
        loop {
            let mut sleep = pin!(None);
            let turn = poll_fn(|cx| {
                loop {
                    match self.turn(context.now(), Some(cx.waker())) {
                        OutletTurn::Wait(until) => {
                            sleep.set(until.map(|until| context.sleep_until(until)));
                            match sleep.as_mut().as_pin_mut().map(|sleep| sleep.poll(cx)) {
                                Some(Poll::Ready(())) => {}
                                _ => return Poll::Pending,
                            }
                        }
                        turn => return Poll::Ready(turn),
                    }
                }
            })
            .await;
            match turn {
                OutletTurn::Deliver(batch) => self.deliver(&context, &mut sink, batch).await,
                _ => return sink,
            }
            // Others of this driver have their turn, and the clock is read anew.
            context.yield_now().await;
        }
    }

    async fn deliver<S: Sink<B>>(&mut self, context: &JobContext, sink: &mut S, batch: Batch<B>) {
        let delivered = match contain(|| sink.deliver(batch)) {
            Ok(delivery) => {
                context.timeout(self.patience(), Contained { delivery: Some(delivery) }).await.ok().flatten()
            }
            Err(panic) => {
                panic.discard();
                None
            }
        };
        match delivered {
            Some(batch) => self.conclude(context.now(), Some(batch)),
            None => self.give_up(context.now()),
        }
    }
}

pin_project_lite::pin_project! {
    /// A delivery whose panics are contained: then it resolves to nothing.
    struct Contained<F> {
        #[pin]
        delivery: Option<F>,
    }

    // One that took too long is dropped before its end; its destructor is the sink's code too.
    impl<F> PinnedDrop for Contained<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            survives(|| this.delivery.set(None));
        }
    }
}

impl<F: Future> Future for Contained<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut core::task::Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(delivery) = this.delivery.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let polled = match contain(|| delivery.poll(cx)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Some(output),
            Err(panic) => {
                panic.discard();
                None
            }
        };
        survives(|| this.delivery.set(None));
        Poll::Ready(polled)
    }
}
