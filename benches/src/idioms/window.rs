//! Keeps so many jobs under way and awaits them in the order in which they were submitted: the same for every contender.

use std::collections::VecDeque;
use std::future::Future;

/// Submits `jobs` jobs, never more than `window` unfinished, and adds up what they return.
pub(crate) async fn in_window<S, H>(
    jobs: u64,
    window: usize,
    submit: impl Fn(u64) -> S,
    value: impl Fn(H::Output) -> u64,
) -> u64
where
    S: Future<Output = H>,
    H: Future,
{
    let mut handles = VecDeque::with_capacity(window);
    let mut sum = 0;
    for number in 0..jobs {
        if handles.len() == window {
            if let Some(oldest) = handles.pop_front() {
                sum += value(oldest.await);
            }
        }
        handles.push_back(submit(number).await);
    }
    for handle in handles {
        sum += value(handle.await);
    }
    sum
}

/// Submits `jobs` jobs, and awaits them only when all are submitted.
pub(crate) async fn in_a_burst<S, H>(jobs: u64, submit: impl Fn(u64) -> S, value: impl Fn(H::Output) -> u64) -> u64
where
    S: Future<Output = H>,
    H: Future,
{
    let mut handles = Vec::with_capacity(usize::try_from(jobs).unwrap_or(usize::MAX));
    for number in 0..jobs {
        handles.push(submit(number).await);
    }
    let mut sum = 0;
    for handle in handles {
        sum += value(handle.await);
    }
    sum
}
