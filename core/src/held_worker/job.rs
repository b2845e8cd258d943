//! The description of a job for a worker without a heap: what to do, and under which conditions.

use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use pin_project_lite::pin_project;

use super::context::HeldContext;
use super::grace::HeldGraced;
use super::made::HeldMade;
use super::queue_limit::HeldQueueLimited;
use super::run_limit::HeldRunLimited;
use super::seat::Seat;
use super::under::HeldUnder;
use super::watch::Watch;
use super::work::HeldWork;
use crate::instant::nanos_of;
use crate::{HeldToken, Instant, Priority};

pin_project! {
    /// A future whose output is the value. Made by [`HeldJob::task`].
    #[derive(Debug)]
    pub struct HeldPlain<F> {
        #[pin]
        future: F,
    }
}

pin_project! {
    /// A future whose `Err` counts as failed. Made by [`HeldJob::fallible`].
    #[derive(Debug)]
    pub struct HeldFallible<F> {
        #[pin]
        future: F,
    }
}

impl<F> Watch for HeldPlain<F> {
    fn is_over(self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool {
        Seat::stops(cx)
    }
}

impl<F> Watch for HeldFallible<F> {
    fn is_over(self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool {
        Seat::stops(cx)
    }
}

impl<F> HeldWork for HeldPlain<F>
where
    F: Future<Output: 'static> + 'static,
{
    type Value = F::Output;
    type Error = Infallible;

    fn poll_work(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<F::Output, Infallible>> {
        self.project().future.poll(cx).map(Ok)
    }
}

impl<F, T, E> HeldWork for HeldFallible<F>
where
    F: Future<Output = Result<T, E>> + 'static,
    T: 'static,
    E: 'static,
{
    type Value = T;
    type Error = E;

    fn poll_work(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        self.project().future.poll(cx)
    }
}

/// A job for a [`HeldWorker`](crate::HeldWorker), with its conditions: a value that goes into a slot as it is. A static task is one too, as
/// `Pin<&'static mut F>` is a future of two words at the most.
#[must_use = "a job does nothing until it is submitted"]
pub struct HeldJob<W> {
    pub(super) work: W,
    pub(super) priority: Priority,
    pub(super) deadline: Instant,
}

impl<F> HeldJob<HeldPlain<F>> {
    /// A task: this future.
    pub const fn task(future: F) -> Self {
        Self::new(HeldPlain { future })
    }

    /// A task that is made when it starts, and knows of itself whether it was asked to stop.
    ///
    /// ```
    /// # use core::future::Future;
    /// # use core::{pin::pin, task::{Context, Waker}, time::Duration};
    /// # use countermand_core::{HeldJob, HeldWorker, Instant, Outcome, Step};
    /// static WORKER: HeldWorker<1, 1, 160> = HeldWorker::new();
    ///
    /// let valve = HeldJob::task_with(|context| async move {
    ///     context.cancelled().await;
    ///     context.sleep(Duration::from_millis(5)).await; // it closes
    ///     "closed"
    /// });
    /// let handle = WORKER.submit(valve.grace(Duration::from_millis(20)), Instant::ORIGIN).expect("there is a slot");
    /// # let mut driver = WORKER.attend().expect("nobody else drives it");
    /// # let mut cx = Context::from_waker(Waker::noop());
    /// # while driver.step(&mut cx, Instant::ORIGIN) == Step::Again {}
    /// handle.cancel();
    /// # while driver.step(&mut cx, Instant::ORIGIN) == Step::Again {}
    /// # assert!(!handle.is_finished());
    /// # while driver.step(&mut cx, Instant::from_nanos(5_000_000)) == Step::Again {}
    /// # let core::task::Poll::Ready(outcome) = pin!(handle).poll(&mut cx) else { panic!("it is over") };
    /// // … and after five milliseconds:
    /// assert_eq!(outcome.completed(), Some("closed"));
    /// ```
    pub const fn task_with<M>(make: M) -> HeldJob<HeldMade<impl FnOnce(HeldContext) -> HeldPlain<F>, HeldPlain<F>>>
    where
        M: FnOnce(HeldContext) -> F,
    {
        HeldJob::new(HeldMade::new(|context| HeldPlain { future: make(context) }))
    }
}

impl<F> HeldJob<HeldFallible<F>> {
    /// A task whose `Err` counts as failed.
    pub const fn fallible(future: F) -> Self {
        Self::new(HeldFallible { future })
    }

    /// [`task_with`](HeldJob::task_with) whose `Err` counts as failed.
    pub const fn fallible_with<M>(
        make: M,
    ) -> HeldJob<HeldMade<impl FnOnce(HeldContext) -> HeldFallible<F>, HeldFallible<F>>>
    where
        M: FnOnce(HeldContext) -> F,
    {
        HeldJob::new(HeldMade::new(|context| HeldFallible { future: make(context) }))
    }
}

impl<W> HeldJob<W> {
    const fn new(work: W) -> Self {
        Self { work, priority: Priority::Normal, deadline: Instant::NEVER }
    }

    /// How urgent it is. Default: normal.
    pub const fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// The same job, with what this makes of its work.
    fn map<V>(self, f: impl FnOnce(W) -> V) -> HeldJob<V> {
        HeldJob { work: f(self.work), priority: self.priority, deadline: self.deadline }
    }

    /// How long it may run, from its first poll (D5): eight bytes of its slot. Of several, the shortest counts. A duration beyond the clock means no limit (D8).
    pub fn run_timeout(self, limit: Duration) -> HeldJob<HeldRunLimited<W>> {
        self.map(|work| HeldRunLimited::new(work, nanos_of(limit)))
    }

    /// How long it may be queued, from its submit (D5): eight bytes of its slot. Of several, the shortest counts. A duration beyond the clock means no limit (D8).
    pub fn queue_timeout(self, limit: Duration) -> HeldJob<HeldQueueLimited<W>> {
        self.map(|work| HeldQueueLimited::new(work, nanos_of(limit)))
    }

    /// When its time is out, queued or running (D5). Of several, the earliest counts (D1).
    pub const fn deadline(mut self, at: Instant) -> Self {
        if at.as_nanos() < self.deadline.as_nanos() {
            self.deadline = at;
        }
        self
    }

    /// How long it goes on after a request to stop, from the step that sees it (J5): it is polled until it returns or that time has passed. It
    /// learns of the request from its [context](Self::task_with). A duration beyond the clock never ends (D8).
    pub fn grace(self, limit: Duration) -> HeldJob<HeldGraced<W>> {
        self.map(|work| HeldGraced::new(work, nanos_of(limit)))
    }

    /// A token whose cancellation cancels this job too, with its cause (J11). Its deadline holds as well (D1).
    ///
    /// What a job starts on its own goes under a token of its own, with a [guard](HeldToken::drop_guard): so it is cancelled with the job.
    pub fn under(self, token: &'static HeldToken<'static>) -> HeldJob<HeldUnder<W>> {
        let this = match token.deadline() {
            Some(at) => self.deadline(at),
            None => self,
        };
        this.map(|work| HeldUnder::new(work, token))
    }
}

impl<W> fmt::Debug for HeldJob<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldJob").field("priority", &self.priority).finish_non_exhaustive()
    }
}
