//! The service.

use std::fmt;
use std::mem;
use std::task::{Context, Poll};

use countermand_core::{Job, Worker};
use tower_service::Service;

use crate::{Classify, Conditions, ResponseFuture, ServiceError};

/// A service whose requests are jobs of a worker. Made by [`WorkerLayer`](crate::WorkerLayer).
#[derive(Clone)]
pub struct WorkerService<S, C = Conditions> {
    worker: Worker,
    classify: C,
    below: S,
}

impl<S, C> WorkerService<S, C> {
    pub(crate) fn new(worker: Worker, classify: C, below: S) -> Self {
        Self { worker, classify, below }
    }

    /// The worker.
    pub fn worker(&self) -> &Worker {
        &self.worker
    }

    /// The service below.
    pub fn below(&self) -> &S {
        &self.below
    }
}

impl<S, C, R> Service<R> for WorkerService<S, C>
where
    S: Service<R> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Response: Send + 'static,
    S::Error: Send + 'static,
    C: Classify<R>,
    R: Send + 'static,
{
    type Response = S::Response;
    type Error = ServiceError<S::Error>;
    type Future = ResponseFuture<S::Response, S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.below.poll_ready(cx).map_err(ServiceError::Service)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let conditions = self.classify.classify(&request);
        let within = conditions.within;
        let deadline = within.and_then(|limit| self.worker.now().checked_add(limit));
        // The one that said it was ready, and not a clone that said nothing.
        let clone = self.below.clone();
        let mut below = mem::replace(&mut self.below, clone);
        // Called in the lane: a service may work in its `call` too.
        let job = Job::fallible_with(move |_| below.call(request));
        ResponseFuture::new(self.worker.clone(), conditions.apply(job, deadline), deadline)
    }
}

impl<S: fmt::Debug, C> fmt::Debug for WorkerService<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerService")
            .field("worker", &self.worker)
            .field("below", &self.below)
            .finish_non_exhaustive()
    }
}
