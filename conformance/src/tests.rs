//! One named test a rule and host, for `cargo test` and its kin.

use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::bench::Order;
use crate::child::{self, Task};
use crate::{Candidate, Flaw, rules};

/// Builds for tests are slow, so that everything may take longer than in the program.
const PATIENCE: Duration = Duration::from_secs(30);

/// When a child is ended.
const WATCHDOG: Duration = Duration::from_secs(150);

/// What [`tests!`](crate::tests) calls. The variables `CONFORMANCE_SEED` and `CONFORMANCE_EFFORT` (1 is the program's
/// usual) may be set.
#[must_use]
pub fn main(candidates: &[Candidate]) -> ExitCode {
    if let Some(served) = child::serve(candidates) {
        return match served {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("{why}");
                ExitCode::from(2)
            }
        };
    }
    let (seed, effort) = match (variable("CONFORMANCE_SEED", 1_u64), variable("CONFORMANCE_EFFORT", 0.2_f64)) {
        (Ok(seed), Ok(effort)) => (seed, effort),
        (Err(why), _) | (_, Err(why)) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let more = effort.max(1.0);
    let (patience, watchdog) = (PATIENCE.mul_f64(more), WATCHDOG.mul_f64(more));
    let order = Order { seed, effort, patience, watchdog };
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(2);
    let rules: Vec<_> = rules::all().collect();
    let trials = Task::all(candidates, &rules, order).into_iter().map(|task| {
        let name = format!("{}::{}", task.candidate.name(), task.rule.name());
        Trial::ignorable_test(name.clone(), move || trial(&name, &task))
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

fn trial(name: &str, task: &Task) -> Result<Completion, Failed> {
    match task.run()?.check {
        Ok(_) => Ok(Completion::Completed),
        Err(Flaw::NotApplicable(why)) => Ok(Completion::Ignored { reason: Some(why) }),
        Err(flaw) => {
            let (rule, Order { seed, effort, .. }) = (task.rule.id(), task.order);
            let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
            Err(Failed::from(format!(
                "{rule} {flaw}\nreplay: CONFORMANCE_SEED={seed} CONFORMANCE_EFFORT={effort} cargo test -p {package} -- --exact {name}"
            )))
        }
    }
}

fn variable<T: std::str::FromStr<Err: std::fmt::Display>>(name: &str, default: T) -> Result<T, String> {
    match std::env::var(name) {
        Ok(value) => value.parse().map_err(|error| format!("{name}={value:?}: {error}")),
        Err(_) => Ok(default),
    }
}
