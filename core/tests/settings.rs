//! The forms of texts in settings, at their edges, and what a worker's settings are to its jobs.
#![cfg(feature = "std")]

mod common;

use std::future::pending;
use std::time::Duration;

use common::bench::{Bench, take};
use countermand_core::config::{ExecutionConfig, Form, Unfit, Version, VersionRange};
use countermand_core::{Class, Job, Phase, WorkerConfig};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn texts_are_of_their_form() {
    let cases: [(&'static Form, &[&str], &[&str]); 6] = [
        (
            &Form::NAME,
            &["a", "a1", "tolaria-2_x", "a-b-c"],
            &["1a", "-a", "a-", "a__b", "a-_b", "A", "a b", "ä", "_", "a.b"],
        ),
        (&Form::STREAM, &["a", "0", "oona.normal", "A:b_c-d.e"], &[".a", "-", "a b", "a/b", "ö", "a\n", ":a"]),
        (&Form::REASON, &["x", "the build machine has none", " x "], &[" ", "\t", "a\nb", "a\u{7}"]),
        (&Form::KEY, &["", "a!~", "[redacted"], &["a b", "[redacted]", "ä", "a\n", "\u{7f}"]),
        (&Form::PATH, &["", "/run/x", "a b"], &["a\nb", "\u{0}"]),
        (
            &Form::VERSIONS,
            &["==1", ">=2.8,<2.9", " >= 2.8.1 , != 2.9 ", ">1,<5,!=2,!=3"],
            &["2.8", ">=", ">=2.8,", ">=a", "=>1", ">1,<2,!=3,!=4,!=5", ">=2.8.1.1", ">=1234567"],
        ),
    ];
    for (form, good, bad) in cases {
        good.iter().for_each(|text| form.examine(text).unwrap_or_else(|why| panic!("{text:?}: {why}")));
        bad.iter().for_each(|text| assert!(matches!(form.examine(text), Err(Unfit::Malformed(_))), "{text:?}"));
        let (short, long) = ("a".repeat(form.shortest.saturating_sub(1)), "1".repeat(form.longest + 1));
        assert!(form.shortest == 0 || matches!(form.examine(&short), Err(Unfit::TooShort(_))), "{short:?}");
        assert!(matches!(form.examine(&long), Err(Unfit::TooLong(_))), "{}", form.what);
    }
}

#[test]
fn versions_are_read_up_to_what_follows_their_numbers() {
    for (text, shown) in [
        ("2.8.0", "2.8.0"),
        ("2", "2"),
        ("2.8.0+cu124", "2.8.0"),
        ("2.8.0.post12", "2.8.0"),
        ("2.8rc1", "2.8 (pre-release)"),
        ("2.8.dev20250101", "2.8 (pre-release)"),
        ("2.8-beta", "2.8 (pre-release)"),
        ("2.8.0.post", "2.8.0 (pre-release)"),
        ("2.8.0.post1x", "2.8.0 (pre-release)"),
        ("999999.1", "999999.1"),
    ] {
        assert_eq!(text.parse::<Version>().map(|version| version.to_string()).as_deref(), Ok(shown), "{text}");
    }
    for text in ["", "a", ".1", "2.", "2.8.0.1", "1000000", "2 8", "2.8_", "2.8-1", "v2"] {
        assert!(text.parse::<Version>().is_err(), "{text:?}");
    }
    let range: VersionRange = ">=2.8,<2.9".parse().expect("a range");
    for (text, within) in [("2.8", true), ("2.8.9", true), ("2.9", false), ("2.7.9", false), ("2.8.post1", true)] {
        assert_eq!(range.contains(&text.parse().expect(text)), within, "{text}");
    }
}

#[test]
fn what_cannot_be_together_is_named() {
    let keys = |change: &dyn Fn(&mut ExecutionConfig)| {
        let mut config = ExecutionConfig::default();
        change(&mut config);
        config.check().map_or_else(
            |faults| faults.all().iter().map(|fault| fault.key.clone()).collect::<Vec<_>>(),
            |()| Vec::new(),
        )
    };
    let none: [String; 0] = [];
    assert_eq!(keys(&|config| config.weatherlight.connections_per_sender = config.weatherlight.connections), none);
    assert_eq!(
        keys(&|config| config.weatherlight.connections_per_sender = config.weatherlight.connections + 1),
        ["weatherlight.connections_per_sender"]
    );
    assert_eq!(keys(&|config| config.weatherlight.restart_first_ms = config.weatherlight.restart_most_ms), none);
    assert_eq!(
        keys(&|config| config.weatherlight.restart_first_ms = config.weatherlight.restart_most_ms + 1),
        ["weatherlight.restart_first_ms"]
    );
    let twice = keys(&|config| {
        let first = config.telemetry.sinks[0];
        config.telemetry.sinks.push(first);
    });
    assert_eq!(twice, ["telemetry.sinks"]);
    let dependency = |name: &str, reason: &str| {
        keys(&|config| {
            let mut settings = countermand_core::config::DependencySettings::default();
            settings.fallback_allowed = true;
            settings.fallbacks.insert(name.to_owned(), reason.to_owned());
            config.dependencies.insert("kernel".to_owned(), settings);
        })
    };
    assert_eq!(dependency("eager", "no compiler"), none);
    assert_eq!(dependency("Eager", "no compiler"), ["dependencies.kernel.fallbacks"]);
    assert_eq!(dependency("eager", " "), ["dependencies.kernel.fallbacks"]);
}

#[test]
fn a_job_that_says_nothing_has_the_workers_limits() {
    let config = WorkerConfig::new()
        .lanes(1)
        .drivers(1)
        .capacity(4)
        .name("limits")
        .run_timeout(SECOND * 2)
        .queue_timeout(SECOND);
    assert!(format!("{config:?}").contains("limits"));
    let mut bench = Bench::new(config);
    let mut runs = bench.worker.try_submit(Job::task(pending::<()>())).expect("a place");
    bench.run();
    let mut waits = bench.worker.try_submit(Job::task(pending::<()>())).expect("a place");
    bench.advance(SECOND);
    assert_eq!((take(&mut waits).class(), runs.is_finished()), (Class::TimedOut(Phase::Queued), false));
    bench.advance(SECOND);
    assert_eq!(take(&mut runs).class(), Class::TimedOut(Phase::Running));
}

#[test]
fn a_worker_gives_grace_to_those_who_say_nothing() {
    let mut bench = Bench::new(WorkerConfig::new().lanes(1).drivers(1).grace(SECOND));
    let job = Job::task_with(|cx| async move {
        cx.token().cancelled().await;
        pending::<()>().await;
    });
    let mut handle = bench.worker.try_submit(job).expect("a place");
    bench.run();
    handle.cancel();
    bench.run();
    bench.advance(SECOND - Duration::from_nanos(1));
    assert!(!handle.is_finished());
    bench.advance(Duration::from_nanos(1));
    assert!(take(&mut handle).is_cancelled());
}

#[test]
fn there_are_as_many_drivers_as_were_asked_for_or_processors() {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    assert_eq!(WorkerConfig::new().lanes(1_000_000).driver_count(), processors);
    assert_eq!(WorkerConfig::new().lanes(1).driver_count(), 1);
    assert_eq!(WorkerConfig::new().lanes(9).drivers(7).driver_count(), 7);
    let both = WorkerConfig::new()
        .lanes(1)
        .capacity(0)
        .watchdog(Some(Duration::ZERO))
        .check()
        .expect_err("two that cannot be");
    let each: Vec<_> =
        both.faults().iter().map(|fault| format!("{} = {}: {}", fault.field, fault.value, fault.why)).collect();
    assert_eq!(both.to_string(), each.join("; "));
}
