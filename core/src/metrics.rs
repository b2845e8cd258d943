//! Ready-made figures about the jobs of one worker or of several: counters and distributions, by priority.

mod page;

use alloc::boxed::Box;
use core::fmt;
use core::time::Duration;

use crate::histogram::Histogram;
use crate::observer::{JobInfo, Observer, Settled};
#[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle))))]
use crate::roster;
#[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle))))]
use crate::sync::Once;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::{Class, Phase, Priority, RejectReason};

#[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle))))]
use page::Alone;
use page::{Count, Page, Spread, Together};

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
/// Each thread counts on a page of its own, which nobody else writes: a load and a store, and no waiting for another's line of the cache. The figures are added up
/// when somebody asks. A page is a kilobyte, and 16 kB more for each priority of jobs that ended on its thread. At the most 64 threads that
/// live have one; the others count together, by atomic additions, as all do without `std`. So the figures of a snapshot are not of one instant; but a job is
/// always counted as submitted before it is counted as settled.
pub struct Metrics {
    /// Of those threads that have no page of their own.
    common: Box<Page>,
    #[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle))))]
    own: Box<[Once<Box<Page>>]>,
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
        Self {
            common: Box::default(),
            #[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle))))]
            own: (0..roster::MOST).map(|_| Once::new()).collect(),
        }
    }

    /// The figures as they are now.
    #[must_use]
    pub fn snapshot(&self) -> MetricsSnapshot {
        MetricsSnapshot { levels: Priority::ALL.iter().map(|priority| self.figures(*priority)).collect() }
    }

    /// Counts by `f`, which is given the page to count on.
    #[inline]
    fn count(&self, f: impl Counting) {
        #[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle))))]
        if let Some(page) = roster::number().and_then(|number| self.own.get(number)) {
            return f.on::<Alone>(page.get_or_init(Box::default));
        }
        f.on::<Together>(&self.common);
    }

    fn pages(&self) -> impl Iterator<Item = &Page> {
        let common = core::iter::once(&*self.common);
        #[cfg(all(feature = "std", not(any(countermand_loom, countermand_shuttle))))]
        return common.chain(self.own.iter().filter_map(|page| page.get().map(|page| &**page)));
        #[cfg(not(all(feature = "std", not(any(countermand_loom, countermand_shuttle)))))]
        common
    }

    fn figures(&self, priority: Priority) -> Figures {
        let mut figures = Figures::new();
        // What settled is read first, on all pages: each of those had been accepted.
        for counters in self.pages().map(|page| page.counters(priority)) {
            for (sum, settled) in figures.settled.iter_mut().zip(&counters.settled) {
                *sum += settled.load(Ordering::Acquire);
            }
        }
        for page in self.pages() {
            figures.add(page, priority);
        }
        // The hook of a job that has started, and settled, at once may still be on its way.
        figures.submitted = figures.submitted.max(figures.settled.iter().sum());
        figures
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// Something to be counted.
trait Counting {
    /// Counts it on this page.
    fn on<C: Count>(self, page: &Page);
}

/// So many more of what is counted here.
struct More<F: FnOnce(&Page) -> &AtomicU64>(u64, F);

impl<F: FnOnce(&Page) -> &AtomicU64> Counting for More<F> {
    #[inline]
    fn on<C: Count>(self, page: &Page) {
        C::add(self.1(page), self.0, Ordering::Relaxed);
    }
}

/// A job that has ended.
struct End<'a>(Priority, &'a Settled);

impl Counting for End<'_> {
    #[inline]
    fn on<C: Count>(self, page: &Page) {
        let Self(priority, settled) = self;
        let (counters, spread) = (page.counters(priority), page.spread(priority));
        C::record(&spread.queued, settled.queued);
        if has_started(settled) {
            C::record(&spread.running, settled.running);
        }
        if settled.late {
            C::add(&counters.late, 1, Ordering::Relaxed);
        }
        C::add(&counters.polls, settled.polls, Ordering::Relaxed);
        // Publishes that it was submitted; see the snapshot.
        C::add(&counters.settled[outcome_of(settled.class)], 1, Ordering::Release);
    }
}

impl Observer for Metrics {
    #[inline]
    fn submitted(&self, job: &JobInfo) {
        self.count(More(1, |page| &page.counters(job.priority).submitted));
    }

    #[inline]
    fn started(&self, job: &JobInfo) {
        self.count(More(1, |page| &page.counters(job.priority).started));
    }

    fn settled(&self, job: &JobInfo, settled: &Settled) {
        self.count(End(job.priority, settled));
    }

    fn rejected(&self, reason: RejectReason, priority: Priority) {
        if let Some(position) = REASONS.iter().position(|other| *other == reason) {
            self.count(More(1, |page| &page.counters(priority).rejected[position]));
        }
    }

    fn evicted(&self, job: &JobInfo) {
        self.count(More(1, |page| &page.counters(job.priority).evicted));
    }

    fn stalled(&self, job: &JobInfo, _held: Duration) {
        self.count(More(1, |page| &page.counters(job.priority).stalled));
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.snapshot().fmt(f)
    }
}

impl Figures {
    const fn new() -> Self {
        Self {
            submitted: 0,
            started: 0,
            settled: [0; OUTCOMES.len()],
            rejected: [0; REASONS.len()],
            evicted: 0,
            late: 0,
            stalled: 0,
            polls: 0,
            queued: Histogram::new(),
            running: Histogram::new(),
        }
    }

    /// Adds what a page says of a priority, but for what has settled.
    fn add(&mut self, page: &Page, priority: Priority) {
        let counters = page.counters(priority);
        let sums = [
            &mut self.submitted,
            &mut self.started,
            &mut self.evicted,
            &mut self.late,
            &mut self.stalled,
            &mut self.polls,
        ];
        let of = [
            &counters.submitted,
            &counters.started,
            &counters.evicted,
            &counters.late,
            &counters.stalled,
            &counters.polls,
        ];
        let rejected = self.rejected.iter_mut().zip(&counters.rejected);
        for (sum, counter) in sums.into_iter().zip(of).chain(rejected) {
            *sum += counter.load(Ordering::Relaxed);
        }
        if let Some(Spread { queued, running }) = page.recorded(priority) {
            self.queued.merge(&queued.snapshot());
            self.running.merge(&running.snapshot());
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
