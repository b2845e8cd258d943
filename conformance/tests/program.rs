//! The program as its users meet it: what it prints, and how it ends.

use std::fs;
use std::path::PathBuf;
use std::process::{self, Command, Output};

use serde_json::Value;

fn conformance(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_conformance")).args(arguments).output().expect("the program can be started")
}

fn text(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("reports are text")
}

/// Ends with status 2, and gives what it said.
fn refused(arguments: &[&str]) -> String {
    let output = conformance(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?} {output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).expect("complaints are text")
}

fn scratch(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", process::id()))
}

#[test]
fn the_table_has_a_row_a_group_and_a_column_a_host() {
    let table = text(&conformance(&["--host", "sim", "--host", "smol", "--rule", "t1", "--rule", "R1", "--seed", "5"]));
    let row =
        |begin: &str| table.lines().find(|line| line.contains(begin)).unwrap_or_else(|| panic!("{begin}: {table}"));
    let heading = row("rules");
    assert!(heading.find("smol") < heading.find("sim "), "hosts in their order: {table}");
    assert_eq!(row("T Token").matches("1/1").count(), 2, "{table}");
    assert_eq!(row("R Tree").matches("1/1").count(), 2, "{table}");
    assert_eq!(row("all").matches("2/2").count(), 2, "{table}");
    assert!(table.contains("seed 5"), "{table}");
    assert!(table.contains("4 passed in "), "{table}");
}

#[test]
fn json_is_as_described() {
    let json = text(&conformance(&["--host", "sim", "--rule", "T11", "--rule", "R1", "--format", "json"]));
    let json: Value = serde_json::from_str(&json).expect("the report is JSON");
    assert!(json["suite"].as_str().is_some_and(|suite| suite.starts_with("countermand-conformance")), "{json}");
    let host = &json["hosts"][0];
    assert_eq!(host["name"], "sim");
    assert_eq!(host["profile"], serde_json::json!(["alloc", "threads", "unwind", "blocking"]));
    assert!(host["version"].is_string());
    let rules = host["rules"].as_array().expect("a list of rules");
    assert_eq!(rules.iter().map(|rule| &rule["id"]).collect::<Vec<_>>(), ["T11", "R1"]);
    for rule in rules {
        assert_eq!((&rule["verdict"], &rule["why"]), (&Value::from("pass"), &Value::Null), "{rule}");
        assert!(rule["runs"].as_u64().is_some_and(|runs| runs > 0), "{rule}");
        assert!(rule["millis"].is_u64(), "{rule}");
    }
}

#[test]
fn html_opens_anywhere() {
    let file = scratch("report.html");
    let path = file.to_str().expect("the path is text");
    let said = text(&conformance(&["--host", "sim", "--group", "l", "--format", "html", "--out", path]));
    assert_eq!(said, "", "with --out nothing is printed");
    let html = fs::read_to_string(&file).expect("the report was written");
    fs::remove_file(&file).expect("nobody else has the report");
    assert!(html.starts_with("<!doctype html>"));
    for outside in ["http:", "https:", "src=", "<link", "@import", "url("] {
        assert!(!html.contains(outside), "it needs something from outside: {outside}");
    }
    for rule in ["L1", "L6"] {
        assert!(html.contains(&format!("<details id=\"{rule}\"")), "{rule} has no details");
    }
    assert!(html.contains("prefers-color-scheme: dark"));
}

#[test]
fn junit_counts_its_cases() {
    let xml = text(&conformance(&["--host", "sim", "--rule", "T11", "--rule", "R1", "--format", "junit"]));
    assert!(xml.contains("<testsuite name=\"sim\" tests=\"2\" failures=\"0\" errors=\"0\" skipped=\"0\""), "{xml}");
    assert!(xml.contains("classname=\"sim.T\" name=\"t11_only_an_armed_guard_cancels\""), "{xml}");
}

