//! Tokens, each case alone: the questions T1 to T6 of the program, for criterion.
#![allow(missing_docs, reason = "criterion's macros make public items without any")]

mod support;

use criterion::{Criterion, criterion_group, criterion_main};

fn questions(criterion: &mut Criterion) {
    support::ask(criterion, &["T1", "T2", "T3", "T4", "T5", "T6"]);
}

criterion_group!(benches, questions);
criterion_main!(benches);
