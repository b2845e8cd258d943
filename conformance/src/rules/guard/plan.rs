//! Plans of preflights that cannot be.

use countermand_core::{Check as Point, CheckId, PlanFault, Preflight};

use crate::{Bench, Flaw, ensure, ensure_eq};

/// A check that passes, and comes after these.
fn point(name: String, after: impl IntoIterator<Item = String>) -> Point<'static> {
    after.into_iter().fold(Point::here(name, || Ok::<(), &str>(())), |point, after| point.after(after))
}

/// What is wrong with a plan, as the preflight says it.
fn faults(points: Vec<Point<'static>>) -> Vec<PlanFault> {
    Preflight::new(points).map_or_else(|error| error.faults().to_vec(), |_| Vec::new())
}

/// Every name and every dependency that is wrong is said, not the first.
pub(super) fn names() -> Result<(), Flaw> {
    let text = str::to_owned;
    let points = vec![
        point(text(""), []),
        point(text("a"), [text("missing"), text("b")]),
        point(text("b"), []),
        point(text("b"), [text("gone")]),
    ];
    let found = faults(points);
    let is = |what: fn(&PlanFault) -> bool| found.iter().filter(|fault| what(fault)).count();
    ensure_eq!(is(|fault| matches!(fault, PlanFault::Name(_))), 1, "names that are none, in {found:?}");
    ensure_eq!(is(|fault| matches!(fault, PlanFault::Twice(name) if name.as_str() == "b")), 1, "doubles, in {found:?}");
    for missing in ["missing", "gone"] {
        let said = found.iter().any(|fault| matches!(fault, PlanFault::Unknown { after, .. } if *after == missing));
        ensure!(said, "nothing is said of {missing:?}, which is no check: {found:?}");
    }
    ensure_eq!(found.len(), 4, "faults of a plan with four: {found:?}");
    Ok(())
}

/// Cycles hidden in plans of random shape are named whole: each comes after the next, and the last after the first.
pub(super) fn cycles(bench: &Bench) -> Result<u64, Flaw> {
    let mut random = bench.random();
    let rounds = bench.rounds(100);
    for _ in 0..rounds {
        let count = random.usize(1..24);
        let name = |place: usize| format!("n{place}");
        // Without a cycle: each comes only after ones before it.
        let mut after: Vec<Vec<usize>> =
            (0..count).map(|place| (0..place).filter(|_| random.u8(0..4) == 0).collect()).collect();
        let build = |after: &[Vec<usize>]| {
            let points = after.iter().enumerate();
            points
                .map(|(place, after)| point(name(place), after.iter().map(|before| name(*before))))
                .collect::<Vec<_>>()
        };
        ensure_eq!(faults(build(&after)), Vec::new(), "faults of a plan without cycles, {after:?}");
        // And now there is one.
        let length = random.usize(1..=count);
        let mut members: Vec<usize> = (0..count).collect();
        random.shuffle(&mut members);
        members.truncate(length);
        for (place, member) in members.iter().enumerate() {
            after[*member].push(members[(place + 1) % length]);
        }
        let found = faults(build(&after));
        ensure!(!found.is_empty(), "a cycle of {length} was not found, in {after:?}");
        for fault in found {
            let PlanFault::Cycle(path) = fault else {
                return Err(Flaw::Broken(format!("a cycle became {fault:?}")));
            };
            is_cycle(&path, &after)?;
        }
    }
    Ok(rounds)
}

fn is_cycle(path: &[CheckId], after: &[Vec<usize>]) -> Result<(), Flaw> {
    let place = |check: &CheckId| check.as_str()[1..].parse::<usize>().ok();
    let places: Option<Vec<usize>> = path.iter().map(place).collect();
    let Some(places) = places.filter(|places| !places.is_empty()) else {
        return Err(Flaw::Broken(format!("the cycle {path:?} is none of the checks")));
    };
    for (step, place) in places.iter().enumerate() {
        let next = places[(step + 1) % places.len()];
        ensure!(after[*place].contains(&next), "in the cycle {path:?} n{place} does not come after n{next}");
    }
    Ok(())
}
