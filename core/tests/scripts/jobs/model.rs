//! A worker, by its own account: who waits in line, who is queued, who runs, and how each job ended.

use std::collections::VecDeque;

use countermand_core::{Cause, CauseKind, Class, FullPolicy, LatePolicy, Phase, Picker, Priority};

use super::plan::{End, Plan, Setup};

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Line,
    /// In line, with a place that was promised to it.
    Promised,
    Queue,
    Lane,
    /// It has ended, or was never accepted.
    Gone,
}

/// What is told of jobs, in the order in which it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Submitted(usize),
    Started(usize),
    Evicted(usize),
    /// With whether a value came late.
    Settled(usize, Class, bool),
}

pub(super) struct Entry {
    pub(super) plan: Plan,
    pub(super) place: Place,
    pub(super) open: bool,
    queue_due: Option<u64>,
    due: Option<u64>,
    cause: Option<Cause>,
    /// When it was asked to stop.
    requested: Option<u64>,
    /// A value that its submitter gets, if it gets one.
    pub(super) value: bool,
}

#[derive(Default)]
pub(super) struct Totals {
    pub(super) late_discarded: u64,
    pub(super) rejected: u64,
}

pub(super) struct Model {
    setup: Setup,
    picker: Picker,
    pub(super) now: u64,
    pub(super) jobs: Vec<Entry>,
    rows: [VecDeque<usize>; Priority::COUNT],
    line: [VecDeque<usize>; Priority::COUNT],
    promised: usize,
    running: Vec<usize>,
    parents: [bool; super::plan::PARENTS],
    closed: bool,
    aborted: bool,
    pub(super) told: Vec<Told>,
    pub(super) totals: Totals,
}

/// What comes of a submit at the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Submitted {
    Accepted,
    Waits,
    Full,
    Closed,
}

impl Model {
    pub(super) fn new(setup: Setup) -> Self {
        Self {
            setup,
            picker: Picker::new(setup.discipline),
            now: 0,
            jobs: Vec::new(),
            rows: Default::default(),
            line: Default::default(),
            promised: 0,
            running: Vec::new(),
            parents: [false; super::plan::PARENTS],
            closed: false,
            aborted: false,
            told: Vec::new(),
            totals: Totals::default(),
        }
    }

    pub(super) fn queued(&self) -> usize {
        self.rows.iter().map(VecDeque::len).sum()
    }

    /// By priority and arrival (Q2).
    pub(super) fn queue(&self) -> Vec<usize> {
        self.rows.iter().rev().flatten().copied().collect()
    }

    pub(super) fn running(&self) -> usize {
        self.running.len()
    }

    /// How many places of the queue a job of this priority may not be behind.
    fn limit(&self, priority: Priority) -> usize {
        if priority >= Priority::High { self.setup.capacity } else { self.setup.capacity - self.setup.reserved }
    }

    fn has_room(&self, priority: Priority) -> bool {
        self.queued() + self.promised < self.limit(priority)
    }

    pub(super) fn submit(&mut self, plan: Plan, tries: bool) -> Submitted {
        let number = self.jobs.len();
        let after = |time: Option<u64>| time.map(|time| self.now + time);
        self.jobs.push(Entry {
            plan,
            place: Place::Gone,
            open: plan.open,
            queue_due: after(plan.queue_timeout),
            due: after(plan.deadline),
            cause: None,
            requested: None,
            value: false,
        });
        if self.closed {
            self.totals.rejected += 1;
            return Submitted::Closed;
        }
        if !self.has_room(plan.priority) {
            let lower = (0..plan.priority.index()).find(|row| !self.rows[*row].is_empty());
            match (self.setup.full, lower) {
                (FullPolicy::EvictLowest, Some(row)) => {
                    let victim = self.rows[row].pop_back().expect("it is not empty");
                    self.enter(number);
                    self.told.push(Told::Evicted(victim));
                    self.unstarted(victim, Cause::EVICTED);
                }
                (FullPolicy::Wait, _) if !tries => {
                    self.jobs[number].place = Place::Line;
                    self.line[plan.priority.index()].push_back(number);
                    return Submitted::Waits;
                }
                _ => {
                    self.totals.rejected += 1;
                    return Submitted::Full;
                }
            }
            return Submitted::Accepted;
        }
        self.enter(number);
        Submitted::Accepted
    }

    fn enter(&mut self, number: usize) {
        self.jobs[number].place = Place::Queue;
        self.rows[self.jobs[number].plan.priority.index()].push_back(number);
        self.told.push(Told::Submitted(number));
        // Its parent may have been cancelled before.
        if let Some(parent) = self.jobs[number].plan.parent {
            if self.parents[parent] {
                self.ask(number, Cause::REQUESTED);
            }
        }
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
        for number in std::mem::take(&mut self.line).into_iter().flatten() {
            self.jobs[number].place = Place::Gone;
            self.totals.rejected += 1;
        }
        assert_eq!(self.promised, 0, "between two steps whoever has a place has come for it");
    }

    pub(super) fn abort(&mut self) {
        self.close();
        self.aborted = true;
        for number in 0..self.jobs.len() {
            self.ask(number, Cause::SHUTDOWN);
        }
        for number in self.queue() {
            self.take_out(number);
            self.unstarted(number, Cause::SHUTDOWN);
        }
    }

    /// A submit that waits in line is dropped (Q6).
    pub(super) fn leave_line(&mut self, number: usize) {
        self.jobs[number].place = Place::Gone;
        self.line[self.jobs[number].plan.priority.index()].retain(|waiting| *waiting != number);
    }

