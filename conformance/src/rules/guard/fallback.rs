//! Fallbacks: none but those that a policy names, and every use of one is told.

use countermand_core::{
    Choice, DependencyPolicy, Event, Guard, KernelId, Level, PolicyError, Reason, SubsystemId, Violation,
};

use super::{Ledger, Named, id};
use crate::{Bench, Check, Flaw, ensure, ensure_eq};

pub(super) async fn g3_no_fallback_but_by_name_and_each_use_is_reported(bench: &Bench) -> Check {
    let runs = what_is_not_named()?;
    let uses = bench.rounds(20);
    what_is_named(uses)?;
    kernels()?;
    from_many_threads(uses)?;
    Ok(runs + uses + 2)
}

fn sound<T>(made: Result<T, PolicyError>) -> Result<T, Flaw> {
    made.map_err(|error| Flaw::Broken(format!("a good policy was refused: {error}")))
}

fn broken(violation: Violation) -> Flaw {
    Flaw::Broken(format!("an allowed fallback did not pass: {violation}"))
}

/// A guard that allows two fallbacks for kernels, and none for stores.
fn guard(ledger: &Ledger) -> Result<Guard<Ledger>, Flaw> {
    let kernel = DependencyPolicy::new("kernel").and_then(|policy| policy.allow("eager", "no compiler here"));
    let kernel = kernel.and_then(|policy| policy.allow("identity", "seeds may idle"));
    let guard = Guard::new(id("kasmina")?, ledger.clone());
    sound(guard.with_policy(sound(kernel)?).and_then(|guard| guard.with_policy(DependencyPolicy::new("store")?)))
}

/// What differs from what is allowed, by ever so little, is not: it is a violation, and never made.
fn what_is_not_named() -> Result<u64, Flaw> {
    let ledger = Ledger::default();
    let guard = guard(&ledger)?;
    let subsystem: SubsystemId = guard.subsystem();
    let mut runs = 0;
    for (dependency, fallback) in [
        ("kernel", "stub"),
        ("kernel", "Eager"),
        ("kernel", "eage"),
        ("kernel", "eager2"),
        ("kernel", "eager "),
        ("kernel", "*"),
        ("Kernel", "eager"),
        ("store", "eager"),
        ("queue", "eager"),
    ] {
        let mut made = false;
        let refused = guard.fallback(dependency, fallback, || made = true);
        ensure!(!made, "the fallback {fallback:?} of {dependency:?}, which no policy allows, was made");
        match refused {
            Ok(_) => ensure!(false, "the fallback {fallback:?} of {dependency:?}, which no policy allows, passed"),
            Err(violation) => {
                let named = Named { subsystem, dependency, identifier: fallback, reason: Reason::FallbackNotAllowed };
                named.by(&violation, &ledger.take_all())?;
            }
        }
        runs += 1;
    }
    ensure_eq!(guard.counts().fallbacks, 0, "fallbacks that were used, as the guard counts");
    Ok(runs)
}

/// Whether this is the report of a use, and of which in its order.
fn is_use(event: &Event, fallback: &str, reason: &str, use_: u64) -> Result<(), Flaw> {
    ensure_eq!(
        (event.name(), event.level()),
        ("dependency_guard.fallback", Level::Warning),
        "the report of a fallback"
    );
    let said = ["subsystem", "dependency", "identifier", "reason", "uses"].map(|key| event.attribute(key));
    let number = use_.to_string();
    let expected = ["kasmina", "kernel", fallback, reason, &number].map(Some);
    ensure_eq!(said, expected, "what the report of a fallback says");
    Ok(())
}

/// What is allowed passes, each use is told before it happens, and counted.
fn what_is_named(uses: u64) -> Result<(), Flaw> {
    let ledger = Ledger::default();
    let guard = guard(&ledger)?;
    for use_ in 1..=uses {
        for (fallback, reason) in [("eager", "no compiler here"), ("identity", "seeds may idle")] {
            let told = guard.fallback("kernel", fallback, || ledger.len()).map_err(broken)?;
            ensure_eq!(*told, 1, "reports of a fallback when it is made");
            let events = ledger.take_all();
            ensure_eq!(events.len(), 1, "reports of one use of a fallback");
            is_use(&events[0], fallback, reason, use_)?;
            ensure_eq!(guard.uses("kernel", fallback), use_, "uses of {fallback} as the guard counts");
        }
    }
    ensure_eq!(guard.counts().fallbacks, 2 * uses, "uses of all fallbacks as the guard counts");
    ensure_eq!(guard.counts().violations, 0, "violations where all was allowed");
    Ok(())
}

/// A kernel is replaced only by one that is allowed and known; and then it is said, in the result and in a report.
fn kernels() -> Result<(), Flaw> {
    let ledger = Ledger::default();
    let guard = guard(&ledger)?;
    let (fused, eager, stub) = (id::<KernelId>("fused")?, id::<KernelId>("eager")?, id::<KernelId>("stub")?);
    let but_fused = |id: &KernelId| *id != fused;
    let choice = guard.known_or(fused, Some(eager), &but_fused).map_err(broken)?;
    ensure_eq!(*choice, Choice::Fallback(eager), "the kernel that was chosen for one that is not known");
    let events = ledger.take_all();
    ensure_eq!(events.len(), 1, "reports of a fallback kernel");
    is_use(&events[0], "eager", "no compiler here", 1)?;
    let nobody = |_: &KernelId| false;
    for (fallback, refused, reason) in [
        (stub, guard.known_or(fused, Some(stub), &but_fused), Reason::FallbackNotAllowed),
        (stub, guard.known_or(fused, Some(stub), &nobody), Reason::FallbackNotAllowed),
        (eager, guard.known_or(fused, Some(eager), &nobody), Reason::UnknownIdentifier),
        (fused, guard.known_or(fused, None, &but_fused), Reason::UnknownIdentifier),
    ] {
        match refused {
            Ok(choice) => ensure!(false, "{choice:?} was chosen, which is not allowed or not known"),
            Err(violation) => {
                ensure_eq!((violation.identifier(), violation.reason()), (fallback.as_str(), reason), "{violation}");
            }
        }
    }
    ensure_eq!(ledger.take_all().iter().filter(|event| event.level() == Level::Critical).count(), 4, "CRITICAL events");
    ensure_eq!(guard.counts().fallbacks, 1, "uses of all fallbacks as the guard counts");
    Ok(())
}

/// Every use has a number of its own, whichever thread it is on.
fn from_many_threads(uses: u64) -> Result<(), Flaw> {
    let ledger = Ledger::default();
    let guard = guard(&ledger)?;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..uses).all(|_| guard.fallback("kernel", "eager", || ()).is_ok()));
        }
    });
    let events = ledger.take_all();
    let number = |event: &Event| event.attribute("uses").and_then(|uses| uses.parse().ok());
    let mut numbers: Vec<Option<u64>> = events.iter().map(number).collect();
    numbers.sort_unstable();
    ensure_eq!(numbers, (1..=2 * uses).map(Some).collect::<Vec<_>>(), "numbers of the uses, as they were reported");
    ensure_eq!(guard.counts().fallbacks, 2 * uses, "uses as the guard counts");
    Ok(())
}
