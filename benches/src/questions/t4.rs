//! T4: what the token costs that a job has for itself.
//!
//! By hand, a job's token is a child that is made for it, which is what T3 times. A job of ours has one anyway; what making it adds to a
//! job is part of J1. Here the job asks for it, hands a clone on, as it does to what it starts itself, and the clone is dropped. All of it
//! runs within one job, so that the job itself is not in the figure.

use std::hint::black_box;

use countermand::{Job, Token, WorkerConfig};
use tokio_util::sync::CancellationToken;

use crate::idioms::tokio_threads::Threads;
use crate::question::{At, Cases, Goal, Quantity, Question};

const OURS: &str = "JobContext::token, cloned";
const PEER: &str = "tokio-util, child_token of the root";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "T4",
    title: "the token of a job",
    ops: 400_000,
    by: Quantity::Cpu,
    goals: &[Goal::times_less("", OURS, PEER, 677.0 / 20.0), Goal::at_most(At("", OURS), Quantity::Allocs, 0.001)],
    cases,
};

fn cases(_: u64, cases: &mut Cases) {
    let threads = Threads::new(1);
    let worker = threads.worker(WorkerConfig::new().lanes(1));
    cases.ours(OURS, move |meter| {
        let times = meter.ops();
        let worker = worker.clone();
        let job = Job::task_with(move |context| async move {
            for _ in 0..times {
                let token: Token = black_box(&context).token().clone();
                drop(black_box(token));
            }
            times
        });
        let run = async move { worker.submit(job).await.expect("it is open").await.completed() };
        assert_eq!(meter.time(|| threads.run(run)), Some(times));
    });
    let root = CancellationToken::new();
    cases.peer(PEER, move |meter| {
        let times = meter.ops();
        meter.time(|| {
            for _ in 0..times {
                drop(black_box(black_box(&root).child_token()));
            }
        });
    });
}
