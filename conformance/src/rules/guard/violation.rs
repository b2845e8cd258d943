//! Violations: before anything is done, with all that they name, and one event each.

use std::sync::atomic::{AtomicU64, Ordering};

use countermand_core::{
    BlueprintId, Choice, DependencyPolicy, Event, Guard, Identifier, KernelId, Reason, SubsystemId, TrainingRunId,
    Violation,
};

use super::{Ledger, Named, id};
use crate::rules::kit::has;
use crate::{Bench, Check, Flaw, Profile, ensure, ensure_eq};

pub(super) async fn g2_a_violation_comes_before_any_side_effect(bench: &Bench) -> Check {
    let mut runs = 0;
    for subsystem in ["kasmina", "tolaria/blue", "t"] {
        runs += doors(subsystem)?;
        through_many_hands(subsystem)?;
        runs += 1;
    }
    nothing_is_said_of_what_is_there()?;
    from_many_threads(bench)?;
    if has(bench, Profile::NONE.unwind()) {
        an_intake_panics()?;
    }
    Ok(runs + 3)
}

/// What a guard's check is followed by, counted.
#[derive(Default)]
struct Effects(AtomicU64);

impl Effects {
    fn happen(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Every door, with something that must not pass: each is one violation, and what would have followed does not happen.
fn doors(subsystem: &str) -> Result<u64, Flaw> {
    let (ledger, effects) = (Ledger::default(), Effects::default());
    let subsystem: SubsystemId = id(subsystem)?;
    let guard = Guard::new(subsystem, ledger.clone());
    let (kernel, blueprint) = (id::<KernelId>("k9")?, id::<BlueprintId>("bp/1")?);
    let unknown = |_: &KernelId| false;
    let act = || effects.happen();
    let doors: [(&str, &str, Reason, Result<(), Violation>); 7] = [
        (
            "setting",
            "REDIS_URL",
            Reason::MissingValue,
            guard.require("setting", "REDIS_URL", None::<u8>).map(|_| act()),
        ),
        (KernelId::KIND, "\"k 9\"", Reason::InvalidIdentifier, guard.identify::<KernelId>("k 9").map(|_| act())),
        (KernelId::KIND, "k9", Reason::UnknownIdentifier, guard.known(kernel, &unknown).map(|_| act())),
        (KernelId::KIND, "k9", Reason::UnknownIdentifier, guard.find(kernel, |_| None::<u8>).map(|_| act())),
        (TrainingRunId::KIND, "bp/1", Reason::MissingValue, guard.prefetch(blueprint, None).map(|_| act())),
        ("store", "memory", Reason::FallbackNotAllowed, guard.fallback("store", "memory", act).map(|_| act())),
        (KernelId::KIND, "k9", Reason::UnknownIdentifier, guard.known_or(kernel, None, &unknown).map(|_| act())),
    ];
    let count = doors.len();
    let events = ledger.take_all();
    ensure_eq!(effects.0.load(Ordering::SeqCst), 0, "side effects of {count} checks of which none passed");
    ensure_eq!(events.len(), count, "events of {count} violations");
    for ((dependency, identifier, reason, door), event) in doors.into_iter().zip(events) {
        match door {
            Ok(()) => ensure!(false, "a check of the {dependency} {identifier} let it pass"),
            Err(violation) => Named { subsystem, dependency, identifier, reason }.by(&violation, &[event])?,
        }
    }
    ensure_eq!(guard.counts().violations, count as u64, "violations that the guard counted");
    Ok(count as u64)
}

/// A violation that is found elsewhere and handed on is reported by the first guard that it comes to, and by no other.
fn through_many_hands(subsystem: &str) -> Result<(), Flaw> {
    let (ledger, other) = (Ledger::default(), Ledger::default());
    let subsystem: SubsystemId = id(subsystem)?;
    let (guard, second) = (Guard::new(subsystem, ledger.clone()), Guard::new(id("other")?, other.clone()));
    let found = Violation::new(subsystem, "redis", Reason::CheckFailed).about("cache:6379");
    let reported = second.report(guard.report(guard.report(found).clone()));
    let named = Named { subsystem, dependency: "redis", identifier: "cache:6379", reason: Reason::CheckFailed };
    named.by(&reported, &ledger.take_all())?;
    ensure_eq!(other.len(), 0, "events told by a second guard");
    Ok(())
}

/// Null control: what is there passes, and no event is told of it.
fn nothing_is_said_of_what_is_there() -> Result<(), Flaw> {
    let ledger = Ledger::default();
    let broken = |violation: Violation| Flaw::Broken(format!("what is there did not pass: {violation}"));
    let guard = Guard::new(id("kasmina")?, ledger.clone());
    let (kernel, blueprint, run) = (id::<KernelId>("k1")?, id::<BlueprintId>("bp/1")?, id::<TrainingRunId>("t1")?);
    let known = |id: &KernelId| id.as_str() == "k1";
    ensure_eq!(*guard.require("setting", "PORT", Some(7)).map_err(broken)?, 7, "a value that is there");
    ensure_eq!(*guard.known(kernel, &known).map_err(broken)?, kernel, "a kernel that is known");
    ensure_eq!(*guard.find(kernel, |_| Some(5)).map_err(broken)?, 5, "what a kernel names");
    ensure_eq!(guard.prefetch(blueprint, Some(run)).map_err(broken)?.training_run, run, "the run of a prefetch");
    let choice = guard.known_or(kernel, Some(id("k2")?), &known).map_err(broken)?;
    ensure_eq!(*choice, Choice::Asked(kernel), "the choice of a kernel that is known");
    ensure_eq!((ledger.len(), guard.counts().violations), (0, 0), "events and violations where all is there");
    Ok(())
}

/// No event is lost or doubled where threads share a guard.
fn from_many_threads(bench: &Bench) -> Result<(), Flaw> {
    const THREADS: u64 = 4;
    let ledger = Ledger::default();
    let policy = DependencyPolicy::new("kernel").map_err(|error| Flaw::Broken(error.to_string()))?;
    let guard = Guard::new(id("tamiyo")?, ledger.clone()).with_policy(policy);
    let guard = guard.map_err(|error| Flaw::Broken(error.to_string()))?;
    let rounds = bench.rounds(50);
    let (passed, effects) = (AtomicU64::new(0), Effects::default());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..rounds {
                    let wrong = guard.fallback("kernel", "stub", || effects.happen()).is_ok();
                    passed.fetch_add(u64::from(wrong), Ordering::SeqCst);
                }
            });
        }
    });
    ensure_eq!(passed.load(Ordering::SeqCst), 0, "checks that passed and should not");
    ensure_eq!(effects.0.load(Ordering::SeqCst), 0, "side effects");
    ensure_eq!(ledger.len() as u64, THREADS * rounds, "events of as many violations");
    ensure_eq!(guard.counts().violations, THREADS * rounds, "violations that the guard counted");
    Ok(())
}

/// An intake that panics makes no difference to the violation.
fn an_intake_panics() -> Result<(), Flaw> {
    let guard = Guard::new(id("urza")?, |_: &Event| panic!("planted in an intake"));
    let refused = guard.require("setting", "X", None::<u8>);
    ensure!(refused.is_err_and(|violation| violation.identifier() == "X"), "a violation is lost with its event");
    ensure_eq!(guard.counts().contained_panics, 1, "contained panics of the intake");
    Ok(())
}
