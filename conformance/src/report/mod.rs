//! What was found, and the four ways to say it.

mod compare;
mod html;
mod json;
mod junit;
mod kill_list;
#[cfg(feature = "mutants")]
mod kills;
#[cfg(feature = "mutants")]
mod strength;
mod table;

use std::env;
use std::path::Path;
use std::time::Duration;

pub(crate) use compare::compare;
pub(crate) use html::html;
pub(crate) use json::json;
pub(crate) use junit::junit;
pub(crate) use kill_list::KillList;
#[cfg(feature = "mutants")]
pub(crate) use kills::{kills, kills_json};
#[cfg(feature = "mutants")]
pub(crate) use strength::{strength, strength_json};
pub(crate) use table::table;

use crate::child::{Finding, Task};
use crate::verdict::Verdict;
use crate::{Candidate, Flaw, Rule, soak};

/// One rule on one host.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) rule: &'static Rule,
    pub(crate) verdict: Verdict,
    pub(crate) why: Option<String>,
    pub(crate) runs: u64,
    /// Rounds of races, of which none was lost where it passed.
    pub(crate) raced: u64,
    pub(crate) took: Duration,
}

/// With so many rounds and no failure, at 95 % less than this share of rounds fails: the rule of three.
pub(crate) fn less_than(rounds: u64) -> f64 {
    3.0 / rounds.max(1) as f64
}

impl Entry {
    /// What a race that nobody lost says, and no more.
    pub(crate) fn bound(&self) -> Option<f64> {
        (self.verdict == Verdict::Pass && self.raced > 0).then(|| less_than(self.raced))
    }

    pub(crate) fn new(rule: &'static Rule, finding: Finding) -> Self {
        let (verdict, why, runs) = match finding.check {
            Ok(runs) => (Verdict::Pass, finding.left_out.map(|parts| format!("left out: {parts}")), runs),
            Err(Flaw::Broken(why)) => (Verdict::Fail, Some(why), 0),
            Err(Flaw::NotApplicable(why)) => (Verdict::NotApplicable, Some(why), 0),
            Err(Flaw::Inconclusive(why)) => (Verdict::Inconclusive, Some(why), 0),
        };
        Self { rule, verdict, why, runs, raced: finding.raced, took: finding.took }
    }
}

/// All that was found on one host.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) candidate: Candidate,
    pub(crate) entries: Vec<Entry>,
}

/// All that was found.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) columns: Vec<Column>,
}

impl Report {
    /// Puts the findings into columns; `findings` are in the order of `tasks`, which goes host by host.
    pub(crate) fn new(seed: u64, tasks: &[Task], findings: Vec<Finding>) -> Self {
        let mut columns: Vec<Column> = Vec::new();
        for (task, finding) in tasks.iter().zip(findings) {
            let entry = Entry::new(task.rule, finding);
            match columns.last_mut() {
                Some(column) if column.candidate.name() == task.candidate.name() => column.entries.push(entry),
                _ => columns.push(Column { candidate: task.candidate, entries: vec![entry] }),
            }
        }
        Self { seed, columns }
    }

    /// The gravest verdict of all.
    pub(crate) fn worst(&self) -> Verdict {
        self.entries().map(|(_, entry)| entry.verdict).max().unwrap_or(Verdict::NotApplicable)
    }

    /// All entries with their hosts.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&Candidate, &Entry)> {
        self.columns.iter().flat_map(|column| column.entries.iter().map(|entry| (&column.candidate, entry)))
    }

    /// The groups that were examined, in the order of the contract.
    pub(crate) fn groups(&self) -> Vec<&'static str> {
        let mut groups = Vec::new();
        for (_, entry) in self.entries() {
            if !groups.contains(&entry.rule.group()) {
                groups.push(entry.rule.group());
            }
        }
        groups
    }

    /// The rules that were examined, in the order of the contract.
    pub(crate) fn rules(&self) -> Vec<&'static Rule> {
        self.columns.first().map(|column| column.entries.iter().map(|entry| entry.rule).collect()).unwrap_or_default()
    }
}

/// What the suite is called in reports.
pub(crate) fn suite(seed: u64) -> String {
    format!("{} {}, seed {seed}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
}

/// The budget for which `rounds(base)` is `base`, and which a command need not name.
pub(crate) const USUAL_BUDGET: u64 = 60;

/// The command that examines one rule on one host again.
#[derive(Clone, Debug)]
pub(crate) struct Replay {
    program: String,
    budget: u64,
}

impl Replay {
    /// How this program was started: through cargo, or by its path.
    pub(crate) fn of_this_program(budget: u64) -> Self {
        let program = env::args().next().unwrap_or_else(|| "conformance".to_owned());
        let name = Path::new(&program).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let program = match env::var("CARGO_PKG_NAME") {
            Ok(package) if name.starts_with("conformance") => format!("cargo run --release -p {package} --"),
            Ok(package) => format!("cargo run --release -p {package} --example {name} --"),
            Err(_) => program,
        };
        Self { program, budget }
    }

    /// How this program is started.
    pub(crate) fn program(&self) -> &str {
        &self.program
    }

    pub(crate) fn command(&self, seed: u64, host: &str, rule: &str) -> String {
        let budget = match self.budget {
            USUAL_BUDGET => String::new(),
            budget => format!(" --budget {budget}"),
        };
        format!("{} --host {host} --rule {rule} --seed {seed}{budget}", self.program)
    }

    /// The command that soaks again; the host is to be added.
    pub(crate) fn soak(&self, args: &soak::Args, seed: u64) -> String {
        format!("{} soak {} --seed {seed}", self.program, args.again())
    }
}
