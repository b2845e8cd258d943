//! J4: what a job costs that is pending once.
//!
//! As J1, but each job wakes itself and goes on at its next turn. The future that does so is the same for all, and knows no runtime.

use super::jobs::{async_tasks, bare, boxes, buffer_unordered, by_hand, join_set, ours, settings};
use crate::idioms::work::pending_once;
use crate::question::{Cases, Goal, Quantity, Question};

const ONE: &str = "one thread";
const TWO: &str = "two threads";
const OURS: &str = "Worker::submit";
const BY_HAND: &str = "by hand";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "J4",
    title: "a job that is pending once, 64 in flight",
    ops: 40_000,
    by: Quantity::Cpu,
    goals: &[Goal::times_less(TWO, OURS, BY_HAND, 9.0)],
    cases,
};

fn cases(_: u64, cases: &mut Cases) {
    for (group, threads) in [(ONE, 1), (TWO, 2)] {
        cases.group(group);
        cases.ours(OURS, ours(threads, settings(), pending_once));
        cases.peer(BY_HAND, by_hand(threads, pending_once));
        cases.peer("JoinSet, token and time-out", join_set(threads, pending_once));
        cases.peer("tokio::spawn, bare", bare(threads, pending_once));
        cases.peer("buffer_unordered, bare", buffer_unordered(threads, pending_once));
        cases.limit("a box, a queue, two polls", boxes(pending_once));
        cases.note("async-task and a queue", async_tasks(pending_once));
    }
}
