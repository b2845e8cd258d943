//! What a job costs: a batch through a worker, by hand with the same guarantees, and as bare tasks.
#![allow(missing_docs, reason = "criterion's macros make public items without any")]

use countermand::{Tokio, WorkerConfig};
use countermand_benches::{bare_tasks, by_hand, through_a_worker};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Builder;

const JOBS: u64 = 10_000;
const LIMIT: usize = 256;

fn jobs(criterion: &mut Criterion) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime");
    let host = Tokio::from_handle(runtime.handle().clone());
    let worker = host.start(WorkerConfig::new().lanes(LIMIT).capacity(JOBS as usize)).expect("a valid config");

    let mut group = criterion.benchmark_group("tokio, 10,000 jobs that yield once");
    group.throughput(Throughput::Elements(JOBS));
    group.bench_function("worker, 256 lanes", |b| b.to_async(&runtime).iter(|| through_a_worker(&worker, JOBS)));
    group.bench_function("by hand, 256 permits", |b| b.to_async(&runtime).iter(|| by_hand(LIMIT, JOBS)));
    group.bench_function("bare tasks, no limit", |b| b.to_async(&runtime).iter(|| bare_tasks(JOBS)));
    group.finish();
}

criterion_group!(benches, jobs);
criterion_main!(benches);
