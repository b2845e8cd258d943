//! The program as its users meet it: what it prints, and how it ends.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{self, Command, Output, Stdio};

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

fn schema() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(include_str!("../report.schema.json")).expect("the schema is JSON");
    jsonschema::draft202012::new(&schema).expect("the schema is one")
}

#[test]
fn json_is_what_the_schema_says() {
    // A rule that races, one that is not applicable on the second host, and one of each kind besides.
    let arguments =
        ["--host", "smol", "--host", "sim", "--rule", "T1", "--rule", "G1", "--rule", "X5", "--format", "json"];
    let report: Value = serde_json::from_str(&text(&conformance(&arguments))).expect("the report is JSON");
    let schema = schema();
    let faults: Vec<String> =
        schema.iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(faults, [""; 0], "{report}");
    let t1 = &report["hosts"][0]["rules"][0];
    let (raced, less_than) = (t1["raced"].as_f64().expect("a number"), t1["less_than"].as_f64().expect("a number"));
    assert!(raced > 0.0 && (less_than - 3.0 / raced).abs() < 1e-12, "{t1}");
    assert_eq!(report["hosts"][1]["rules"][1]["less_than"], Value::Null);
}

#[test]
fn the_schema_refuses_what_is_no_report() {
    let report: Value =
        serde_json::from_str(&text(&conformance(&["--host", "sim", "--rule", "T11", "--format", "json"])))
            .expect("the report is JSON");
    let schema = schema();
    assert!(schema.is_valid(&report));
    for (what, spoil) in [
        (
            "a verdict that there is not",
            (|report| report["hosts"][0]["rules"][0]["verdict"] = "maybe".into()) as fn(&mut Value),
        ),
        ("a failure without a reason", |report| report["hosts"][0]["rules"][0]["verdict"] = "fail".into()),
        ("a pass that ran nothing", |report| report["hosts"][0]["rules"][0]["runs"] = 0.into()),
        ("something more", |report| report["more"] = true.into()),
        ("no hash", |report| report["contract"] = "T".into()),
        ("no hosts", |report| report["hosts"] = serde_json::json!([])),
    ] {
        let mut spoilt = report.clone();
        spoil(&mut spoilt);
        assert!(!schema.is_valid(&spoilt), "{what}");
    }
}

#[test]
fn two_reports_are_compared() {
    let (old, new) = (scratch("old.json"), scratch("new.json"));
    let [old_path, new_path] = [&old, &new].map(|path| path.to_str().expect("the path is text"));
    text(&conformance(&["--host", "sim", "--rule", "T11", "--format", "json", "--out", old_path]));
    text(&conformance(&["--host", "sim", "--rule", "T11", "--seed", "3", "--format", "json", "--out", new_path]));
    let said = text(&conformance(&["compare", old_path, new_path]));
    assert!(said.contains("the contract is the same") && said.ends_with("0 of 1 verdicts differ\n"), "{said}");
    let broken = fs::read_to_string(&new).expect("it was written").replace("\"pass\"", "\"fail\"");
    fs::write(&new, broken).expect("nobody else has the report");
    let output = conformance(&["compare", old_path, new_path]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("sim T11: pass before, fail now"), "{output:?}");
    fs::write(&new, "{}").expect("nobody else has the report");
    assert!(refused(&["compare", old_path, new_path]).contains("missing field"));
    fs::remove_file(&old).and_then(|()| fs::remove_file(&new)).expect("nobody else has the reports");
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
    // Bugs are linked, and nothing is loaded.
    let without_links = html.replace("<a href=\"https://github.com/", "");
    for outside in ["http:", "https:", "src=", "<link", "@import", "url("] {
        assert!(!without_links.contains(outside), "it needs something from outside: {outside}");
    }
    for rule in ["L1", "L6"] {
        assert!(html.contains(&format!("<details id=\"{rule}\"")), "{rule} has no details");
    }
    assert!(html.contains("prefers-color-scheme: dark"));
    assert!(
        html.contains("<tr data-rule=\"L3\" data-group=\"L\" data-verdicts=\"sim=pass\" data-mutants=\"none\""),
        "{html}"
    );
    assert!(html.contains(">tokio-rs/tokio#4941</a>"), "the origin of L3 is not told");
    assert!(html.contains("<form id=\"filters\"") && html.contains("<option>sim</option>"));
    assert!(html.contains("Rules that no mutant breaks"));
}

