//! M4: what it adds to a job to have all of its telemetry on.
//!
//! The job is that of J1, on two threads; ours with everything on has counters and two distributions by priority, and tells the router of each end, which takes it into
//! bounded room and, with nobody at the outlet, sheds the oldest: that is the case of full load. By hand it is what people add to the job of J1: two counters and two
//! histograms of `metrics` with handles made before, two readings of the clock, and a struct of its own that goes into a bounded channel, full or not. The limit is our job with nothing on.

use std::sync::Arc;
use std::time::{Duration, Instant as Clock};

use countermand::{Instant, JobInfo, JobReports, Metrics, Observer, Payload, Reporter, Settled, Source};

use super::jobs::{by_hand, ours, settings};
use super::m3::router;
use crate::idioms::by_hand::OnTokio;
use crate::idioms::tokio_threads::Threads;
use crate::idioms::window::in_window;
use crate::idioms::work::{IN_FLIGHT, ready, sum_below};
use crate::meter::Meter;
use crate::question::{Cases, Goal, Quantity, Question};

const OURS: &str = "Worker::submit, all on";
const OFF: &str = "Worker::submit, nothing on";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "M4",
    title: "all telemetry of a job",
    ops: 40_000,
    by: Quantity::Cpu,
    goals: &[Goal::within("", OURS, OFF, 1.25)],
    cases,
};

fn cases(_: u64, cases: &mut Cases) {
    cases.ours(OURS, ours(2, settings().observer(Arc::new(All::new())), ready));
    cases.peer("by hand, metrics and a channel", instrumented());
    cases.peer("by hand, nothing on", by_hand(2, ready));
    cases.limit(OFF, ours(2, settings(), ready));
    cases.note("Worker::submit, figures only", ours(2, settings().observer(Arc::new(Metrics::new())), ready));
}

/// Counts, and tells.
pub(crate) struct All {
    metrics: Metrics,
    reports: JobReports<Reporter<Payload>>,
}

impl All {
    pub(crate) fn new() -> Self {
        let (router, _) = router();
        let reporter = router.reporter(Source::of("kasmina"), 1, || Instant::ORIGIN);
        Self { metrics: Metrics::new(), reports: JobReports::new("kasmina", reporter).expect("it has a name") }
    }
}

impl Observer for All {
    fn submitted(&self, job: &JobInfo) {
        self.metrics.submitted(job);
    }

    fn started(&self, job: &JobInfo) {
        self.metrics.started(job);
    }

    fn settled(&self, job: &JobInfo, settled: &Settled) {
        self.metrics.settled(job, settled);
        self.reports.settled(job, settled);
    }
}

/// What a job is counted by.
#[derive(Clone)]
struct Figures {
    submitted: metrics::Counter,
    completed: metrics::Counter,
    queued: metrics::Histogram,
    running: metrics::Histogram,
    events: flume::Sender<(u64, Duration, Duration)>,
}

impl Figures {
    async fn observed(self, submitted: Clock, number: u64) -> u64 {
        let started = Clock::now();
        let value = ready(number).await;
        let (queued, running) = (started - submitted, started.elapsed());
        self.queued.record(queued.as_secs_f64());
        self.running.record(running.as_secs_f64());
        self.completed.increment(1);
        // A full channel loses the newest, as people have it.
        let _ = self.events.try_send((number, queued, running));
        value
    }
}

fn instrumented() -> impl FnMut(&mut Meter) {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let (events, receiver) = flume::bounded(16_384);
    let figures = metrics::with_local_recorder(&recorder, || Figures {
        submitted: metrics::counter!("jobs_submitted_total"),
        completed: metrics::counter!("jobs_completed_total"),
        queued: metrics::histogram!("job_queued_seconds"),
        running: metrics::histogram!("job_running_seconds"),
        events,
    });
    let threads = Threads::new(2);
    let hand = OnTokio::new(IN_FLIGHT);
    move |meter| {
        let (jobs, hand, figures) = (meter.ops(), hand.clone(), figures.clone());
        let submit = move |number| {
            figures.submitted.increment(1);
            hand.submit(figures.clone().observed(Clock::now(), number))
        };
        let done = |done: Result<Option<u64>, _>| -> u64 { done.ok().flatten().expect("nobody cancels it") };
        let batch = in_window(jobs, IN_FLIGHT, submit, done);
        assert_eq!(meter.time(|| threads.run(batch)), sum_below(jobs));
        recorder.handle().run_upkeep();
        receiver.drain().for_each(drop);
    }
}
