//! The differential test: random gated scripts that must leave the same trace on every host.
//!
//! A script does one thing at a time to a worker on the still clock, and waits after each until nothing more happens by
//! itself. So the order is forced, not hoped for, and whatever differs between two hosts is a difference in meaning.
//! Everything is compared: starts, drops, outcomes with their times and polls, what came back, the counts, the reports.

mod plan;
mod play;
mod shrink;
mod trace;

use std::env;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _, stdout};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use crate::bench::Order;
use crate::{Bench, Candidate, Check, Flaw, LocalFuture, Profile, Rule, child};

pub(crate) use shrink::Keep;

/// The first argument of a program that was started to play scripts.
const CALL: &str = "__scripts";

/// How long a host may take for one script before it counts as hung.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many differing scripts of a host are shown.
const SHOWN: usize = 3;

/// How many scripts a child plays. The reference's traces of so many are kept.
const BATCH: u64 = 1_000;

/// Lines of a trace that are shown before the first that differs.
const CONTEXT: usize = 4;

/// How often a whole script is played again that differed, before it counts as one that seldom does.
const AGAIN: usize = 3;

/// How many times a script is played at the most to cut it down.
const CUTS: usize = 300;

/// Which steps this process plays of each script.
static KEPT: OnceLock<Keep> = OnceLock::new();

/// Plays scripts from the bench's seed on, and prints the trace of each on a line of its own, as JSON.
static PLAY: Rule = script(|bench| play_some(bench, Kind::Calls));

/// The same scripts without calls, for hosts that have none.
static PLAY_TASKS: Rule = script(|bench| play_some(bench, Kind::Tasks));

const fn script(check: for<'a> fn(&'a Bench) -> LocalFuture<'a, Check>) -> Rule {
    Rule { id: "scripts", name: "scripts", needs: Profile::NONE, once: false, check }
}

fn play_some(bench: &Bench, kind: Kind) -> LocalFuture<'_, Check> {
    Box::pin(async move {
        let (first, count) = (bench.seed(), bench.rounds(1));
        for seed in first..first.saturating_add(count) {
            let mut script = kind.draw(seed);
            if let Some(keep) = KEPT.get() {
                script.acts = keep.of(script.acts);
            }
            let mut trace = vec![format!("{:?}", script.setup)];
            match play::play(bench, &script).await {
                Ok(lines) => trace.extend(lines),
                Err(flaw) => trace.push(format!("{} {flaw}", bench.host_name())),
            }
            let failed = |error: String| Flaw::Inconclusive(format!("a trace could not be told: {error}"));
            let line = serde_json::to_string(&trace).map_err(|error| failed(error.to_string()))?;
            let mut out = stdout().lock();
            writeln!(out, "{line}").and_then(|()| out.flush()).map_err(|error| failed(error.to_string()))?;
        }
        Ok(count)
    })
}

/// Whether this process was started to play scripts. If so it has done it, and should end with this status.
pub(crate) fn serve(candidates: &[Candidate]) -> Option<Result<(), String>> {
    let mut args = env::args().skip(1);
    (args.next()? == CALL).then(|| {
        let args: Vec<String> = args.collect();
        let [host, seed, count, kind, keep, mutant] = &args[..] else {
            return Err(format!("{CALL} takes six arguments, not {}", args.len()));
        };
        let candidate = candidates.iter().find(|candidate| candidate.name() == host).ok_or("no such host")?;
        let kind = Kind::ALL.into_iter().find(|known| known.name() == kind).ok_or("no such kind of scripts")?;
        let number = |text: &str| text.parse::<u64>().map_err(|error| format!("{text}: {error}"));
        // This is the first and only time.
        let _ = KEPT.set(keep.parse()?);
        child::activate(mutant)?;
        std::panic::set_hook(Box::new(|_| {}));
        // As many rounds as there are scripts; no watchdog.
        let (effort, watchdog) = (number(count)? as f64, Duration::from_secs(86_400));
        let order = Order { seed: number(seed)?, effort, patience: PATIENCE, watchdog };
        // What it did not come to is missing, and that is seen.
        drop(candidate.examine(kind.rule(), order));
        Ok(())
    })
}

/// What was seen of one script; `None` if the child ended before.
type Trace = Option<Vec<String>>;

/// What became of the scripts.
pub(crate) struct Comparison {
    /// For people.
    pub(crate) text: String,
    /// Scripts whose trace differed on some host, or was not given.
    pub(crate) differing: usize,
}

/// Whether there are calls in the scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Calls,
    /// For hosts that have no calls, and for the reference that they are compared with.
    Tasks,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Calls, Self::Tasks];

    /// As a child is told.
    const fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Tasks => "tasks",
        }
    }

    fn rule(self) -> &'static Rule {
        match self {
            Self::Calls => &PLAY,
            Self::Tasks => &PLAY_TASKS,
        }
    }

    fn draw(self, seed: u64) -> plan::Script {
        plan::Script::draw(seed, self == Self::Calls)
    }

    /// What these two can both play.
    fn of(hosts: [&Candidate; 2]) -> Self {
        if hosts.iter().all(|host| host.profile().blocking) { Self::Calls } else { Self::Tasks }
    }
}

