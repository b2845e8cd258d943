//! B1: what a blocking closure costs that somebody waits for.
//!
//! The closures do as good as nothing; each has a handle, and the values are added up. First 64 in flight, then one at a time by the clock: awaited, and for ours
//! also waited for by a thread without a runtime, which is what this host is for, as that looks for a while before it sleeps. Who can be
//! given a number of threads has two: our host and tokio's blocking pool, rayon, threadpool. Tokio's default pool grows to 512 threads and `blocking`'s to 500; they are peers as people
//! find them. rayon and threadpool have no handle: a oneshot channel of tokio's, waited for on the spot, is what people send the value through. The limit is a box,
//! a place in a queue and its call, on one thread.

use std::collections::VecDeque;
use std::hint::black_box;
use std::num::NonZero;

use countermand::{Blocking, Job, WorkerConfig};
use futures::FutureExt;
use tokio::sync::oneshot;

use super::jobs::{taken, value};
use crate::idioms::window::in_window;
use crate::idioms::work::{IN_FLIGHT, TIMEOUT, sum_below};
use crate::meter::Meter;
use crate::question::{At, Cases, Goal, Quantity, Question};

const BATCH: &str = "64 in flight";
const TRIP: &str = "round trip";
const OURS: &str = "Job::call on Blocking";
const WAITED: &str = "Job::call, Handle::wait";
const POOL: &str = "spawn_blocking, two threads";
const DEFAULT: &str = "spawn_blocking, default pool";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "B1",
    title: "a blocking closure with a handle",
    ops: 20_000,
    by: Quantity::Cpu,
    goals: &[
        Goal::times_less(BATCH, OURS, POOL, 5.0),
        Goal::times_less(BATCH, OURS, DEFAULT, 60.0),
        Goal::share(At(TRIP, OURS), Quantity::Wall, At(TRIP, POOL), 0.1),
        Goal::share(At(TRIP, WAITED), Quantity::Wall, At(TRIP, POOL), 0.1),
    ],
    cases,
};

fn cases(_: u64, cases: &mut Cases) {
    for (group, window) in [(BATCH, IN_FLIGHT), (TRIP, 1)] {
        cases.group(group);
        cases.ours(OURS, ours(window));
        if window == 1 {
            cases.ours(WAITED, waited());
        }
        cases.peer(POOL, spawn_blocking(window, Some(2)));
        cases.peer(DEFAULT, spawn_blocking(window, None));
        cases.peer("blocking, as smol::unblock", unblock(window));
        cases.peer("rayon and a oneshot", rayon(window));
        cases.peer("threadpool and a oneshot", threadpool(window));
        cases.limit("a box, a queue, a call", boxes(window));
    }
}

fn work(number: u64) -> impl FnOnce() -> u64 + Send + 'static {
    move || black_box(number)
}

/// One round; the future is blocked on by this thread, which is none of the pool's.
fn round(meter: &mut Meter, run: impl FnOnce(u64) -> u64) {
    let jobs = meter.ops();
    assert_eq!(meter.time(|| run(jobs)), sum_below(jobs));
}

pub(super) fn ours(window: usize) -> impl FnMut(&mut Meter) {
    let host = Blocking::builder().max_threads(NonZero::<usize>::MIN.saturating_add(1)).build();
    let worker = host.start(WorkerConfig::new().lanes(IN_FLIGHT).drivers(2)).expect("it is well set up");
    move |meter| {
        let submit = |number| {
            let work = work(number);
            worker.submit(Job::call(move |_| work()).run_timeout(TIMEOUT)).map(taken)
        };
        round(meter, |jobs| smol::block_on(in_window(jobs, window, submit, value)));
    }
}

/// From a thread that has no runtime, one at a time.
fn waited() -> impl FnMut(&mut Meter) {
    let host = Blocking::builder().max_threads(NonZero::<usize>::MIN.saturating_add(1)).build();
    let worker = host.start(WorkerConfig::new().lanes(IN_FLIGHT).drivers(2)).expect("it is well set up");
    move |meter| {
        let trip = |number| {
            let work = work(number);
            let call = taken(worker.submit_blocking(Job::call(move |_| work()).run_timeout(TIMEOUT)));
            value(call.wait().expect("this thread may block"))
        };
        round(meter, |jobs| (0..jobs).map(trip).sum());
    }
}

fn spawn_blocking(window: usize, threads: Option<usize>) -> impl FnMut(&mut Meter) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    if let Some(threads) = threads {
        builder.max_blocking_threads(threads);
    }
    let runtime = builder.build().expect("the system gives threads");
    move |meter| {
        let submit = |number| std::future::ready(tokio::task::spawn_blocking(work(number)));
        let done = |done: Result<u64, _>| done.expect("it does not panic");
        round(meter, |jobs| runtime.block_on(in_window(jobs, window, submit, done)));
    }
}

fn unblock(window: usize) -> impl FnMut(&mut Meter) {
    move |meter| {
        let submit = |number| std::future::ready(smol::unblock(work(number)));
        round(meter, |jobs| smol::block_on(in_window(jobs, window, submit, |value| value)));
    }
}

/// For a pool that takes closures and gives nothing back.
fn through_a_oneshot(meter: &mut Meter, window: usize, spawn: impl Fn(Box<dyn FnOnce() + Send>)) {
    let submit = |number| {
        let (sender, receiver) = oneshot::channel();
        let work = work(number);
        spawn(Box::new(move || {
            let _ = sender.send(work());
        }));
        std::future::ready(receiver)
    };
    let done = |done: Result<u64, _>| done.expect("it does not panic");
    round(meter, |jobs| smol::block_on(in_window(jobs, window, submit, done)));
}

fn rayon(window: usize) -> impl FnMut(&mut Meter) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("the system gives threads");
    move |meter| through_a_oneshot(meter, window, |call| pool.spawn(call))
}

fn threadpool(window: usize) -> impl FnMut(&mut Meter) {
    let pool = threadpool::ThreadPool::new(2);
    move |meter| through_a_oneshot(meter, window, |call| pool.execute(call))
}

fn boxes(window: usize) -> impl FnMut(&mut Meter) {
    let mut queue: VecDeque<Box<dyn FnOnce() -> u64 + Send>> = VecDeque::with_capacity(window);
    move |meter| {
        round(meter, |jobs| {
            let (mut next, mut sum) = (0, 0);
            while next < jobs || !queue.is_empty() {
                while next < jobs && queue.len() < window {
                    queue.push_back(Box::new(work(next)));
                    next += 1;
                }
                sum += queue.pop_front().map_or(0, |call| call());
            }
            sum
        });
    }
}
