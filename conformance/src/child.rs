//! One rule in one child process: how the order goes in, how the finding comes out, and what a silent end means.

use std::env;
use std::fmt::Write as _;
use std::io::{self, Read, Write as _};
use std::panic;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::bench::Order;
use crate::board::Board;
use crate::examinee::Seen;
use crate::letter::{self, CALL, MARK};
use crate::{Candidate, Check, Flaw, Profile, Rule, rules};

/// What is said of a child that the watchdog ended.
pub(crate) const HUNG: &str = "hung:";

/// What is said of a child that ended by itself, and too early.
pub(crate) const DIED: &str = "the process ended without a finding";

/// How long the rest of what it said is read after a kill.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// One rule to be examined on one host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    pub(crate) candidate: Candidate,
    pub(crate) rule: &'static Rule,
    pub(crate) order: Order,
    /// The defect to be switched on.
    pub(crate) mutant: Option<&'static str>,
    /// The host on which the rule is examined instead, since it says nothing of any.
    pub(crate) elsewhere: Option<&'static str>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) check: Check,
    /// Parts of the rule that were left out, with the reasons.
    pub(crate) left_out: Option<String>,
    /// Rounds of races, until the end or until one was lost; none are known of a child that came to no end.
    pub(crate) raced: u64,
    pub(crate) took: Duration,
}

#[derive(Deserialize)]
struct Letter {
    verdict: String,
    why: String,
    runs: u64,
    left_out: Vec<String>,
    raced: u64,
}

/// Whether this process was started to examine one rule. If so it has done it, and should end with this status.
pub(crate) fn serve(candidates: &[Candidate]) -> Option<Result<(), String>> {
    let mut args = env::args().skip(1);
    (args.next()? == CALL).then(|| serve_call(candidates, &args.collect::<Vec<_>>()))
}

fn serve_call(candidates: &[Candidate], args: &[String]) -> Result<(), String> {
    let [host, rule, seed, effort, patience, watchdog, mutant] = args else {
        return Err(format!("{CALL} takes seven arguments, not {}", args.len()));
    };
    let millis = |text: &str| text.parse().map(Duration::from_millis).map_err(|error| format!("{text} ms: {error}"));
    let candidate =
        candidates.iter().copied().chain(liars()).find(|candidate| candidate.name() == host).ok_or("no such host")?;
    let rule = rules::all().find(|known| known.id() == rule).ok_or("no such rule")?;
    let order = Order {
        seed: seed.parse().map_err(|error| format!("seed {seed}: {error}"))?,
        effort: effort.parse().map_err(|error| format!("effort {effort}: {error}"))?,
        patience: millis(patience)?,
        watchdog: millis(watchdog)?,
    };
    activate(mutant)?;
    // Rules plant panics; each is one line, and no time goes into its backtrace.
    panic::set_hook(Box::new(|info| eprintln!("{info}")));
    let finding = letter::write(&candidate.examine(rule, order));
    let mut out = io::stdout().lock();
    writeln!(out, "{finding}").and_then(|()| out.flush()).map_err(|error| error.to_string())
}

#[cfg(all(feature = "hosts", feature = "mutants"))]
fn liars() -> impl Iterator<Item = Candidate> {
    crate::liars::ALL.iter().map(|liar| liar.candidate)
}

#[cfg(not(all(feature = "hosts", feature = "mutants")))]
fn liars() -> impl Iterator<Item = Candidate> {
    [].into_iter()
}

/// Switches the defect of this name on; none for an empty one.
#[cfg(feature = "mutants")]
pub(crate) fn activate(name: &str) -> Result<(), String> {
    use countermand_core::mutant::{Mutant, activate};
    if name.is_empty() {
        return Ok(());
    }
    let mutant = Mutant::ALL.iter().copied().find(|mutant| mutant.name() == name).ok_or("no such mutant")?;
    activate(Some(mutant));
    Ok(())
}

