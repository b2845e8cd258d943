//! The soak: very many jobs of every kind on each host, and an oracle outside that audits the books.
//!
//! Each host has a process of its own. What each job and each handle saw is entered in a ledger, which is compared with the worker's counts and with its
//! metrics; memory must be flat over the jobs; and when the runtime has gone, threads, files, alarms, wakers and the heap are what they were at the start. In this order: everything
//! ends by itself, audit, shutdown, storms, census.

mod body;
mod ledger;
mod mix;
mod pulse;
mod record;
mod run;
mod slope;
mod storm;
mod story;
mod table;
mod vitals;

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Write as _};
use std::panic;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, ProgressBar};
use serde::{Deserialize, Serialize};

use crate::bench::Order;
use crate::{Candidate, child};
use mix::Mix;
use run::{Lap, Plan, Soaked};
use vitals::Vitals;

pub(crate) use table::{json, table};

/// The first argument of a program that was started to soak.
const CALL: &str = "__soak";

/// What stands before each letter of a child; jobs might print too.
const MARK: char = '\u{1e}';

/// How long one thing that must come is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long nothing at all may happen.
const STANDSTILL: Duration = Duration::from_secs(60);

/// How long the parent hears nothing from a child; the child itself speaks up before.
const SILENCE: Duration = Duration::from_secs(600);

/// How long threads of a runtime that has been stopped may take to go.
const FAREWELL: Duration = Duration::from_secs(20);

/// Hosts whose runtime lives for ever, with what waits in it: what there is afterwards says nothing.
const LASTING: [&str; 1] = ["embassy"];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this host (may be repeated)
    #[arg(long, value_name = "NAME")]
    pub(crate) host: Vec<String>,
    /// How many jobs on each host; in the first quarter what grows to its size once must have grown
    #[arg(long, value_name = "N", default_value = "1_000_000", value_parser = jobs)]
    jobs: u64,
    /// Where everything random comes from [default: the time]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// The weights of the kinds of jobs, as --print-mix writes them
    #[arg(long, value_name = "FILE")]
    mix: Option<PathBuf>,
    /// Print the usual mix, and do nothing else
    #[arg(long)]
    pub(crate) print_mix: bool,
    /// Leave the storms out
    #[arg(long)]
    no_storms: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// Write the report to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Switch this defect on; only a build with mutants has any
    #[arg(long, value_name = "NAME", hide = true)]
    mutant: Option<String>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
}

impl Args {
    /// What makes another soak the same, but for seed and host.
    pub(crate) fn again(&self) -> String {
        let mix = self.mix.as_ref().map(|path| format!(" --mix {}", path.display())).unwrap_or_default();
        let storms = if self.no_storms { " --no-storms" } else { "" };
        format!("--jobs {}{mix}{storms}", self.jobs)
    }
}

fn jobs(text: &str) -> Result<u64, String> {
    match text.replace('_', "").parse::<u64>() {
        Ok(0) => Err("a soak of no jobs shows nothing".to_owned()),
        Ok(jobs) => Ok(jobs),
        Err(error) => Err(error.to_string()),
    }
}

/// What became of one host.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) host: String,
    soaked: Soaked,
    /// What there was before, and after the runtime had gone.
    census: Vec<Remains>,
    /// What was not done, with the reasons.
    left_out: Vec<String>,
    /// It came to no end.
    broken: Option<String>,
}

/// Of one thing: how many at the start, and at the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Remains {
    what: String,
    start: u64,
    end: u64,
}

#[derive(Serialize, Deserialize)]
enum Letter {
    Lap(Lap),
    End(Box<Outcome>),
}

/// The usual mix, as `--mix` takes it.
pub(crate) fn usual_mix() -> String {
    Mix::USUAL.write()
}

