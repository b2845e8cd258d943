//! One rule in one child process: how the order goes in, how the finding comes out, and what a silent end means.

use std::env;
use std::fmt::Write as _;
use std::io::{self, Read, Write as _};
use std::panic;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::bench::Order;
use crate::{Candidate, Check, Flaw, Rule, rules};

/// The first argument of a program that was started to be a child.
const CALL: &str = "__examine";

/// What stands before the finding on the child's standard output.
const MARK: char = '\u{1e}';

/// One rule to be examined on one host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    pub(crate) candidate: Candidate,
    pub(crate) rule: &'static Rule,
    pub(crate) order: Order,
    /// The defect to be switched on.
    pub(crate) mutant: Option<&'static str>,
    /// When the watchdog ends the child.
    pub(crate) limit: Duration,
    /// The host on which the rule is examined instead, since it says nothing of any.
    pub(crate) elsewhere: Option<&'static str>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) check: Check,
    pub(crate) took: Duration,
}

#[derive(Serialize, Deserialize)]
struct Letter {
    verdict: String,
    why: String,
    runs: u64,
}

/// Whether this process was started to examine one rule. If so it has done it, and should end with this status.
pub(crate) fn serve(candidates: &[Candidate]) -> Option<Result<(), String>> {
    let mut args = env::args().skip(1);
    (args.next()? == CALL).then(|| serve_call(candidates, &args.collect::<Vec<_>>()))
}

fn serve_call(candidates: &[Candidate], args: &[String]) -> Result<(), String> {
    let [host, rule, seed, effort, patience, mutant] = args else {
        return Err(format!("{CALL} takes six arguments, not {}", args.len()));
    };
    let candidate =
        candidates.iter().copied().chain(liars()).find(|candidate| candidate.name() == host).ok_or("no such host")?;
    let rule = rules::all().find(|known| known.id() == rule).ok_or("no such rule")?;
    let order = Order {
        seed: seed.parse().map_err(|error| format!("seed {seed}: {error}"))?,
        effort: effort.parse().map_err(|error| format!("effort {effort}: {error}"))?,
        patience: Duration::from_millis(patience.parse().map_err(|error| format!("patience {patience}: {error}"))?),
    };
    activate(mutant)?;
    // Rules plant panics; each is one line, and no time goes into its backtrace.
    panic::set_hook(Box::new(|info| eprintln!("{info}")));
    let (verdict, why, runs) = match candidate.examine(rule, order) {
        Ok(runs) => ("pass", String::new(), runs),
        Err(Flaw::Broken(why)) => ("fail", why, 0),
        Err(Flaw::NotApplicable(why)) => ("not-applicable", why, 0),
        Err(Flaw::Inconclusive(why)) => ("inconclusive", why, 0),
    };
    let letter =
        serde_json::to_string(&Letter { verdict: verdict.to_owned(), why, runs }).map_err(|error| error.to_string())?;
    let mut out = io::stdout().lock();
    writeln!(out, "{MARK}{letter}").and_then(|()| out.flush()).map_err(|error| error.to_string())
}

#[cfg(all(feature = "hosts", feature = "mutants"))]
fn liars() -> impl Iterator<Item = Candidate> {
    crate::liars::ALL.iter().map(|liar| liar.candidate)
}

#[cfg(not(all(feature = "hosts", feature = "mutants")))]
fn liars() -> impl Iterator<Item = Candidate> {
    [].into_iter()
}

#[cfg(feature = "mutants")]
fn activate(name: &str) -> Result<(), String> {
    use countermand_core::mutant::{Mutant, activate};
    if name.is_empty() {
        return Ok(());
    }
    let mutant = Mutant::ALL.iter().copied().find(|mutant| mutant.name() == name).ok_or("no such mutant")?;
    activate(Some(mutant));
    Ok(())
}

#[cfg(not(feature = "mutants"))]
fn activate(name: &str) -> Result<(), String> {
    if name.is_empty() { Ok(()) } else { Err("this program was built without mutants".to_owned()) }
}

