//! The settings, held against their table and against the worker that they describe.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use crate::config::*;
use crate::{Discipline, Priority};

fn faults(config: &ExecutionConfig) -> Vec<String> {
    config.check().map_or_else(|faults| faults.all().iter().map(ToString::to_string).collect(), |()| Vec::new())
}

#[test]
fn the_defaults_are_valid() {
    assert_eq!(ExecutionConfig::default().check(), Ok(()));
    assert!(WorkerConfig::from(&WorkerSettings::default()).check().is_ok());
}

#[test]
fn the_default_settings_are_the_default_worker() {
    let of_settings = format!("{:?}", WorkerConfig::from(&WorkerSettings::default()));
    assert_eq!(of_settings, format!("{:?}", WorkerConfig::new()));
}

#[test]
fn settings_become_the_worker_that_they_describe() {
    let settings = WorkerSettings {
        lanes: 3,
        drivers: 2,
        capacity: 9,
        discipline: Order::Strict,
        reserve_high: 4,
        full: FullPolicy::EvictLowest,
        run_timeout_ms: 1,
        queue_timeout_ms: 2,
        grace_ms: 3,
        shutdown_limit_ms: 4,
        watchdog_ms: 0,
        ..WorkerSettings::default()
    };
    let config = WorkerConfig::from(&settings);
    assert_eq!((config.lanes, config.drivers, config.capacity), (3, Some(2), 9));
    assert_eq!((config.discipline, config.full), (Discipline::Strict, FullPolicy::EvictLowest));
    assert_eq!(config.reserved[Priority::High.index()], 4);
    assert_eq!(config.run_timeout, Some(Duration::from_millis(1)));
    assert_eq!(config.queue_timeout, Some(Duration::from_millis(2)));
    assert_eq!((config.grace, config.shutdown_limit), (Duration::from_millis(3), Duration::from_millis(4)));
    assert_eq!(config.watchdog, None);
}

#[test]
fn every_fault_is_reported_with_its_key() {
    let mut config = ExecutionConfig::default();
    config.worker.lanes = 0;
    config.worker.weight_low = 0;
    config.worker.capacity = 4;
    config.worker.reserve_critical = 5;
    config.torch.float32_matmul_precision = MatmulPrecision::High;
    config.telemetry.emergency_stream = "oona.normal".into();
    config.telemetry.sinks.push(SinkName::Redis);
    config.telemetry.signing_key = "two words".into();
    let database = DependencySettings { fallback_allowed: true, ..DependencySettings::default() };
    config.dependencies.insert("database".into(), database);
    let faults = faults(&config);
    let keys: Vec<&str> = faults.iter().filter_map(|fault| fault.split(' ').next()).collect();
    let expected = [
        "worker.lanes",
        "worker.weight_low",
        "worker.reserve_critical",
        "torch.float32_matmul_precision",
        "dependencies.database.fallback_allowed",
        "telemetry.signing_key",
        "telemetry.emergency_stream",
        "telemetry.sinks",
    ];
    assert_eq!(keys, expected);
    assert!(faults.iter().all(|fault| !fault.contains("two words")), "a secret is told: {faults:?}");
}

#[test]
fn a_subsystem_reports_what_it_changed_and_no_more() {
    let mut config = ExecutionConfig::default();
    config.torch.float32_matmul_precision = MatmulPrecision::Medium;
    config.worker.drivers = 8;
    let mut kasmina = SubsystemOverrides::default();
    kasmina.worker.lanes = Some(4);
    config.subsystem.insert("kasmina".into(), kasmina);
    config.subsystem.insert("No Name".into(), SubsystemOverrides::default());
    let faults = faults(&config);
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(faults[0].starts_with("torch.float32_matmul_precision = medium"));
    assert!(faults[1].starts_with("subsystem.No Name = "));
    assert!(faults[2].starts_with("subsystem.kasmina.worker.drivers = 8: more drivers than lanes"));
}