/// Soaks each of the hosts, one after the other, since each wants the whole machine.
///
/// # Errors
///
/// When the mix cannot be read, or a child not be started.
pub(crate) fn soak(hosts: &[Candidate], args: &Args, seed: u64, bar: &ProgressBar) -> Result<Vec<Outcome>, String> {
    let mix = match &args.mix {
        None => Mix::USUAL,
        Some(path) => {
            let at = |error: String| format!("{}: {error}", path.display());
            Mix::read(&fs::read_to_string(path).map_err(|error| at(error.to_string()))?).map_err(at)?
        }
    };
    let plan = Plan { jobs: args.jobs, seed, mix, storms: !args.no_storms };
    bar.set_length(args.jobs * hosts.len() as u64);
    let mut outcomes = Vec::new();
    for (place, host) in hosts.iter().enumerate() {
        let before = args.jobs * place as u64;
        let told = |lap: Lap| {
            bar.set_position(before + lap.jobs);
            bar.set_message(live(host.name(), &lap));
        };
        outcomes.push(watch(host.name(), &plan, args.mutant.as_deref().unwrap_or_default(), told)?);
    }
    Ok(outcomes)
}

fn live(host: &str, lap: &Lap) -> String {
    let resident = lap.resident.map(|bytes| format!(", resident {}", HumanBytes(bytes))).unwrap_or_default();
    let threads = lap.threads.map(|threads| format!(", {threads} threads")).unwrap_or_default();
    format!("{host}: {} jobs/s, heap {}{resident}{threads}", HumanCount(lap.per_second as u64), HumanBytes(lap.heap))
}

/// Runs the child of one host, and hears it out.
fn watch(host: &str, plan: &Plan, mutant: &str, mut told: impl FnMut(Lap)) -> Result<Outcome, String> {
    let failed = |error: io::Error| format!("a child process could not be run: {error}");
    let plan = serde_json::to_string(plan).map_err(|error| error.to_string())?;
    let mut child = Command::new(env::current_exe().map_err(failed)?)
        .args([CALL, host, &plan, mutant])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let (mouth, ears) = channel();
    if let Some(out) = child.stdout.take() {
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let letter = line.split_once(MARK).and_then(|(_, letter)| serde_json::from_str(letter).ok());
                if letter.is_some_and(|letter: Letter| mouth.send(letter).is_err()) {
                    return;
                }
            }
        });
    }
    let mut end = None;
    let mut silent = false;
    loop {
        match ears.recv_timeout(SILENCE) {
            Ok(Letter::Lap(lap)) => told(lap),
            Ok(Letter::End(outcome)) => end = Some(*outcome),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                silent = true;
                child.kill().map_err(failed)?;
                break;
            }
        }
    }
    let status = child.wait().map_err(failed)?;
    if status.code() == Some(2) {
        return Err(format!("the soak of {host} could not do what it was told"));
    }
    Ok(end.unwrap_or_else(|| {
        let how = if silent { "said nothing for too long" } else { "ended without a word" };
        Outcome::broken(host, format!("the process {how} ({status})"))
    }))
}

impl Outcome {
    fn broken(host: &str, why: String) -> Self {
        Self {
            host: host.to_owned(),
            soaked: Soaked::default(),
            census: Vec::new(),
            left_out: Vec::new(),
            broken: Some(why),
        }
    }
}

/// Whether this process was started to soak. If so it has done it, and should end with this status.
pub(crate) fn serve(candidates: &[Candidate]) -> Option<Result<(), String>> {
    let mut args = env::args().skip(1);
    (args.next()? == CALL).then(|| {
        let args: Vec<String> = args.collect();
        let [host, plan, mutant] = &args[..] else { return Err(format!("{CALL} takes three arguments")) };
        let candidate = candidates.iter().find(|candidate| candidate.name() == host).ok_or("no such host")?;
        let plan: Plan = serde_json::from_str(plan).map_err(|error| format!("{plan}: {error}"))?;
        // Jobs panic by the thousand, as they are told to.
        panic::set_hook(Box::new(|_| {}));
        say(&Letter::End(Box::new(serve_plan(*candidate, plan, mutant)?)))
    })
}

