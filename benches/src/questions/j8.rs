//! J8: what it costs to serve the queue strictly by priority, instead of in batches.
//!
//! Ten thousand jobs of all priorities are queued before the first runs, on one thread, and all are awaited. A strict worker takes one job at a time, so
//! that none overtakes a more urgent one; one with weights may take several at once. Both are ours: this is the price of a setting.

use countermand::{Discipline, Job, Priority};

use super::jobs::{settings, value};
use crate::idioms::tokio_threads::Threads;
use crate::idioms::window::in_a_burst;
use crate::idioms::work::{TIMEOUT, ready, sum_below};
use crate::meter::Meter;
use crate::question::{Cases, Goal, Quantity, Question};

const STRICT: &str = "Discipline::Strict";
const WEIGHTED: &str = "Discipline::Weighted";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "J8",
    title: "strict priority against batches",
    ops: 10_000,
    by: Quantity::Cpu,
    goals: &[Goal::within("", STRICT, WEIGHTED, 1.15)],
    cases,
};

fn cases(ops: u64, cases: &mut Cases) {
    cases.ours(STRICT, backlog(ops, Discipline::Strict));
    cases.limit(WEIGHTED, backlog(ops, Discipline::default()));
}

fn backlog(ops: u64, discipline: Discipline) -> impl FnMut(&mut Meter) {
    let threads = Threads::new(1);
    let room = usize::try_from(ops).unwrap_or(usize::MAX);
    let worker = threads.worker(settings().capacity(room).discipline(discipline));
    move |meter| {
        let (jobs, worker) = (meter.ops(), worker.clone());
        let submit = move |number| {
            let priority = Priority::ALL[(number & 3) as usize];
            let job = Job::task(ready(number)).priority(priority).run_timeout(TIMEOUT);
            std::future::ready(worker.try_submit(job).expect("there is room"))
        };
        assert_eq!(meter.time(|| threads.run(in_a_burst(jobs, submit, value))), sum_below(jobs));
    }
}
