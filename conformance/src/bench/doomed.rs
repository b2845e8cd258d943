//! A worker whose runtime is going to be stopped.

use std::fmt;

use countermand_core::Worker;

use super::Bench;
use crate::Flaw;
use crate::ground::Stop;

/// A worker whose runtime is going to be stopped.
pub struct DoomedWorker {
    /// The worker.
    pub worker: Worker,
    pub(super) stop: Stop,
}

impl DoomedWorker {
    /// Stops the runtime under the worker, on a thread of its own.
    ///
    /// # Errors
    ///
    /// [`Flaw::Broken`] if the runtime does not stop.
    pub async fn stop(self, bench: &Bench) -> Result<Worker, Flaw> {
        bench.on_thread("the runtime stops", self.stop).await?;
        Ok(self.worker)
    }
}

impl fmt::Debug for DoomedWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DoomedWorker").field("worker", &self.worker).finish_non_exhaustive()
    }
}
