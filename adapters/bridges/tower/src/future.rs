//! The way of a request through the worker.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use countermand_core::{CauseKind, Instant, Job, Outcome, Phase, Work, Worker};

use crate::ServiceError;

/// The response of a [`WorkerService`](crate::WorkerService).
///
/// # Cancellation
///
/// Dropping it cancels the request, with cause `HandleDropped`.
#[must_use = "a request is not submitted until its response is polled"]
pub struct ResponseFuture<T, E> {
    way: Pin<Box<dyn Future<Output = Result<T, ServiceError<E>>> + Send>>,
}

impl<T: Send + 'static, E: Send + 'static> ResponseFuture<T, E> {
    pub(crate) fn new<W>(worker: Worker, job: Job<W>, deadline: Option<Instant>) -> Self
    where
        W: Work<Value = T, Error = E> + Send + 'static,
    {
        Self { way: Box::pin(way(worker, job, deadline)) }
    }
}

impl<T, E> Future for ResponseFuture<T, E> {
    type Output = Result<T, ServiceError<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.way.as_mut().poll(cx)
    }
}

impl<T, E> fmt::Debug for ResponseFuture<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

async fn way<W: Work>(
    worker: Worker,
    job: Job<W>,
    deadline: Option<Instant>,
) -> Result<W::Value, ServiceError<W::Error>> {
    let mut submit = pin!(worker.submit(job));
    let submitted = match poll_fn(|cx| Poll::Ready(submit.as_mut().poll(cx))).await {
        Poll::Ready(submitted) => submitted,
        // It waits for a place: nobody but us looks at the clock meanwhile.
        Poll::Pending => match deadline {
            None => submit.await,
            Some(at) => {
                let limit = worker.child_with_deadline(at);
                match limit.run_until_cancelled(submit).await {
                    Ok(submitted) => submitted,
                    Err(cause) if cause.kind() == CauseKind::Deadline => {
                        return Err(ServiceError::TimedOut(Phase::Queued));
                    }
                    Err(cause) => return Err(ServiceError::Cancelled { cause, started: false }),
                }
            }
        },
    };
    let handle = submitted.map_err(|rejected| ServiceError::Refused(rejected.reason))?;
    match handle.await {
        Outcome::Completed(response) => Ok(response),
        Outcome::Failed(error) => Err(ServiceError::Service(error)),
        Outcome::TimedOut { phase, .. } => Err(ServiceError::TimedOut(phase)),
        Outcome::Cancelled { cause, started } => Err(ServiceError::Cancelled { cause, started }),
        Outcome::Panicked(panic) => Err(ServiceError::Panicked(panic.to_string())),
        // Only calls can be, and a request is a task.
        Outcome::Abandoned => Err(ServiceError::TimedOut(Phase::Running)),
    }
}