#[cfg(not(feature = "mutants"))]
pub(crate) fn activate(name: &str) -> Result<(), String> {
    if name.is_empty() { Ok(()) } else { Err("this program was built without mutants".to_owned()) }
}

impl Task {
    /// Each of the rules on each of the hosts, host by host; one that says nothing of a host only on the first.
    pub(crate) fn all(hosts: &[Candidate], rules: &[&'static Rule], order: Order) -> Vec<Self> {
        let first = hosts.first().map(Candidate::name);
        let task = |candidate: &Candidate, rule: &'static Rule| Self {
            candidate: *candidate,
            rule,
            order,
            mutant: None,
            elsewhere: first.filter(|first| rule.is_once() && *first != candidate.name()),
        };
        hosts.iter().flat_map(|candidate| rules.iter().map(move |rule| task(candidate, rule))).collect()
    }

    /// Examines the rule in a child process.
    ///
    /// # Errors
    ///
    /// When the process cannot be started or watched, could not do what it was asked, or was killed by somebody else: that says
    /// nothing about the rule.
    pub(crate) fn run(&self) -> io::Result<Finding> {
        if let Some(host) = self.elsewhere {
            let why = format!("it says nothing of the host; examined once, on {host}");
            let check = Err(Flaw::NotApplicable(why));
            return Ok(Finding { check, left_out: None, raced: 0, took: Duration::ZERO });
        }
        // An image without a heap has rules of its own, and says itself of which it knows nothing, and why.
        let asks_without = self.candidate.as_board().is_some_and(Board::has_no_heap);
        let missing = self.rule.needs().beyond(self.candidate.profile());
        if missing != Profile::NONE && !asks_without {
            let why = format!("{} declares a target without {missing}", self.candidate.name());
            return Ok(Finding {
                check: Err(Flaw::NotApplicable(why)),
                left_out: None,
                raced: 0,
                took: Duration::ZERO,
            });
        }
        // What is built first, a board's image, is not the rule's time.
        let mut command = self.command()?;
        let begun = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (ears, mouth) = channel();
        listen(child.stdout.take(), Stream::Out, &ears);
        listen(child.stderr.take(), Stream::Err, &ears);
        drop(ears);
        let (mut said, mut complained) = (String::new(), String::new());
        let mut hung = false;
        loop {
            // After a kill both streams end by themselves.
            let limit = if hung { self.order.watchdog + LAST_WORDS } else { self.order.watchdog };
            match mouth.recv_timeout(limit.saturating_sub(begun.elapsed())) {
                Ok((Stream::Out, text)) => said = text,
                Ok((Stream::Err, text)) => complained = text,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) if hung => break,
                Err(RecvTimeoutError::Timeout) => {
                    hung = true;
                    end(&mut child)?;
                }
            }
        }
        let status = child.wait()?;
        let took = begun.elapsed();
        let seen = if hung {
            let limit = self.order.watchdog.as_secs_f64();
            Err(Flaw::Broken(format!("{HUNG} the watchdog ended it after {limit:.0} s{}", tail(&complained)))).into()
        } else {
            match open(&said) {
                Some(seen) => seen,
                None if is_a_fault(status, &complained) => {
                    return Err(io::Error::other(format!(
                        "{} on {}: {}",
                        self.rule.id(),
                        self.candidate.name(),
                        died(status, &complained)
                    )));
                }
                None => Err(Flaw::Broken(died(status, &complained))).into(),
            }
        };
        let left_out = Some(seen.left_out.join("; ")).filter(|left_out| !left_out.is_empty());
        Ok(Finding { check: seen.check, left_out, raced: seen.raced, took })
    }
}

