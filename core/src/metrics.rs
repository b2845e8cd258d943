//! Ready-made figures about the jobs of one worker or of several: counters and distributions, by priority.

use alloc::boxed::Box;
use core::fmt;
use core::time::Duration;

use crate::histogram::{Histogram, SharedHistogram};
use crate::observer::{JobInfo, Observer, Settled};
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::{Class, Phase, Priority, RejectReason};

/// Counts what happens to jobs, and how long they wait and run, for whoever asks now and then.
///
/// Give the same one to several workers, and it adds them up.
///
/// | name | unit | kind | by |
/// | --- | --- | --- | --- |
/// | `countermand.jobs.submitted` | `{job}` | counter | priority |
/// | `countermand.jobs.started` | `{job}` | counter | priority |
/// | `countermand.jobs.settled` | `{job}` | counter | priority, outcome |
/// | `countermand.jobs.rejected` | `{job}` | counter | priority, reason |
/// | `countermand.jobs.evicted` | `{job}` | counter | priority |
/// | `countermand.jobs.late` | `{job}` | counter | priority |
/// | `countermand.jobs.stalled` | `{job}` | counter | priority |
/// | `countermand.jobs.polls` | `{poll}` | counter | priority |
/// | `countermand.jobs.unsettled` | `{job}` | gauge | priority |
/// | `countermand.job.queued` | `s` | histogram | priority |
/// | `countermand.job.running` | `s` | histogram | priority |
///
/// An outcome is one of `completed`, `failed`, `cancelled`, `timed_out`, `panicked`, `abandoned`; a reason is a
/// [`RejectReason::name`]; a priority is a [`Priority::name`]. A job that never started is not in `countermand.job.running`.
///
/// ```
/// use countermand_core::{Metrics, Priority};
/// let metrics = Metrics::new();
/// // `WorkerConfig::observer` takes it; later, and as often as you like:
/// let figures = metrics.snapshot();
/// assert_eq!(figures.submitted(Priority::High), 0);
/// for sample in figures.samples() {
///     println!("{} {:?} {:?} {}", sample.name, sample.priority, sample.attribute, sample.value);
/// }
/// ```
///
/// # Implementation notes
///
/// Eight histograms make 62 kB, on the heap. Each hook adds to a few counters of the job's priority and takes no lock, so the
/// figures of a snapshot are not of one instant; but a job is always counted as submitted before it is counted as settled.
pub struct Metrics {
    levels: Box<[Level]>,
}

/// The figures of one priority.
#[derive(Default)]
struct Level {
    submitted: AtomicU64,
    started: AtomicU64,
    settled: [AtomicU64; OUTCOMES.len()],
    rejected: [AtomicU64; REASONS.len()],
    evicted: AtomicU64,
    late: AtomicU64,
    stalled: AtomicU64,
    polls: AtomicU64,
    queued: SharedHistogram,
    running: SharedHistogram,
}

/// Names of outcomes, in the order in which they are counted.
const OUTCOMES: [&str; 6] = ["completed", "failed", "cancelled", "timed_out", "panicked", "abandoned"];

/// Reasons, in the order in which they are counted.
const REASONS: [RejectReason; 4] =
    [RejectReason::Full, RejectReason::Closed, RejectReason::NoThreads, RejectReason::WouldDeadlock];

impl Metrics {
    /// Nothing counted.
    #[must_use]
    pub fn new() -> Self {
        Self { levels: Priority::ALL.iter().map(|_| Level::default()).collect() }
    }

    /// The figures as they are now.
    #[must_use]
    pub fn snapshot(&self) -> MetricsSnapshot {
        MetricsSnapshot { levels: self.levels.iter().map(Level::figures).collect() }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for Metrics {
    fn submitted(&self, job: &JobInfo) {
        add(&self.levels[job.priority.index()].submitted, 1);
    }

    fn started(&self, job: &JobInfo) {
        add(&self.levels[job.priority.index()].started, 1);
    }

    fn settled(&self, job: &JobInfo, settled: &Settled) {
        let level = &self.levels[job.priority.index()];
        level.queued.record(settled.queued);
        if has_started(settled) {
            level.running.record(settled.running);
        }
        if settled.late {
            add(&level.late, 1);
        }
        add(&level.polls, settled.polls);
        // Publishes that it was submitted; see the snapshot.
        level.settled[outcome_of(settled.class)].fetch_add(1, Ordering::Release);
    }

    fn rejected(&self, reason: RejectReason, priority: Priority) {
        if let Some(position) = REASONS.iter().position(|other| *other == reason) {
            add(&self.levels[priority.index()].rejected[position], 1);
        }
    }

    fn evicted(&self, job: &JobInfo) {
        add(&self.levels[job.priority.index()].evicted, 1);
    }

    fn stalled(&self, job: &JobInfo, _held: Duration) {
        add(&self.levels[job.priority.index()].stalled, 1);
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.snapshot().fmt(f)
    }
}

impl Level {
    fn figures(&self) -> Figures {
        // What settled is read first: each of those had been accepted.
        let settled = core::array::from_fn(|outcome| self.settled[outcome].load(Ordering::Acquire));
        Figures {
            settled,
            rejected: core::array::from_fn(|reason| read(&self.rejected[reason])),
            // The hook of a job that has started, and settled, at once may still be on its way.
            submitted: read(&self.submitted).max(settled.iter().sum()),
            started: read(&self.started),
            evicted: read(&self.evicted),
            late: read(&self.late),
            stalled: read(&self.stalled),
            polls: read(&self.polls),
            queued: self.queued.snapshot(),
            running: self.running.snapshot(),
        }
    }
}

/// The figures of [`Metrics`] at one time.
#[derive(Clone)]
pub struct MetricsSnapshot {
    levels: Box<[Figures]>,
}

#[derive(Clone)]
struct Figures {
    submitted: u64,
    started: u64,
    settled: [u64; OUTCOMES.len()],
    rejected: [u64; REASONS.len()],
    evicted: u64,
    late: u64,
    stalled: u64,
    polls: u64,
    queued: Histogram,
    running: Histogram,
}

/// One figure, with the name and the attributes that the table at [`Metrics`] gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sample {
    /// Such as `countermand.jobs.settled`.
    pub name: &'static str,
    /// Of the jobs that were counted.
    pub priority: Priority,
    /// Such as `outcome` and `completed`.
    pub attribute: Option<(&'static str, &'static str)>,
    /// How many.
    pub value: u64,
}

impl MetricsSnapshot {
    /// Jobs accepted.
    #[must_use]
    pub fn submitted(&self, priority: Priority) -> u64 {
        self.levels[priority.index()].submitted
    }

