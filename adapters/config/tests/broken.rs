//! Broken configurations, each with status 2 and a message that names file, line, column and key; the messages are kept as snapshots.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use countermand_config::{Environment, Loader, ProblemKind as Kind, run, schema};
use serde_json::Value;

const FOLDER: &str = "tests/broken";

/// The file; the file that is at fault, which may be that with its variables; then key, line, column and kind of the first problem.
#[rustfmt::skip]
const BROKEN: &[(&str, &str, &str, usize, usize, Kind)] = &[
    ("unknown_key.toml", "unknown_key.toml", "worker.lnaes", 2, 1, Kind::UnknownKey),
    ("unknown_key.json", "unknown_key.json", "worker.capactiy", 2, 15, Kind::UnknownKey),
    ("unknown_section.toml", "unknown_section.toml", "wroker", 1, 2, Kind::UnknownKey),
    ("unknown_section.json", "unknown_section.json", "telemtry", 1, 3, Kind::UnknownKey),
    ("unknown_dotted.toml", "unknown_dotted.toml", "worker.lane", 1, 8, Kind::UnknownKey),
    ("unknown_in_subsystem.toml", "unknown_in_subsystem.toml", "subsystem.tolaria.worker.queue", 3, 1, Kind::UnknownKey),
    ("unknown_section_of_subsystem.toml", "unknown_section_of_subsystem.toml", "subsystem.tolaria.workers", 1, 20, Kind::UnknownKey),
    ("unknown_in_dependency.json", "unknown_in_dependency.json", "dependencies.redis.optional", 2, 14, Kind::UnknownKey),
    ("unknown_inline.toml", "unknown_inline.toml", "torch.devcie", 1, 30, Kind::UnknownKey),
    ("misspelt_secret.toml", "misspelt_secret.toml", "telemetry.signing_kye", 2, 1, Kind::UnknownKey),
    ("text_for_number.toml", "text_for_number.toml", "worker.lanes", 2, 9, Kind::WrongType),
    ("text_for_number.json", "text_for_number.json", "worker.lanes", 1, 22, Kind::WrongType),
    ("fraction_for_number.toml", "fraction_for_number.toml", "worker.capacity", 2, 12, Kind::WrongType),
    ("fraction_for_number.json", "fraction_for_number.json", "worker.capacity", 1, 25, Kind::WrongType),
    ("flag_for_number.toml", "flag_for_number.toml", "worker.watchdog_ms", 2, 15, Kind::WrongType),
    ("number_for_flag.toml", "number_for_flag.toml", "torch.inference_mode_enforced", 2, 27, Kind::WrongType),
    ("text_for_flag.json", "text_for_flag.json", "torch.tf32_allowed", 2, 19, Kind::WrongType),
    ("null.json", "null.json", "telemetry.log_level", 1, 29, Kind::WrongType),
    ("number_for_text.toml", "number_for_text.toml", "telemetry.normal_stream", 2, 17, Kind::WrongType),
    ("date_for_text.toml", "date_for_text.toml", "telemetry.emergency_stream", 2, 20, Kind::WrongType),
    ("text_for_list.toml", "text_for_list.toml", "telemetry.sinks", 2, 9, Kind::WrongType),
    ("number_in_list.json", "number_in_list.json", "telemetry.sinks", 1, 37, Kind::WrongType),
    ("value_for_table.toml", "value_for_table.toml", "worker", 1, 10, Kind::WrongType),
    ("list_for_table.json", "list_for_table.json", "worker", 1, 12, Kind::WrongType),
    ("tables_for_table.toml", "tables_for_table.toml", "worker", 1, 1, Kind::WrongType),
    ("table_for_value.toml", "table_for_value.toml", "worker.lanes", 1, 1, Kind::WrongType),
    ("number_for_secret.toml", "number_for_secret.toml", "telemetry.signing_key", 2, 15, Kind::WrongType),
    ("no_lanes.toml", "no_lanes.toml", "worker.lanes", 2, 9, Kind::BadValue),
    ("negative.toml", "negative.toml", "worker.lanes", 2, 9, Kind::BadValue),
    ("far_too_many.json", "far_too_many.json", "worker.lanes", 1, 22, Kind::BadValue),
    ("no_capacity.json", "no_capacity.json", "worker.capacity", 3, 15, Kind::BadValue),
    ("long_grace.toml", "long_grace.toml", "worker.grace_ms", 2, 12, Kind::BadValue),
    ("unknown_word.toml", "unknown_word.toml", "worker.full", 2, 8, Kind::BadValue),
    ("capital_word.json", "capital_word.json", "torch.float32_matmul_precision", 1, 40, Kind::BadValue),
    ("unknown_sink.toml", "unknown_sink.toml", "telemetry.sinks", 2, 21, Kind::BadValue),
    ("sink_twice.toml", "sink_twice.toml", "telemetry.sinks", 2, 21, Kind::BadValue),
    ("version_without_sign.toml", "version_without_sign.toml", "torch.version", 2, 11, Kind::BadValue),
    ("device.toml", "device.toml", "torch.device", 2, 10, Kind::BadValue),
    ("stream_with_space.toml", "stream_with_space.toml", "telemetry.normal_stream", 2, 17, Kind::BadValue),
    ("secret_with_line_end.toml", "secret_with_line_end.toml", "telemetry.signing_key", 2, 15, Kind::BadValue),
    ("redis_scheme.json", "redis_scheme.json", "telemetry.redis_url", 1, 29, Kind::BadValue),
    ("otlp_scheme.toml", "otlp_scheme.toml", "telemetry.otlp_url", 2, 12, Kind::BadValue),
    ("subsystem_name.toml", "subsystem_name.toml", "subsystem.To laria", 1, 12, Kind::BadValue),
    ("dependency_name.json", "dependency_name.json", "dependencies.Redis", 1, 19, Kind::BadValue),
    ("blank_reason.toml", "blank_reason.toml", "dependencies.redis.fallbacks.memory", 2, 24, Kind::BadValue),
    ("override_out_of_range.toml", "override_out_of_range.toml", "subsystem.tolaria.telemetry.message_ttl_ms", 2, 18, Kind::BadValue),
    ("twice.toml", "twice.toml", "worker.lanes", 3, 1, Kind::Duplicate),
    ("twice.json", "twice.json", "worker.lanes", 2, 13, Kind::Duplicate),
    ("table_twice.toml", "table_twice.toml", "worker", 3, 2, Kind::Duplicate),
    ("no_value.toml", "no_value.toml", "worker.lanes", 2, 8, Kind::Syntax),
    ("open_text.toml", "open_text.toml", "telemetry.signing_key", 2, 29, Kind::Syntax),
    ("trailing_comma.json", "trailing_comma.json", "worker.lanes", 1, 23, Kind::Syntax),
    ("comment.json", "comment.json", "worker.lanes", 1, 24, Kind::Syntax),
    ("no_end.json", "no_end.json", "telemetry", 1, 15, Kind::Syntax),
    ("not_utf8.toml", "not_utf8.toml", "telemetry.normal_stream", 2, 18, Kind::Syntax),
    ("drivers_over_lanes.toml", "drivers_over_lanes.toml", "worker.drivers", 3, 11, Kind::Conflict),
    ("all_reserved.json", "all_reserved.json", "worker.reserve_critical", 3, 23, Kind::Conflict),
    ("precision_without_tf32.toml", "precision_without_tf32.toml", "torch.float32_matmul_precision", 2, 28, Kind::Conflict),
    ("one_stream.toml", "one_stream.toml", "telemetry.normal_stream", 2, 17, Kind::Conflict),
    ("redis_nowhere.toml", "redis_nowhere.toml", "telemetry.sinks", 2, 9, Kind::Conflict),
    ("otlp_without_metrics.toml", "otlp_without_metrics.toml", "telemetry.otlp_url", 2, 12, Kind::Conflict),
    ("fallback_without_name.toml", "fallback_without_name.toml", "dependencies.registry.fallback_allowed", 2, 20, Kind::Conflict),
    ("subsystem_conflict.toml", "subsystem_conflict.toml", "subsystem.kasmina.worker.drivers", 2, 11, Kind::Conflict),
    ("too_deep.toml", "too_deep.toml", "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q", 1, 1, Kind::Limit),
    ("too_deep.json", "too_deep.json", "worker.lanes", 1, 36, Kind::Limit),
    ("too_many.toml", "too_many.toml", "telemetry.sinks", 2, 8199, Kind::Limit),
    ("unknown_variable.toml", "unknown_variable.env", "worker_lanes", 2, 1, Kind::UnknownVariable),
    ("variable_range.toml", "variable_range.env", "worker.lanes", 1, 27, Kind::BadValue),
    ("variable_type.toml", "variable_type.env", "torch.tf32_allowed", 1, 33, Kind::WrongType),
    ("variable_twice.toml", "variable_twice.env", "worker.lanes", 3, 1, Kind::Duplicate),
    ("legacy_variable.toml", "legacy_variable.env", "worker.shutdown_limit_ms", 1, 33, Kind::WrongType),
    ("legacy_secret.toml", "legacy_secret.env", "telemetry.signing_key", 1, 22, Kind::BadValue),
];

