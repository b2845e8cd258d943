//! Counts the instructions that the core's paths take, by callgrind: figures that hardly move from run to run, so that a regression is seen.
//!
//! Each path is walked by this program itself under valgrind, twice, once twice as often. What both have in common, filling pools and growing lists, is in neither
//! figure; the difference is divided by the walks that it is for. Counted is only what runs within [`measured`](paths::measured).
//!
//! A case of a question can be counted too, so that a difference in time can be looked into: one round of it, and two. Then all that the process does is counted, on each of its
//! threads; with more than one of those a figure depends on who sleeps when.

mod bursts;
mod paths;
mod record;
mod stage;

use std::error::Error;
use std::process::Command;
use std::{env, fs};

use serde_json::json;

use crate::meter::Meter;
use crate::question::{Question, Short};
use crate::questions;
use crate::report::machine;
use crate::report::table::{Style, numbers};
use paths::{Bound, Path};
use record::Record;

/// What is done with the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Prints them.
    Show,
    /// Prints them, and fails if one is a tenth more than what is recorded.
    Check,
    /// Prints them and records them.
    Record,
}

/// How much more than recorded is too much.
const MORE: f64 = 1.1;

/// Counts all paths. False: one costs too much more than what is recorded.
pub(crate) fn count(what: What, as_json: bool) -> Result<bool, Box<dyn Error>> {
    if cfg!(debug_assertions) {
        return Err("this build is not optimized; use --release".into());
    }
    let recorded = Record::read()?;
    let counted = paths::ALL.iter().map(|path| Ok((path, of(path)?))).collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let before = |path: &Path| recorded.as_ref().and_then(|record| record.of(path.name));
    if as_json {
        let rows = counted.iter().map(|(path, count)| {
            json!({ "path": path.name, "instructions": count, "recorded": before(path), "goal": goal(path, &counted) })
        });
        println!("{}", serde_json::to_string_pretty(&rows.collect::<Vec<_>>())?);
    } else {
        print(&counted, before);
    }
    match what {
        What::Show => Ok(true),
        What::Record => {
            let record = Record::new(machine::compiler(), counted.iter().map(|(path, count)| (path.name, *count)));
            println!("recorded: {}", record.write()?);
            Ok(true)
        }
        What::Check => {
            let Some(recorded) = &recorded else { return Err("nothing is recorded; use --record first".into()) };
            if recorded.compiler != machine::compiler() {
                eprintln!("recorded with {}; this is {}", recorded.compiler, machine::compiler());
            }
            let worse = counted.iter().filter(|(path, count)| recorded.is_exceeded_by(path.name, *count, MORE));
            let worse: Vec<_> = worse.map(|(path, _)| path.name).collect();
            if !worse.is_empty() {
                eprintln!("a tenth more than what is recorded, or not recorded: {}", worse.join(", "));
            }
            Ok(worse.is_empty())
        }
    }
}

fn print(counted: &[(&Path, f64)], before: impl Fn(&Path) -> Option<f64>) {
    let mut table = Style::Terminal.table(&["path", "what", "instructions", "recorded", "change", "goal", ""]);
    for (path, count) in counted {
        let before = before(path);
        let goal = goal(path, counted);
        let reached = goal.map_or("", |goal| if *count <= goal { "reached" } else { "NOT REACHED" });
        table.add_row([
            path.name,
            path.what,
            &Short(*count).to_string(),
            &before.map_or_else(|| "–".to_owned(), |before| Short(before).to_string()),
            &before.map_or_else(String::new, |before| format!("{:+.1} %", (count / before - 1.0) * 100.0)),
            &goal.map_or_else(String::new, |goal| Short(goal).to_string()),
            reached,
        ]);
    }
    numbers(&mut table, 2);
    println!("{table}");
}

/// Counts these, each a path or a case of a question.
pub(crate) fn count_only(these: &[String]) -> Result<(), Box<dyn Error>> {
    let mut table = Style::Terminal.table(&["path or case", "instructions"]);
    for name in these {
        let count = match paths::ALL.iter().find(|path| path.name == name) {
            Some(path) => of(path)?,
            None => {
                let ops = question_of(name)?.0.ops;
                let (once, twice) = (under_valgrind(name, 1, &[])?, under_valgrind(name, 2, &[])?);
                twice.saturating_sub(once) as f64 / ops as f64
            }
        };
        table.add_row([name, &Short(count).to_string()]);
    }
    numbers(&mut table, 1);
    println!("{table}");
    Ok(())
}