fn serve_plan(candidate: Candidate, plan: Plan, mutant: &str) -> Result<Outcome, String> {
    let host = candidate.name();
    guard_progress(host.to_owned());
    let order = Order { seed: plan.seed, effort: 1.0, patience: PATIENCE, watchdog: Duration::from_secs(86_400) };
    // What a process has once: threads and tables of libraries, the runtime's and the allocator's.
    run::follow(Plan { jobs: run::WARM_UP.min(plan.jobs), storms: false, ..plan }, |_| {});
    if let Err(flaw) = candidate.examine(&run::SOAK, order).check {
        return Ok(Outcome::broken(host, format!("before the first look: {flaw}")));
    }
    drop(run::found());
    child::activate(mutant)?;
    // It has a buffer from the first use on.
    io::stdout().flush().map_err(|error| error.to_string())?;
    let start = settle_down(None);
    run::follow(plan, |lap| _ = say(&Letter::Lap(lap)));
    let seen = candidate.examine(&run::SOAK, order);
    if let Err(flaw) = seen.check {
        return Ok(Outcome::broken(host, flaw.to_string()));
    }
    let mut left_out = seen.left_out;
    let soaked = run::found().ok_or("the soak found nothing")?;
    if LASTING.contains(&host) {
        left_out.push("the census: the host's executor lives for ever, and what waits in it".to_owned());
        return Ok(Outcome { host: host.to_owned(), soaked, census: Vec::new(), left_out, broken: None });
    }
    // What was found is on the heap too: as many blocks as a copy of it.
    let (copy, found_blocks) = measured(|| (soaked.clone(), left_out.clone()));
    drop(copy);
    let end = settle_down(Some(&start));
    let remains = |what: &str, start: Option<u64>, end: Option<u64>| {
        Some(Remains { what: what.to_owned(), start: start?, end: end? })
    };
    let census = [
        remains("threads", start.threads, end.threads),
        remains("files", start.files, end.files),
        remains("blocks of the heap", Some(start.heap_blocks), Some(end.heap_blocks.saturating_sub(found_blocks))),
    ];
    let census = census.into_iter().flatten().collect();
    Ok(Outcome { host: host.to_owned(), soaked, census, left_out, broken: None })
}

/// The vital signs, when threads have gone that are going, or when they are what they were.
fn settle_down(before: Option<&Vitals>) -> Vitals {
    let begun = Instant::now();
    let mut last = Vitals::now();
    loop {
        thread::sleep(Duration::from_millis(50));
        let now = Vitals::now();
        let (still, over) = (now.threads == last.threads, begun.elapsed() > FAREWELL);
        let as_before =
            before.is_none_or(|before| now.threads <= before.threads && now.heap_blocks <= before.heap_blocks);
        if over || (still && as_before) {
            return now;
        }
        last = now;
    }
}

/// What `act` makes, and how many blocks that is.
fn measured<T>(act: impl FnOnce() -> T) -> (T, u64) {
    let (before, _) = crate::Tally::kept_here();
    let made = act();
    let (after, _) = crate::Tally::kept_here();
    (made, u64::try_from(after - before).unwrap_or(0))
}

/// Ends the process with a word on where it stands, when nothing has happened for too long.
fn guard_progress(host: String) {
    thread::spawn(move || {
        let (mut seen, mut since) = (pulse::progress(), Instant::now());
        loop {
            thread::sleep(Duration::from_millis(500));
            let now = pulse::progress();
            if now != seen {
                (seen, since) = (now, Instant::now());
            } else if since.elapsed() > STANDSTILL + FAREWELL {
                let why = format!("nothing happened for {STANDSTILL:?}: {}", run::standstill());
                let _ = say(&Letter::End(Box::new(Outcome::broken(&host, why))));
                std::process::exit(1);
            }
        }
    });
}

fn say(letter: &Letter) -> Result<(), String> {
    let text = serde_json::to_string(letter).map_err(|error| error.to_string())?;
    let mut out = io::stdout().lock();
    writeln!(out, "{MARK}{text}").and_then(|()| out.flush()).map_err(|error| error.to_string())
}
