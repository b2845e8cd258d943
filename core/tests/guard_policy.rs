//! Policies: no fallback but by name and with a reason, and every use of one is told and counted (G3).

use std::sync::Mutex;

use countermand_core::{DependencyPolicy, Event, Guard, Level, PolicyError, PolicyFault, Reason, SubsystemId};

fn policy(dependency: &str) -> DependencyPolicy {
    DependencyPolicy::new(dependency).expect("a dependency's name")
}

fn tolaria() -> SubsystemId {
    SubsystemId::new("tolaria").expect("an identifier")
}

#[test]
fn fallbacks_are_off() {
    let policy = policy("kernel");
    assert_eq!((policy.dependency(), policy.allowed().count(), policy.reason_for("eager")), ("kernel", 0, None));
    let guard = Guard::new(tolaria(), |_: &Event| {});
    let mut made = 0;
    let refused = guard.fallback("kernel", "eager", || made += 1).expect_err("nothing is allowed");
    assert_eq!(
        (refused.reason(), refused.dependency(), refused.identifier()),
        (Reason::FallbackNotAllowed, "kernel", "eager")
    );
    assert_eq!(refused.to_string(), "tolaria: kernel eager is a fallback that no policy allows");
    assert_eq!((made, guard.counts().fallbacks, guard.uses("kernel", "eager")), (0, 0, 0));
}

#[test]
fn what_is_allowed_is_told_each_time_and_counted() {
    let told = Mutex::new(Vec::new());
    let kernel = policy("kernel").allow("eager", "no compiler").and_then(|policy| policy.allow("stub", "a dry run"));
    let guard = Guard::new(tolaria(), |event: &Event| told.lock().expect("whole").push(*event))
        .with_policy(policy("store"))
        .and_then(|guard| guard.with_policy(kernel.expect("a policy")))
        .expect("room");
    for use_ in 1..=3 {
        // Told before it is used.
        let seen = guard.fallback("kernel", "stub", || told.lock().expect("whole").len());
        assert_eq!(seen.expect("it is allowed").into_inner(), use_);
    }
    guard.fallback("kernel", "eager", || ()).expect("it is allowed").into_inner();
    // Allowed for another dependency is not allowed.
    assert!(guard.fallback("store", "stub", || ()).is_err());
    let told = told.lock().expect("whole");
    let uses: Vec<_> =
        told.iter().map(|event| (event.name(), event.attribute("identifier"), event.attribute("uses"))).collect();
    let used = |name, uses| ("dependency_guard.fallback", Some(name), Some(uses));
    let expected = [
        used("stub", "1"),
        used("stub", "2"),
        used("stub", "3"),
        used("eager", "1"),
        ("dependency_guard.violation", Some("stub"), None),
    ];
    assert_eq!(uses, expected);
    assert_eq!(told[0].level(), Level::Warning);
    assert_eq!(told[0].attribute("reason"), Some("a dry run"));
    assert_eq!(told[0].description(), "tolaria: kernel falls back to stub: a dry run");
    assert_eq!((guard.uses("kernel", "stub"), guard.uses("kernel", "eager"), guard.counts().fallbacks), (3, 1, 4));
}

fn refused<T: std::fmt::Debug>(made: Result<T, PolicyError>) -> (PolicyFault, String) {
    let error = made.expect_err("it cannot be");
    (error.fault, error.to_string())
}

#[test]
fn a_policy_that_cannot_be_is_an_error_that_says_why() {
    let (fault, said) = refused(DependencyPolicy::new(""));
    assert!(matches!(fault, PolicyFault::Name(_)), "{fault:?}");
    assert_eq!(said, "policy of \"\": dependency identifier is empty");
    let (fault, said) = refused(policy("kernel").allow("ea ger", "why"));
    assert!(matches!(fault, PolicyFault::Name(_)), "{fault:?}");
    assert!(said.starts_with("policy of \"kernel\": fallback identifier \"ea ger\" has ' ' at byte 2"), "{said}");
    assert_eq!(
        refused(policy("kernel").allow("eager", " \n")).1,
        "policy of \"kernel\": the fallback eager is allowed without a reason"
    );
    let long = "x".repeat(97);
    assert_eq!(
        refused(policy("kernel").allow("eager", &long)).1,
        "policy of \"kernel\": the reason of the fallback eager has 97 bytes, of at most 96"
    );
    let twice = policy("kernel").allow("eager", "why").and_then(|policy| policy.allow("eager", "again"));
    assert_eq!(refused(twice).1, "policy of \"kernel\": the fallback eager is allowed twice");
    assert!(size_of::<PolicyError>() < 128, "{}", size_of::<PolicyError>());
}

#[test]
fn room_is_bounded_and_one_too_many_is_an_error() {
    let full = ["a", "b", "c", "d"].iter().try_fold(policy("kernel"), |policy, name| policy.allow(name, "why"));
    let full = full.expect("there is room for four");
    let names: Vec<_> = full.allowed().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
    assert_eq!(
        refused(full.allow("e", "why")),
        (PolicyFault::Full { limit: 4 }, "policy of \"kernel\": there is room for 4 fallbacks and no more".into())
    );

    let small = |name| DependencyPolicy::<1>::with_room(name).expect("a name");
    let guard =
        Guard::<_, 1, 1>::with_room(tolaria(), |_: &Event| {}).with_policy(small("kernel")).expect("room for one");
    assert_eq!(guard.policies().count(), 1);
    assert_eq!(
        refused(guard.with_policy(small("store"))),
        (
            PolicyFault::GuardFull { limit: 1 },
            "policy of \"store\": the guard has room for 1 policies and no more".into()
        )
    );
    let second = Guard::new(tolaria(), |_: &Event| {})
        .with_policy(policy("kernel"))
        .and_then(|guard| guard.with_policy(policy("kernel")));
    assert_eq!(refused(second).1, "policy of \"kernel\": the guard has one of this dependency already");
}