/// How many instructions a path may take.
fn goal(path: &Path, counted: &[(&Path, f64)]) -> Option<f64> {
    match path.goal? {
        Bound::Count(count) => Some(count),
        Bound::Times(other, times) => {
            let (_, count) = counted.iter().find(|(path, _)| path.name == other)?;
            Some(count * times)
        }
    }
}

/// Instructions for one walk of a path.
fn of(path: &Path) -> Result<f64, Box<dyn Error>> {
    let within = ["--toggle-collect=*paths*measured*"];
    let (once, twice) =
        (under_valgrind(path.name, path.times, &within)?, under_valgrind(path.name, path.times * 2, &within)?);
    Ok((twice as f64 - once as f64) / path.times as f64)
}

fn under_valgrind(name: &str, times: u64, within: &[&str]) -> Result<u64, Box<dyn Error>> {
    let out = env::temp_dir().join(format!("countermand-benches-{}.callgrind", std::process::id()));
    let answer = Command::new("valgrind")
        .args(["--tool=callgrind", "--read-inline-info=no"])
        .args(within)
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(env::current_exe()?)
        .args(["--walk", name, &times.to_string()])
        .output()
        .map_err(|error| format!("valgrind cannot be run ({error}); it is the Debian package of that name"))?;
    if !answer.status.success() {
        let told = String::from_utf8_lossy(&answer.stderr);
        return Err(format!("{name} failed under valgrind: {told}").into());
    }
    let text = fs::read_to_string(&out)?;
    fs::remove_file(&out)?;
    total(&text).filter(|total| *total > 0).ok_or_else(|| format!("valgrind has counted nothing on {name}").into())
}

/// The sum that stands in a file of callgrind's.
fn total(text: &str) -> Option<u64> {
    let line = |prefix| text.lines().find_map(|line| line.strip_prefix(prefix));
    line("totals:").or_else(|| line("summary:"))?.trim().parse().ok()
}

/// Walks a path so many times, or asks a case of a question for so many rounds; what runs under valgrind.
pub(crate) fn walk(name: &str, times: &str) -> Result<(), Box<dyn Error>> {
    let times = times.parse().map_err(|error| format!("{times} is no number: {error}"))?;
    if let Some(path) = paths::ALL.iter().find(|path| path.name == name) {
        (path.walk)(times);
        return Ok(());
    }
    let (question, wanted) = question_of(name)?;
    let mut cases = question.make(question.ops);
    let is_wanted =
        |group: &str, case: &str| if group.is_empty() { case == wanted } else { wanted == format!("{group}/{case}") };
    let known: Vec<_> = cases.iter().map(|case| format!("{}/{}/{}", question.id, case.group, case.name)).collect();
    let case = cases.iter_mut().find(|case| is_wanted(case.group, case.name));
    let case =
        case.ok_or_else(|| format!("there is no case {name}; there are {}", known.join(", ").replace("//", "/")))?;
    (0..times).for_each(|_| (case.run)(&mut Meter::blind(question.ops)));
    Ok(())
}

/// The question that is named by what comes before the first slash, and what comes after it.
fn question_of(name: &str) -> Result<(&'static Question, &str), String> {
    let parts = name.split_once('/').and_then(|(id, case)| Some((questions::named(id)?, case)));
    parts
        .ok_or_else(|| format!("there is no path {name}, and no case: a case is QUESTION/GROUP/CASE, or QUESTION/CASE"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_can_be_walked() {
        for path in paths::ALL {
            assert_eq!(path.times % paths::BATCH, 0, "{}: the walks are whole batches", path.name);
            (path.walk)(2 * paths::BATCH);
        }
    }

    #[test]
    fn the_sum_is_read_from_what_callgrind_writes() {
        assert_eq!(total("events: Ir\nfn=(1)\n2 3\n\ntotals: 420\n"), Some(420));
        assert_eq!(total("summary: 7\n"), Some(7));
        assert_eq!(total("events: Ir\n"), None);
    }
}
