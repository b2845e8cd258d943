//! Batches of jobs through every contender: what J1, J2 and J4 have in common.
//!
//! Each runs the same jobs, 64 in flight, awaits every handle in order and adds up what came back. What is submitted from is a task of the
//! runtime itself.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use countermand::{Handle, Job, Outcome, Priority, SubmitResult, Work, Worker, WorkerConfig};
use futures::FutureExt;
use futures::stream::{self, StreamExt};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::idioms::by_hand::{OnSmol, OnTokio, or_until};
use crate::idioms::window::in_window;
use crate::idioms::work::{IN_FLIGHT, TIMEOUT, sum_below};
use crate::idioms::{smol_threads, tokio_threads};
use crate::meter::Meter;

/// What a job does.
pub(crate) trait Body<F>: Fn(u64) -> F + Copy + Send + Sync + 'static {}
impl<F, B: Fn(u64) -> F + Copy + Send + Sync + 'static> Body<F> for B {}

/// The future of a job.
pub(crate) trait Jobs: Future<Output = u64> + Send + 'static {}
impl<F: Future<Output = u64> + Send + 'static> Jobs for F {}

/// A worker's settings for these batches.
pub(crate) fn settings() -> WorkerConfig {
    WorkerConfig::new().lanes(IN_FLIGHT)
}

/// Through a worker: each with a priority, a time-out, a token to cancel it by, and a handle.
pub(crate) async fn through<F: Jobs>(worker: Worker, jobs: u64, body: impl Body<F>) -> u64 {
    let submit = |number| {
        let priority = Priority::ALL[(number & 3) as usize];
        worker.submit(Job::task(body(number)).priority(priority).run_timeout(TIMEOUT)).map(taken)
    };
    in_window(jobs, IN_FLIGHT, submit, value).await
}

/// The handle of a job that was submitted.
pub(crate) fn taken<W: Work>(result: SubmitResult<W>) -> Handle<W::Value, W::Error> {
    result.expect("an open worker takes the job")
}

pub(crate) fn value(outcome: Outcome<u64>) -> u64 {
    outcome.completed().expect("nobody cancels it")
}

pub(crate) fn ours<F: Jobs>(threads: usize, config: WorkerConfig, body: impl Body<F>) -> impl FnMut(&mut Meter) {
    let threads = tokio_threads::Threads::new(threads);
    let worker = threads.worker(config);
    move |meter| {
        let (jobs, worker) = (meter.ops(), worker.clone());
        let sum = meter.time(|| threads.run(through(worker, jobs, body)));
        assert_eq!(sum, sum_below(jobs));
    }
}

pub(crate) fn by_hand<F: Jobs>(threads: usize, body: impl Body<F>) -> impl FnMut(&mut Meter) {
    let hand = OnTokio::new(IN_FLIGHT);
    on_tokio(threads, move |jobs| {
        let hand = hand.clone();
        let submit = move |number| hand.submit(body(number));
        in_window(jobs, IN_FLIGHT, submit, |done| done.expect("it does not panic").expect("nobody cancels it"))
    })
}

pub(crate) fn join_set<F: Jobs>(threads: usize, body: impl Body<F>) -> impl FnMut(&mut Meter) {
    on_tokio(threads, move |jobs| async move {
        let root = CancellationToken::new();
        let mut set = JoinSet::new();
        let mut sum = 0;
        let done = |done: Option<Result<Option<u64>, _>>| {
            let done: Result<_, tokio::task::JoinError> = done.expect("there is one");
            done.expect("it does not panic").expect("nobody cancels it")
        };
        for number in 0..jobs {
            if set.len() == IN_FLIGHT {
                sum += done(set.join_next().await);
            }
            set.spawn(or_until(root.child_token(), body(number)));
        }
        while !set.is_empty() {
            sum += done(set.join_next().await);
        }
        sum
    })
}

pub(crate) fn bare<F: Jobs>(threads: usize, body: impl Body<F>) -> impl FnMut(&mut Meter) {
    on_tokio(threads, move |jobs| {
        let submit = move |number| std::future::ready(tokio::spawn(body(number)));
        in_window(jobs, IN_FLIGHT, submit, |done| done.expect("it does not panic"))
    })
}

pub(crate) fn buffer_unordered<F: Jobs>(threads: usize, body: impl Body<F>) -> impl FnMut(&mut Meter) {
    on_tokio(threads, move |jobs| async move {
        stream::iter(0..jobs).map(body).buffer_unordered(IN_FLIGHT).fold(0, async |sum, value| sum + value).await
    })
}

