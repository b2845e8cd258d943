//! In which order checks can be made, and what keeps them from having one.

use alloc::vec::Vec;
use core::fmt;

use super::check::Check;
use crate::{CheckId, IdError, Text};

/// For each check its name, and the places of those that it comes after.
pub(super) type Plan = Vec<(CheckId, Vec<usize>)>;

/// Checks that cannot be a preflight, with every fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    faults: Vec<PlanFault>,
}

/// What keeps checks from being a preflight.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanFault {
    /// The name of a check is none (G1).
    Name(IdError),
    /// Two checks have this name.
    Twice(CheckId),
    /// A check comes after one that there is not.
    Unknown {
        /// Which check.
        check: CheckId,
        /// What it should come after, cut if it is long.
        after: Text<96>,
    },
    /// Each of these comes after the next, and the last after the first (G4).
    Cycle(Vec<CheckId>),
}

/// Finds the order, or all that is wrong: names first, then what they come after, then cycles.
pub(super) fn plan(checks: &[Check<'_>]) -> Result<Plan, PlanError> {
    let mut faults = Vec::new();
    let mut names: Vec<CheckId> = Vec::new();
    for check in checks {
        match CheckId::new(&check.name) {
            Err(error) => faults.push(PlanFault::Name(error)),
            Ok(name) if names.contains(&name) => faults.push(PlanFault::Twice(name)),
            Ok(name) => names.push(name),
        }
    }
    let mut plan = Plan::new();
    // The places of the checks are those of their names, once there is no fault.
    for (check, name) in checks.iter().filter_map(|check| Some((check, CheckId::new(&check.name).ok()?))) {
        let mut places = Vec::new();
        for after in &check.after {
            match names.iter().position(|name| name.as_str() == after) {
                Some(place) => places.push(place),
                None => faults.push(PlanFault::Unknown { check: name, after: Text::of(after) }),
            }
        }
        plan.push((name, places));
    }
    if faults.is_empty() {
        faults.extend(cycles(&plan).map(PlanFault::Cycle));
    }
    if faults.is_empty() { Ok(plan) } else { Err(PlanError { faults }) }
}

/// How far the search for cycles has come with a check.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Unseen,
    /// On the way from where the search began to where it is.
    OnTheWay,
    Done,
}

/// One cycle for each check that leads back to the way on which it was reached, in the order of the plan. The way is a list and no
/// recursion, so that long chains need no stack.
fn cycles(plan: &Plan) -> impl Iterator<Item = Vec<CheckId>> {
    let mut marks = alloc::vec![Mark::Unseen; plan.len()];
    let mut found = Vec::new();
    for start in 0..plan.len() {
        if marks[start] != Mark::Unseen {
            continue;
        }
        marks[start] = Mark::OnTheWay;
        // Each check on the way, and how many of those before it were looked at.
        let mut way = alloc::vec![(start, 0)];
        while let Some((place, looked_at)) = way.last_mut() {
            let next = plan[*place].1.get(*looked_at).copied();
            *looked_at += 1;
            match next {
                None => {
                    marks[*place] = Mark::Done;
                    way.pop();
                }
                Some(next) if marks[next] == Mark::Unseen => {
                    marks[next] = Mark::OnTheWay;
                    way.push((next, 0));
                }
                Some(next) if marks[next] == Mark::OnTheWay => {
                    let cycle = way.iter().skip_while(|(place, _)| *place != next).map(|(place, _)| plan[*place].0);
                    let length = if mutant!(CycleIsNotNamed) { 1 } else { usize::MAX };
                    found.push(cycle.take(length).collect());
                }
                Some(_) => {}
            }
        }
    }
    found.into_iter()
}

impl PlanError {
    /// Every fault.
    #[must_use]
    pub fn faults(&self) -> &[PlanFault] {
        &self.faults
    }
}

impl fmt::Display for PlanFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::Twice(name) => write!(f, "there are two checks {name}"),
            Self::Unknown { check, after } => write!(f, "{check} comes after {after:?}, and there is no such check"),
            Self::Cycle(path) => {
                f.write_str("a cycle, in which each comes after the next: ")?;
                path.iter().try_for_each(|name| write!(f, "{name} -> "))?;
                path.first().map_or(Ok(()), |name| name.fmt(f))
            }
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these checks are no preflight")?;
        for (place, fault) in self.faults.iter().enumerate() {
            write!(f, "{} {fault}", if place == 0 { ":" } else { ";" })?;
        }
        Ok(())
    }
}

impl core::error::Error for PlanError {}