/// Which scripts are played, and how.
#[derive(Clone, Debug)]
pub(crate) struct Repertoire {
    pub(crate) seed: u64,
    pub(crate) count: u64,
    /// Each host is given what it can play.
    pub(crate) kind: Kind,
    pub(crate) keep: Keep,
    /// A defect that every host has but the reference, to see that it would be seen; only a build with mutants has any.
    pub(crate) mutant: String,
}

impl Repertoire {
    fn at(&self, seed: u64, count: u64, kind: Kind) -> Self {
        Self { seed, count, kind, ..self.clone() }
    }

    fn reference(&self) -> Self {
        Self { mutant: String::new(), ..self.clone() }
    }
}

/// A host, and how its traces compare with the reference's.
struct Player {
    candidate: Candidate,
    played: u64,
    differing: usize,
    /// Where the first of them part.
    shown: String,
    /// The seeds of those.
    suspects: Vec<u64>,
}

/// Plays the scripts on each host, and compares their traces with those of the first one that is called `sim`, or else of the first; those of hosts
/// without calls with the same scripts without calls. Each is played once: what differed is what is shown, though it may never differ again. If it
/// does, it is cut down to the steps that it takes; `again` is the command that this program was started by.
///
/// # Errors
///
/// When a process cannot be started, or there are no such seeds.
pub(crate) fn compare(
    hosts: &[Candidate],
    scripts: &Repertoire,
    again: &str,
    mut told: impl FnMut(),
) -> Result<Comparison, String> {
    let Repertoire { seed, count, .. } = *scripts;
    let end = seed.checked_add(count).ok_or_else(|| format!("there are no {count} seeds from {seed} on"))?;
    let reference = hosts.iter().position(|host| host.name() == "sim").unwrap_or(0);
    let player = |candidate: &Candidate| Player {
        candidate: *candidate,
        played: 0,
        differing: 0,
        shown: String::new(),
        suspects: Vec::new(),
    };
    let mut players: Vec<Player> = hosts.iter().map(player).collect();
    let against = hosts[reference].name();
    let kind_of = |place: usize| Kind::of([&hosts[reference], &hosts[place]]);
    let others = |kind| (0..hosts.len()).filter(move |place| *place != reference && kind_of(*place) == kind);
    let companies = Kind::ALL.map(|kind| (kind, others(kind).collect::<Vec<_>>()));
    let companies = companies.into_iter().filter(|(_, others)| !others.is_empty()).collect::<Vec<_>>();
    let batches = || (seed..end).step_by(BATCH as usize).map(|first| (first, BATCH.min(end - first)));
    let turns = companies.iter().enumerate().flat_map(|company| batches().map(move |batch| (company, batch)));
    for ((company, (kind, others)), (first, batch)) in turns {
        let mut expected: Vec<Trace> = Vec::new();
        let batch_of_them = scripts.at(first, batch, *kind);
        play_on(&hosts[reference..=reference], &batch_of_them.reference(), |_, trace| {
            // Its own are counted once, though it may play them with calls and without.
            if company == 0 {
                told();
                players[reference].played += u64::from(trace.is_some());
            }
            players[reference].differing += usize::from(trace.is_none());
            expected.push(trace);
        })?;
        // Two at a time: the machines that this is run on have two processors.
        for pair in others.chunks(2) {
            let mut next = vec![0; pair.len()];
            let candidates: Vec<Candidate> = pair.iter().map(|place| hosts[*place]).collect();
            play_on(&candidates, &batch_of_them, |which, trace| {
                told();
                let (player, nth) = (&mut players[pair[which]], next[which]);
                next[which] += 1;
                player.played += u64::from(trace.is_some());
                if trace.is_none() || trace != expected[nth] {
                    player.differing += 1;
                    if player.differing <= SHOWN {
                        let names = [against, player.candidate.name()];
                        show(&mut player.shown, names, first + nth as u64, [&expected[nth], &trace]);
                        player.suspects.push(first + nth as u64);
                    }
                }
            })?;
        }
    }
    let mut text = String::new();
    for Player { candidate, played, differing, shown, suspects } in &players {
        let _ = writeln!(text, "{:22} {played} scripts, {differing} differ from {against}", candidate.name());
        text.push_str(shown);
        for suspect in suspects {
            let pair = [hosts[reference], *candidate];
            let kind = Kind::of([&pair[0], &pair[1]]);
            text.push_str(&cut_down(pair, &scripts.at(*suspect, 1, kind), again)?);
        }
    }
    Ok(Comparison { text, differing: players.iter().map(|player| player.differing).sum() })
}

