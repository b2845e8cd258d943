//! How a worker is set up, with every fault of a setting named.

use crate::sync::Arc;
use alloc::borrow::Cow;
use core::fmt;
use core::time::Duration;

use crate::config::FullPolicy;
use crate::config::relation::{self, Counts};
use crate::discipline::Discipline;
use crate::{Observer, Priority};

/// How a worker is set up. Start from [`WorkerConfig::new`], which is fit for production, and change what you need.
///
/// ```
/// use countermand_core::{FullPolicy, Priority, WorkerConfig};
/// let config = WorkerConfig::new().name("ingest").lanes(8).capacity(256).reserve(Priority::Critical, 16).full(FullPolicy::Reject);
/// assert!(config.check().is_ok());
/// assert!(config.lanes(0).check().unwrap_err().to_string().starts_with("lanes = 0"));
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct WorkerConfig {
    /// What the worker is called in listings and thread names. Default: `worker`.
    pub name: Cow<'static, str>,
    /// How many jobs are in flight at the most. Default: 64; at most 1,048,576.
    pub lanes: usize,
    /// How many tasks or threads of the host share the lanes; as many as lanes gives each job a task or thread of its own.
    /// Default: one for each processor, but not more than lanes.
    pub drivers: Option<usize>,
    /// How many jobs are queued at the most. Default: 1024.
    pub capacity: usize,
    /// Which priority is served next. Default: weighted 1, 2, 4, 8.
    pub discipline: Discipline,
    /// Places of the queue kept for the priority with this index and those above it. Default: none.
    pub reserved: [usize; Priority::COUNT],
    /// What a full queue does. Default: wait.
    pub full: FullPolicy,
    /// For jobs that state none: how long a job may run, from its first poll. Default: without limit.
    pub run_timeout: Option<Duration>,
    /// For jobs that state none: how long a job may be queued, from its submit. Default: without limit.
    pub queue_timeout: Option<Duration>,
    /// For jobs that state none: how long a running task goes on after a cancel request. Default: not at all.
    pub grace: Duration,
    /// How long an abort waits for calls that run. Default: 5 s.
    pub shutdown_limit: Duration,
    /// From when on a job that holds its driver without yielding is reported (L3). Default: 1 s. `None`: never.
    pub watchdog: Option<Duration>,
    /// Is told what happens. Default: nobody.
    pub observer: Option<Arc<dyn Observer>>,
}

/// The most lanes that a worker may have.
const MAX_LANES: usize = 1 << 20;

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            name: Cow::Borrowed("worker"),
            lanes: 64,
            drivers: None,
            capacity: 1024,
            discipline: Discipline::Weighted([1, 2, 4, 8]),
            reserved: [0; Priority::COUNT],
            full: FullPolicy::Wait,
            run_timeout: None,
            queue_timeout: None,
            grace: Duration::ZERO,
            shutdown_limit: Duration::from_secs(5),
            watchdog: Some(Duration::from_secs(1)),
            observer: None,
        }
    }
}

