//! A worker as a spawner.

use std::borrow::Cow;

use countermand_core::{Job, Priority, Token, Worker};
use futures_task::{FutureObj, Spawn, SpawnError};

/// Spawns futures as jobs of a worker.
///
/// - A spawned future is a detached job: it goes on until it is ready, the worker's own time-outs are over, or it is cancelled, by the
///   [`parent`](Self::parent) or a shutdown. A panic is the outcome of its job; nobody but the worker's observer sees it.
/// - `Spawn` cannot wait and knows one error, `shutdown`. So it is the answer to a full queue as well, and the future is dropped, whatever the worker
///   does otherwise when it is full. Give a worker that libraries spawn on the room that they need, or submit to it yourself.
/// - A spawner is a handle of the worker: when the last of them goes, the worker ends, and cancels what was spawned.
/// - A job that spawns on its own worker and waits for that can wait for ever once all lanes do so.
#[derive(Clone, Debug)]
pub struct WorkerSpawner {
    worker: Worker,
    name: Cow<'static, str>,
    priority: Priority,
    parent: Option<Token>,
}

impl WorkerSpawner {
    /// Spawns jobs of `worker`, of priority normal and without a name.
    #[must_use]
    pub fn new(worker: Worker) -> Self {
        Self { worker, name: Cow::Borrowed(""), priority: Priority::Normal, parent: None }
    }

    /// What the jobs are called in listings, events and reports.
    #[must_use]
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// How urgent they are.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// A token whose cancellation cancels all of them.
    #[must_use]
    pub fn parent(mut self, parent: &Token) -> Self {
        self.parent = Some(parent.clone());
        self
    }
}

impl Spawn for WorkerSpawner {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        let mut job = Job::task(future).name(self.name.clone()).priority(self.priority);
        if let Some(parent) = &self.parent {
            job = job.parent(parent);
        }
        self.worker.try_submit(job).map(drop).map_err(|_| SpawnError::shutdown())
    }

    fn status(&self) -> Result<(), SpawnError> {
        if self.worker.is_closed() { Err(SpawnError::shutdown()) } else { Ok(()) }
    }
}
