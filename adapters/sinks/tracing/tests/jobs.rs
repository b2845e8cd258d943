//! The spans of jobs, in virtual time: one for each, closed, with what became of it; and what happens in a job is inside.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use countermand_core::{
    Cause, FullPolicy, Job, Label, Metrics, Payload, Priority, Shutdown, SubsystemId, WorkerConfig,
};
use countermand_sim::Sim;
use countermand_tracing::{JOBS, JobSpans, TelemetryLayer};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

type Texts = BTreeMap<String, String>;

#[derive(Clone, Debug, Default)]
struct Fields(Texts);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().into(), format!("{value:?}").trim_matches('"').to_owned());
    }
}

/// Writes down each span of a job when it is closed, and each event with the name of the job in whose span it is.
#[derive(Clone, Default)]
struct Watch(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    closed: Vec<Texts>,
    events: Vec<(Option<String>, Texts)>,
    follows: usize,
}

impl Watch {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().expect("not poisoned")
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Watch {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        context.span(id).expect("it is new").extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let span = context.span(id).expect("it is open");
        let mut extensions = span.extensions_mut();
        values.record(extensions.get_mut::<Fields>().expect("put there"));
    }

    fn on_follows_from(&self, _: &Id, _: &Id, _: Context<'_, S>) {
        self.seen().follows += 1;
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let job = context.event_span(event).filter(|span| span.metadata().target() == JOBS);
        let job = job.and_then(|span| span.extensions().get::<Fields>()?.0.get("name").cloned());
        self.seen().events.push((job, fields.0));
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).expect("it is closing");
        if span.metadata().target() == JOBS {
            let fields = span.extensions().get::<Fields>().expect("put there").0.clone();
            self.seen().closed.push(fields);
        }
    }
}

fn ends(watch: &Watch) -> BTreeMap<String, (String, String, String)> {
    let seen = watch.seen();
    let text = |span: &Texts, key: &str| span.get(key).cloned().unwrap_or_default();
    let end = |span: &Texts| (text(span, "outcome"), text(span, "cause"), text(span, "started"));
    seen.closed.iter().map(|span| (text(span, "name"), end(span))).collect()
}

fn end(outcome: &str, cause: &str, started: &str) -> (String, String, String) {
    (outcome.into(), cause.into(), started.into())
}

#[test]
fn each_job_is_one_span_with_its_end() {
    Sim::explore(0..30, |sim| {
        let watch = Watch::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(watch.clone()), || {
            let metrics = Arc::new(Metrics::new());
            let spans = JobSpans::new("mill").then(metrics.clone());
            let config = WorkerConfig::new().lanes(1).drivers(1).observer(Arc::new(spans.clone()));
            let worker = sim.start(config).unwrap();
            sim.block_on(async {
                let done = worker.submit(Job::task(async { 1 }).name("done").priority(Priority::High)).await.unwrap();
                let failed = worker.submit(Job::fallible(async { Err::<(), _>("no") }).name("failed")).await.unwrap();
                let panicked = worker.submit(Job::task(async { panic!("on purpose") }).name("panicked")).await.unwrap();
                drop((done.await, failed.await, panicked.await));
                let slow = Job::task(pending::<()>()).name("slow").run_timeout(Duration::from_millis(250));
                let slow = worker.submit(slow).await.unwrap();
                let queued = worker.submit(Job::task(pending::<()>()).name("queued")).await.unwrap();
                queued.cancel_with(Cause::REQUESTED.with_text("operator"));
                drop((queued.await, slow.await));
                let call = worker.submit(Job::call(|_| ()).name("call")).await.unwrap();
                drop(call.await);
                worker.shutdown(Shutdown::Drain).await;
            });
            let figures = metrics.snapshot();
            let settled: u64 = Priority::ALL.into_iter().map(|priority| figures.settled(priority)).sum();
            assert_eq!(settled, 6, "the observer behind is told too");
            assert!(format!("{spans:?}").contains("open: 0"));
        });
        let ends = ends(&watch);
        assert_eq!(ends.len(), 6);
        assert_eq!(ends["done"], end("completed", "", ""));
        assert_eq!(ends["failed"], end("failed", "", ""));
        assert_eq!(ends["panicked"], end("panicked", "", ""));
        assert_eq!(ends["slow"], end("timed_out", "deadline", "true"));
        assert_eq!(ends["queued"], end("cancelled", "requested: operator", "false"));
        assert_eq!(ends["call"], end("completed", "", ""));
        let seen = watch.seen();
        let span = |name: &str| seen.closed.iter().find(|span| span["name"] == name).unwrap();
        assert_eq!((&*span("slow")["running"], &*span("done")["priority"]), ("0.25", "HIGH"));
        assert_eq!((&*span("call")["kind"], &*span("done")["worker"]), ("call", "mill"));
        assert_eq!(seen.closed.len(), 6);
    });
}

