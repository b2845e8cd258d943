//! The command, as people call it.

use std::fs;
use std::process::Command;

use countermand_config::{Environment, Export, Format, Loader, run, schema, template};
use countermand_core::config::ExecutionConfig;
use serde_json::Value;

/// What it says with these arguments and variables: status, output, messages.
fn config(arguments: &[&str], variables: &[(&str, &str)]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let environment = Environment::from_iter(variables.iter().copied());
    let arguments = std::iter::once("config").chain(arguments.iter().copied());
    let status = run(arguments, &environment, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status, text(out), text(err))
}

#[test]
fn the_template_is_valid_and_says_everything() {
    let (status, text, err) = config(&["init"], &[]);
    assert_eq!((status, err.as_str()), (0, ""));
    insta::assert_snapshot!("init", text);
    let loaded = Loader::new().text("init.toml", Format::Toml, text.as_str()).load().expect("it is valid");
    assert_eq!(loaded.config(), &ExecutionConfig::default());
    // What it shows as an example is one: without the signs it is valid too.
    let example: Vec<&str> =
        text.lines().map(|line| line.strip_prefix("# ").filter(|rest| is_setting(rest)).unwrap_or(line)).collect();
    let loaded = Loader::new().text("example.toml", Format::Toml, example.join("\n")).load().expect("it is valid");
    assert!(loaded.config().dependencies.contains_key("registry"));
    assert_eq!(loaded.config().for_subsystem("tolaria").worker.lanes, 256);
    assert!(text.lines().all(|line| line.len() <= 104), "a line is too wide to read");
}

fn is_setting(line: &str) -> bool {
    line.starts_with('[')
        || line.split_once(" = ").is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
}

