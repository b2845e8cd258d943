//! Priority queues, each case alone: the questions Q1 and Q2 of the program, for criterion.
#![allow(missing_docs, reason = "criterion's macros make public items without any")]

mod support;

use criterion::{Criterion, criterion_group, criterion_main};

fn questions(criterion: &mut Criterion) {
    support::ask(criterion, &["Q1", "Q2"]);
}

criterion_group!(benches, questions);
criterion_main!(benches);
