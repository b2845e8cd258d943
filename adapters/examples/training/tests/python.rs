//! How a process in Python tells the supervisor: the client of the examples, run against the real one.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

fn weatherlight(place: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_training"));
    command.arg("weatherlight").args(arguments).current_dir(place.path()).env_clear();
    command
}

/// The descriptions in a stream of what the client has told.
fn descriptions(place: &TempDir, stream: &str) -> Vec<String> {
    let output = weatherlight(place, &["tail", "--stream", stream]).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let packets = String::from_utf8(output.stdout).expect("UTF-8");
    let packets = packets.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let ours = packets.filter(|packet| packet["source_subsystem"] == "tolaria");
    ours.map(|packet| packet["events"][0]["description"].as_str().expect("a text").to_owned()).collect()
}

#[test]
fn a_process_in_python_is_answered_once_it_is_durable() {
    let place = tempfile::tempdir().expect("a directory");
    let arguments = ["run", "--log-format", "json", "--stdin", "json", "--until-eof", "--set", "weatherlight.page="];
    let mut supervisor = weatherlight(&place, &arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut log = BufReader::new(supervisor.stderr.take().expect("piped")).lines().map_while(Result::ok);
    assert!(log.by_ref().any(|line| line.contains("weatherlight.listening")), "it does not listen");
    let log = std::thread::spawn(move || log.count());

    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python/weatherlight_client.py");
    let socket = place.path().join("weatherlight/intake.sock");
    let output = Command::new("python3").arg(client).arg(socket).output().expect("python3 is there");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "the alarm is durable: True; so are 100 of 100 epochs\n");

    // It is told to end, and ends; then what it answered is in its journal.
    drop(supervisor.stdin.take());
    assert!(supervisor.wait().expect("it ends").success());
    log.join().expect("its log");
    assert_eq!(descriptions(&place, "emergency"), ["loss.exploded"]);
    assert_eq!(descriptions(&place, "normal"), vec!["epoch"; 100]);
}
