//! J1: what a job costs that has as good as nothing to do.
//!
//! Ours is bounded (64 in flight), prioritised, cancellable through a token, has a time-out and a handle. "By hand" is what people write for that
//! today, without the priority: a permit of a semaphore, a child token, a spawned select, an awaited handle. `JoinSet` is the same where one set
//! holds the tasks and its length is the bound. A bare `tokio::spawn` and a `buffer_unordered` have neither token nor time-out: they are here because the claim
//! is that ours costs less. The limits know no threads: a box, a queue and a poll; the note is a task with a handle on the same.

use super::jobs::{async_tasks, bare, boxes, buffer_unordered, by_hand, join_set, ours, settings};
use crate::idioms::work::ready;
use crate::question::{Cases, Goal, Quantity, Question};

const ONE: &str = "one thread";
const TWO: &str = "two threads";
const OURS: &str = "Worker::submit";
const BY_HAND: &str = "by hand";
const BARE: &str = "tokio::spawn, bare";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "J1",
    title: "a trivial job with all features, 64 in flight",
    ops: 40_000,
    by: Quantity::Cpu,
    goals: &[Goal::times_less(TWO, OURS, BY_HAND, 10.0), Goal::times_less(TWO, OURS, BARE, 4.0)],
    cases,
};

fn cases(_: u64, cases: &mut Cases) {
    for (group, threads) in [(ONE, 1), (TWO, 2)] {
        cases.group(group);
        cases.ours(OURS, ours(threads, settings(), ready));
        cases.peer(BY_HAND, by_hand(threads, ready));
        cases.peer("JoinSet, token and time-out", join_set(threads, ready));
        cases.peer(BARE, bare(threads, ready));
        cases.peer("buffer_unordered, bare", buffer_unordered(threads, ready));
        cases.limit("a box, a queue, a poll", boxes(ready));
        cases.note("async-task and a queue", async_tasks(ready));
    }
}
