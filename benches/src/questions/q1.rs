//! Q1: what it costs to hand things on through a bounded asynchronous queue of four priorities, one sender to one receiver.
//!
//! Who takes part, and why that is fair, says [`queues`](super::queues).

use super::queues::{goals, queues};
use crate::question::{Cases, Quantity, Question};

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "Q1",
    title: "a bounded priority queue, one to one",
    ops: 100_000,
    by: Quantity::Cpu,
    goals: &goals(20.0, 2.0),
    cases,
};

fn cases(_: u64, cases: &mut Cases) {
    queues(1, cases);
}