    /// Asks a job to stop; false if it was asked before, or has ended.
    pub(super) fn ask(&mut self, number: usize, cause: Cause) -> bool {
        let now = self.now;
        let job = &mut self.jobs[number];
        let first = job.cause.is_none() && matches!(job.place, Place::Queue | Place::Lane);
        if first {
            job.cause = Some(cause);
            job.requested = Some(now);
        }
        first
    }

    pub(super) fn cancel_parent(&mut self, parent: usize) -> bool {
        let first = !std::mem::replace(&mut self.parents[parent], true);
        for number in 0..self.jobs.len() {
            if self.jobs[number].plan.parent == Some(parent) {
                self.ask(number, Cause::REQUESTED);
            }
        }
        first
    }

    /// What the worker does until it has nothing to do: lanes first, as this host steps them, then the keeper, then those in line.
    pub(super) fn run(&mut self) {
        loop {
            for number in self.running.clone() {
                self.turn(number);
            }
            while self.running.len() < self.setup.lanes {
                let nonempty =
                    (0..Priority::COUNT).filter(|row| !self.rows[*row].is_empty()).fold(0, |bits, row| bits | 1 << row);
                let Some(priority) = self.picker.pick(nonempty) else { break };
                let number = self.rows[priority.index()][0];
                self.take_out(number);
                self.start(number);
            }
            for number in self.queue() {
                let job = &self.jobs[number];
                let is_due = [job.due, job.queue_due].into_iter().flatten().any(|at| at <= self.now);
                if let Some(cause) = job.cause.or(is_due.then_some(Cause::DEADLINE)) {
                    self.take_out(number);
                    self.unstarted(number, cause);
                }
            }
            // One at a time, in the order in which the script polls them.
            let Some(number) = (0..self.jobs.len()).find(|number| self.jobs[*number].place == Place::Promised) else {
                break;
            };
            self.promised -= 1;
            self.enter(number);
        }
        for priority in Priority::ALL {
            let waits = !self.line[priority.index()].is_empty();
            assert!(!waits || !self.has_room(priority), "{priority} waits in line, and there is room for it (Q9)");
        }
    }

    /// Takes a job out of the queue; its place goes to the first in line who may have it.
    fn take_out(&mut self, number: usize) {
        self.rows[self.jobs[number].plan.priority.index()].retain(|queued| *queued != number);
        let Some(row) = (0..Priority::COUNT).rev().find(|row| !self.line[*row].is_empty()) else { return };
        if self.has_room(Priority::ALL[row]) {
            let first = self.line[row].pop_front().expect("it is not empty");
            self.jobs[first].place = Place::Promised;
            self.promised += 1;
        }
    }

    fn start(&mut self, number: usize) {
        let now = self.now;
        let job = &mut self.jobs[number];
        let limit = job.plan.run_timeout.map(|limit| now + limit);
        job.due = [job.due, limit].into_iter().flatten().min();
        let is_due = [job.due, job.queue_due].into_iter().flatten().any(|at| at <= now);
        if let Some(cause) = job.cause.or(is_due.then_some(Cause::DEADLINE)) {
            return self.unstarted(number, cause); // J2, D4
        }
        job.place = Place::Lane;
        self.running.push(number);
        self.told.push(Told::Started(number));
        self.turn(number);
    }

    fn turn(&mut self, number: usize) {
        let now = self.now;
        let job = &mut self.jobs[number];
        if job.cause.is_none() && job.due.is_some_and(|at| at <= now) {
            job.cause = Some(Cause::DEADLINE);
            job.requested = job.due;
        }
        let grace = job.plan.grace;
        match (job.cause, job.requested) {
            (Some(cause), Some(asked)) if asked + grace <= now => {
                let class = match job.plan.end {
                    End::PanicInDrop => Class::Panicked, // P2
                    _ if cause.kind() == CauseKind::Deadline => Class::TimedOut(Phase::Running),
                    _ => Class::Cancelled { cause, started: true },
                };
                self.settle(number, class, false);
            }
            (cause, _) if job.open => {
                // J3, J5: what it returns counts.
                let late = cause.is_some_and(|cause| cause.kind() == CauseKind::Deadline);
                self.returned(number, late);
            }
            _ => {}
        }
    }

    fn returned(&mut self, number: usize, late: bool) {
        let job = &mut self.jobs[number];
        let (policy, is_value) = (job.plan.late, matches!(job.plan.end, End::Value | End::CancelItself));
        let class = match job.plan.end {
            End::Panic | End::PanicInDrop => Class::Panicked,
            _ if !late || policy == LatePolicy::Deliver => {
                job.value = true;
                if is_value { Class::Completed } else { Class::Failed }
            }
            _ if is_value && policy == LatePolicy::Mark => {
                job.value = true;
                Class::TimedOut(Phase::Running)
            }
            _ => {
                self.totals.late_discarded += 1; // J9
                Class::TimedOut(Phase::Running)
            }
        };
        self.settle(number, class, late && class != Class::Panicked);
    }

    fn unstarted(&mut self, number: usize, cause: Cause) {
        // Whatever takes it out, the first cause is its own (T10).
        let cause = self.jobs[number].cause.unwrap_or(cause);
        let class = match self.jobs[number].plan.end {
            End::PanicInDrop => Class::Panicked, // P2
            _ if cause.kind() == CauseKind::Deadline => Class::TimedOut(Phase::Queued),
            _ => Class::Cancelled { cause, started: false },
        };
        self.settle(number, class, false);
    }

    fn settle(&mut self, number: usize, class: Class, late: bool) {
        self.jobs[number].place = Place::Gone;
        self.running.retain(|running| *running != number);
        self.told.push(Told::Settled(number, class, late));
    }
}
