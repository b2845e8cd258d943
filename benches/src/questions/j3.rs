//! J3: what jobs ask of the allocator.
//!
//! In the steady state, 64 in flight, it is allocations for each job. In the burst a million jobs are submitted before the first runs, and all their
//! handles are kept: counted is the most that is held at a time, handles and the list of them included. By hand, each task of the burst waits for its permit
//! itself, as otherwise nothing could be queued; a bare spawn has neither token nor time-out.

use countermand::{Job, Priority};

use super::jobs::{bare, by_hand, ours, settings, value};
use crate::idioms::by_hand::OnTokio;
use crate::idioms::tokio_threads::Threads;
use crate::idioms::window::in_a_burst;
use crate::idioms::work::{IN_FLIGHT, TIMEOUT, ready, sum_below};
use crate::question::{At, Cases, Goal, Quantity, Question};

const STEADY: &str = "steady";
const BURST: &str = "a burst";
const OURS: &str = "Worker::submit";
const BY_HAND: &str = "by hand";
const BARE: &str = "tokio::spawn, bare";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "J3",
    title: "allocations and memory of jobs",
    ops: 1_000_000,
    by: Quantity::Peak,
    goals: &[
        // None, but for what grows now and then.
        Goal::at_most(At(STEADY, OURS), Quantity::Allocs, 0.02),
        Goal::at_most(At(BURST, OURS), Quantity::Peak, 128.0),
        Goal::share(At(BURST, OURS), Quantity::Peak, At(BURST, BY_HAND), 0.25),
    ],
    cases,
};

fn cases(ops: u64, cases: &mut Cases) {
    cases.group(STEADY);
    cases.ours(OURS, ours(1, settings(), ready));
    cases.peer(BY_HAND, by_hand(1, ready));
    cases.peer(BARE, bare(1, ready));
    cases.group(BURST);
    let threads = Threads::new(1);
    let worker = threads.worker(settings().capacity(usize::try_from(ops).unwrap_or(usize::MAX)));
    cases.ours(OURS, move |meter| {
        let (jobs, worker) = (meter.ops(), worker.clone());
        let submit = move |number| {
            let job = Job::task(ready(number)).priority(Priority::Normal).run_timeout(TIMEOUT);
            std::future::ready(worker.try_submit(job).expect("there is room"))
        };
        assert_eq!(meter.time(|| threads.run(in_a_burst(jobs, submit, value))), sum_below(jobs));
    });
    let threads = Threads::new(1);
    let hand = OnTokio::new(IN_FLIGHT);
    cases.peer(BY_HAND, move |meter| {
        let (jobs, hand) = (meter.ops(), hand.clone());
        let submit = move |number| std::future::ready(hand.queue(ready(number)));
        let done = |done: Result<Option<u64>, _>| -> u64 { done.ok().flatten().expect("nobody cancels it") };
        let burst = in_a_burst(jobs, submit, done);
        assert_eq!(meter.time(|| threads.run(burst)), sum_below(jobs));
    });
    let threads = Threads::new(1);
    cases.peer(BARE, move |meter| {
        let jobs = meter.ops();
        let submit = |number| std::future::ready(tokio::spawn(ready(number)));
        let burst = in_a_burst(jobs, submit, |done| done.expect("it does not panic"));
        assert_eq!(meter.time(|| threads.run(burst)), sum_below(jobs));
    });
}