impl Task {
    /// Each of the rules on each of the hosts, host by host; one that says nothing of a host only on the first.
    pub(crate) fn all(hosts: &[Candidate], rules: &[&'static Rule], order: Order, limit: Duration) -> Vec<Self> {
        let first = hosts.first().map(Candidate::name);
        let task = |candidate: &Candidate, rule: &'static Rule| Self {
            candidate: *candidate,
            rule,
            order,
            mutant: None,
            limit,
            elsewhere: first.filter(|first| rule.is_once() && *first != candidate.name()),
        };
        hosts.iter().flat_map(|candidate| rules.iter().map(move |rule| task(candidate, rule))).collect()
    }

    /// Examines the rule in a child process.
    ///
    /// # Errors
    ///
    /// When the process cannot be started or watched, which says nothing about the rule.
    pub(crate) fn run(&self) -> io::Result<Finding> {
        if let Some(host) = self.elsewhere {
            let why = format!("it says nothing of the host; examined once, on {host}");
            return Ok(Finding { check: Err(Flaw::NotApplicable(why)), took: Duration::ZERO });
        }
        let begun = Instant::now();
        let mut child = Command::new(env::current_exe()?)
            .arg(CALL)
            .args([self.candidate.name(), self.rule.id()])
            .args([self.order.seed.to_string(), self.order.effort.to_string()])
            .args([self.order.patience.as_millis().to_string()])
            .arg(self.mutant.unwrap_or_default())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (ears, mouth) = channel();
        listen(child.stdout.take(), Stream::Out, &ears);
        listen(child.stderr.take(), Stream::Err, &ears);
        drop(ears);
        let (mut said, mut complained) = (String::new(), String::new());
        let mut hung = false;
        loop {
            let left = self.limit.saturating_sub(begun.elapsed());
            match mouth.recv_timeout(left) {
                Ok((Stream::Out, text)) => said = text,
                Ok((Stream::Err, text)) => complained = text,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    hung = true;
                    end(&mut child)?;
                    break;
                }
            }
        }
        let status = child.wait()?;
        let took = begun.elapsed();
        let check = if hung {
            let limit = self.limit.as_secs_f64();
            Err(Flaw::Broken(format!("hung: the watchdog ended it after {limit:.0} s{}", tail(&complained))))
        } else {
            open(&said).unwrap_or_else(|| Err(Flaw::Broken(died(status, &complained))))
        };
        Ok(Finding { check, took })
    }
}

#[derive(Clone, Copy)]
enum Stream {
    Out,
    Err,
}

/// Reads the stream to its end on a thread of its own, so that a full pipe blocks nobody.
fn listen(stream: Option<impl Read + Send + 'static>, which: Stream, ears: &Sender<(Stream, String)>) {
    let Some(mut stream) = stream else { return };
    let ears = ears.clone();
    thread::spawn(move || {
        let mut text = Vec::new();
        // What could be read counts, even if the end was rough.
        let _ = stream.read_to_end(&mut text);
        let _ = ears.send((which, String::from_utf8_lossy(&text).into_owned()));
    });
}

fn end(child: &mut Child) -> io::Result<()> {
    match child.kill() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

/// The finding in what the child said.
fn open(said: &str) -> Option<Check> {
    let letter = said.lines().rev().find_map(|line| line.split_once(MARK))?.1;
    let letter: Letter = serde_json::from_str(letter).ok()?;
    match letter.verdict.as_str() {
        "pass" => Some(Ok(letter.runs)),
        "fail" => Some(Err(Flaw::Broken(letter.why))),
        "not-applicable" => Some(Err(Flaw::NotApplicable(letter.why))),
        "inconclusive" => Some(Err(Flaw::Inconclusive(letter.why))),
        _ => None,
    }
}

/// A child that ends without a finding has aborted, overflowed its stack, or left by the back door.
fn died(status: ExitStatus, complained: &str) -> String {
    format!("the process ended without a finding ({status}){}", tail(complained))
}

/// The last lines of what the child complained.
fn tail(complained: &str) -> String {
    let mut lines: Vec<&str> = complained.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.drain(..lines.len().saturating_sub(3));
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = write!(text, "; {}", line.trim());
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_read_after_other_output() {
        let said = "chatter of a job\nmore\u{1e}{\"verdict\":\"fail\",\"why\":\"saw \\\"2\\\"\",\"runs\":0}\n";
        assert_eq!(open(said), Some(Err(Flaw::Broken("saw \"2\"".to_owned()))));
        assert_eq!(open("chatter"), None);
    }
}