#[test]
fn list_and_explain_examine_nothing() {
    let list = text(&conformance(&["--list"]));
    for line in ["host tokio ", "host sim ", "T1   one canceller is told that it was first"] {
        assert!(list.lines().any(|listed| listed.starts_with(line)), "{line}: {list}");
    }
    assert!(!list.contains("not in this build"), "{list}");
    let rule = text(&conformance(&["--explain", "t12"]));
    assert!(rule.starts_with("T12 (Token)\n\nA callback runs exactly once"), "{rule}");
    assert!(rule.contains("t12_callback_runs_exactly_once"), "{rule}");
    let once = text(&conformance(&["--explain", "G1"]));
    assert!(once.contains("g1_an_empty_identifier_cannot_be_constructed\nIt says nothing of a host"), "{once}");
    let durable = text(&conformance(&["--explain", "e6"]));
    assert!(durable.starts_with("E6 (Telemetry)\n\nAcknowledged means durable"), "{durable}");
    assert!(durable.contains("e6_acknowledged_means_durable"), "{durable}");
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_can() {
    assert!(refused(&["--host", "embassy"]).contains("there are: tokio, tokio-current-thread, smol, blocking, sim"));
    assert!(refused(&["--rule", "T99"]).contains("the contract has no \"T99\""));
    assert!(refused(&["--group", "é"]).contains("the contract has no"));
    assert!(refused(&["--explain", ""]).contains("the contract has no"));
    for arguments in [["--format", "pdf"], ["--budget", "0"], ["--seed", "-1"], ["--wat", ""]] {
        assert!(refused(&arguments).contains("error:"), "{arguments:?}");
    }
    assert!(refused(&["--rule", "T11", "--host", "sim", "--out", "/nowhere/at/all"]).contains("cannot write /nowhere"));
}

#[test]
fn a_rule_that_says_nothing_of_a_host_is_examined_on_the_first() {
    let json = text(&conformance(&["--host", "sim", "--host", "smol", "--rule", "G1", "--format", "json"]));
    let json: Value = serde_json::from_str(&json).expect("the report is JSON");
    for (place, host, verdict) in [(0, "smol", "pass"), (1, "sim", "not-applicable")] {
        let seen = &json["hosts"][place];
        assert_eq!(
            (&seen["name"], &seen["rules"][0]["verdict"]),
            (&Value::from(host), &Value::from(verdict)),
            "{json}"
        );
    }
    assert_eq!(json["hosts"][1]["rules"][0]["why"], "it says nothing of the host; examined once, on smol");
    // Where it is the only one, it is the first.
    assert!(text(&conformance(&["--host", "sim", "--rule", "G1"])).contains("1 passed"));
}

#[test]
fn a_seed_replays_on_the_sim() {
    // Three scripts, each a line of JSON.
    let traces = |seed: &str| text(&conformance(&["__scripts", "sim", seed, "3", "", ""]));
    let seen = traces("17");
    assert_eq!(seen.lines().count(), 3, "{seen}");
    assert!(seen.contains("submit"), "{seen}");
    assert_eq!(seen, traces("17"));
    assert_ne!(seen, traces("117"));
    // The next seed begins with the next script.
    assert_eq!(seen.lines().skip(1).collect::<Vec<_>>(), traces("18").lines().take(2).collect::<Vec<_>>());
}

#[test]
fn scripts_refuse_what_they_would_not_heed() {
    for more in [["--format", "json"], ["--rule", "T1"], ["--group", "T"], ["--budget", "9"]] {
        assert!(refused(&["--scripts", "1", more[0], more[1]]).contains("cannot be used with"), "{more:?}");
    }
    let seed = u64::MAX.to_string();
    assert!(refused(&["--scripts", "2", "--seed", &seed]).contains("there are no 2 seeds"));
    assert!(refused(&["--scripts", "1", "--host", "sim"]).contains("two hosts"));
}

#[test]
fn a_child_that_cannot_do_what_it_is_told_is_a_fault() {
    for call in
        [&["__examine"][..], &["__examine", "nobody", "T1", "1", "1", "1000", "1000", ""], &["__scripts", "sim"]]
    {
        let output = conformance(call);
        assert_eq!(output.status.code(), Some(2), "{call:?} {output:?}");
    }
}
