//! The layer.

use std::fmt;

use countermand_core::Worker;
use tower_layer::Layer;

use crate::{Conditions, WorkerService};

/// Makes each request of the service below a job of a worker. See the [crate's page](crate).
#[derive(Clone)]
pub struct WorkerLayer<C = Conditions> {
    worker: Worker,
    classify: C,
}

impl WorkerLayer {
    /// All requests are jobs of `worker`, of priority normal and with the worker's own limits.
    #[must_use]
    pub fn new(worker: Worker) -> Self {
        Self::with(worker, Conditions::new())
    }
}

impl<C> WorkerLayer<C> {
    /// Requests are jobs of `worker`, under the conditions that `classify` says: [`Conditions`] for all alike, or a closure
    /// `|request: &Request| Conditions::new()…`.
    #[must_use]
    pub fn with(worker: Worker, classify: C) -> Self {
        Self { worker, classify }
    }
}

impl<S, C: Clone> Layer<S> for WorkerLayer<C> {
    type Service = WorkerService<S, C>;

    fn layer(&self, below: S) -> Self::Service {
        WorkerService::new(self.worker.clone(), self.classify.clone(), below)
    }
}

impl<C> fmt::Debug for WorkerLayer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerLayer").field("worker", &self.worker).finish_non_exhaustive()
    }
}