/// The variables that stand beside a file.
fn variables(file: &str) -> String {
    let beside = Path::new(FOLDER).join(file).with_extension("env");
    // A file without variables has none: what the process has does not count.
    if beside.exists() { beside.display().to_string() } else { String::from("tests/none.env") }
}

#[test]
fn every_broken_configuration_is_named_with_its_place() {
    let mut faults = Vec::new();
    for (file, at_fault, key, line, column, kind) in BROKEN {
        let path = format!("{FOLDER}/{file}");
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let arguments = ["config", "check", &path, "--env-file", &variables(file)];
        let status = run(arguments, &Environment::empty(), &mut out, &mut err);
        let message = String::from_utf8(err).expect("messages are UTF-8");
        let environment = fs::read_to_string(variables(file)).expect("a readable file");
        let loaded = Loader::new().file(&path).environment(Environment::from_text("variables", &environment)).load();
        let error = loaded.expect_err("it is broken");
        let problem = &error.problems()[0];
        if status != 2 || !out.is_empty() {
            faults.push(format!("{file}: status {status}, {} bytes of output", out.len()));
        }
        let place = format!("[{FOLDER}/{at_fault}:{line}:{column}]");
        if !message.contains(&place) || !message.starts_with(&format!("  × {key}: ")) {
            faults.push(format!("{file}: {key} at {place} is not what was told:\n{message}"));
        }
        if (problem.kind, problem.key.as_str()) != (*kind, *key) {
            faults.push(format!("{file}: {:?} of {} instead of {kind:?} of {key}", problem.kind, problem.key));
        }
        if ["correct", "horse"].iter().any(|secret| message.contains(secret) || format!("{problem:?}").contains(secret))
        {
            faults.push(format!("{file}: a secret was told:\n{message}"));
        }
        insta::assert_snapshot!(file.replace('.', "_"), message);
    }
    println!("{} broken configurations", BROKEN.len());
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_file_in_the_folder_is_looked_at() {
    let listed: BTreeSet<String> = BROKEN.iter().map(|row| row.0.to_owned()).collect();
    let there: BTreeSet<String> = fs::read_dir(FOLDER)
        .expect("a readable folder")
        .map(|entry| entry.expect("a readable entry").file_name().into_string().expect("UTF-8"))
        .filter(|name| !name.ends_with(".env"))
        .collect();
    assert_eq!(listed, there);
    assert_eq!(listed.len(), BROKEN.len(), "a file is listed twice");
    assert!(listed.len() >= 50, "{} broken configurations are too few", listed.len());
}

/// What the file says, read by parsers that know nothing of our settings; nothing, if it is not of its format.
fn instance(file: &str) -> Option<Value> {
    let text = fs::read_to_string(Path::new(FOLDER).join(file)).ok()?;
    if file.ends_with(".json") {
        return serde_json::from_str(&text).ok();
    }
    let table: toml::Table = text.parse().ok()?;
    serde_json::to_value(table).ok()
}

#[test]
fn the_schema_refuses_every_error_of_shape() {
    let validator = jsonschema::draft202012::new(&schema()).expect("a valid schema");
    let mut refused = 0;
    for (file, at_fault, key, _, _, kind) in BROKEN {
        let of_shape = matches!(kind, Kind::UnknownKey | Kind::WrongType | Kind::BadValue);
        if !of_shape || at_fault.ends_with(".env") {
            continue;
        }
        let instance = instance(file).unwrap_or_else(|| panic!("{file} is TOML or JSON"));
        assert!(!validator.is_valid(&instance), "the schema accepts {key} in {file}");
        refused += 1;
    }
    println!("{refused} errors of shape refused");
    assert!(refused >= 40, "only {refused} errors of shape were seen");
}

/// What the schema cannot know, it accepts: else the test above would prove little.
#[test]
fn the_schema_accepts_what_only_the_check_refuses() {
    let validator = jsonschema::draft202012::new(&schema()).expect("a valid schema");
    let mut accepted = 0;
    for (file, ..) in BROKEN.iter().filter(|row| row.5 == Kind::Conflict) {
        let instance = instance(file).unwrap_or_else(|| panic!("{file} is TOML or JSON"));
        let errors: Vec<String> = validator.iter_errors(&instance).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{file}: {errors:?}");
        accepted += 1;
    }
    assert!(accepted >= 5);
}
