//! What a bench stands on: a host without its type.

use std::future::Future;
use std::pin::Pin;
use std::prelude::v1::*;
use std::sync::Arc;
use std::time::Duration;

use countermand_core::{ConfigError, Instant, Worker, WorkerConfig};

use crate::warped::Clock;
use crate::{LocalFuture, Profile};

/// A future that may move to another thread.
pub type SendFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The examinee without its type: what a [`Bench`](crate::Bench) stands on.
pub(crate) trait Ground {
    fn profile(&self) -> Profile;
    fn name(&self) -> &'static str;
    fn drives_elsewhere(&self) -> bool;
    fn now(&self) -> Instant;
    fn start(&self, config: WorkerConfig, clock: &Arc<Clock>) -> Result<Worker, ConfigError>;
    fn parts(&self, config: WorkerConfig, clock: &Arc<Clock>) -> Result<(Worker, Vec<SendFuture>), ConfigError>;
    fn doomed(
        &self,
        seed: u64,
        config: WorkerConfig,
        clock: &Arc<Clock>,
    ) -> Option<Result<(Worker, Stop), ConfigError>>;
    fn nap(&self, span: Duration) -> LocalFuture<'static, ()>;
    fn spawn(&self, future: SendFuture) -> Result<(), SendFuture>;
}

/// Stops a doomed runtime.
pub(crate) type Stop = Box<dyn FnOnce() + Send>;
