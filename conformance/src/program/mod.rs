//! The `conformance` program: reads what is asked, examines, reports, and says by its exit status how it went.

mod args;
mod choice;
mod defects;

use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{env, fs};

use clap::{CommandFactory as _, Parser as _};
use clap_complete::Shell;
use indicatif::{ProgressBar, ProgressStyle};

use args::{Args, Errand, Format};
use choice::{chosen_hosts, chosen_rules, explain, list, no_board};
use defects::mutants;

use crate::bench::Order;
use crate::child::{self, Task};
use crate::report::{self, Replay, Report, USUAL_BUDGET};
use crate::verdict::Verdict;
use crate::{Candidate, runner, script, soak};

/// How long something that must come is waited for in a child at the usual budget; only what is broken takes it.
const PATIENCE: Duration = Duration::from_secs(20);

/// When the watchdog ends a child at the usual budget.
const WATCHDOG: Duration = Duration::from_secs(90);

/// What [`main!`](crate::main) calls.
#[must_use]
pub fn main(candidates: &[Candidate]) -> ExitCode {
    if let Some(served) = served(candidates) {
        return match served {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => fault(&why),
        };
    }
    let args = Args::parse();
    match run(&args, candidates) {
        Ok(code) => code,
        Err(why) => fault(&why),
    }
}

/// Does what this process was started for by another of this program, if it was.
fn served(candidates: &[Candidate]) -> Option<Result<(), String>> {
    child::serve(candidates).or_else(|| script::serve(candidates)).or_else(|| soak::serve(candidates))
}

fn fault(why: &str) -> ExitCode {
    eprintln!("conformance: {why}");
    ExitCode::from(2)
}

fn run(args: &Args, candidates: &[Candidate]) -> Result<ExitCode, String> {
    match &args.command {
        Some(Errand::Soak(args)) => return soak(args, candidates),
        Some(Errand::Compare { old, new }) => return compare(old, new),
        Some(Errand::Completions { shell }) => return completions(*shell),
        None => {}
    }
    if let Some(id) = &args.explain {
        return explain(id, candidates)
            .and_then(|text| deliver(args.out.as_deref(), &text))
            .map(|()| ExitCode::SUCCESS);
    }
    let hosts = chosen_hosts(&args.host, candidates)?;
    let chosen = chosen_rules(&args.rule, &args.group)?;
    if args.list {
        return deliver(args.out.as_deref(), &list(&hosts, &chosen)).map(|()| ExitCode::SUCCESS);
    }
    let seed = args.seed.unwrap_or_else(seed_of_the_time);
    if let Some(count) = args.scripts {
        no_board(&hosts, "scripts are played")?;
        return scripts(args, &hosts, seed, count);
    }
    let effort = args.budget as f64 / USUAL_BUDGET as f64;
    // What is waited for may be something that does so many times as much.
    let more = effort.max(1.0);
    let order = Order { seed, effort, patience: PATIENCE.mul_f64(more), watchdog: WATCHDOG.mul_f64(more) };
    if args.mutants || args.lying_hosts || args.power {
        return mutants(args, &hosts, &chosen, order);
    }
    if args.kills.is_some() && !matches!(args.format, Format::Html) {
        return Err("the kill table goes into the report for a browser: --format html".to_owned());
    }
    let kills = args.kills.as_deref().map(kill_list).transpose()?;
    let tasks = Task::all(&hosts, &chosen, order);
    let bar = progress(tasks.len());
    let findings = runner::each(&tasks, Task::run, |place, _| {
        bar.set_message(format!("{} {}", tasks[place].candidate.name(), tasks[place].rule.id()));
        bar.inc(1);
    });
    bar.finish_and_clear();
    let findings = findings.map_err(|error| format!("a child process could not be run: {error}"))?;
    let report = Report::new(seed, &tasks, findings);
    let replay = Replay::of_this_program(args.budget);
    let text = match args.format {
        Format::Table => report::table(&report, &replay, is_coloured(args.out.as_deref())),
        Format::Json => report::json(&report)?,
        Format::Junit => report::junit(&report, &replay),
        Format::Html => report::html(&report, kills.as_ref(), &replay),
    };
    deliver(args.out.as_deref(), &text)?;
    Ok(exit_code(report.worst()))
}

