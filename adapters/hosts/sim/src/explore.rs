//! Runs a test under many seeds, and tells which one failed.

use std::collections::HashSet;
use std::env;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::Ordering;
use std::thread;

use crate::sim::Sim;
use crate::trace::Trace;

/// The environment variable that names the one seed to run.
const VARIABLE: &str = "COUNTERMAND_SIM_SEED";

/// What [`Sim::explore`] saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explored {
    /// How many runs there were.
    pub runs: u64,
    /// How many of them were different, by their traces.
    pub schedules: u64,
    /// How many turns they took together.
    pub turns: u64,
}

impl Sim {
    /// A run with the seed that the environment variable `COUNTERMAND_SIM_SEED` names (decimal, or hexadecimal after `0x`), else with
    /// `seed`.
    ///
    /// # Panics
    ///
    /// If the variable is there and is no such number.
    #[must_use]
    pub fn from_env_or(seed: u64) -> Self {
        Self::new(seed_of_env().unwrap_or(seed))
    }

    /// Runs `test` once with each seed, or with the one that `COUNTERMAND_SIM_SEED` names.
    ///
    /// Tasks still there at the end of a run are dropped before the next.
    ///
    /// # Panics
    ///
    /// With the panic of the first run that panics, after the seed and how to replay it have been printed; if there are no seeds, since
    /// a test that did not run proves nothing; and as [`from_env_or`](Self::from_env_or).
    pub fn explore(seeds: impl IntoIterator<Item = u64>, mut test: impl FnMut(&Self)) -> Explored {
        let only = seed_of_env();
        let mut explored = Explored { runs: 0, schedules: 0, turns: 0 };
        let mut traces = HashSet::new();
        let mut run = |seed: u64| {
            let trace = run_once(seed, &mut test).unwrap_or_else(|payload| {
                eprintln!(
                    "countermand-sim: seed {seed} failed, after {} that did not; {}",
                    explored.runs,
                    how_to_replay(seed)
                );
                panic::resume_unwind(payload)
            });
            traces.insert(trace);
            explored.runs += 1;
            explored.schedules = traces.len() as u64;
            explored.turns += trace.turns();
        };
        match only {
            Some(seed) => run(seed),
            None => seeds.into_iter().for_each(run),
        }
        assert!(explored.runs > 0, "no seeds were given, so nothing was tested");
        explored
    }

    /// Runs `test` twice with the same seed and returns the trace.
    ///
    /// # Panics
    ///
    /// If the traces differ: then the test, or what it tests, depends on something besides the seed (real time, addresses, the order of
    /// a hash table, threads of its own). Also with a panic of `test`.
    pub fn assert_replays(seed: u64, mut test: impl FnMut(&Self)) -> Trace {
        let mut once = || {
            run_once(seed, &mut test).unwrap_or_else(|payload| {
                eprintln!("countermand-sim: seed {seed} failed");
                panic::resume_unwind(payload)
            })
        };
        let (first, second) = (once(), once());
        assert_eq!(first, second, "seed {seed} does not replay: the run depends on something besides the seed");
        first
    }
}

fn run_once(seed: u64, test: &mut impl FnMut(&Sim)) -> thread::Result<Trace> {
    panic::catch_unwind(AssertUnwindSafe(|| {
        let sim = Sim::new(seed);
        // Whoever calls this tells.
        sim.world.told.store(true, Ordering::Release);
        test(&sim);
        sim.trace()
    }))
}

fn how_to_replay(seed: u64) -> String {
    match thread::current().name() {
        // The test harness names its threads for the tests.
        Some(name) if name != "main" => format!("to replay it alone: {VARIABLE}={seed} cargo test {name}"),
        _ => format!("to replay it alone: {VARIABLE}={seed}"),
    }
}

fn seed_of_env() -> Option<u64> {
    let text = env::var_os(VARIABLE)?;
    let seed = text.to_str().and_then(parse);
    let Some(seed) = seed else { panic!("{VARIABLE} is {text:?}, which is no number of 64 bits") };
    Some(seed)
}

fn parse(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_decimal_or_hexadecimal() {
        assert_eq!(parse("17"), Some(17));
        assert_eq!(parse("0xff"), Some(255));
        assert_eq!(parse("18446744073709551615"), Some(u64::MAX));
        for bad in ["", "seventeen", "-1", "0x", "18446744073709551616", "1 "] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
