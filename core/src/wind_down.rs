//! Drives the shutdown of a worker, step by step, for its keeper.
//!
//! The limit of an abort bounds the wait for what nobody can stop: calls, which are left to themselves then, and tasks in a
//! driver that is held up in one poll. A task that a driver can still drop is waited for: it goes at its next turn, or when its
//! grace or its shielded section ends. Held up is a driver that is in the same poll at two looks, [`BETWEEN_LOOKS`] apart at the
//! least: of a poll that is merely in progress when the limit passes, the end is waited for.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use crate::books::Counts;
use crate::ending::Mode;
use crate::observer::JobInfo;
use crate::shared::Shared;
use crate::sync::atomic::Ordering;
use crate::{Cause, Instant};

/// How far apart two looks are at a driver that seems to be held up.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// See the head of the file.
pub(crate) struct WindDown {
    /// Whether it has seen that an abort was asked for.
    aborts: bool,
    /// For each driver, the number of the poll it was in at the last look.
    polls: Box<[u64]>,
    /// When the next look may be taken: before that, one poll at both would say nothing.
    next_look: Option<Instant>,
    /// Whether the limit has passed, and the next look is what is waited for.
    looks: bool,
    /// The calls that were left to themselves.
    survivors: Vec<JobInfo>,
}

impl WindDown {
    pub(crate) fn new(shared: &Shared) -> Self {
        let polls = shared.drivers.iter().map(|_| 0).collect();
        Self { aborts: false, polls, next_look: None, looks: false, survivors: Vec::new() }
    }

    /// Does one thing, if there is one to do: at most one job is dropped and settled. False if there is none.
    pub(crate) fn step(&mut self, shared: &Shared, now: Instant) -> bool {
        match shared.ending.mode() {
            Mode::Open | Mode::Over => false,
            Mode::Drain { .. } | Mode::Abort { .. } if shared.books.unfinished() == 0 => {
                self.finish(shared, shared.books.counts(), Vec::new());
                true
            }
            Mode::Drain { until } => {
                if tell_insiders(shared) {
                    return true;
                }
                let over = until.is_some_and(|until| until.is_due(now)) && !mutant!(DrainLimitIsIgnored);
                if over {
                    // S4
                    shared.ending.ask(Mode::Abort { until: now.checked_add(shared.config.shutdown_limit) });
                }
                over
            }
            Mode::Abort { .. } if !self.aborts => {
                self.begin(shared, now);
                true
            }
            Mode::Abort { until } => {
                if let Some(runner) = shared.attend_to(shared.queue.pop_any()) {
                    shared.settle_unstarted(runner, Cause::SHUTDOWN, now);
                    return true;
                }
                // A call, or a task in its grace or in a shielded section, may wait for the end of the abort.
                if tell_insiders(shared) {
                    return true;
                }
                let over = until.is_some_and(|until| until.is_due(now)) && !mutant!(AbortWaitsForCallsForEver);
                over && self.give_up(shared, now)
            }
        }
    }

    /// When it must have a step at the latest.
    pub(crate) fn next_at(&self, shared: &Shared) -> Option<Instant> {
        match shared.ending.mode() {
            Mode::Open | Mode::Over => None,
            Mode::Drain { .. } if mutant!(DrainLimitIsIgnored) => None,
            Mode::Abort { .. } if mutant!(AbortWaitsForCallsForEver) => None,
            Mode::Drain { until } => until,
            Mode::Abort { .. } if self.looks => self.next_look,
            Mode::Abort { until } => until,
        }
    }

    /// The first step of an abort, which has begun already unless it is a drain that turned into it.
    fn begin(&mut self, shared: &Shared, now: Instant) {
        self.aborts = true;
        self.look(shared, now);
        if !shared.aborting.load(Ordering::SeqCst) {
            shared.begin_abort(now);
        }
    }

    /// The limit has passed (B4). False if nothing can be done but wait.
    fn give_up(&mut self, shared: &Shared, now: Instant) -> bool {
        let mut abandoned = false;
        for job in shared.drivers.iter().flat_map(|driver| driver.jobs()) {
            let info = job.info(now);
            if job.abandon(now) {
                abandoned = true;
                self.survivors.push(info);
            }
        }
        if abandoned {
            return true;
        }
        self.looks = true;
        if self.next_look.is_some_and(|at| !at.is_due(now)) && !mutant!(PollInProgressCountsAsHeldUp) {
            return false;
        }
        // A driver that is in the poll it was in at the last look is held up, and with it the jobs in its lanes.
        let before = self.look(shared, now);
        let held = |driver: usize| before[driver] % 2 == 1 && before[driver] == self.polls[driver];
        let running = |driver: usize| shared.drivers[driver].running(now);
        let (stuck, free): (Vec<usize>, Vec<usize>) = (0..shared.drivers.len()).partition(|&driver| held(driver));
        if free.iter().all(|&driver| running(driver).is_empty()) && !stuck.is_empty() {
            let survivors = stuck.iter().copied().flat_map(running).collect();
            let counts = shared.books.counts();
            // A poll that has ended by now may have settled its job in between.
            if stuck.iter().all(|&driver| shared.drivers[driver].poll_number() == self.polls[driver]) {
                self.finish(shared, counts, survivors);
                return true;
            }
        }
        false
    }

    /// Looks in which poll each driver is; gives what was seen at the last look.
    fn look(&mut self, shared: &Shared, now: Instant) -> Box<[u64]> {
        self.next_look = now.checked_add(BETWEEN_LOOKS);
        mem::replace(&mut self.polls, shared.drivers.iter().map(|driver| driver.poll_number()).collect())
    }

    fn finish(&mut self, shared: &Shared, counts: Counts, stuck: Vec<JobInfo>) {
        self.survivors.extend(stuck);
        let survivors = mem::take(&mut self.survivors);
        shared.ending.finish(counts, survivors, |waker| shared.wake(waker));
    }
}

/// If nobody is left but jobs that wait for the end of their own worker, tells them so (S5).
fn tell_insiders(shared: &Shared) -> bool {
    let only_they = !mutant!(InsiderJoinsItself) && shared.ending.only_insiders_are_left(shared.books.unfinished());
    if only_they {
        shared.ending.tell_insiders(shared.books.counts(), |waker| shared.wake(waker));
    }
    only_they
}
