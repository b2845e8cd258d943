//! Jobs, each case alone: the questions J1 to J9, but for J3, which is about memory, of the program, for criterion.
#![allow(missing_docs, reason = "criterion's macros make public items without any")]

mod support;

use criterion::{Criterion, criterion_group, criterion_main};

fn questions(criterion: &mut Criterion) {
    support::ask(criterion, &["J1", "J2", "J4", "J5", "J6", "J7", "J8", "J9"]);
}

criterion_group!(benches, questions);
criterion_main!(benches);
