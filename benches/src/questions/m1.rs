//! M1: what it costs to count something on the hot path.
//!
//! Ours is what a worker calls when a job is submitted: a hook of `Metrics`, which counts by priority. The peers count with a handle that was made before, as their
//! documentation advises for hot paths, not by name each time. The limit is a cell that nobody else writes. On two threads all count the same thing.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countermand::{Job, JobInfo, Metrics, Observer, WorkerConfig};
use prometheus_client::metrics::counter::Counter;

use crate::idioms::together::together as both;
use crate::idioms::tokio_threads::Threads;
use crate::meter::Meter;
use crate::question::{At, Cases, Goal, Quantity, Question};

const ONE: &str = "one thread";
const TWO: &str = "two threads";
const OURS: &str = "Metrics, a hook";
const ADD: &str = "fetch_add";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "M1",
    title: "counting on the hot path",
    ops: 4_000_000,
    by: Quantity::Cpu,
    goals: &[Goal::within(ONE, OURS, ADD, 0.5), Goal::share(At(TWO, OURS), Quantity::Cpu, At(ONE, OURS), 1.1)],
    cases,
};

/// What there is to know of a job; it cannot be made up, so a worker is asked.
fn a_job() -> JobInfo {
    let threads = Threads::new(1);
    let worker = threads.worker(WorkerConfig::new());
    let _handle = worker.try_submit(Job::task(async {})).expect("there is room");
    worker.jobs().pop().expect("nobody has run it")
}

fn cases(_: u64, cases: &mut Cases) {
    let job = a_job();
    let metrics = Arc::new(Metrics::new());
    let add = Arc::new(AtomicU64::new(0));
    let prometheus = Counter::<u64>::default();
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let counter = metrics::with_local_recorder(&recorder, || metrics::counter!("jobs_total"));

    cases.group(ONE);
    let hook = (metrics.clone(), job.clone());
    cases.ours(OURS, alone(move || hook.0.submitted(&hook.1)));
    cases.peer(
        ADD,
        alone({
            let add = add.clone();
            move || {
                add.fetch_add(1, Ordering::Relaxed);
            }
        }),
    );
    cases.peer(
        "metrics, a counter",
        alone({
            let counter = counter.clone();
            move || counter.increment(1)
        }),
    );
    cases.peer(
        "prometheus-client, a counter",
        alone({
            let counter = prometheus.clone();
            move || {
                counter.inc();
            }
        }),
    );
    let cell = Cell::new(0_u64);
    cases.limit(
        "a cell of one's own",
        alone(move || {
            let cell = black_box(&cell);
            cell.set(cell.get() + 1);
        }),
    );

    cases.group(TWO);
    cases.ours(OURS, together(move || metrics.submitted(&job)));
    cases.peer(
        ADD,
        together(move || {
            add.fetch_add(1, Ordering::Relaxed);
        }),
    );
    cases.peer("metrics, a counter", together(move || counter.increment(1)));
    cases.peer(
        "prometheus-client, a counter",
        together(move || {
            prometheus.inc();
        }),
    );
}

fn alone(count: impl Fn() + 'static) -> impl FnMut(&mut Meter) {
    move |meter| {
        let times = meter.ops();
        meter.time(|| (0..times).for_each(|_| black_box(&count)()));
    }
}

fn together(count: impl Fn() + Sync + 'static) -> impl FnMut(&mut Meter) {
    move |meter| {
        let half = meter.ops() / 2;
        meter.time(|| both(|| (0..half).for_each(|_| black_box(&count)())));
    }
}
