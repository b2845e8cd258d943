//! P1: what a job costs with the worker that the plan had before: Python, on asyncio.
//!
//! That worker's figures are recorded ones, of a 2-core x86-64 machine, as it is not part of this project: 115 µs for a job with a time-out, 214 µs for a synchronous one.
//! Where `python3` is there, a script does the same by hand: a `PriorityQueue`, workers, `wait_for`, a future as the handle; and `to_thread` for a synchronous one. The script measures itself, so
//! that starting the interpreter is not in it. Its 5,031 bytes for a queued job are what the 128 of J3 are to be compared with.

use std::process::Command;
use std::time::Duration;

use super::b1;
use super::jobs::{ours, settings};
use crate::idioms::work::{IN_FLIGHT, ready};
use crate::meter::Meter;
use crate::question::{Cases, Goal, Quantity, Question};

const TASK: &str = "a job with a time-out";
const CALL: &str = "a synchronous job";
const TASK_OURS: &str = "Worker::submit on tokio, two threads";
const CALL_OURS: &str = "Job::call on Blocking";
const RECORDED: &str = "the plan's earlier worker, recorded";
const PYTHON: &str = "asyncio by hand, python3";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "P1",
    title: "a job beside one of Python's",
    ops: 20_000,
    by: Quantity::Cpu,
    goals: &[
        Goal::times_less(TASK, TASK_OURS, RECORDED, 1_000.0),
        Goal::times_less(CALL, CALL_OURS, RECORDED, 1_000.0),
    ],
    cases,
};

fn cases(_: u64, cases: &mut Cases) {
    let python = Command::new("python3").arg("--version").output().is_ok_and(|answer| answer.status.success());
    cases.group(TASK);
    cases.ours(TASK_OURS, ours(2, settings(), ready));
    cases.recorded(RECORDED, 115_000.0);
    if python {
        cases.peer(PYTHON, |meter| script(meter, "task"));
    }
    cases.group(CALL);
    cases.ours(CALL_OURS, b1::ours(IN_FLIGHT));
    cases.recorded(RECORDED, 214_000.0);
    if python {
        cases.peer(PYTHON, |meter| script(meter, "call"));
    }
}

/// As many as take a while; Python has no shorter ones.
const JOBS: u64 = 2_000;

fn script(meter: &mut Meter, what: &str) {
    let jobs = JOBS.min(meter.ops());
    let script = include_str!("p1.py");
    let answer = Command::new("python3").args(["-c", script, what, &jobs.to_string()]).output();
    let answer = answer.expect("python3 was there a moment ago");
    assert!(answer.status.success(), "the script failed: {}", String::from_utf8_lossy(&answer.stderr));
    let text = String::from_utf8_lossy(&answer.stdout);
    let mut nanos = text.split_whitespace().map(|word| word.parse::<f64>().expect("it prints two numbers"));
    let mut all = || {
        let each = nanos.next().expect("it prints two numbers") / jobs as f64;
        Duration::from_secs_f64(each * meter.ops() as f64 / 1e9)
    };
    let (cpu, wall) = (all(), all());
    meter.report(cpu, wall);
}
