//! J2: what the same job costs on smol.
//!
//! By hand it is smol's own semaphore, `or` and `Timer`, with the token of tokio-util, which runs anywhere and is what people take there. The executor is run
//! by two threads; what submits is a task of it.

use super::jobs::{bare_on_smol, boxes, by_hand_on_smol, ours_on_smol};
use crate::idioms::work::ready;
use crate::question::{Cases, Goal, Quantity, Question};

const OURS: &str = "Worker::submit";
const BY_HAND: &str = "by hand";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "J2",
    title: "a trivial job with all features on smol, two threads",
    ops: 40_000,
    by: Quantity::Cpu,
    goals: &[Goal::times_less("", OURS, BY_HAND, 5.0)],
    cases,
};

fn cases(_: u64, cases: &mut Cases) {
    cases.ours(OURS, ours_on_smol(ready));
    cases.peer(BY_HAND, by_hand_on_smol(ready));
    cases.peer("Executor::spawn, bare", bare_on_smol(ready));
    cases.limit("a box, a queue, a poll", boxes(ready));
}