fn exit_code(verdict: Verdict) -> ExitCode {
    ExitCode::from(match verdict {
        Verdict::Fail => 1,
        // Where nothing applies nothing was shown.
        Verdict::Inconclusive | Verdict::NotApplicable => 3,
        Verdict::Pass => 0,
    })
}

/// For the program by the name of its file: others build it under their own.
fn completions(shell: Shell) -> Result<ExitCode, String> {
    let program = env::current_exe().map_err(|error| format!("cannot tell where this program is: {error}"))?;
    let name = program.file_stem().unwrap_or_default().to_string_lossy();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), name, &mut script);
    deliver(None, &String::from_utf8_lossy(&script)).map(|()| ExitCode::SUCCESS)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn kill_list(path: &Path) -> Result<report::KillList, String> {
    report::KillList::read(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))
}

fn compare(old: &Path, new: &Path) -> Result<ExitCode, String> {
    let (texts, names) = ([read(old)?, read(new)?], [old.to_string_lossy(), new.to_string_lossy()]);
    let (same, text) = report::compare([&names[0], &names[1]], [&texts[0], &texts[1]])?;
    deliver(None, &text)?;
    Ok(ExitCode::from(u8::from(!same)))
}

fn scripts(args: &Args, hosts: &[Candidate], seed: u64, count: u64) -> Result<ExitCode, String> {
    if hosts.len() < 2 || count == 0 {
        return Err("there is something to compare from two hosts and one script on".to_owned());
    }
    if seed.checked_add(count).is_none() {
        return Err(format!("there are no {count} seeds from {seed} on"));
    }
    let bar = progress(hosts.len() * usize::try_from(count).unwrap_or(usize::MAX));
    let scripts = script::Repertoire {
        seed,
        count,
        kind: script::Kind::Calls,
        keep: args.keep.clone(),
        mutant: args.mutant.clone(),
    };
    let comparison = script::compare(hosts, &scripts, Replay::of_this_program(USUAL_BUDGET).program(), || bar.inc(1));
    bar.finish_and_clear();
    let comparison = comparison?;
    deliver(args.out.as_deref(), &format!("scripts from seed {seed} on\n{}", comparison.text))?;
    Ok(ExitCode::from(u8::from(comparison.differing != 0)))
}

fn soak(args: &soak::Args, candidates: &[Candidate]) -> Result<ExitCode, String> {
    let out = args.out.as_deref();
    if args.print_mix {
        return deliver(out, &soak::usual_mix()).map(|()| ExitCode::SUCCESS);
    }
    let hosts = chosen_hosts(&args.host, candidates)?;
    no_board(&hosts, "a soak runs")?;
    let seed = args.seed.unwrap_or_else(seed_of_the_time);
    let bar = progress(0);
    let outcomes = soak::soak(&hosts, args, seed, &bar);
    bar.finish_and_clear();
    let outcomes = outcomes?;
    let text = match args.format {
        soak::Format::Table => {
            let heading = format!("{}, soak", report::suite(seed));
            let replay = Replay::of_this_program(USUAL_BUDGET).soak(args, seed);
            soak::table(&outcomes, &heading, &replay, is_coloured(out))
        }
        soak::Format::Json => soak::json(&outcomes, seed)?,
    };
    deliver(out, &text)?;
    Ok(ExitCode::from(u8::from(outcomes.iter().any(|outcome| !outcome.flaws().is_empty()))))
}

/// Small enough to be typed again.
fn seed_of_the_time() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    fastrand::Rng::with_seed(since.as_nanos() as u64).u64(0..1_000_000_000)
}

/// Whether a report has colours there: on a terminal whose user has not said no (`NO_COLOR`).
fn is_coloured(out: Option<&Path>) -> bool {
    out.is_none() && io::stdout().is_terminal() && env::var_os("NO_COLOR").is_none_or(|no| no.is_empty())
}

fn progress(length: usize) -> ProgressBar {
    // Hidden by itself when standard error is no terminal.
    let bar = ProgressBar::new(length as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {elapsed} {msg}") {
        bar.set_style(style);
    }
    bar
}

fn deliver(out: Option<&Path>, text: &str) -> Result<(), String> {
    match out {
        Some(path) => fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display())),
        None => match io::stdout().lock().write_all(text.as_bytes()) {
            // A reader that has seen enough is no fault.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result.map_err(|error| format!("cannot write to standard output: {error}")),
        },
    }
}
