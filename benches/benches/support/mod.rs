//! Gives the cases of questions to criterion, one at a time.

use std::time::Duration;

use countermand_benches::meter::Meter;
use countermand_benches::questions::named;
use criterion::{BenchmarkId, Criterion};

/// A group for each question, a benchmark for each of its cases.
pub(crate) fn ask(criterion: &mut Criterion, ids: &[&str]) {
    for id in ids {
        let question = named(id).unwrap_or_else(|| panic!("there is no question {id}"));
        let mut group = criterion.benchmark_group(question.title);
        group.sample_size(10);
        for mut case in question.make(question.ops) {
            group.bench_function(BenchmarkId::new(case.name, case.group), |bencher| {
                bencher.iter_custom(|iterations| {
                    // In rounds of the size that the case was made for.
                    let mut spent = Duration::ZERO;
                    let mut left = iterations;
                    while left > 0 {
                        let round = left.min(question.ops);
                        let mut meter = Meter::timing(round);
                        (case.run)(&mut meter);
                        spent += meter.wall();
                        left -= round;
                    }
                    spent
                });
            });
        }
        group.finish();
    }
}