#[test]
fn overrides_take_the_place_of_what_is_shared() {
    let mut config = ExecutionConfig::default();
    let mut tolaria = SubsystemOverrides::default();
    tolaria.torch.device = Some(Device::Cuda(Some(1)));
    tolaria.telemetry.log_level = Some(LogLevel::Debug);
    let named = BTreeMap::from([("memory".into(), "the cache may start cold".into())]);
    let redis = DependencyOverrides { required: None, fallback_allowed: Some(true), fallbacks: Some(named.clone()) };
    tolaria.dependencies.insert("redis".into(), redis);
    config.subsystem.insert("tolaria".into(), tolaria);
    let own = config.for_subsystem("tolaria");
    assert_eq!(own.torch.device, Device::Cuda(Some(1)));
    assert_eq!(own.telemetry.log_level, LogLevel::Debug);
    assert_eq!(
        own.dependencies["redis"],
        DependencySettings { required: true, fallback_allowed: true, fallbacks: named }
    );
    assert!(own.subsystem.is_empty() && config.dependencies.is_empty());
    assert_eq!(config.check(), Ok(()));
}

#[test]
fn every_row_of_the_tables_says_what_it_is() {
    let tables =
        [WorkerSettings::SETTINGS, TorchSettings::SETTINGS, DependencySettings::SETTINGS, TelemetrySettings::SETTINGS];
    for row in tables.into_iter().flatten() {
        assert!(row.doc.ends_with('.') && row.doc.len() > 20, "{}: {}", row.key, row.doc);
        assert_eq!(
            matches!(row.kind, Kind::Number { .. }),
            !row.unit.is_empty(),
            "{} counts something or not",
            row.key
        );
        if let Kind::Number { least, most } = row.kind {
            assert!(least < most, "{}", row.key);
        }
    }
}

#[test]
fn versions_fit_their_range_or_not() {
    let range: VersionRange = ">=2.8,<2.9,!=2.8.3".parse().unwrap();
    for (version, fits) in [
        ("2.8", true),
        ("2.8.0", true),
        ("2.8.1+cu126", true),
        ("2.8.2.post1", true),
        ("2.8.3", false),
        ("2.7.9", false),
        ("2.9", false),
        ("2.9.0a0+git12", false),
        ("2.8.0rc1", false),
        ("2.8.0.dev20250601", false),
        ("2.10", false),
    ] {
        assert_eq!(range.contains(&version.parse().unwrap()), fits, "{version}");
    }
    for wrong in ["", "x", "2.8!", "v2.8", "2.8. 1", "9999999.1"] {
        assert_eq!(wrong.parse::<Version>(), Err(NotAVersion), "{wrong}");
    }
    for wrong in ["", "2.8", "=2.8", ">=", ">=2.8,", ">=2.8rc1", ">=2.8+cu1", ">1,>2,>3,>4,>5", ">=2..8"] {
        assert_eq!(wrong.parse::<VersionRange>(), Err(NotARange), "{wrong}");
    }
}

#[test]
fn a_report_is_held_against_the_settings_and_all_differences_are_told() {
    let settings = TorchSettings { device: Device::Cuda(None), compile_allowed: false, ..TorchSettings::default() };
    let good = TorchReport {
        version: "2.8.1",
        float32_matmul_precision: "highest",
        inference_mode: true,
        tf32: false,
        compile: false,
        device: "cuda:3",
    };
    assert_eq!(settings.verify(&good), Ok(()));
    let bad = TorchReport {
        version: "2.9.0",
        float32_matmul_precision: "medium",
        inference_mode: false,
        tf32: true,
        compile: true,
        device: "cpu",
    };
    let all: Vec<String> = settings.verify(&bad).unwrap_err().all().iter().map(ToString::to_string).collect();
    assert_eq!(all.len(), 6, "{all:?}");
    assert_eq!(all[0], "torch.version: >=2.8,<2.9 is required, 2.9.0 was reported");
}

#[test]
fn a_supervisor_that_would_let_anybody_in_is_refused() {
    let mut config = ExecutionConfig::default();
    config.weatherlight.tcp = "127.0.0.1:7078".into();
    let open = "weatherlight.tcp = 127.0.0.1:7078: whoever is on this machine could send: set secret or secret_file";
    assert_eq!(faults(&config), [open]);
    config.weatherlight.secret = "a".into();
    assert!(faults(&config).is_empty());
    config.weatherlight.secret_file = "b".into();
    assert_eq!(faults(&config).len(), 1);
    config.weatherlight.secret = "".into();
    config.weatherlight.page = "0.0.0.0:7077".into();
    let reachable = &faults(&config)[0];
    assert!(
        reachable.starts_with("weatherlight.page = 0.0.0.0:7077: must be an address and port of loopback"),
        "{reachable}"
    );
}
