//! Each setting that cannot be is named, with its value and the reason.
#![cfg(feature = "std")]

use std::time::Duration;

use countermand_core::{ConfigError, Discipline, Priority, WorkerConfig};

fn config() -> WorkerConfig {
    WorkerConfig::new().lanes(4).drivers(2).capacity(8)
}

fn faults(config: &WorkerConfig) -> ConfigError {
    config.check().expect_err("a setting that cannot be")
}

#[test]
fn each_fault_is_named_with_its_value_and_the_reason() {
    let huge = usize::MAX;
    let cases: [(WorkerConfig, &str, usize, &str); 11] = [
        (config().lanes(0).drivers(0), "lanes", 0, "at least one job must be able to run"),
        (config().lanes(huge), "lanes", huge, "there are at most 1,048,576"),
        (config().lanes((1 << 20) + 1), "lanes", (1 << 20) + 1, "there are at most 1,048,576"),
        (config().drivers(0), "drivers", 0, "at least one driver must turn the lanes"),
        (config().drivers(5), "drivers", 5, "more drivers than lanes"),
        (config().capacity(0), "capacity", 0, "accepts nothing"),
        (config().reserve(Priority::High, 9), "reserved", 9, "more places reserved than the capacity has"),
        (
            config().reserve(Priority::High, huge).reserve(Priority::Critical, 1),
            "reserved",
            huge,
            "add up to more than a number holds",
        ),
        (
            config().reserve(Priority::High, 3).reserve(Priority::Critical, 5),
            "reserved",
            8,
            "jobs of the lowest priority could never be accepted",
        ),
        (config().discipline(Discipline::Weighted([1, 2, 0, 8])), "discipline", 2, "is zero: it would starve"),
        (config().watchdog(Some(Duration::ZERO)), "watchdog", 0, "would report every job"),
    ];
    for (config, field, value, why) in cases {
        let error = faults(&config);
        let fault = error.faults().iter().find(|fault| fault.field == field && fault.why.contains(why));
        let fault = fault.unwrap_or_else(|| panic!("{field} = {value}, {why}: {error}"));
        assert_eq!(fault.value, value, "{error}");
        assert!(error.to_string().contains(&format!("{field} = {value}: {}", fault.why)), "{error}");
        // Each of these has one fault; without lanes there can be no drivers either.
        let expected = if field == "lanes" && value == 0 { 2 } else { 1 };
        assert_eq!(error.faults().len(), expected, "{error}");
    }
}

#[test]
fn all_faults_are_named_at_once() {
    let error = faults(
        &WorkerConfig::new()
            .lanes(0)
            .drivers(3)
            .capacity(0)
            .reserve(Priority::Normal, 7)
            .discipline(Discipline::Weighted([0, 0, 0, 0]))
            .watchdog(Some(Duration::ZERO)),
    );
    let named: Vec<_> = error.faults().iter().map(|fault| (fault.field, fault.value)).collect();
    assert_eq!(
        named,
        [("lanes", 0), ("capacity", 0), ("drivers", 3), ("reserved", 7), ("discipline", 0), ("watchdog", 0)],
        "{error}"
    );
    for (field, value) in named {
        assert!(error.to_string().contains(&format!("{field} = {value}: ")), "{error}");
    }
}

#[test]
fn what_is_just_possible_is_accepted() {
    for config in [
        WorkerConfig::new(),
        WorkerConfig::new().lanes(1).drivers(1).capacity(1),
        config().drivers(4),
        config().lanes(1 << 20),
        config().capacity(usize::MAX),
        // Every place, but for the lowest: then there is nobody who could never have one.
        config().reserve(Priority::Low, 8),
        config().reserve(Priority::High, 7),
        config().discipline(Discipline::Weighted([1, 1, 1, 1])),
        config().discipline(Discipline::Strict),
        config().watchdog(Some(Duration::from_nanos(1))),
        config().watchdog(None),
    ] {
        assert_eq!(config.check(), Ok(()), "{config:?}");
    }
}
