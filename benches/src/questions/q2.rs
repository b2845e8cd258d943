//! Q2: what it costs to hand things on through a bounded asynchronous queue of four priorities, two senders to two receivers.
//!
//! As Q1, with the same contenders; here the locks are contended, and a waker may be that of another thread.

use super::queues::{goals, queues};
use crate::question::{Cases, Quantity, Question};

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "Q2",
    title: "a bounded priority queue, two to two",
    ops: 100_000,
    by: Quantity::Cpu,
    goals: &goals(12.0, 2.0),
    cases,
};

fn cases(_: u64, cases: &mut Cases) {
    queues(2, cases);
}
