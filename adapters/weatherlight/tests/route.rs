//! A recording that ends: each packet goes where rules E1 and E2 say, and comes back byte for byte.

mod support;

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;
use support::{Place, packet, recordings};

/// The priority and the stream that E1 and E2 name, told from the text of a packet by hand and not by the program's own reader.
fn expected(line: &str) -> (&'static str, &'static str) {
    let packet: Value = serde_json::from_str(line).expect("JSON");
    let order = ["LOW", "NORMAL", "HIGH", "CRITICAL"];
    let level = match packet["level"].as_str().expect("a level") {
        "TELEMETRY_LEVEL_INFO" => 1,
        "TELEMETRY_LEVEL_WARNING" | "TELEMETRY_LEVEL_ERROR" => 2,
        "TELEMETRY_LEVEL_CRITICAL" => 3,
        other => panic!("{other}"),
    };
    let indicator = packet["system_health"]["indicators"]["priority"].as_str().unwrap_or_default();
    let named = order.iter().position(|name| indicator.strip_prefix("MESSAGE_PRIORITY_") == Some(name));
    let priority = match (named, level) {
        (Some(0), 1) => 0,
        (Some(named), level) => named.max(level),
        (None, level) => level,
    };
    (order[priority], if priority == 3 { "emergency" } else { "normal" })
}

fn own_packets() -> Vec<String> {
    let mut lines: Vec<String> = ["INFO", "WARNING", "ERROR", "CRITICAL"].map(|level| packet(level, level)).into();
    for (name, level, priority) in
        [("a", "INFO", "HIGH"), ("b", "INFO", "LOW"), ("c", "WARNING", "CRITICAL"), ("d", "ERROR", "LOW")]
    {
        let bare = packet(name, level);
        let bare = bare.trim_end_matches('}');
        // A space, an unknown field, an odd order: nothing of it may change.
        lines.push(format!("{bare}, \"odd\" :1.50,\"system_health\":{{\"indicators\":{{\"priority\":\"MESSAGE_PRIORITY_{priority}\"}}}}}}"));
    }
    lines
}

fn routes(lines: &[String], files: &[&str], place: &Place) {
    let mut arguments = vec!["--journal", "a.journal", "--format", "json"];
    arguments.extend(files);
    let output = place.run("route", &arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["ledger"]["balances"], true);
    for (priority, stream) in [("LOW", "normal"), ("NORMAL", "normal"), ("HIGH", "normal"), ("CRITICAL", "emergency")] {
        let should = lines.iter().filter(|line| expected(line) == (priority, stream)).count() as u64;
        let went = report["went"].as_array().expect("a list").iter().filter(|row| row["priority"] == priority);
        let went: Vec<&Value> = went.inspect(|row| assert_eq!(row["to"], stream, "{row}")).collect();
        assert_eq!(went.iter().filter_map(|row| row["packets"].as_u64()).sum::<u64>(), should, "{priority}");
    }
    for stream in ["normal", "emergency"] {
        let output = place.run("tail", &["--journal", "a.journal", "--stream", stream]);
        let mut came: Vec<&str> = str::from_utf8(&output.stdout).expect("UTF-8").lines().collect();
        let mut sent: Vec<&str> = lines.iter().map(String::as_str).filter(|line| expected(line).1 == stream).collect();
        came.sort_unstable();
        sent.sort_unstable();
        assert_eq!(came, sent, "{stream}");
    }
}

#[test]
fn each_packet_goes_into_its_stream_and_comes_back_byte_for_byte() {
    let place = Place::new();
    let lines = own_packets();
    fs::write(place.path("own.jsonl"), lines.join("\n") + "\n").expect("written");
    routes(&lines, &["own.jsonl"], &place);
}

#[test]
fn so_do_the_recorded_ones() {
    let files = recordings();
    if files.is_empty() {
        println!("skipped: there are no recordings beside the project");
        return;
    }
    let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(file).expect("readable")).collect();
    let lines: Vec<String> = texts.iter().flat_map(|text| text.lines()).map(str::to_owned).collect();
    let files: Vec<&str> = files.iter().map(|file| file.to_str().expect("UTF-8")).collect();
    routes(&lines, &files, &Place::new());
}