    /// Jobs polled or called at least once.
    #[must_use]
    pub fn started(&self, priority: Priority) -> u64 {
        self.levels[priority.index()].started
    }

    /// Jobs that ended, in any way.
    #[must_use]
    pub fn settled(&self, priority: Priority) -> u64 {
        self.levels[priority.index()].settled.iter().sum()
    }

    /// Jobs that ended like this. What a class says beyond the outcome (cause, phase) does not matter.
    #[must_use]
    pub fn settled_as(&self, class: Class, priority: Priority) -> u64 {
        self.levels[priority.index()].settled[outcome_of(class)]
    }

    /// Jobs accepted that have not ended.
    #[must_use]
    pub fn unsettled(&self, priority: Priority) -> u64 {
        self.submitted(priority).saturating_sub(self.settled(priority))
    }

    /// Jobs that came back to their submitters, for any reason.
    #[must_use]
    pub fn rejected(&self, priority: Priority) -> u64 {
        self.levels[priority.index()].rejected.iter().sum()
    }

    /// How long jobs were in the queue.
    #[must_use]
    pub fn queued(&self, priority: Priority) -> &Histogram {
        &self.levels[priority.index()].queued
    }

    /// How long started jobs ran.
    #[must_use]
    pub fn running(&self, priority: Priority) -> &Histogram {
        &self.levels[priority.index()].running
    }

    /// All counters and gauges, for an exporter: always the same ones in the same order.
    pub fn samples(&self) -> impl Iterator<Item = Sample> {
        Priority::ALL.into_iter().zip(&self.levels).flat_map(|(priority, level)| {
            let sample = move |name, attribute, value| Sample { name, priority, attribute, value };
            let plain = [
                ("countermand.jobs.submitted", level.submitted),
                ("countermand.jobs.started", level.started),
                ("countermand.jobs.evicted", level.evicted),
                ("countermand.jobs.late", level.late),
                ("countermand.jobs.stalled", level.stalled),
                ("countermand.jobs.polls", level.polls),
                ("countermand.jobs.unsettled", self.unsettled(priority)),
            ];
            let plain = plain.into_iter().map(move |(name, value)| sample(name, None, value));
            let settled = OUTCOMES
                .iter()
                .zip(level.settled)
                .map(move |(outcome, value)| sample("countermand.jobs.settled", Some(("outcome", *outcome)), value));
            let rejected = REASONS.iter().zip(level.rejected).map(move |(reason, value)| {
                sample("countermand.jobs.rejected", Some(("reason", reason.name())), value)
            });
            plain.chain(settled).chain(rejected)
        })
    }

    /// All histograms, for an exporter: name, priority, distribution of durations.
    pub fn histograms(&self) -> impl Iterator<Item = (&'static str, Priority, &Histogram)> {
        Priority::ALL.into_iter().zip(&self.levels).flat_map(|(priority, level)| {
            [("countermand.job.queued", priority, &level.queued), ("countermand.job.running", priority, &level.running)]
        })
    }
}

impl fmt::Debug for MetricsSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut figures = f.debug_map();
        for sample in self.samples().filter(|sample| sample.value > 0) {
            figures.entry(&(sample.name, sample.priority, sample.attribute), &sample.value);
        }
        for (name, priority, histogram) in self.histograms().filter(|(_, _, histogram)| histogram.count() > 0) {
            figures.entry(&(name, priority), histogram);
        }
        figures.finish()
    }
}

fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// The position in [`OUTCOMES`].
const fn outcome_of(class: Class) -> usize {
    match class {
        Class::Completed => 0,
        Class::Failed => 1,
        Class::Cancelled { .. } => 2,
        Class::TimedOut(_) => 3,
        Class::Panicked => 4,
        Class::Abandoned => 5,
    }
}

fn has_started(settled: &Settled) -> bool {
    match settled.class {
        Class::Completed | Class::Failed | Class::Abandoned => true,
        Class::Cancelled { started, .. } => started,
        Class::TimedOut(phase) => phase == Phase::Running,
        // Also a job that was never polled can panic, when it is dropped.
        Class::Panicked => settled.polls > 0 || settled.running > Duration::ZERO,
    }
}
