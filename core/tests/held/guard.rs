//! The rules that can be asked of the guard without a heap. The same functions are tests here, and run on a board.

use countermand_core::{
    DependencyPolicy, Event, Guard, IdFault, IdText, Identifier, KernelId, Level, Reason, SubsystemId, identifier,
};
use portable_atomic::{AtomicU32, Ordering};

use super::rules::Rule;

/// In the order of the contract.
pub(crate) const ALL: &[Rule] = &[
    ("G1", g1_an_identifier_names_something),
    ("G2", g2_told_before_anything_is_done),
    ("G3", g3_no_fallback_unless_allowed),
];

identifier! {
    /// One of the device's own.
    struct PumpId = "pump";
}

fn id<I: Identifier>(text: &str) -> I {
    text.parse().expect("an identifier")
}

fn g1_an_identifier_names_something() {
    let fault = |text: &str| PumpId::new(text).map_err(|error| error.fault).expect_err("it names nothing");
    assert_eq!(PumpId::new("pump/1").expect("an identifier").as_str(), "pump/1");
    assert_eq!((fault(""), fault(" \t"), fault("-")), (IdFault::Empty, IdFault::Blank, IdFault::Blank));
    assert_eq!(fault("pump 1"), IdFault::Forbidden { character: ' ', at: 4 });
    let long = [b'x'; IdText::LIMIT + 1];
    let long = core::str::from_utf8(&long).expect("ASCII");
    assert_eq!(fault(long), IdFault::TooLong { length: IdText::LIMIT + 1 });
    assert!(PumpId::new(&long[1..]).is_ok(), "as long as may be");
}

fn g2_told_before_anything_is_done() {
    static TOLD: AtomicU32 = AtomicU32::new(0);
    static DONE: AtomicU32 = AtomicU32::new(0);
    let guard = Guard::<_, 1, 1>::with_room(id::<SubsystemId>("pump"), |event: &Event| {
        assert_eq!((event.name(), event.level()), ("dependency_guard.violation", Level::Critical));
        assert_eq!((event.attribute("subsystem"), event.attribute("identifier")), (Some("pump"), Some("k2")));
        assert_eq!(DONE.load(Ordering::SeqCst), 0);
        TOLD.fetch_add(1, Ordering::SeqCst);
    });
    let known = |kernel: &KernelId| kernel.as_str() == "k1";
    let start = |kernel: &str| -> Option<Reason> {
        match guard.known(id::<KernelId>(kernel), &known) {
            Ok(_) => {
                DONE.fetch_add(1, Ordering::SeqCst);
                None
            }
            Err(violation) => {
                assert_eq!((violation.subsystem().as_str(), violation.identifier()), ("pump", "k2"));
                Some(violation.reason())
            }
        }
    };
    assert!(start("k2").is_some());
    assert_eq!((TOLD.load(Ordering::SeqCst), DONE.load(Ordering::SeqCst)), (1, 0), "one event, and nothing was done");
    assert!(start("k1").is_none());
    assert_eq!((TOLD.load(Ordering::SeqCst), DONE.load(Ordering::SeqCst)), (1, 1));
}

fn g3_no_fallback_unless_allowed() {
    static USED: AtomicU32 = AtomicU32::new(0);
    static MADE: AtomicU32 = AtomicU32::new(0);
    let policy = DependencyPolicy::<1>::with_room("sensor")
        .and_then(|policy| policy.allow("last_value", "it is slow to change"));
    let guard = Guard::<_, 1, 1>::with_room(id::<SubsystemId>("pump"), |event: &Event| {
        USED.fetch_add(u32::from(event.name() == "dependency_guard.fallback"), Ordering::SeqCst);
    });
    let guard = guard.with_policy(policy.expect("a policy")).expect("there is room for it");
    let make = || {
        MADE.fetch_add(1, Ordering::SeqCst);
        7
    };
    assert!(guard.fallback("sensor", "zero", make).is_err(), "it was not named");
    assert!(guard.fallback("valve", "last_value", make).is_err(), "of another dependency");
    assert_eq!((USED.load(Ordering::SeqCst), MADE.load(Ordering::SeqCst)), (0, 0));
    for uses in 1..=3 {
        let allowed = guard.fallback("sensor", "last_value", make).map(|value| *value);
        assert_eq!(allowed.ok(), Some(7));
        assert_eq!((USED.load(Ordering::SeqCst), MADE.load(Ordering::SeqCst)), (uses, uses), "told each time");
    }
}
