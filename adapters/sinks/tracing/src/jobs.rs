//! The jobs of a worker as spans.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countermand_core::{
    CallContext, Class, JobContext, JobId, JobInfo, Kind, Observer, Phase, Priority, RejectReason, Settled,
};
use tracing::Span;
use tracing::field::Empty;
use tracing::instrument::{Instrument as _, Instrumented};

/// The target of the spans of jobs, and of what is told of them.
pub const JOBS: &str = "countermand::job";

/// Shows each job of a worker as a span `job` of `tracing`, of the target [`JOBS`], with its outcome and cause.
///
/// | field | |
/// | --- | --- |
/// | `worker`, `name`, `id`, `priority`, `kind` | which job it is: `kind` is `task` or `call` |
/// | `outcome` | `completed`, `failed`, `cancelled`, `timed_out`, `panicked` or `abandoned` |
/// | `cause`, `started` | of one that was cancelled, or whose time was out: why, and whether it had been started |
/// | `queued`, `running`, `polls` | how long, in seconds, and how often |
/// | `late` | whether it returned a value after its time was out |
///
/// The span is opened when the job leaves the queue, and closed when it settles; of a job that never starts it is opened and closed when
/// that settles. A job that holds its driver is a WARN inside of its span; one that is not accepted is a DEBUG, which has no span.
///
/// It is an [`Observer`]: give a clone to `WorkerConfig::observer`, one for each worker, for jobs are known by their numbers. What happens
/// *in* a job is in its span if its closure is made by [`around`](Self::around) or [`around_call`](Self::around_call).
///
/// ```
/// use std::sync::Arc;
///
/// use countermand_core::{Job, Metrics, WorkerConfig};
/// use countermand_sim::Sim;
/// use countermand_tracing::JobSpans;
///
/// let spans = JobSpans::new("ingest").then(Arc::new(Metrics::new()));
/// let sim = Sim::new(1);
/// let worker = sim.start(WorkerConfig::new().name("ingest").observer(Arc::new(spans.clone())))?;
/// let job = Job::task_with(spans.around(|cx| async move {
///     tracing::info!("in the span of job {}", cx.id());
/// }));
/// sim.block_on(async { worker.submit(job.name("greeting")).await?.await; Ok::<_, Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Implementation notes
///
/// A span is not opened when a job is submitted, though that would show its time in the queue: a submitter tells of a job after it is in the queue,
/// and then the job may be over. So its time in the queue is a field, and the span of its submitter is what it follows from.
#[derive(Clone)]
pub struct JobSpans {
    worker: Arc<str>,
    /// Of the jobs that run. Others' code is never called under its lock.
    open: Arc<Mutex<HashMap<JobId, Span>>>,
    next: Option<Arc<dyn Observer>>,
}

impl JobSpans {
    /// Shows the jobs of one worker, under this name of it.
    #[must_use]
    pub fn new(worker: impl Into<Arc<str>>) -> Self {
        Self { worker: worker.into(), open: Arc::default(), next: None }
    }

    /// Tells all that it is told to another observer too, after itself.
    #[must_use]
    pub fn then(mut self, next: Arc<dyn Observer>) -> Self {
        self.next = Some(next);
        self
    }

    /// Makes the closure of a task run in the span of its job, which follows from the span that is current here. The span is entered for
    /// each poll, and when the task is dropped.
    ///
    /// For `Job::task_with` and `Job::fallible_with`, and jobs of the worker that these spans are of: others run in no span.
    pub fn around<C, F>(&self, make: C) -> impl FnOnce(JobContext) -> Instrumented<F> + Send + 'static + use<C, F>
    where
        C: FnOnce(JobContext) -> F + Send + 'static,
        F: Future + 'static,
    {
        let (spans, from) = (self.clone(), Span::current());
        move |context| {
            let span = spans.span_of(context.id(), &from);
            let task = span.in_scope(|| make(context));
            task.instrument(span)
        }
    }