impl Task {
    /// The process that examines: one of this program's, or the emulator with an image.
    fn command(&self) -> io::Result<Command> {
        let words = [CALL, self.candidate.name(), self.rule.id()].map(str::to_owned);
        let seed = self.order.seed.to_string();
        if let Some(board) = self.candidate.as_board() {
            let words: Vec<_> = words.into_iter().chain([seed]).chain(self.mutant.map(str::to_owned)).collect();
            return board.call(&words);
        }
        let mut command = Command::new(env::current_exe()?);
        command
            .args(words)
            .args([seed, self.order.effort.to_string()])
            .args([self.order.patience.as_millis().to_string(), self.order.watchdog.as_millis().to_string()])
            .arg(self.mutant.unwrap_or_default());
        Ok(command)
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
fn open(said: &str) -> Option<Seen> {
    let letter = said.lines().rev().find_map(|line| line.split_once(MARK))?.1;
    let letter: Letter = serde_json::from_str(letter).ok()?;
    let check = match letter.verdict.as_str() {
        "pass" => Ok(letter.runs),
        "fail" => Err(Flaw::Broken(letter.why)),
        "not-applicable" => Err(Flaw::NotApplicable(letter.why)),
        "inconclusive" => Err(Flaw::Inconclusive(letter.why)),
        _ => return None,
    };
    Some(Seen { check, left_out: letter.left_out, raced: letter.raced })
}

/// A child that ends without a finding has aborted, overflowed its stack, or left by the back door.
fn died(status: ExitStatus, complained: &str) -> String {
    format!("{DIED} ({status}){}", tail(complained))
}

/// Whether that is the surroundings' doing: it was told what it does not understand, there was no memory for it, or somebody killed
/// it (as systems do that have no more memory).
fn is_a_fault(status: ExitStatus, complained: &str) -> bool {
    let no_memory =
        complained.lines().any(|line| line.starts_with("memory allocation of ") && line.ends_with(" bytes failed"));
    status.code() == Some(2) || no_memory || was_killed(status)
}

#[cfg(unix)]
fn was_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    const SIGKILL: i32 = 9;
    status.signal() == Some(SIGKILL)
}

#[cfg(not(unix))]
fn was_killed(_: ExitStatus) -> bool {
    false
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
    fn what_is_written_is_read() {
        let why = "a \"quote\", a \\ and\na line\t\u{7f}\u{1e}é";
        let seen =
            Seen { check: Err(Flaw::Broken(why.to_owned())), left_out: vec!["\"".to_owned(), String::new()], raced: 7 };
        let read = open(&format!("chatter\n{}\n", letter::write(&seen))).expect("a finding");
        assert_eq!((read.check, read.left_out, read.raced), (seen.check, seen.left_out, 7));
        assert_eq!(open(&letter::write(&Ok(7).into())).expect("a finding").check, Ok(7));
    }

    #[test]
    fn a_finding_is_read_after_other_output() {
        let said = "chatter of a job\nmore\u{1e}{\"verdict\":\"fail\",\"why\":\"saw \\\"2\\\"\",\"runs\":0,\"left_out\":[\"b\"],\"raced\":7}\n";
        let seen = open(said).expect("there is one");
        assert_eq!((seen.check, &*seen.left_out), (Err(Flaw::Broken("saw \"2\"".to_owned())), &["b".to_owned()][..]));
        assert_eq!(seen.raced, 7);
        assert!(open("chatter").is_none());
    }

    #[cfg(unix)]
    #[test]
    fn only_some_ends_are_the_rules() {
        use std::os::unix::process::ExitStatusExt as _;
        let ended = |raw| ExitStatus::from_raw(raw);
        for (raw, complained, fault) in [
            (2 << 8, "no such host", true),
            (9, "", true),
            (6, "memory allocation of 12 bytes failed", true),
            (6, "thread 'main' has overflowed its stack", false),
            (11, "", false),
            (0, "", false),
            (101 << 8, "panicked", false),
        ] {
            assert_eq!(is_a_fault(ended(raw), complained), fault, "{raw} {complained}");
        }
    }
}
