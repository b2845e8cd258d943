//! J5: what it costs to let ten thousand jobs sleep.
//!
//! All are in flight at a time, each sleeps a millisecond on what its host offers for that: ours on its driver's timers, the others on tokio's. Timed is the
//! processor, as the clock mostly waits for the millisecond.

use std::time::Duration;

use countermand::{Job, WorkerConfig};

use super::jobs::value;
use crate::idioms::by_hand::OnTokio;
use crate::idioms::tokio_threads::Threads;
use crate::idioms::window::in_a_burst;
use crate::idioms::work::{TIMEOUT, sum_below};
use crate::question::{Cases, Goal, Quantity, Question};

const OURS: &str = "JobContext::sleep";
const BY_HAND: &str = "by hand";
const BARE: &str = "tokio::spawn, bare";
const NAP: Duration = Duration::from_millis(1);

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "J5",
    title: "10,000 jobs that sleep 1 ms, two threads",
    ops: 10_000,
    by: Quantity::Cpu,
    goals: &[Goal::times_less("", OURS, BY_HAND, 7.0), Goal::times_less("", OURS, BARE, 2.5)],
    cases,
};

async fn nap(number: u64) -> u64 {
    tokio::time::sleep(NAP).await;
    number
}

fn cases(ops: u64, cases: &mut Cases) {
    let all = usize::try_from(ops).unwrap_or(usize::MAX);
    let threads = Threads::new(2);
    let worker = threads.worker(WorkerConfig::new().lanes(all).capacity(all));
    cases.ours(OURS, move |meter| {
        let (jobs, worker) = (meter.ops(), worker.clone());
        let submit = move |number| {
            let job = Job::task_with(move |context| async move {
                context.sleep(NAP).await;
                number
            });
            std::future::ready(worker.try_submit(job.run_timeout(TIMEOUT)).expect("there is room"))
        };
        assert_eq!(meter.time(|| threads.run(in_a_burst(jobs, submit, value))), sum_below(jobs));
    });
    let threads = Threads::new(2);
    let hand = OnTokio::new(all);
    cases.peer(BY_HAND, move |meter| {
        let (jobs, hand) = (meter.ops(), hand.clone());
        let submit = move |number| hand.submit(nap(number));
        let done = |done: Result<Option<u64>, _>| -> u64 { done.ok().flatten().expect("nobody cancels it") };
        let burst = in_a_burst(jobs, submit, done);
        assert_eq!(meter.time(|| threads.run(burst)), sum_below(jobs));
    });
    let threads = Threads::new(2);
    cases.peer(BARE, move |meter| {
        let jobs = meter.ops();
        let submit = |number| std::future::ready(tokio::spawn(nap(number)));
        let burst = in_a_burst(jobs, submit, |done| done.expect("it does not panic"));
        assert_eq!(meter.time(|| threads.run(burst)), sum_below(jobs));
    });
}
