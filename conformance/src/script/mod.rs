//! The differential test: random gated scripts that must leave the same trace on every host.
//!
//! A script does one thing at a time to a worker on the still clock, and waits after each until nothing more happens by
//! itself. So the order is forced, not hoped for, and whatever differs between two hosts is a difference in meaning.
//! Everything is compared: starts, drops, outcomes with their times and polls, what came back, the counts, the reports.

mod plan;
mod play;
mod trace;

use std::env;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _, stdout};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crate::bench::Order;
use crate::{Bench, Candidate, Check, Flaw, LocalFuture, Profile, Rule};

/// The first argument of a program that was started to play scripts.
const CALL: &str = "__scripts";

/// How long a host may take for one script before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many differing scripts are shown in full.
const SHOWN: usize = 3;

/// Plays the script of the bench's seed and prints its digest, or with an effort of two its trace.
static PLAY: Rule = Rule { id: "scripts", name: "scripts", needs: Profile::NONE, once: false, check: play_one };

fn play_one<'a>(bench: &'a Bench) -> LocalFuture<'a, Check> {
    Box::pin(async move {
        let first = bench.seed();
        let asked = bench.rounds(1);
        let (seeds, whole) = if asked == u64::MAX { (first..first + 1, true) } else { (first..first + asked, false) };
        for seed in seeds {
            let script = plan::Script::draw(seed, bench.profile().blocking);
            let lines = match play::play(bench, &script).await {
                Ok(lines) => lines,
                Err(flaw) => vec![format!("{} {flaw}", bench.host_name())],
            };
            if whole {
                println!("{:?}\n{}", script.setup, lines.join("\n"));
            } else {
                println!("{seed} {:016x}", trace::digest(&lines));
                stdout().flush().map_err(|error| Flaw::Inconclusive(error.to_string()))?;
            }
        }
        Ok(asked)
    })
}

/// Whether this process was started to play scripts. If so it has done it, and should end with this status.
pub(crate) fn serve(candidates: &[Candidate]) -> Option<Result<(), String>> {
    let mut args = env::args().skip(1);
    (args.next()? == CALL).then(|| {
        let args: Vec<String> = args.collect();
        let [host, seed, count] = &args[..] else { return Err(format!("{CALL} takes three arguments")) };
        let candidate = candidates.iter().find(|candidate| candidate.name() == host).ok_or("no such host")?;
        let number = |text: &str| text.parse::<u64>().map_err(|error| format!("{text}: {error}"));
        // As many rounds as there are scripts; all of a number for one trace in full.
        let effort = if count == "whole" { f64::INFINITY } else { number(count)? as f64 };
        std::panic::set_hook(Box::new(|_| {}));
        let order = Order { seed: number(seed)?, effort, patience: PATIENCE };
        candidate.examine(&PLAY, order).map(|_| ()).map_err(|flaw| flaw.to_string())
    })
}

/// What became of the scripts.
pub(crate) struct Comparison {
    /// For people.
    pub(crate) text: String,
    /// Scripts whose trace differed on some host, or was not given.
    pub(crate) differing: usize,
}

/// Plays `count` scripts from `seed` on on each host, and compares their traces with those of the first one that is called
/// `sim`, or else of the first.
///
/// # Errors
///
/// When a process cannot be started.
pub(crate) fn compare(
    hosts: &[Candidate],
    seed: u64,
    count: u64,
    mut told: impl FnMut(),
) -> Result<Comparison, String> {
    let reference = hosts.iter().position(|host| host.name() == "sim").unwrap_or(0);
    let (line, lines) = channel();
    let mut digests = vec![Vec::new(); hosts.len()];
    // Two at a time: the machines that this is run on have two processors.
    for pair in (0..hosts.len()).collect::<Vec<_>>().chunks(2) {
        let players: Vec<_> = pair
            .iter()
            .map(|&place| (place, hosts[place].name(), line.clone()))
            .map(|(place, name, line)| {
                thread::spawn(move || {
                    listen(name, seed, &count.to_string(), |said| {
                        let _ = line.send((place, said));
                    })
                })
            })
            .collect();
        let mut done = 0;
        while done < players.len() {
            match lines.recv_timeout(Duration::from_millis(50)) {
                Ok((place, said)) => {
                    told();
                    digests[place].push(said);
                }
                Err(_) => done = players.iter().filter(|player| player.is_finished()).count(),
            }
        }
        for player in players {
            player.join().map_err(|_| "a thread that listened to a child panicked".to_owned())??;
        }
        for (place, said) in lines.try_iter() {
            told();
            digests[place].push(said);
        }
    }
    let mut text = String::new();
    let mut differing = 0;
    let expected = &digests[reference];
    for (place, host) in hosts.iter().enumerate() {
        let differs = |nth: &usize| expected.get(*nth).is_none() || expected.get(*nth) != digests[place].get(*nth);
        let seeds: Vec<u64> =
            (0..usize::try_from(count).unwrap_or(usize::MAX)).filter(differs).map(|nth| seed + nth as u64).collect();
        let against = hosts[reference].name();
        let _ = writeln!(
            text,
            "{:22} {} scripts, {} differ from {against}",
            host.name(),
            digests[place].len(),
            seeds.len()
        );
        differing += seeds.len();
        for &seed in seeds.iter().take(SHOWN) {
            show(&mut text, hosts[reference].name(), host.name(), seed)?;
        }
    }
    Ok(Comparison { text, differing })
}

/// Starts a child that plays scripts, and hands on each line that it says.
fn listen(host: &str, seed: u64, count: &str, mut said: impl FnMut(String)) -> Result<(), String> {
    let begun = |error: std::io::Error| format!("a child process could not be run: {error}");
    let program = env::current_exe().map_err(begun)?;
    let mut child = Command::new(program)
        .args([CALL, host, &seed.to_string(), count])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(begun)?;
    if let Some(out) = child.stdout.take() {
        BufReader::new(out).lines().map_while(Result::ok).for_each(&mut said);
    }
    child.wait().map_err(begun)?;
    Ok(())
}

/// Writes down where the traces of one script part.
fn show(text: &mut String, reference: &str, host: &str, seed: u64) -> Result<(), String> {
    let trace = |host: &str| {
        let mut lines = Vec::new();
        listen(host, seed, "whole", |line| lines.push(line)).map(|()| lines)
    };
    let (expected, seen) = (trace(reference)?, trace(host)?);
    let parting = expected.iter().zip(&seen).position(|(a, b)| a != b).unwrap_or(expected.len().min(seen.len()));
    let _ = writeln!(text, "  script {seed}, line {parting}:");
    for line in expected.iter().take(parting).skip(parting.saturating_sub(4)) {
        let _ = writeln!(text, "        {line}");
    }
    let _ = writeln!(text, "    {reference}: {}", expected.get(parting).map_or("(the end)", |line| line));
    let _ = writeln!(text, "    {host}: {}", seen.get(parting).map_or("(the end)", |line| line));
    Ok(())
}