    /// [`around`](Self::around) for the closure of a call: for `Job::call` and `Job::fallible_call`.
    pub fn around_call<C, T>(&self, closure: C) -> impl FnOnce(&CallContext) -> T + Send + 'static + use<C, T>
    where
        C: FnOnce(&CallContext) -> T + Send + 'static,
        T: 'static,
    {
        let (spans, from) = (self.clone(), Span::current());
        move |context| spans.span_of(context.id(), &from).in_scope(|| closure(context))
    }

    fn span_of(&self, job: JobId, from: &Span) -> Span {
        let span = self.with(|open| open.get(&job).cloned()).unwrap_or_else(Span::none);
        span.follows_from(from);
        span
    }

    fn open(&self, job: &JobInfo) -> Span {
        tracing::info_span!(
            target: JOBS,
            parent: None,
            "job",
            worker = &*self.worker,
            name = &*job.name,
            id = job.id.get(),
            priority = job.priority.name(),
            kind = match job.kind {
                Kind::Task => "task",
                Kind::Call => "call",
            },
            outcome = Empty,
            cause = Empty,
            started = Empty,
            queued = Empty,
            running = Empty,
            polls = Empty,
            late = Empty,
        )
    }

    fn with<T>(&self, look: impl FnOnce(&mut HashMap<JobId, Span>) -> T) -> T {
        look(&mut self.open.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes down how a job ended.
fn record(span: &Span, settled: &Settled) {
    let outcome = match settled.class {
        Class::Completed => "completed",
        Class::Failed => "failed",
        Class::Cancelled { cause, started } => {
            span.record("cause", tracing::field::display(cause)).record("started", started);
            "cancelled"
        }
        Class::TimedOut(phase) => {
            span.record("cause", "deadline").record("started", phase == Phase::Running);
            "timed_out"
        }
        Class::Panicked => "panicked",
        Class::Abandoned => "abandoned",
    };
    span.record("outcome", outcome)
        .record("queued", settled.queued.as_secs_f64())
        .record("running", settled.running.as_secs_f64())
        .record("polls", settled.polls)
        .record("late", settled.late);
}

impl Observer for JobSpans {
    fn submitted(&self, job: &JobInfo) {
        if let Some(next) = &self.next {
            next.submitted(job);
        }
    }

    fn started(&self, job: &JobInfo) {
        let span = self.open(job);
        if !span.is_disabled() {
            self.with(|open| open.insert(job.id, span));
        }
        if let Some(next) = &self.next {
            next.started(job);
        }
    }

    fn settled(&self, job: &JobInfo, settled: &Settled) {
        let span = self.with(|open| open.remove(&job.id));
        let span = span.unwrap_or_else(|| self.open(job));
        record(&span, settled);
        drop(span);
        if let Some(next) = &self.next {
            next.settled(job, settled);
        }
    }

    fn rejected(&self, reason: RejectReason, priority: Priority) {
        let (worker, priority_name) = (&*self.worker, priority.name());
        tracing::debug!(target: JOBS, worker, priority = priority_name, reason = reason.name(), "a job was not accepted");
        if let Some(next) = &self.next {
            next.rejected(reason, priority);
        }
    }

    fn evicted(&self, job: &JobInfo) {
        if let Some(next) = &self.next {
            next.evicted(job);
        }
    }

    fn stalled(&self, job: &JobInfo, held: Duration) {
        let span = self.with(|open| open.get(&job.id).cloned()).unwrap_or_else(Span::none);
        let (worker, name) = (&*self.worker, &*job.name);
        tracing::warn!(target: JOBS, parent: &span, worker, name, held = held.as_secs_f64(), "a job holds its driver");
        drop(span);
        if let Some(next) = &self.next {
            next.stalled(job, held);
        }
    }
}

impl fmt::Debug for JobSpans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.with(|open| open.len());
        f.debug_struct("JobSpans").field("worker", &self.worker).field("open", &open).finish_non_exhaustive()
    }
}