#[test]
fn without_a_journal_it_leaves_nothing_behind() {
    let place = Place::new();
    fs::write(place.path("own.jsonl"), own_packets().join("\n")).expect("written");
    let output = place.run("route", &["own.jsonl"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("the ledger balances"));
    assert_eq!(fs::read_dir(place.directory.path()).expect("a directory").count(), 1);
}

#[test]
fn bad_lines_are_named_and_kept_and_the_rest_is_routed() {
    let place = Place::new();
    let good = packet("good", "CRITICAL");
    let no_level = "{\"packet_id\":\"bad\",\"source_subsystem\":\"test\"}";
    fs::write(place.path("bad.jsonl"), format!("{good}\n\nnonsense\n{no_level}\n{}\n", packet("last", "INFO")))
        .expect("written");
    let output = place.run("route", &["--journal", "a.journal", "bad.jsonl", "missing.jsonl"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for named in ["bad.jsonl: line 3: ", "bad.jsonl: line 4: ", "missing.jsonl: it cannot be read"] {
        assert!(said.contains(named), "{named} is not in {said}");
    }
    assert!(String::from_utf8_lossy(&output.stdout).contains("the ledger balances"));
    let tail = place.run("tail", &["--journal", "a.journal"]);
    assert_eq!(String::from_utf8_lossy(&tail.stdout), format!("{good}\n{}\n", packet("last", "INFO")));

    let list = place.run("deadletter", &["--journal", "a.journal", "list", "--format", "json"]);
    let letters: Vec<Value> =
        String::from_utf8_lossy(&list.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(letters.len(), 2);
    assert!(letters.iter().all(|letter| letter["sink"] == "intake"), "{letters:?}");
    assert!(letters[0]["reason"].as_str().expect("a reason").starts_with("line 3: "), "{letters:?}");
    let show = place.run("deadletter", &["--journal", "a.journal", "show", "2"]);
    assert_eq!(String::from_utf8_lossy(&show.stdout), format!("{no_level}\n"));
    // What is no packet does not become one by being asked for.
    let replay = place.run("deadletter", &["--journal", "a.journal", "replay", "--all"]);
    assert_eq!(replay.status.code(), Some(1));
    let purge = place.run("deadletter", &["--journal", "a.journal", "purge", "1"]);
    assert!(purge.status.success() && String::from_utf8_lossy(&purge.stdout) == "purged: 1\n");
    let ledger = place.run("ledger", &["--journal", "a.journal", "--format", "json"]);
    let ledger: Value = serde_json::from_slice(&ledger.stdout).expect("JSON");
    let letters = &ledger["journal"]["dead_letters"];
    assert_eq!((&letters["received"], &letters["purged"], &letters["kept"]), (&2.into(), &1.into(), &1.into()));
    assert!(place.run("verify", &["a.journal"]).status.success());
}

#[test]
fn protobuf_in_is_protobuf_out_and_standard_input_is_a_file_too() {
    let place = Place::new();
    let mut stream = Vec::new();
    for line in own_packets() {
        let bytes =
            countermand_wire::to_protobuf(line.as_bytes(), &countermand_wire::Limits::default()).expect("a packet");
        countermand_wire::write_framed(countermand::Format::Protobuf, &bytes, &mut stream);
    }
    let mut child = place
        .command("route")
        .args(["--journal", "a.journal", "--input", "protobuf", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("piped").write_all(&stream).expect("it reads");
    assert!(child.wait().expect("it ends").success());
    let length = |stream: &str| place.run("tail", &["--journal", "a.journal", "--stream", stream]).stdout.len();
    assert_eq!(length("normal") + length("emergency"), stream.len());

    fs::write(place.path("torn.pb"), &stream[..stream.len() - 1]).expect("written");
    let torn = place.run("route", &["torn.pb"]);
    assert_eq!(torn.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&torn.stderr).contains("packet 8: the stream ends in it"));
}

#[test]
fn the_call_and_the_configuration_are_checked_first() {
    let place = Place::new();
    for (command, arguments) in [
        ("route", &[][..]),
        ("route", &["--set", "weatherlight.packet_kibibytes=0", "a.jsonl"]),
        ("run", &["--set", "weatherlight.tcp=127.0.0.1:0"]),
        ("run", &["--set", "weatherlight.page=0.0.0.0:80"]),
        ("tail", &["--follow"]),
    ] {
        let output = place.run(command, arguments);
        assert_eq!(output.status.code(), Some(2), "{command} {arguments:?}");
        assert!(!output.stderr.is_empty());
    }
    let unknown = place.run("config", &["check", "--set", "weatherlight.journals=a"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("did you mean \"weatherlight.journal\"?"));
    assert_eq!(place.run("verify", &["no.journal"]).status.code(), Some(2));
    let nothing = place.run("tail", &["--journal", "no.journal"]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(!place.path("no.journal").exists(), "a look made a journal");
}

/// On a terminal of its own, which `script` makes.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_shows_how_far_it_is_and_a_pipe_does_not() {
    let place = Place::new();
    fs::write(place.path("one.json"), packet("one", "INFO") + "\n").expect("a file");
    let piped = place.run("route", &["one.json"]);
    assert!(piped.status.success() && piped.stderr.is_empty(), "{piped:?}");
    let program = format!("'{}' route one.json", env!("CARGO_BIN_EXE_weatherlight"));
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &program, "/dev/null"]).current_dir(place.directory.path()).stdin(Stdio::null());
    terminal.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path))).env("TERM", "xterm");
    let shown = terminal.output().expect("`script` can be started").stdout;
    let shown = String::from_utf8_lossy(&shown);
    assert!(shown.contains(" B/") && shown.contains("the ledger balances"), "{shown}");
}

#[test]
fn help_manual_and_completions_say_what_there_is() {
    let place = Place::new();
    let text = |command: &str, arguments: &[&str]| {
        let output = place.run(command, arguments);
        assert!(output.status.success(), "{command}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    assert!(text("--help", &[]).contains("Exit status"));
    assert!(text("route", &["--help"]).contains("Exit status"));
    assert!(text("man", &[]).contains("weatherlight"));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(text("completions", &[shell]).contains("deadletter"), "{shell}");
    }
}
