//! What a case is given: how much to do, and a watch for the part of it that counts.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::allocator::{self, Tally};

/// How much a case is to do, and what it took.
///
/// A case does `ops` operations, as one piece or in several, each within [`time`](Meter::time). What it does outside is not
/// counted: setting up, taking down, making room.
#[derive(Debug)]
pub struct Meter {
    ops: u64,
    counts: bool,
    /// Whether no clock is read.
    blind: bool,
    cpu: Duration,
    wall: Duration,
    tally: Tally,
}

impl Meter {
    /// For so many operations, by the clock.
    #[must_use]
    pub fn timing(ops: u64) -> Self {
        Self { ops, counts: false, blind: false, cpu: Duration::ZERO, wall: Duration::ZERO, tally: Tally::default() }
    }

    /// For so many operations, whose allocations are counted. The times then mean nothing.
    #[must_use]
    pub fn counting(ops: u64) -> Self {
        Self { counts: true, ..Self::timing(ops) }
    }

    /// For so many operations, with nothing measured here: somebody else counts, and the clocks of the process may not be there.
    #[must_use]
    pub(crate) fn blind(ops: u64) -> Self {
        Self { blind: true, ..Self::timing(ops) }
    }

    /// How many operations to do.
    #[must_use]
    pub fn ops(&self) -> u64 {
        self.ops
    }

    /// Runs what counts.
    pub fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        if self.blind {
            return work();
        }
        if self.counts {
            let (value, tally) = allocator::count(work);
            self.tally.allocations += tally.allocations;
            self.tally.bytes += tally.bytes;
            self.tally.peak = self.tally.peak.max(tally.peak);
            self.tally.left += tally.left;
            return value;
        }
        let (wall, cpu) = (Instant::now(), cpu_time());
        let value = work();
        self.cpu += cpu_time() - cpu;
        self.wall += wall.elapsed();
        value
    }

    /// Runs what does `times` times as much as was asked for: too little of it to be seen by a clock. What it took is divided.
    pub fn time_many<T>(&mut self, times: u64, work: impl FnOnce() -> T) -> T {
        let mut all = Self { counts: self.counts, blind: self.blind, ..Self::timing(self.ops) };
        let value = all.time(work);
        let part = |whole: Duration| Duration::from_secs_f64(whole.as_secs_f64() / times as f64);
        self.report(part(all.cpu), part(all.wall));
        self.tally.allocations += all.tally.allocations / times;
        self.tally.bytes += all.tally.bytes / times;
        self.tally.peak = self.tally.peak.max(all.tally.peak / times as i64);
        self.tally.left += all.tally.left / times as i64;
        value
    }

    /// Says what it took where somebody else's clock measured it.
    pub fn report(&mut self, cpu: Duration, wall: Duration) {
        self.cpu += cpu;
        self.wall += wall;
    }

    /// Nanoseconds of all processors for one operation.
    #[must_use]
    pub fn cpu_nanos(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e9 / self.ops as f64
    }

    /// Nanoseconds by the clock for one operation.
    #[must_use]
    pub fn wall_nanos(&self) -> f64 {
        self.wall.as_secs_f64() * 1e9 / self.ops as f64
    }

    /// The whole time by the clock.
    #[must_use]
    pub fn wall(&self) -> Duration {
        self.wall
    }

    /// What was counted.
    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }
}

/// What all threads of this process have used.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