#[test]
fn the_schema_validates_the_template() {
    let (status, text, _) = config(&["schema"], &[]);
    assert_eq!(status, 0);
    let printed: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(printed, schema());
    jsonschema::meta::validate(&printed).expect("a valid schema of its draft");
    let validator = jsonschema::draft202012::new(&printed).expect("a schema");
    let table: toml::Table = template().parse().expect("TOML");
    let errors: Vec<String> =
        validator.iter_errors(&serde_json::to_value(table).expect("JSON")).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn what_is_shown_can_be_loaded_again() {
    let set = [
        "--set",
        "worker.lanes=8",
        "--set",
        "dependencies.redis.fallbacks.memory=a \"cold\" start",
        "--set",
        "subsystem.tolaria.torch.device=cuda:1",
    ];
    for (format, of) in [("toml", Format::Toml), ("json", Format::Json)] {
        let (status, text, err) = config(&[&["show", "--format", format], &set[..]].concat(), &[]);
        assert_eq!((status, err.as_str()), (0, ""));
        let loaded = Loader::new().text("shown", of, text).load().expect("it is valid");
        assert_eq!(loaded.config().worker.lanes, 8);
        assert_eq!(loaded.config().dependencies["redis"].fallbacks["memory"], "a \"cold\" start");
        assert_eq!(loaded.config().for_subsystem("tolaria").torch.device.to_string(), "cuda:1");
    }
}

#[test]
fn origins_are_shown() {
    let variables = [("COUNTERMAND_WORKER__LANES", "8"), ("ESPER_LEYLINE_SECRET", "correct-horse")];
    let (status, text, err) = config(&["show", "--origin", "--set", "torch.device=cpu"], &variables);
    assert_eq!(status, 0);
    insta::assert_snapshot!("show_origin", text);
    insta::assert_snapshot!("show_origin_warnings", err);
    let (_, text, _) = config(&["show", "--origin", "--format", "json"], &variables);
    let shown: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(shown["worker.lanes"]["origin"], "variable COUNTERMAND_WORKER__LANES");
    assert_eq!(shown["telemetry.signing_key"]["value"], "[redacted]");
}

#[test]
fn old_names_are_warned_of_once_and_refused_in_strict_mode() {
    let old = [
        ("ASYNC_WORKER_MAX_CONCURRENCY", "12", "worker.lanes", "12"),
        ("ASYNC_WORKER_SHUTDOWN_TIMEOUT_S", "2.5", "worker.shutdown_limit_ms", "2500"),
        ("TOLARIA_ASYNC_WORKER_MAX_CONCURRENCY", "32", "subsystem.tolaria.worker.lanes", "32"),
        ("TOLARIA_ASYNC_WORKER_SHUTDOWN_TIMEOUT_S", "10", "subsystem.tolaria.worker.shutdown_limit_ms", "10000"),
        ("REDIS_URL", "redis://localhost:6379/0", "telemetry.redis_url", "\"[redacted]\""),
        ("OONA_NORMAL_STREAM", "a", "telemetry.normal_stream", "\"a\""),
        ("OONA_EMERGENCY_STREAM", "b", "telemetry.emergency_stream", "\"b\""),
        ("OONA_TELEMETRY_STREAM", "c", "telemetry.telemetry_stream", "\"c\""),
        ("OONA_EMERGENCY_MAX_PER_MIN", "77", "telemetry.emergency_max_per_minute", "77"),
        ("OONA_EMERGENCY_THRESHOLD", "500", "telemetry.emergency_threshold", "500"),
        ("OONA_MESSAGE_TTL_MS", "60000", "telemetry.message_ttl_ms", "60000"),
        ("ESPER_LEYLINE_SECRET", "correct-horse", "telemetry.signing_key", "\"[redacted]\""),
        ("ESP_LOG_LEVEL", "WARNING", "telemetry.log_level", "\"warning\""),
    ];
    let variables: Vec<(&str, &str)> = old.iter().map(|row| (row.0, row.1)).collect();
    let (status, text, err) = config(&["show", "--origin", "--format", "json"], &variables);
    assert_eq!(status, 0);
    let shown: Value = serde_json::from_str(&text).expect("JSON");
    for (variable, _, key, value) in old {
        assert_eq!(shown[key]["value"].to_string(), value, "{variable}");
        assert_eq!(shown[key]["origin"], format!("legacy variable {variable}"));
        let warnings =
            err.lines().filter(|line| line.starts_with(&format!("warning: {variable} is deprecated"))).count();
        assert_eq!(warnings, 1, "{variable} in\n{err}");
    }
    let (status, _, err) = config(&["check", "--strict"], &variables);
    assert_eq!(status, 2);
    assert!(err.ends_with("13 problems\n"), "{err}");
    // The new name wins, and the old one says that it had no effect.
    let both = [("ESP_LOG_LEVEL", "WARNING"), ("COUNTERMAND_TELEMETRY__LOG_LEVEL", "error")];
    let (status, text, err) = config(&["show"], &both);
    assert_eq!(status, 0);
    assert!(text.contains("log_level = \"error\""), "{text}");
    assert!(err.contains("it had no effect"), "{err}");
}

#[test]
fn variables_that_are_exported_are_read_back() {
    let text = "[torch]\nfloat32_matmul_precision = \"medium\"\ntf32_allowed = true\ndevice = \"cuda:0\"\n";
    let torch = Loader::new().text("a.toml", Format::Toml, text).load().expect("it is valid").into_config().torch;
    let variables = Environment::from_text("torch.env", &Export::Env.text(&torch));
    let again = Loader::new().environment(variables).load().expect("it is valid").into_config().torch;
    assert_eq!(again, torch);
    let json: Value = serde_json::from_str(&Export::Json.text(&torch)).expect("JSON");
    assert_eq!(json["float32_matmul_precision"], "medium");
}

/// A stand-in for PyTorch that remembers what it was told.
const FAKE_TORCH: &str = r#"
import os
from types import SimpleNamespace
__version__ = os.environ["FAKE_VERSION"]
_precision = "highest"
_inference = False
cuda = SimpleNamespace(is_available=lambda: False)
backends = SimpleNamespace(cudnn=SimpleNamespace(allow_tf32=True), cuda=SimpleNamespace(matmul=SimpleNamespace(allow_tf32=False)))
def set_float32_matmul_precision(precision):
    global _precision
    if os.environ.get("FAKE_DEAF") is None:
        _precision = precision
def get_float32_matmul_precision():
    return _precision
class inference_mode:
    def __init__(self, mode=True):
        self.mode = mode
    def __enter__(self):
        global _inference
        _inference = self.mode
    def __exit__(self, *_):
        global _inference
        _inference = False
def is_inference_mode_enabled():
    return _inference
def device(name):
    return name
def compile(model):
    return model
"#;

#[test]
fn the_python_module_applies_and_checks() {
    let python = |arguments: &[&str]| Command::new("python3").args(arguments).output();
    if python(&["--version"]).is_err() {
        println!("skipped: there is no python3 here");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (status, module, _) = config(
        &["export", "--format", "python", "--set", "torch.compile_allowed=false", "--set", "torch.device=cpu"],
        &[],
    );
    assert_eq!(status, 0);
    fs::write(folder.path().join("settings.py"), module).expect("a file");
    fs::write(folder.path().join("torch.py"), FAKE_TORCH).expect("a file");
    let import = |version: &str, deaf: bool, then: &str| {
        let mut command = Command::new("python3");
        command.current_dir(&folder).env("FAKE_VERSION", version).env("PYTHONDONTWRITEBYTECODE", "1");
        if deaf {
            command.env("FAKE_DEAF", "1");
        }
        let output = command.args(["-c", &format!("import settings, torch\n{then}")]).output().expect("it runs");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let asserts = "assert not torch.backends.cudnn.allow_tf32\nassert settings.device() == 'cpu'\nwith settings.inference(): assert torch.is_inference_mode_enabled()\ntry:\n    torch.compile(1)\nexcept RuntimeError: pass\nelse: raise SystemExit('it compiled')";
    for version in ["2.8.0", "2.8.1+cu126", "2.8", "2.8.2.post1"] {
        assert_eq!(import(version, false, asserts), (true, String::new()), "{version}");
    }
    for version in ["2.7.1", "2.9.0", "2.9.0a0+git1", "2.8.0rc1", "2.8.0.dev20250601", "nonsense"] {
        let (fine, err) = import(version, false, "");
        assert!(
            !fine && err.contains(&format!("torch.version: >=2.8,<2.9 is required, {version} is installed")),
            "{version}: {err}"
        );
    }
    // All that does not hold is named at once.
    let (_, module, _) = config(
        &[
            "export",
            "--format",
            "python",
            "--set",
            "torch.float32_matmul_precision=high",
            "--set",
            "torch.tf32_allowed=true",
            "--set",
            "torch.device=cuda",
        ],
        &[],
    );
    fs::write(folder.path().join("settings.py"), module).expect("a file");
    let (fine, err) = import("2.9.0", true, "");
    assert!(!fine);
    for key in ["torch.version", "torch.float32_matmul_precision", "torch.device"] {
        assert!(err.contains(key), "{key} is not in {err}");
    }
}

#[test]
fn a_subsystem_is_exported_as_it_has_it() {
    let set = ["--set", "subsystem.tolaria.torch.device=mps"];
    let (_, shared, _) = config(&[&["export", "--format", "env"], &set[..]].concat(), &[]);
    let (_, own, _) = config(&[&["export", "--format", "env", "--subsystem", "tolaria"], &set[..]].concat(), &[]);
    assert!(shared.contains("COUNTERMAND_TORCH__DEVICE=auto\n") && own.contains("COUNTERMAND_TORCH__DEVICE=mps\n"));
}

#[test]
fn a_wrong_call_is_two_and_help_is_zero() {
    assert_eq!(config(&["--help"], &[]).0, 0);
    assert_eq!(config(&["check", "--help"], &[]).0, 0);
    for wrong in [
        &["chk"][..],
        &[],
        &["export"],
        &["show", "--format", "yaml"],
        &["check", "--set", "worker.lanes"],
        &["check", "--env-file", "no/such.env"],
    ] {
        let (status, out, err) = config(wrong, &[]);
        assert_eq!((status, out.as_str()), (2, ""), "{wrong:?}");
        assert!(!err.is_empty(), "{wrong:?} says nothing");
    }
}

#[test]
fn the_readme_shows_what_is_told() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("service.toml"), "[worker]\nlnaes = 8\n").expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_config"))
        .args(["check", "service.toml"])
        .current_dir(directory.path())
        .env_clear()
        .output()
        .expect("it runs");
    let told = String::from_utf8(output.stderr).expect("UTF-8");
    let readme = include_str!("../../../README.md");
    let shown = readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block of text");
    assert_eq!(told.trim_end(), shown.trim_end());
}

#[test]
fn help_says_how_it_ends_and_completions_what_there_is() {
    for command in ["check", "show", "schema", "init", "export", "completions"] {
        let (status, help, _) = config(&[command, "--help"], &[]);
        assert!(status == 0 && help.contains("Exit status"), "{command}: {help}");
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (status, script, err) = config(&["completions", shell], &[]);
        assert!(status == 0 && err.is_empty() && script.contains("reveal-secrets"), "{shell}");
    }
}

#[test]
fn the_program_is_the_same_command() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_config")).args(["check", "tests/broken/no_lanes.toml"]).env_clear().output();
    let output = output.expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("[tests/broken/no_lanes.toml:2:9]"));
    let output = Command::new(env!("CARGO_BIN_EXE_config"))
        .args(["show"])
        .env_clear()
        .env("COUNTERMAND_WORKER__LANES", "9")
        .output();
    assert!(String::from_utf8_lossy(&output.expect("it runs").stdout).contains("lanes = 9\n"));
}