#[test]
fn what_happens_in_a_job_is_in_its_span_which_follows_its_submitters() {
    let (sim, watch) = (Sim::new(7), Watch::default());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(watch.clone()), || {
        let spans = JobSpans::new("mill");
        let worker = sim.start(WorkerConfig::new().lanes(2).observer(Arc::new(spans.clone()))).unwrap();
        let request = tracing::info_span!("request");
        let (task, stranger) = request.in_scope(|| {
            let task = Job::task_with(spans.around(|cx| async move {
                tracing::info!(at = "first");
                cx.yield_now().await;
                tracing::info!(at = "second");
            }));
            (task.name("task"), Job::task(async { tracing::info!(at = "stranger") }).name("stranger"))
        });
        sim.block_on(async {
            worker.submit(task).await.unwrap().await;
            worker.submit(stranger).await.unwrap().await;
        });
    });
    let seen = watch.seen();
    let at: Vec<_> = seen.events.iter().map(|(job, fields)| (job.as_deref(), &*fields["at"])).collect();
    assert_eq!(at, [(Some("task"), "first"), (Some("task"), "second"), (None, "stranger")]);
    assert_eq!(seen.follows, 1);
}

#[test]
fn one_that_is_not_accepted_is_an_event() {
    let (sim, watch) = (Sim::new(7), Watch::default());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(watch.clone()), || {
        let config = WorkerConfig::new().lanes(1).capacity(1).full(FullPolicy::Reject);
        let worker = sim.start(config.observer(Arc::new(JobSpans::new("mill")))).unwrap();
        drop(worker.try_submit(Job::task(pending::<()>())).unwrap());
        drop(worker.try_submit(Job::task(pending::<()>()).priority(Priority::Low)).unwrap_err());
    });
    let seen = watch.seen();
    assert_eq!((&*seen.events[0].1["reason"], &*seen.events[0].1["priority"]), ("queue_full", "LOW"));
}

#[test]
fn the_layer_makes_packets_of_them() {
    let (sim, sent) = (Sim::new(7), Arc::new(Mutex::new(Vec::new())));
    let outgoing = {
        let sent = sent.clone();
        move |_: Label, payload: Payload| {
            let packet = countermand_wire::decode(payload.format(), payload.bytes(), &Default::default()).unwrap();
            sent.lock().unwrap().push(packet);
            true
        }
    };
    let layer = TelemetryLayer::new("mill".parse::<SubsystemId>().unwrap(), outgoing);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let config = WorkerConfig::new().lanes(1).observer(Arc::new(JobSpans::new("mill")));
        let worker = sim.start(config).unwrap();
        sim.block_on(async { worker.submit(Job::task(async {}).name("grind")).await.unwrap().await });
    });
    let sent = sent.lock().unwrap();
    let span = &sent[0].spans[0];
    assert_eq!((&*span.name, &*span.attributes["name"], &*span.attributes["outcome"]), ("job", "grind", "completed"));
}
