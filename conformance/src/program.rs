//! The `conformance` program: reads what is asked, examines, reports, and says by its exit status how it went.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Parser, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use crate::bench::Order;
use crate::child::{self, Task};
use crate::contract::{Article, article, articles, is_in_group};
use crate::report::{self, Replay, Report, Verdict};
use crate::{Candidate, Rule, board, rules, runner, script, soak};

/// The budget for which `rounds(base)` is `base`.
pub(crate) const USUAL_BUDGET: u64 = 60;

/// How long something that must come is waited for in a child at the usual budget; only what is broken takes it.
const PATIENCE: Duration = Duration::from_secs(20);

/// When the watchdog ends a child at the usual budget.
const WATCHDOG: Duration = Duration::from_secs(90);

/// Checks the rules of the countermand contract on hosts.
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Exit status: 0 all rules hold, 1 a rule is broken, 2 the suite or its surroundings are \
                                 at fault, 3 something stayed inconclusive."
)]
struct Args {
    #[command(subcommand)]
    command: Option<Errand>,
    /// Only this host (may be repeated); a board under the emulator is examined only if it is named, as cortex-m3 and cortex-m0 are
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// Only this rule, such as J4 (may be repeated)
    #[arg(long, value_name = "ID")]
    rule: Vec<String>,
    /// Only this group of rules, such as J (may be repeated)
    #[arg(long, value_name = "G")]
    group: Vec<String>,
    /// Where everything random comes from [default: the time]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Roughly how long all of it may take on two cores; more time, more runs of what races
    #[arg(long, value_name = "SECONDS", default_value_t = USUAL_BUDGET, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    budget: u64,
    /// List hosts and rules, and examine nothing
    #[arg(long)]
    list: bool,
    /// Say what a rule says and how it is examined
    #[arg(long, value_name = "ID")]
    explain: Option<String>,
    /// How to report
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Write the report to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Play so many random gated scripts on every host, and compare their traces event by event
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "1000",
          conflicts_with_all = ["mutants", "format", "rule", "group", "budget"])]
    scripts: Option<u64>,
    /// Of each script, play only the steps at these places, such as 0,3,7
    #[arg(long, value_name = "PLACES", requires = "scripts", default_value = "", hide_default_value = true)]
    keep: script::Keep,
    /// Switch this defect on, on every host but the reference; only a build with mutants has any
    #[arg(long, value_name = "NAME", requires = "scripts", default_value = "", hide = true)]
    mutant: String,
    /// Plant one defect at a time in the core, and show which rule sees it
    #[arg(long)]
    mutants: bool,
    /// Of each rule about a race, show how many rounds it takes to see its mutants, and that the ordinary run makes enough
    #[arg(long, conflicts_with_all = ["mutants", "scripts"])]
    power: bool,
    /// Put the kill table that --mutants --format json wrote into the HTML report
    #[arg(long, value_name = "FILE", conflicts_with_all = ["mutants", "scripts", "power"])]
    kills: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Errand {
    /// Run very many jobs of every kind on each host, and audit the books
    ///
    /// Each host has a process of its own. What each job and each handle saw is compared with the worker's own counts and metrics; memory
    /// must be flat; threads, files, alarms, wakers and the heap must be what they were; and then come storms.
    Soak(soak::Args),
    /// Compare two reports that were written with --format json
    Compare {
        /// The one before
        old: PathBuf,
        /// The one now
        new: PathBuf,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Table,
    Json,
    Junit,
    Html,
}

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
    if args.mutants || args.power {
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
        Format::Table => report::table(&report, &replay, args.out.is_none() && io::stdout().is_terminal()),
        Format::Json => report::json(&report)?,
        Format::Junit => report::junit(&report, &replay),
        Format::Html => report::html(&report, kills.as_ref(), &replay),
    };
    deliver(args.out.as_deref(), &text)?;
    Ok(ExitCode::from(match report.worst() {
        Verdict::Fail => 1,
        // Where nothing applies nothing was shown.
        Verdict::Inconclusive | Verdict::NotApplicable => 3,
        Verdict::Pass => 0,
    }))
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

#[cfg(feature = "mutants")]
fn mutants(args: &Args, hosts: &[Candidate], chosen: &[&'static Rule], order: Order) -> Result<ExitCode, String> {
    if args.power {
        return power(args, hosts, chosen, order);
    }
    let bar = progress(0);
    let cull = crate::mutants::cull(hosts, chosen, order, |done, total, what| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        bar.set_message(what.to_owned());
    });
    bar.finish_and_clear();
    let cull = cull.map_err(|error| format!("a child process could not be run: {error}"))?;
    let text = match args.format {
        Format::Table => report::kills(
            &cull,
            &Replay::of_this_program(args.budget),
            args.out.is_none() && io::stdout().is_terminal(),
        ),
        Format::Json => report::kills_json(&cull)?,
        Format::Junit | Format::Html => return Err("mutants are reported as table or json".to_owned()),
    };
    deliver(args.out.as_deref(), &text)?;
    Ok(ExitCode::from(match cull.verdict() {
        Verdict::Fail => 1,
        Verdict::Inconclusive | Verdict::NotApplicable => 3,
        Verdict::Pass => 0,
    }))
}

#[cfg(feature = "mutants")]
fn power(args: &Args, hosts: &[Candidate], chosen: &[&'static Rule], order: Order) -> Result<ExitCode, String> {
    let bar = progress(0);
    let powers = crate::power::measure(hosts, chosen, order, |done, total, what| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
        bar.set_message(what.to_owned());
    });
    bar.finish_and_clear();
    let powers = powers.map_err(|error| format!("a child process could not be run: {error}"))?;
    let text = match args.format {
        Format::Table => report::strength(&powers, args.out.is_none() && io::stdout().is_terminal()),
        Format::Json => report::strength_json(&powers)?,
        Format::Junit | Format::Html => return Err("power is reported as table or json".to_owned()),
    };
    deliver(args.out.as_deref(), &text)?;
    Ok(ExitCode::from(match powers.verdict() {
        Verdict::Fail => 1,
        Verdict::Inconclusive | Verdict::NotApplicable => 3,
        Verdict::Pass => 0,
    }))
}

/// Builds this program with the defects in it, under another name, and hands everything over to that.
#[cfg(not(feature = "mutants"))]
fn mutants(_: &Args, _: &[Candidate], _: &[&'static Rule], order: Order) -> Result<ExitCode, String> {
    use std::env;
    use std::process::Command;

    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let program = env::current_exe().map_err(|error| format!("cannot tell where this program is: {error}"))?;
    // target/release/conformance
    let target = program.ancestors().nth(2).ok_or("this program is in no target directory")?;
    let mut arguments: Vec<_> = env::args_os().skip(1).collect();
    if !env::args().any(|argument| argument == "--seed" || argument.starts_with("--seed=")) {
        arguments.extend(["--seed".into(), order.seed.to_string().into()]);
    }
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--quiet", "--release", "--features", "mutants", "--bin", "conformance-mutants"])
        .args(["--manifest-path", manifest, "--target-dir"])
        .arg(target)
        .arg("--")
        .args(arguments)
        .status()
        .map_err(|error| format!("cannot run cargo to build the mutants: {error}"))?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    match code {
        Some(code @ 0..=3) => Ok(ExitCode::from(code)),
        // 101: cargo could not build it.
        _ => Err(format!("the build with mutants ended with {status}")),
    }
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
            soak::table(&outcomes, &heading, &replay, out.is_none() && io::stdout().is_terminal())
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

fn chosen_hosts(names: &[String], candidates: &[Candidate]) -> Result<Vec<Candidate>, String> {
    if names.is_empty() {
        return Ok(candidates.to_vec());
    }
    let all = || candidates.iter().copied().chain(board::ALL);
    for name in names {
        if !all().any(|candidate| candidate.name() == name) {
            let known: Vec<_> = all().map(|candidate| candidate.name()).collect();
            return Err(format!("no host is called {name:?}; there are: {}", known.join(", ")));
        }
    }
    Ok(all().filter(|candidate| names.iter().any(|name| name == candidate.name())).collect())
}

/// Some things take a process of this program.
fn no_board(hosts: &[Candidate], what: &str) -> Result<(), String> {
    match hosts.iter().find(|host| host.as_board().is_some()) {
        None => Ok(()),
        Some(board) => Err(format!("{} is a board under an emulator; {what} on hosts of this machine", board.name())),
    }
}

fn chosen_rules(ids: &[String], groups: &[String]) -> Result<Vec<&'static Rule>, String> {
    for id in ids {
        if !rules::all().any(|rule| rule.id().eq_ignore_ascii_case(id)) {
            return Err(not_here(id));
        }
    }
    for group in groups {
        if !rules::all().any(|rule| rule.group().eq_ignore_ascii_case(group)) {
            return Err(not_here(group));
        }
    }
    let all = ids.is_empty() && groups.is_empty();
    let named = |name: &str, list: &[String]| list.iter().any(|listed| listed.eq_ignore_ascii_case(name));
    Ok(rules::all().filter(|rule| all || named(rule.id(), ids) || named(rule.group(), groups)).collect())
}

/// Why a rule, or a whole group, cannot be examined.
fn not_here(what: &str) -> String {
    if left_out().any(|article| is_in_group(article, what)) {
        return format!("{what} is in the contract, but this program was built without the feature that has it");
    }
    let groups: BTreeSet<_> = rules::all().map(Rule::group).collect();
    let groups: Vec<_> = groups.into_iter().collect();
    format!("the contract has no {what:?}; groups in the program: {}; --list shows the rules", groups.join(", "))
}

/// The rules of the contract that this build does not have.
fn left_out() -> impl Iterator<Item = &'static Article> {
    articles().iter().filter(|article| !rules::all().any(|rule| rule.id() == article.id))
}

fn list(hosts: &[Candidate], chosen: &[&Rule]) -> String {
    let mut text = String::new();
    for host in hosts {
        text += &format!("host {} {} ({})\n", host.name(), host.version(), host.profile());
    }
    for rule in chosen {
        text += &format!("{:4} {}\n", rule.id(), rule.title());
    }
    let ids: Vec<&str> = left_out().map(|article| article.id.as_str()).collect();
    if !ids.is_empty() {
        text += &format!("not in this build: {}\n", ids.join(" "));
    }
    text
}

fn explain(id: &str, candidates: &[Candidate]) -> Result<String, String> {
    let article = article(id).ok_or_else(|| not_here(id))?;
    let mut text = format!("{} ({})\n\n{}\n", article.id, article.chapter, article.text);
    if let Some(reading) = &article.reading {
        text += &format!("\nReading: {reading}\n");
    }
    match rules::all().find(|rule| rule.id() == article.id) {
        None => text += &format!("\n{}\n", not_here(&article.id)),
        Some(rule) => {
            text += &format!("\nExamined by: {}\n", rule.name());
            if rule.is_once() {
                text += "It says nothing of a host, and is examined on the first one only.\n";
            }
            for candidate in candidates {
                let missing = rule.needs().beyond(candidate.profile()).to_string();
                if !missing.is_empty() {
                    text +=
                        &format!("Not applicable on {}: it declares a target without {missing}\n", candidate.name());
                }
            }
        }
    }
    Ok(text)
}