/// Plays a script that differed again and again, with fewer and fewer steps. What is left of it, and how to play that.
fn cut_down(pair: [Candidate; 2], script: &Repertoire, again: &str) -> Result<String, String> {
    let [reference, host] = pair;
    let mut plays = 0;
    let mut play = |keep: &Keep| {
        plays += 1;
        let script = Repertoire { keep: keep.clone(), ..script.clone() };
        let (mut expected, mut seen) = (None, None);
        play_on(&[reference], &script.reference(), |_, trace| expected = Some(trace))?;
        play_on(&[host], &script, |_, trace| seen = Some(trace))?;
        let (expected, seen) = (expected.flatten(), seen.flatten());
        Ok::<_, String>((expected.is_none() || expected != seen).then_some([expected, seen]))
    };
    let mut differed = 0;
    for _ in 0..AGAIN {
        differed += usize::from(play(&script.keep)?.is_some());
    }
    let seed = script.seed;
    if differed == 0 {
        return Ok(format!("  script {seed} did not differ in {AGAIN} further plays, so that it cannot be cut down\n"));
    }
    let tries = if differed == AGAIN { 1 } else { AGAIN };
    let steps = script.keep.of(script.kind.draw(seed).acts.into_iter().enumerate().collect());
    let places = |kept: &[usize]| Keep::only(kept.iter().map(|nth| steps[*nth].0).collect());
    let mut left = CUTS;
    let kept = shrink::shrink(steps.len(), |kept| {
        for _ in 0..tries {
            if left == 0 {
                return Ok(false);
            }
            left -= 1;
            if play(&places(kept))?.is_some() {
                return Ok(true);
            }
        }
        Ok::<_, String>(false)
    })?;
    let keep = places(&kept);
    let mut text = format!("  script {seed} cut down to {} of {} steps, in {plays} plays:\n", kept.len(), steps.len());
    for nth in &kept {
        let _ = writeln!(text, "        {}", steps[*nth].1);
    }
    let _ = writeln!(
        text,
        "    {again} --scripts 1 --seed {seed} --keep {keep} --host {} --host {}",
        reference.name(),
        host.name()
    );
    Ok(text)
}

/// Plays the scripts on all of these hosts at the same time. `told` hears of each trace with the place of its host: on each host
/// `count` of them, in their order.
fn play_on(hosts: &[Candidate], scripts: &Repertoire, mut told: impl FnMut(usize, Trace)) -> Result<(), String> {
    thread::scope(|scope| {
        let (line, lines) = channel();
        let listeners: Vec<_> = hosts
            .iter()
            .enumerate()
            .map(|(place, host)| {
                let line = line.clone();
                scope.spawn(move || {
                    let mut left = scripts.count;
                    let heard = listen(host.name(), scripts, |said| {
                        left = left.saturating_sub(1);
                        let _ = line.send((place, serde_json::from_str(&said).ok()));
                    });
                    // What it did not come to.
                    (0..left).for_each(|_| _ = line.send((place, None)));
                    heard
                })
            })
            .collect();
        drop(line);
        for (place, trace) in lines {
            told(place, trace);
        }
        for listener in listeners {
            listener.join().map_err(|_| "a thread that listened to a child panicked".to_owned())??;
        }
        Ok(())
    })
}

/// Starts a child that plays scripts, and hands on each line that it says.
fn listen(host: &str, scripts: &Repertoire, mut said: impl FnMut(String)) -> Result<(), String> {
    let begun = |error: std::io::Error| format!("a child process could not be run: {error}");
    let program = env::current_exe().map_err(begun)?;
    let mut child = Command::new(program)
        .args([CALL, host, &scripts.seed.to_string(), &scripts.count.to_string()])
        .args([scripts.kind.name(), &scripts.keep.to_string(), &scripts.mutant])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(begun)?;
    if let Some(out) = child.stdout.take() {
        BufReader::new(out).lines().map_while(Result::ok).for_each(&mut said);
    }
    let status = child.wait().map_err(begun)?;
    // It does so where it does not understand what it was told.
    if status.code() == Some(2) {
        return Err(format!("the child that was to play scripts on {host} could not do what it was told"));
    }
    Ok(())
}

/// Writes down where the traces of one script part.
fn show(text: &mut String, hosts: [&str; 2], seed: u64, traces: [&Trace; 2]) {
    let [expected, seen] = traces.map(|trace| trace.as_deref().unwrap_or_default());
    let parting = expected.iter().zip(seen).position(|(a, b)| a != b).unwrap_or(expected.len().min(seen.len()));
    let _ = writeln!(text, "  script {seed}, line {parting}:");
    for line in expected.iter().take(parting).skip(parting.saturating_sub(CONTEXT)) {
        let _ = writeln!(text, "        {line}");
    }
    for (host, trace) in hosts.into_iter().zip(traces) {
        let line = match trace {
            None => "(it came to no end)",
            Some(lines) => lines.get(parting).map_or("(the end)", |line| line),
        };
        let _ = writeln!(text, "    {host}: {line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_shown_with_those_before_it() {
        let trace = |last: &str| Some(["a", "b", "c", "d", "e", last].map(str::to_owned).to_vec());
        let mut text = String::new();
        show(&mut text, ["sim", "smol"], 7, [&trace("f"), &trace("g")]);
        assert_eq!(text, "  script 7, line 5:\n        b\n        c\n        d\n        e\n    sim: f\n    smol: g\n");
        text.clear();
        show(&mut text, ["sim", "smol"], 7, [&trace("f"), &None]);
        assert_eq!(text, "  script 7, line 0:\n    sim: a\n    smol: (it came to no end)\n");
    }
}
