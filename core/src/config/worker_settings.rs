//! The settings of a worker, as a file or a variable gives them.

use core::fmt::Display;
#[cfg(feature = "alloc")]
use core::time::Duration;

use crate::config::FullPolicy;
use crate::config::relation::{self, Counts, Wrong};
use crate::config::section::section;
use crate::config::words::words;
use crate::discipline::Discipline;

/// In which order the priorities of a queue are served: [`Discipline`] without its weights, which are settings of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// The most urgent first, but none starves.
    #[default]
    Weighted,
    /// The most urgent first, always.
    Strict,
}

words!(Order { Weighted = "weighted", Strict = "strict" });

section! {
    /// How a worker is set up: section `worker`.
    ///
    /// ```
    /// use countermand_core::config::WorkerSettings;
    /// let mut worker = WorkerSettings::default();
    /// worker.drivers = 65;
    /// let mut faults = Vec::new();
    /// worker.check(&mut |key, value, why| faults.push(format!("{key} = {value}: {why}")));
    /// assert_eq!(faults, ["drivers = 65: more drivers than lanes: some would never have a job"]);
    /// ```
    WorkerSettings / WorkerOverrides {
        /// How many jobs are in flight at the most. More let more jobs wait for each other's inputs and outputs at once; they do not make
        /// computing faster.
        lanes: u32 = 64, (1..=1_048_576), "jobs";
        /// How many tasks or threads of the host share the lanes. 0: one for each processor, but not more than lanes. As many as
        /// lanes: each job has one of its own.
        drivers: u32 = 0, (0..=1_048_576), "tasks or threads";
        /// How many jobs are queued at the most. When they are, `full` says what happens.
        capacity: u32 = 1024, (1..=16_777_216), "jobs";
        /// Which priority is served next: "weighted", none starves; "strict", the most urgent always goes first.
        discipline: Order = Order::Weighted, (one of Order);
        /// What LOW counts against the others under the weighted discipline.
        weight_low: u32 = 1, (1..=1_000_000), "shares";
        /// What NORMAL counts against the others under the weighted discipline.
        weight_normal: u32 = 2, (1..=1_000_000), "shares";
        /// What HIGH counts against the others under the weighted discipline.
        weight_high: u32 = 4, (1..=1_000_000), "shares";
        /// What CRITICAL counts against the others under the weighted discipline.
        weight_critical: u32 = 8, (1..=1_000_000), "shares";
        /// Places of the queue kept for LOW and all above it.
        reserve_low: u32 = 0, (0..=16_777_216), "jobs";
        /// Places of the queue kept for NORMAL and those above it.
        reserve_normal: u32 = 0, (0..=16_777_216), "jobs";
        /// Places of the queue kept for HIGH and CRITICAL.
        reserve_high: u32 = 0, (0..=16_777_216), "jobs";
        /// Places of the queue kept for CRITICAL alone.
        reserve_critical: u32 = 0, (0..=16_777_216), "jobs";
        /// What a full queue does with one more job: "wait", its submitter waits for a place; "reject", it comes back at once;
        /// "evict_lowest", the youngest job of the lowest priority makes room.
        full: FullPolicy = FullPolicy::Wait, (one of FullPolicy);
        /// How long a job may run, from its first poll, if it does not say so itself. 0: without limit.
        run_timeout_ms: u64 = 0, (0..=31_536_000_000), "ms";
        /// How long a job may be queued, if it does not say so itself. 0: without limit.
        queue_timeout_ms: u64 = 0, (0..=31_536_000_000), "ms";
        /// How long a running task goes on after it was asked to end, if it does not say so itself. 0: it is dropped at its next pause.
        grace_ms: u64 = 0, (0..=3_600_000), "ms";
        /// How long an abort waits for blocking calls that run.
        shutdown_limit_ms: u64 = 5_000, (0..=3_600_000), "ms";
        /// From when on a job that holds its driver without yielding is reported. 0: never.
        watchdog_ms: u64 = 1_000, (0..=3_600_000), "ms";
    }
}

impl WorkerSettings {
    /// The discipline with its weights.
    #[must_use]
    pub const fn discipline(&self) -> Discipline {
        match self.discipline {
            Order::Strict => Discipline::Strict,
            Order::Weighted => {
                Discipline::Weighted([self.weight_low, self.weight_normal, self.weight_high, self.weight_critical])
            }
        }
    }

    fn counts(&self) -> Counts {
        let reserved = [self.reserve_low, self.reserve_normal, self.reserve_high, self.reserve_critical];
        Counts {
            lanes: self.lanes as usize,
            drivers: (self.drivers > 0).then_some(self.drivers as usize),
            capacity: self.capacity as usize,
            reserved: reserved.map(|places| places as usize),
        }
    }

    fn check_relations(&self, report: &mut dyn FnMut(&'static str, &dyn Display, &dyn Display)) {
        relation::check(&self.counts(), |wrong| match wrong {
            Wrong::Drivers(_) => report("drivers", &wrong.value(), &wrong.why()),
            Wrong::Overflow | Wrong::Reserved(_) | Wrong::NothingLeft(_) => {
                let (key, value) = self.largest_reserve();
                report(key, &value, &wrong.why());
            }
        });
    }

    /// The reserve to name when all of them are too many.
    fn largest_reserve(&self) -> (&'static str, u32) {
        let most = self.reserve_low.max(self.reserve_normal).max(self.reserve_high).max(self.reserve_critical);
        let key = match most {
            _ if most == self.reserve_critical => "reserve_critical",
            _ if most == self.reserve_high => "reserve_high",
            _ if most == self.reserve_normal => "reserve_normal",
            _ => "reserve_low",
        };
        (key, most)
    }
}

/// A number of milliseconds of which zero means that there is no such limit.
#[cfg(feature = "alloc")]
const fn limit(millis: u64) -> Option<Duration> {
    if millis == 0 { None } else { Some(Duration::from_millis(millis)) }
}

#[cfg(feature = "alloc")]
impl From<&WorkerSettings> for crate::config::WorkerConfig {
    /// The worker that these settings describe; its name and observer are left at their defaults.
    fn from(settings: &WorkerSettings) -> Self {
        let Counts { lanes, drivers, capacity, reserved } = settings.counts();
        let mut config = Self::new();
        config.lanes = lanes;
        config.drivers = drivers;
        config.capacity = capacity;
        config.discipline = settings.discipline();
        config.reserved = reserved;
        config.full = settings.full;
        config.run_timeout = limit(settings.run_timeout_ms);
        config.queue_timeout = limit(settings.queue_timeout_ms);
        config.grace = Duration::from_millis(settings.grace_ms);
        config.shutdown_limit = Duration::from_millis(settings.shutdown_limit_ms);
        config.watchdog = limit(settings.watchdog_ms);
        config
    }
}