impl WorkerConfig {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`name`](Self::name).
    #[must_use]
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets [`lanes`](Self::lanes).
    #[must_use]
    pub fn lanes(mut self, lanes: usize) -> Self {
        self.lanes = lanes;
        self
    }

    /// Sets [`drivers`](Self::drivers).
    #[must_use]
    pub fn drivers(mut self, drivers: usize) -> Self {
        self.drivers = Some(drivers);
        self
    }

    /// Sets [`capacity`](Self::capacity).
    #[must_use]
    pub fn capacity(mut self, capacity: usize) -> Self {
        self.capacity = capacity;
        self
    }

    /// Sets [`discipline`](Self::discipline).
    #[must_use]
    pub fn discipline(mut self, discipline: Discipline) -> Self {
        self.discipline = discipline;
        self
    }

    /// Keeps `places` of the queue for `priority` and those above it (Q8). See [`reserved`](Self::reserved).
    #[must_use]
    pub fn reserve(mut self, priority: Priority, places: usize) -> Self {
        self.reserved[priority.index()] = places;
        self
    }

    /// Sets [`full`](Self::full).
    #[must_use]
    pub fn full(mut self, full: FullPolicy) -> Self {
        self.full = full;
        self
    }

    /// Sets [`run_timeout`](Self::run_timeout).
    #[must_use]
    pub fn run_timeout(mut self, limit: Duration) -> Self {
        self.run_timeout = Some(limit);
        self
    }

    /// Sets [`queue_timeout`](Self::queue_timeout).
    #[must_use]
    pub fn queue_timeout(mut self, limit: Duration) -> Self {
        self.queue_timeout = Some(limit);
        self
    }

    /// Sets [`grace`](Self::grace).
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets [`shutdown_limit`](Self::shutdown_limit).
    #[must_use]
    pub fn shutdown_limit(mut self, limit: Duration) -> Self {
        self.shutdown_limit = limit;
        self
    }

    /// Sets [`watchdog`](Self::watchdog).
    #[must_use]
    pub fn watchdog(mut self, limit: Option<Duration>) -> Self {
        self.watchdog = limit;
        self
    }

    /// Sets [`observer`](Self::observer).
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// How many drivers there will be: what was set, or the default for this machine.
    #[must_use]
    pub fn driver_count(&self) -> usize {
        self.drivers.unwrap_or_else(|| processors().min(self.lanes))
    }

    /// Looks at every setting.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every fault found, not only the first.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut faults = alloc::vec::Vec::new();
        let mut fault = |field, value: usize, why| faults.push(Fault { field, value, why });
        if self.lanes == 0 {
            fault("lanes", 0, "at least one job must be able to run");
        }
        if self.lanes > MAX_LANES {
            fault("lanes", self.lanes, "each lane takes memory from the start, and there are at most 1,048,576");
        }
        if self.drivers == Some(0) {
            fault("drivers", 0, "at least one driver must turn the lanes");
        }
        if self.capacity == 0 {
            fault("capacity", 0, "a queue without places accepts nothing");
        }
        let counts =
            Counts { lanes: self.lanes, drivers: self.drivers, capacity: self.capacity, reserved: self.reserved };
        relation::check(&counts, |wrong| fault(wrong.field(), wrong.value(), wrong.why()));
        if let Err(level) = self.discipline.check() {
            fault("discipline", level.index(), "the weight of the priority with this index is zero: it would starve");
        }
        if self.watchdog == Some(Duration::ZERO) {
            fault("watchdog", 0, "a limit of zero would report every job; use none to turn it off");
        }
        if faults.is_empty() { Ok(()) } else { Err(ConfigError { faults }) }
    }
}

fn processors() -> usize {
    #[cfg(feature = "std")]
    return std::thread::available_parallelism().map_or(1, core::num::NonZero::get);
    #[cfg(not(feature = "std"))]
    return 1;
}

impl fmt::Debug for WorkerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerConfig")
            .field("name", &self.name)
            .field("lanes", &self.lanes)
            .field("drivers", &self.drivers)
            .field("capacity", &self.capacity)
            .field("discipline", &self.discipline)
            .field("reserved", &self.reserved)
            .field("full", &self.full)
            .field("run_timeout", &self.run_timeout)
            .field("queue_timeout", &self.queue_timeout)
            .field("grace", &self.grace)
            .field("shutdown_limit", &self.shutdown_limit)
            .field("watchdog", &self.watchdog)
            .field("observer", &self.observer.is_some())
            .finish()
    }
}

/// One setting that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// The name of the setting.
    pub field: &'static str,
    /// The value it was given.
    pub value: usize,
    /// Why that cannot be.
    pub why: &'static str,
}

/// A [`WorkerConfig`] that cannot be, with all of its faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    faults: alloc::vec::Vec<Fault>,
}

impl ConfigError {
    /// Every fault, always in the same order.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Fault { field, value, why }) in self.faults.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{field} = {value}: {why}")?;
        }
        Ok(())
    }
}

impl core::error::Error for ConfigError {}
