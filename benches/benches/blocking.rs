//! Blocking closures, each case alone: the questions B1 of the program, for criterion.
#![allow(missing_docs, reason = "criterion's macros make public items without any")]

mod support;

use criterion::{Criterion, criterion_group, criterion_main};

fn questions(criterion: &mut Criterion) {
    support::ask(criterion, &["B1"]);
}

criterion_group!(benches, questions);
criterion_main!(benches);
