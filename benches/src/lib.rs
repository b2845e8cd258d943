//! What the benchmarks compare: the same batch of jobs through a worker, and as people write it by hand on tokio.
//!
//! Every contender runs `jobs` jobs that each yield once and return their number, never more than `limit` at a time, and answers
//! the sum of what came back, so that none can win by leaving something out.

use std::sync::Arc;
use std::time::Duration;

use countermand::{Job, Worker};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// No job of a batch comes near it; it is there because a service would have it.
pub const TIMEOUT: Duration = Duration::from_secs(30);

async fn work(number: u64) -> u64 {
    tokio::task::yield_now().await;
    number
}

/// Through a worker whose number of lanes is the limit: each job with a time-out, and a token of its own to cancel it by.
///
/// # Panics
///
/// If a job does not complete.
pub async fn through_a_worker(worker: &Worker, jobs: u64) -> u64 {
    let mut handles = Vec::new();
    for number in 0..jobs {
        let job = Job::task(work(number)).run_timeout(TIMEOUT);
        handles.push(worker.submit(job).await.expect("an open worker takes the job"));
    }
    let mut sum = 0;
    for handle in handles {
        sum += handle.await.completed().expect("nobody cancels it");
    }
    sum
}

/// By hand, with the same guarantees as far as they go: a permit of a semaphore, a task, a select on a child token, a time-out.
///
/// # Panics
///
/// If a job does not complete.
pub async fn by_hand(limit: usize, jobs: u64) -> u64 {
    let permits = Arc::new(Semaphore::new(limit));
    let root = CancellationToken::new();
    let mut tasks = Vec::new();
    for number in 0..jobs {
        let permit = Arc::clone(&permits).acquire_owned().await.expect("nobody closes it");
        let token = root.child_token();
        tasks.push(tokio::spawn(async move {
            let _permit = permit;
            tokio::select! {
                biased;
                () = token.cancelled() => None,
                value = tokio::time::timeout(TIMEOUT, work(number)) => value.ok(),
            }
        }));
    }
    let mut sum = 0;
    for task in tasks {
        sum += task.await.expect("it does not panic").expect("nobody cancels it");
    }
    sum
}

/// A bare task each, with no limit, no token and no time-out: the floor of what tokio itself costs.
///
/// # Panics
///
/// If a job does not complete.
pub async fn bare_tasks(jobs: u64) -> u64 {
    let tasks: Vec<_> = (0..jobs).map(|number| tokio::spawn(work(number))).collect();
    let mut sum = 0;
    for task in tasks {
        sum += task.await.expect("it does not panic");
    }
    sum
}

#[cfg(test)]
mod tests {
    use countermand::{Tokio, WorkerConfig};

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_contender_does_the_whole_work() {
        let sum = (0..1_000).sum::<u64>();
        let host = Tokio::current().expect("the test runs in a runtime");
        let worker = host.start(WorkerConfig::new().lanes(64)).expect("a valid config");
        assert_eq!(through_a_worker(&worker, 1_000).await, sum);
        assert_eq!(by_hand(64, 1_000).await, sum);
        assert_eq!(bare_tasks(1_000).await, sum);
    }
}