#[test]
fn the_kill_table_stands_beside_the_rules() {
    let json = text(&conformance(&["--host", "sim", "--rule", "T1", "--format", "json"]));
    let json: Value = serde_json::from_str(&json).expect("the report is JSON");
    let mutant = |name: &str, killed: bool| {
        serde_json::json!({ "name": name, "defect": "it is <wrong>", "rule": "T1", "killed": killed, "host": killed.then_some("tokio"),
            "seed": 5, "died": "seen", "saw": "2 were first", "runs": 7, "raced": 11, "millis": 13 })
    };
    let list = |contract: &Value| {
        serde_json::json!({ "suite": "s, mutants", "seed": 5, "contract": contract, "by_models": [], "reference": [], "at_first": [],
            "mutants": [mutant("BothToldFirst", true), mutant("NobodySeesIt", false)] })
    };
    let file = scratch("kills.json");
    let path = file.to_str().expect("the path is text");
    let arguments = ["--host", "sim", "--rule", "T1", "--rule", "T2", "--format", "html", "--kills", path];
    fs::write(&file, list(&json["contract"]).to_string()).expect("nobody else has the list");
    let html = text(&conformance(&arguments));
    for seen in [
        "1 of 2 mutants died by their own rule in 14 runs",
        "<th scope=\"row\">BothToldFirst</th><td>it is &lt;wrong&gt;</td><td class=\"pass\">tokio</td><td>7</td><td>11</td><td>13</td><td>2 were first</td>",
        "<td class=\"fail\">ALIVE</td>",
        "data-mutants=\"alive\"",
        "<td class=\"fail\">1/2</td>",
        "<td class=\"not-applicable\">0/0</td>",
    ] {
        assert!(html.contains(seen), "{seen}: {html}");
    }
    fs::write(&file, list(&"0123456789abcdef".into()).to_string()).expect("nobody else has the list");
    assert!(refused(&arguments).contains("it is of contract 0123456789abcdef"));
    fs::write(&file, "{\n\"suite\": 1}").expect("nobody else has the list");
    assert!(refused(&arguments).contains("kills.json: invalid type: integer `1`, expected a string at line 2"));
    assert!(refused(&["--host", "sim", "--rule", "T1", "--kills", path]).contains("--format html"));
    fs::remove_file(&file).expect("nobody else has the list");
}

#[test]
fn a_soak_audits_the_books_of_each_host() {
    let soak = [
        "soak",
        "--host",
        "smol",
        "--host",
        "sim",
        "--jobs",
        "4_000",
        "--seed",
        "3",
        "--no-storms",
        "--format",
        "json",
    ];
    let report: Value = serde_json::from_str(&text(&conformance(&soak))).expect("the report is JSON");
    for (place, host) in ["smol", "sim"].into_iter().enumerate() {
        let outcome = &report["hosts"][place]["outcome"];
        assert_eq!(
            (&outcome["host"], &outcome["soaked"]["jobs"]),
            (&Value::from(host), &Value::from(4_000)),
            "{report}"
        );
        assert_eq!(report["hosts"][place]["flaws"], serde_json::json!([]));
        let lines = outcome["soaked"]["lines"].as_array().expect("a list of lines");
        let accepted = lines.iter().find(|line| line["what"] == "accepted").expect("the first line");
        // One for each job, but for those that were refused, and some for those that jobs submitted.
        assert!(accepted["ledger"].as_u64().is_some_and(|jobs| jobs > 3_900), "{accepted}");
        for end in outcome["soaked"]["ends"].as_array().expect("a list of ends") {
            let (what, times) = (end[0].as_str().expect("a word"), end[1].as_u64().expect("a number"));
            assert!(times > 0 || (host == "sim" && what == "abandoned"), "{host} {what}: the mix has it");
        }
    }
}

