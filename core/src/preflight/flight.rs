//! A preflight under way: which checks wait, run, have passed, or have not.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::task::{Context, Poll};

use super::check::{Check, Examination};
use super::clearance::{Cleared, Grounded, Skipped};
use super::launch::Aloft;
use super::plan::Plan;
use super::site::Site;
use crate::contain::survives;
use crate::worker::Worker;
use crate::{CheckId, Guard, Intake, Reason, RejectReason, SubsystemId, Violation};

/// All checks, in the order in which they were declared. No check comes after itself, by whatever way, so there is always one that can go on.
pub(super) struct Flight<'a> {
    stations: Vec<Station<'a>>,
    /// Panics of destructors of what checks had captured that were not made.
    contained: u64,
}

struct Station<'a> {
    site: Site,
    /// The places of those that it comes after.
    after: Vec<usize>,
    state: State<'a>,
}

/// ```text
/// Waiting ─(those before passed)─► Aloft ─► Passed, Failed
///    │ └─────(made here)────────────────────► Passed, Failed
///    └─(one before did not pass)─► Skipped
/// ```
enum State<'a> {
    /// What it is going to do; taken out only to do it.
    Waiting(Option<Examination<'a>>),
    Aloft(Box<dyn Aloft>),
    Passed,
    Failed(Violation),
    /// Because of the check in this place, which failed.
    Skipped(usize),
}

impl State<'_> {
    fn ended(violation: Option<Violation>) -> Self {
        violation.map_or(Self::Passed, Self::Failed)
    }
}

impl<'a> Flight<'a> {
    pub(super) fn new(subsystem: SubsystemId, plan: Plan, checks: Vec<Check<'a>>) -> Self {
        let stations = plan.into_iter().zip(checks).map(|((check, after), described)| {
            let site = Site { subsystem, check };
            Station { site, after, state: State::Waiting(Some(described.examination)) }
        });
        Self { stations: stations.collect(), contained: 0 }
    }

    /// Goes on as far as it can. Ready when every check has ended.
    pub(super) fn poll(&mut self, worker: &Worker, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let mut moved = false;
            for place in 0..self.stations.len() {
                moved |= self.advance(place, worker, cx);
                if mutant!(PreflightStopsAtTheFirst) && matches!(self.stations[place].state, State::Failed(_)) {
                    return Poll::Ready(());
                }
            }
            if !moved && !self.turn_away() {
                break;
            }
        }
        let is_aloft = |station: &Station<'_>| matches!(station.state, State::Aloft(_));
        if self.stations.iter().any(is_aloft) { Poll::Pending } else { Poll::Ready(()) }
    }

    /// Takes a check one step further. Whether there was one.
    fn advance(&mut self, place: usize, worker: &Worker, cx: &mut Context<'_>) -> bool {
        let before = self.before(place);
        let Station { site, state, .. } = &mut self.stations[place];
        match state {
            State::Waiting(examination) => match (before, examination.take()) {
                (Before::Failed(because), waiting) if !mutant!(SkipsNothing) => {
                    *state = State::Skipped(because);
                    self.contained += let_go(waiting);
                    true
                }
                (Before::Passed | Before::Failed(_), Some(ready)) => {
                    let (next, contained) = begin(*site, ready, worker);
                    *state = next;
                    let moved = !matches!(state, State::Waiting(_));
                    self.contained += contained;
                    moved
                }
                (_, waiting) => {
                    *state = State::Waiting(waiting);
                    false
                }
            },
            State::Aloft(job) => match job.poll(cx) {
                Poll::Ready(violation) => {
                    *state = State::ended(violation);
                    true
                }
                Poll::Pending => false,
            },
            State::Passed | State::Failed(_) | State::Skipped(_) => false,
        }
    }

    /// How those fared that the check in this place comes after.
    fn before(&self, place: usize) -> Before {
        let mut open = false;
        for &before in &self.stations[place].after {
            match self.stations[before].state {
                State::Failed(_) => return Before::Failed(before),
                State::Skipped(because) => return Before::Failed(because),
                State::Waiting(_) | State::Aloft(_) => open = true,
                State::Passed => {}
            }
        }
        if open { Before::Open } else { Before::Passed }
    }

    /// When nothing moves and none of its jobs is left that would make room, the first job that found the queue full will never be
    /// taken. Whether there was one.
    fn turn_away(&mut self) -> bool {
        let is_aloft = |station: &Station<'_>| matches!(station.state, State::Aloft(_));
        if self.stations.iter().any(is_aloft) {
            return false;
        }
        let is_next = |place: &usize| {
            matches!(self.stations[*place].state, State::Waiting(_)) && self.before(*place) == Before::Passed
        };
        let Some(next) = (0..self.stations.len()).find(is_next) else { return false };
        let station = &mut self.stations[next];
        station.state = State::Failed(rejected(station.site, RejectReason::Full));
        true
    }

    /// The end of it. Whatever has not been reported is, in the order of the checks.
    pub(super) fn land<I: Intake, const P: usize, const N: usize>(
        self,
        guard: &Guard<I, P, N>,
    ) -> Result<Cleared, Grounded> {
        guard.count_contained(self.contained);
        let names: Vec<CheckId> = self.stations.iter().map(|station| station.site.check).collect();
        let mut grounded = Grounded { violations: Vec::new(), skipped: Vec::new(), passed: Vec::new() };
        for Station { site: Site { check, .. }, state, .. } in self.stations {
            match state {
                State::Passed => grounded.passed.push(check),
                State::Failed(violation) => grounded.violations.push((check, guard.report(violation))),
                State::Skipped(because) => grounded.skipped.push(Skipped { check, because_of: names[because] }),
                State::Waiting(_) | State::Aloft(_) => {}
            }
        }
        let Grounded { violations, skipped, passed } = grounded;
        if violations.is_empty() {
            return Ok(Cleared { checks: passed });
        }
        Err(Grounded { violations, skipped, passed })
    }
}

/// How those fared that a check comes after.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Passed,
    /// The check in this place did not pass.
    Failed(usize),
    Open,
}

/// Makes a check, or submits its job. And how many panics were contained.
fn begin<'a>(site: Site, examination: Examination<'a>, worker: &Worker) -> (State<'a>, u64) {
    let (job, limit) = match examination {
        Examination::Here(check) => return (State::ended(site.watch(move || check(site))), 0),
        Examination::Job(job, limit) => (job, limit),
    };
    match job.launch(site, limit, worker) {
        Ok(aloft) => (State::Aloft(aloft), 0),
        // There may be room when another check has ended.
        Err((job, RejectReason::Full)) => (State::Waiting(Some(Examination::Job(job, limit))), 0),
        Err((job, reason)) => (State::Failed(rejected(site, reason)), let_go(job)),
    }
}

/// Drops what has captured others' values. How many panics were contained.
fn let_go<T>(unused: T) -> u64 {
    u64::from(!survives(move || drop(unused)))
}

fn rejected(site: Site, reason: RejectReason) -> Violation {
    site.violation(Reason::CheckRejected, reason)
}
