//! Runs the small examples as a reader would, and looks at what they print.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// An example's program: `cargo test` builds it beside the tests.
fn example(name: &str) -> Command {
    let test = std::env::current_exe().expect("the path of this test");
    let program = test.ancestors().nth(2).expect("a test lies in PROFILE/deps").join("examples").join(name);
    assert!(
        program.is_file(),
        "{} is missing; `cargo test` builds it, `--test examples` alone does not",
        program.display()
    );
    let mut command = Command::new(program);
    command.stdin(Stdio::null());
    command
}

fn told(name: &str) -> String {
    let output = example(name).output().expect("it runs");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn priorities_are_served_as_their_discipline_says() {
    let told = told("priorities");
    assert!(told.contains("CCCCCCCCCCCCHHHHHHHHHHHHNNNNNNNNNNNNLLLLLLLLLLLL"), "{told}");
    let weighted = told.split("Weighted").nth(1).expect("the second discipline");
    for (priority, bound) in [("NORMAL", 9), ("LOW", 18), ("HIGH", 4), ("CRITICAL", 0)] {
        let line = weighted.lines().find(|line| line.trim_start().starts_with(priority)).expect("a line each");
        let before: usize = line.split_whitespace().nth(1).and_then(|word| word.parse().ok()).expect("a number");
        assert!(before <= bound && line.ends_with(&format!("at most {bound}")), "{line}");
    }
    assert!(told.ends_with("a flood of LOW takes 6; 2 are left for alarms.\n"), "{told}");
}

#[test]
fn a_scope_lets_nothing_escape() {
    let told = told("scope");
    let expected = "78498 primes are below 1,000,000\n71 is the first factor of 600851475143 that anybody found\n\
                    0 searches run after the scope\nsome of the others were cancelled: yes\nthe books balance: yes\n";
    assert_eq!(told, expected);
}

#[test]
fn a_loop_and_a_tick_are_host_enough() {
    let told = told("superloop");
    let expected = "  0 ms  the lamp is on\n 25 ms  the lamp is off\n 40 ms  the sensor does not answer: the pump stops\n 40 ms  it has stopped\n \
                    50 ms  the lamp is on\n 75 ms  the lamp is off\n100 ms  3 jobs settled\n";
    assert_eq!(told, expected);
}

#[test]
fn a_race_is_found_and_replayed() {
    let (told, again) = (told("sim"), told("sim"));
    assert_eq!(told, again, "a seed is a seed");
    assert!(told.contains("pays out 160 of 100"), "{told}");
    assert_eq!(told.matches("sees 100").count(), 2, "{told}");
    assert!(told.contains("to the last turn: yes") && told.ends_with("no race.\n"), "{told}");
}

#[test]
fn the_first_ctrl_c_drains_and_the_second_cuts_off() {
    for host in ["tokio", "smol", "blocking"] {
        let mut child = example("shutdown")
            .args(["--host", host, "--polite", "3", "--stubborn", "2", "--queued", "4", "--limit", "1h"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let interrupt = |pid| kill_process(pid, Signal::INT).expect("it is there");
        let pid = Pid::from_child(&child);
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let mut wait_for = |line: &str| {
            let seen: Vec<String> = lines.by_ref().take_while(|told| !told.contains(line)).collect();
            assert!(seen.iter().all(|told| told.starts_with("shutdown: ")), "{host}: {seen:?}");
        };
        wait_for("ready");
        interrupt(pid);
        wait_for("draining");
        wait_for(": 2 left"); // the polite have finished, and then those in the queue
        interrupt(pid);
        wait_for("cutting them off");
        let mut told = String::new();
        child.stdout.take().expect("piped").read_to_string(&mut told).expect("UTF-8");
        let status = child.wait().expect("it ends");
        assert_eq!(status.code(), Some(130), "{host}: {told}");
        let expected =
            "9 accepted: 7 completed, 2 cancelled\ncut off: stubborn 1, stubborn 2\nthe books balance: yes\n";
        assert_eq!(told, expected, "{host}");
    }
}

#[test]
fn help_says_what_the_exit_status_means() {
    let output = example("shutdown").arg("--help").output().expect("it runs");
    assert!(String::from_utf8_lossy(&output.stdout).contains("130"));
}