#[test]
fn a_soak_refuses_what_it_cannot_do() {
    let file = scratch("mix.json");
    let path = file.to_str().expect("the path is text");
    fs::write(&file, text(&conformance(&["soak", "--print-mix"]))).expect("nobody else has the mix");
    let soak = ["soak", "--host", "sim", "--jobs", "200", "--no-storms", "--mix", path];
    assert!(text(&conformance(&soak)).contains("sound"), "the usual mix");
    fs::write(&file, "{\n  \"luck\": 1\n}").expect("nobody else has the mix");
    let said = refused(&soak);
    assert!(said.contains("mix.json: unknown field `luck`") && said.contains("line 2 column"), "{said}");
    fs::remove_file(&file).expect("nobody else has the mix");
    assert!(refused(&soak).contains("mix.json: "));
    assert!(refused(&["soak", "--jobs", "0"]).contains("a soak of no jobs"));
    assert!(refused(&["soak", "--host", "nobody"]).contains("no host is called"));
    assert!(refused(&["soak", "--host", "sim", "--mutant", "SettlesTwice"]).contains("could not do what it was told"));
}

#[test]
fn a_script_can_be_played_in_part() {
    let traces = |keep: &str| text(&conformance(&["__scripts", "sim", "17", "1", "calls", keep, ""]));
    let (whole, part) = (traces(""), traces("0,1"));
    let steps = |trace: &str| trace.matches("\"> ").count();
    // What everything ends with are two steps more.
    assert!(steps(&whole) > 4, "{whole}");
    assert_eq!(steps(&part), 4, "{part}");
    assert!(refused(&["--scripts", "1", "--keep", "0,x"]).contains("\"x\" is no place of a step"));
    let same =
        text(&conformance(&["--scripts", "1", "--seed", "17", "--keep", "0,1", "--host", "sim", "--host", "smol"]));
    assert!(same.contains("1 scripts, 0 differ from sim"), "{same}");
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
fn help_says_how_it_ends_and_completions_what_there_is() {
    for arguments in [&["--help"][..], &["soak", "--help"], &["compare", "--help"]] {
        assert!(text(&conformance(arguments)).contains("Exit status"), "{arguments:?}");
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = text(&conformance(&["completions", shell]));
        assert!(script.contains("conformance") && script.contains("explain"), "{shell}: {script}");
    }
}

/// On a terminal of its own, which `script` makes.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_has_colours_unless_its_user_says_no() {
    let program = format!("'{}' --host sim --rule T11", env!("CARGO_BIN_EXE_conformance"));
    let told = |no: Option<&str>| {
        let mut command = Command::new("script");
        command.args(["-qec", &program, "/dev/null"]).env("TERM", "xterm").env_remove("NO_COLOR").stdin(Stdio::null());
        command.envs(no.map(|no| ("NO_COLOR", no)));
        text(&command.output().expect("`script` can be started"))
    };
    let green = "\u{1b}[38;5;10m";
    assert!(told(None).contains(green) && told(Some("")).contains(green), "{:?}", told(None));
    assert!(!told(Some("1")).contains("\u{1b}[3"), "{:?}", told(Some("1")));
}

#[test]
fn the_readme_has_a_row_for_each_group_with_as_many_rules_as_it_has() {
    let list = text(&conformance(&["--list"]));
    let mut groups = BTreeMap::new();
    for id in list.lines().filter(|line| !line.starts_with("host ")).filter_map(|line| line.split_whitespace().next()) {
        *groups.entry(id.trim_end_matches(|digit: char| digit.is_ascii_digit()).to_owned()).or_insert(0) += 1;
    }
    let readme = include_str!("../../README.md");
    let table = readme.split("| rules |").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("the matrix");
    let shown = table.lines().skip(2).map(|row| {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let group = cells.next().and_then(|title| title.split(' ').next()).expect("a group");
        (group.to_owned(), cells.next().and_then(|count| count.parse().ok()).expect("a number"))
    });
    let all = ("all".to_owned(), groups.values().sum());
    assert_eq!(shown.collect::<BTreeMap<_, usize>>(), groups.into_iter().chain([all]).collect());
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_can() {
    assert!(refused(&["--host", "nobody"]).contains("there are: tokio, tokio-current-thread, smol, blocking"));
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
    let traces = |seed: &str| text(&conformance(&["__scripts", "sim", seed, "3", "calls", "", ""]));
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
