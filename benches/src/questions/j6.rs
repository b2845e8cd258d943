//! J6: how long it takes to submit one job and have its outcome.
//!
//! One at a time, from a task of the runtime, by the clock. On one thread the driver and the submitter take turns; on two, whoever is woken may be
//! on the other thread. By hand and bare as in J1.

use countermand::{Job, WorkerConfig};
use futures::FutureExt;

use super::jobs::{taken, value};
use crate::idioms::by_hand::OnTokio;
use crate::idioms::tokio_threads::Threads;
use crate::idioms::window::in_window;
use crate::idioms::work::{TIMEOUT, ready, sum_below};
use crate::meter::Meter;
use crate::question::{At, Cases, Goal, Quantity, Question};

const ONE: &str = "one thread";
const TWO: &str = "two threads";
const OURS: &str = "Worker::submit";
const BY_HAND: &str = "by hand";
const BARE: &str = "tokio::spawn, bare";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "J6",
    title: "a round trip: submit one and await it",
    ops: 40_000,
    by: Quantity::Wall,
    goals: &[
        Goal::share(At(ONE, OURS), Quantity::Wall, At(ONE, BARE), 0.8),
        Goal::share(At(ONE, OURS), Quantity::Wall, At(ONE, BY_HAND), 1.0 / 2.4),
        Goal::share(At(TWO, OURS), Quantity::Wall, At(TWO, BARE), 0.8),
        Goal::share(At(TWO, OURS), Quantity::Wall, At(TWO, BY_HAND), 1.0 / 2.4),
    ],
    cases,
};

fn cases(_: u64, cases: &mut Cases) {
    for (group, threads) in [(ONE, 1), (TWO, 2)] {
        cases.group(group);
        cases.ours(OURS, ours(threads));
        cases.peer(BY_HAND, by_hand(threads));
        cases.peer(BARE, bare(threads));
    }
}

fn ours(threads: usize) -> impl FnMut(&mut Meter) {
    let threads = Threads::new(threads);
    let worker = threads.worker(WorkerConfig::new());
    move |meter| {
        let (jobs, worker) = (meter.ops(), worker.clone());
        let submit = move |number| worker.submit(Job::task(ready(number)).run_timeout(TIMEOUT)).map(taken);
        assert_eq!(meter.time(|| threads.run(in_window(jobs, 1, submit, value))), sum_below(jobs));
    }
}

fn by_hand(threads: usize) -> impl FnMut(&mut Meter) {
    let threads = Threads::new(threads);
    let hand = OnTokio::new(64);
    move |meter| {
        let (jobs, hand) = (meter.ops(), hand.clone());
        let submit = move |number| hand.submit(ready(number));
        let done = |done: Result<Option<u64>, _>| -> u64 { done.ok().flatten().expect("nobody cancels it") };
        let trips = in_window(jobs, 1, submit, done);
        assert_eq!(meter.time(|| threads.run(trips)), sum_below(jobs));
    }
}

fn bare(threads: usize) -> impl FnMut(&mut Meter) {
    let threads = Threads::new(threads);
    move |meter| {
        let jobs = meter.ops();
        let submit = |number| std::future::ready(tokio::spawn(ready(number)));
        let trips = in_window(jobs, 1, submit, |done| done.expect("it does not panic"));
        assert_eq!(meter.time(|| threads.run(trips)), sum_below(jobs));
    }
}