fn on_tokio<B: Future<Output = u64> + Send + 'static>(
    threads: usize,
    batch: impl Fn(u64) -> B + 'static,
) -> impl FnMut(&mut Meter) {
    let threads = tokio_threads::Threads::new(threads);
    move |meter| {
        let jobs = meter.ops();
        let sum = meter.time(|| threads.run(batch(jobs)));
        assert_eq!(sum, sum_below(jobs));
    }
}

pub(crate) fn ours_on_smol<F: Jobs>(body: impl Body<F>) -> impl FnMut(&mut Meter) {
    let threads = smol_threads::Threads::two();
    let worker = threads.worker(settings());
    move |meter| {
        let (jobs, worker) = (meter.ops(), worker.clone());
        let sum = meter.time(|| threads.run(through(worker, jobs, body)));
        assert_eq!(sum, sum_below(jobs));
    }
}

pub(crate) fn by_hand_on_smol<F: Jobs>(body: impl Body<F>) -> impl FnMut(&mut Meter) {
    let threads = smol_threads::Threads::two();
    let hand = OnSmol::new(threads.executor(), IN_FLIGHT);
    move |meter| {
        let (jobs, hand) = (meter.ops(), hand.clone());
        let submit = move |number| hand.submit(body(number));
        let batch = in_window(jobs, IN_FLIGHT, submit, |done| done.expect("nobody cancels it"));
        assert_eq!(meter.time(|| threads.run(batch)), sum_below(jobs));
    }
}

pub(crate) fn bare_on_smol<F: Jobs>(body: impl Body<F>) -> impl FnMut(&mut Meter) {
    let threads = smol_threads::Threads::two();
    move |meter| {
        let (jobs, executor) = (meter.ops(), threads.executor().clone());
        let submit = move |number| std::future::ready(executor.spawn(body(number)));
        let batch = in_window(jobs, IN_FLIGHT, submit, |value| value);
        assert_eq!(meter.time(|| threads.run(batch)), sum_below(jobs));
    }
}

/// The limit: a box, a place in a queue, and its polls, on one thread.
pub(crate) fn boxes<F: Jobs>(body: impl Body<F>) -> impl FnMut(&mut Meter) {
    let mut queue: VecDeque<Pin<Box<dyn Future<Output = u64> + Send>>> = VecDeque::with_capacity(IN_FLIGHT);
    move |meter| {
        let jobs = meter.ops();
        let sum = meter.time(|| {
            let mut context = Context::from_waker(Waker::noop());
            let (mut next, mut sum) = (0, 0);
            while next < jobs || !queue.is_empty() {
                while next < jobs && queue.len() < IN_FLIGHT {
                    queue.push_back(Box::pin(body(next)));
                    next += 1;
                }
                let Some(mut job) = queue.pop_front() else { break };
                match job.as_mut().poll(&mut context) {
                    Poll::Ready(value) => sum += value,
                    Poll::Pending => queue.push_back(job),
                }
            }
            sum
        });
        assert_eq!(sum, sum_below(jobs));
    }
}

/// A task with a handle, and no runtime: async-task and a queue under a lock, on one thread.
pub(crate) fn async_tasks<F: Jobs>(body: impl Body<F>) -> impl FnMut(&mut Meter) {
    let queue = Arc::new(Mutex::new(VecDeque::with_capacity(IN_FLIGHT)));
    move |meter| {
        let jobs = meter.ops();
        let sum = meter.time(|| {
            let mut context = Context::from_waker(Waker::noop());
            let mut tasks = VecDeque::with_capacity(IN_FLIGHT);
            let (mut next, mut sum) = (0, 0);
            while next < jobs || !tasks.is_empty() {
                while next < jobs && tasks.len() < IN_FLIGHT {
                    let queue = queue.clone();
                    let schedule = move |runnable| queue.lock().expect("nobody panics").push_back(runnable);
                    let (runnable, task) = async_task::spawn(body(next), schedule);
                    runnable.schedule();
                    tasks.push_back(task);
                    next += 1;
                }
                let Some(mut task) = tasks.pop_front() else { break };
                sum += loop {
                    if let Poll::Ready(value) = Pin::new(&mut task).poll(&mut context) {
                        break value;
                    }
                    let runnable: async_task::Runnable =
                        queue.lock().expect("nobody panics").pop_front().expect("the task is scheduled");
                    runnable.run();
                };
            }
            sum
        });
        assert_eq!(sum, sum_below(jobs));
    }
}
