//! M2: what it costs to add a duration to a distribution.
//!
//! The same durations, from a nanosecond to a second, go into our `Histogram`, and into those of `metrics` and prometheus-client with handles that were made before and
//! buckets as people choose them, powers of two. What the exporter of `metrics` gathers is taken in by its upkeep, untimed, as a thread of its own does. The limit is
//! an array of log-linear buckets, and nothing else: no sum, no least, no greatest. The note is ours for many threads.

use std::hint::black_box;

use countermand::{Histogram, SharedHistogram};
use prometheus_client::metrics::histogram::{Histogram as PrometheusHistogram, exponential_buckets};

use crate::meter::Meter;
use crate::question::{Cases, Goal, Quantity, Question};

const OURS: &str = "Histogram::record_nanos";
const LIMIT: &str = "a log-linear array";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "M2",
    title: "a sample into a histogram",
    ops: 1_000_000,
    by: Quantity::Cpu,
    goals: &[Goal::within("", OURS, LIMIT, 1.1)],
    cases,
};

fn cases(_: u64, cases: &mut Cases) {
    let mut histogram = Histogram::new();
    cases.ours(OURS, move |meter| record(meter, |nanos| black_box(&mut histogram).record_nanos(nanos)));
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let samples = metrics::with_local_recorder(&recorder, || metrics::histogram!("job_seconds"));
    cases.peer("metrics, a histogram", move |meter| {
        record(meter, |nanos| samples.record(nanos as f64 / 1e9));
        recorder.handle().run_upkeep();
    });
    let samples = PrometheusHistogram::new(exponential_buckets(1e-9, 2.0, 31));
    cases.peer("prometheus-client, a histogram", move |meter| {
        record(meter, |nanos| samples.observe(nanos as f64 / 1e9));
    });
    let mut counts = vec![0_u64; 1_024];
    cases.limit(LIMIT, move |meter| {
        record(meter, |nanos| {
            let power = nanos.max(16).ilog2();
            let bucket = (power as usize - 3) << 4 | (nanos >> (power - 4)) as usize & 15;
            if let Some(count) = black_box(&mut counts).get_mut(bucket) {
                *count += 1;
            }
        });
    });
    let shared = SharedHistogram::new();
    cases.note("SharedHistogram::record_nanos", move |meter| {
        record(meter, |nanos| black_box(&shared).record_nanos(nanos));
    });
}

/// Durations over nine orders of magnitude, always the same.
fn record(meter: &mut Meter, mut sample: impl FnMut(u64)) {
    let times = meter.ops();
    meter.time(|| {
        let mut state = 1_u64;
        for _ in 0..times {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            sample((state >> 34) >> (state >> 59));
        }
    });
}
