//! Plays the training on every host: the same story and the same ledger, and everything in its right stream.

use std::process::{Command, Stdio};

fn play(host: &str) -> (String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_training"))
        .args(["--host", host])
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{host}: {}\n{}", text(&output.stdout), text(&output.stderr));
    let told = text(&output.stdout);
    let (first, rest) = told.split_once('\n').expect("several lines");
    (first.to_owned(), rest.to_owned())
}

/// The rows of the ledger, without what draws the table.
fn rows(told: &str) -> Vec<Vec<&str>> {
    told.lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|row| matches!(row.first(), Some(&("emergency" | "normal"))) && row.len() == 5)
        .collect()
}

#[test]
fn the_same_on_every_host_and_each_in_its_stream() {
    let (first, told) = play("tokio");
    assert_eq!(first, "training on tokio");
    for host in ["smol", "blocking"] {
        assert_eq!(play(host), (format!("training on {host}"), told.clone()));
    }
    assert_eq!(
        rows(&told),
        [
            ["emergency", "CRITICAL", "kasmina", "command_rejected", "1"],
            ["emergency", "CRITICAL", "kasmina", "dependency_guard.violation", "1"],
            ["emergency", "CRITICAL", "kasmina", "prefetch_timeout", "1"],
            ["emergency", "CRITICAL", "tolaria", "training.emergency", "1"],
            ["normal", "ERROR", "kasmina", "job.timed_out", "1"],
            ["normal", "ERROR", "tamiyo", "job.timed_out", "1"],
            ["normal", "INFO", "kasmina", "command_accepted", "1"],
            ["normal", "INFO", "kasmina", "job.completed", "1"],
            ["normal", "INFO", "kasmina", "prefetch_ready", "1"],
            ["normal", "INFO", "kasmina", "prefetch_requested", "5"],
            ["normal", "INFO", "tamiyo", "job.completed", "2"],
            ["normal", "INFO", "tolaria", "job.completed", "2"],
            ["normal", "WARNING", "kasmina", "dependency_guard.fallback", "1"],
            ["normal", "WARNING", "kasmina", "job.cancelled", "3"],
            ["normal", "WARNING", "kasmina", "prefetch_canceled", "3"],
            ["normal", "WARNING", "tolaria", "dependency_guard.fallback", "1"],
        ]
    );
    assert!(told.ends_with("it balances\n"), "{told}");
}

#[test]
fn a_configuration_that_cannot_be_is_refused_before_anything_is_begun() {
    let file = std::env::temp_dir().join(format!("training-{}.toml", std::process::id()));
    std::fs::write(&file, "[subsystem.tamiyo.worker]\nlnaes = 3\n").expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_training")).arg("--config").arg(&file).output().expect("it runs");
    std::fs::remove_file(&file).expect("it is there");
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("subsystem.tamiyo.worker.lnaes"), "{told}");
}
