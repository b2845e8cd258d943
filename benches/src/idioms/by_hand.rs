//! A bounded, cancellable job with a time-out and a handle as people write it by hand: a permit of a semaphore, a child token, a
//! task that selects between token, work and time-out in this order, and its handle.
//!
//! On tokio that is tokio's own `Semaphore`, `timeout` and `spawn` with the token of tokio-util, as their documentation shows them. On smol it is smol's own, with
//! the same token, which runs anywhere and is what people take there too.

use std::future::Future;
use std::sync::Arc;

use futures::FutureExt;
use smol::{Executor, Timer};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::work::TIMEOUT;

/// What a batch of jobs shares on tokio.
#[derive(Clone, Debug)]
pub(crate) struct OnTokio {
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) root: CancellationToken,
}

impl OnTokio {
    pub(crate) fn new(limit: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(limit)), root: CancellationToken::new() }
    }

    /// Waits for a place, then starts the job.
    pub(crate) fn submit<T: Send + 'static, W: Future<Output = T> + Send + 'static>(
        &self,
        work: W,
    ) -> impl Future<Output = JoinHandle<Option<T>>> + Send + use<T, W> {
        let permit = Arc::clone(&self.permits).acquire_owned();
        let token = self.root.child_token();
        permit.map(|permit| {
            let permit = permit.expect("nobody closes it");
            tokio::spawn(async move {
                let _permit = permit;
                or_until(token, work).await
            })
        })
    }

    /// Starts the job, which waits for its place itself: so that any number of them can be queued.
    pub(crate) fn queue<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<Option<T>> {
        let permit = Arc::clone(&self.permits).acquire_owned();
        let token = self.root.child_token();
        tokio::spawn(async move {
            let _permit = permit.await.expect("nobody closes it");
            or_until(token, work).await
        })
    }
}

/// The work, unless the token is cancelled or its time is out.
pub(crate) async fn or_until<T>(token: CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = token.cancelled() => None,
        value = tokio::time::timeout(TIMEOUT, work) => value.ok(),
    }
}

/// What a batch of jobs shares on smol.
#[derive(Clone, Debug)]
pub(crate) struct OnSmol {
    executor: Arc<Executor<'static>>,
    permits: Arc<smol::lock::Semaphore>,
    root: CancellationToken,
}

impl OnSmol {
    pub(crate) fn new(executor: &Arc<Executor<'static>>, limit: usize) -> Self {
        let permits = Arc::new(smol::lock::Semaphore::new(limit));
        Self { executor: executor.clone(), permits, root: CancellationToken::new() }
    }

    /// Waits for a place, then starts the job.
    pub(crate) fn submit<T: Send + 'static, W: Future<Output = T> + Send + 'static>(
        &self,
        work: W,
    ) -> impl Future<Output = smol::Task<Option<T>>> + Send + use<T, W> {
        let permit = self.permits.acquire_arc();
        let token = self.root.child_token();
        let executor = self.executor.clone();
        permit.map(move |permit| {
            executor.spawn(async move {
                let _permit = permit;
                let stopped = async {
                    token.cancelled().await;
                    None
                };
                let late = async {
                    Timer::after(TIMEOUT).await;
                    None
                };
                let work = async { Some(work.await) };
                smol::future::or(stopped, smol::future::or(work, late)).await
            })
        })
    }
}
