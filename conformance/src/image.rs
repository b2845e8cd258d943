//! What an image on a target without `std` does: it is called with a rule, examines it where its main future is, and says what it found.

use std::prelude::v1::*;
use std::rc::Rc;
use std::time::Duration;

use crate::bench::Order;
use crate::examinee::{Seen, examine_here};
use crate::{Examinee, Flaw, letter, rules};

/// How long something that must come is waited for, by the image's clock; only what is broken takes it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Lends the suite the image's clock, for its patience. Call it first.
pub fn lend_clock(clock: fn() -> Duration) {
    std::time::lend(clock);
}

/// What an image is called with: `__examine HOST RULE SEED EFFORT …`, as a child process of the program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "images take it apart")]
pub struct Call<'a> {
    /// The host that is to be examined.
    pub host: &'a str,
    /// The number of the rule.
    pub rule: &'a str,
    /// Where everything random comes from.
    pub seed: u64,
    /// The defect to be switched on; empty for none.
    pub mutant: &'a str,
}

impl<'a> Call<'a> {
    /// Reads the command line, without the name of the program.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(line: &'a str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [call, host, rule, seed, rest @ ..] = &*words else {
            return Err(format!(
                "an image is called with `{} HOST RULE SEED [MUTANT]`, not with {line:?}",
                letter::CALL
            ));
        };
        if *call != letter::CALL || rest.len() > 1 {
            return Err(format!(
                "an image is called with `{} HOST RULE SEED [MUTANT]`, not with {line:?}",
                letter::CALL
            ));
        }
        let seed = seed.parse().map_err(|error| format!("seed {seed:?}: {error}"))?;
        Ok(Self { host, rule, seed, mutant: rest.first().copied().unwrap_or_default() })
    }
}

/// Examines the rule of this number, in the main future of an examinee's runtime. The line to be printed, and whether the rule was found to hold.
pub async fn examine<E: Examinee>(examinee: Rc<E>, call: &Call<'_>) -> (String, bool) {
    let seen = match rules::all().find(|rule| rule.id() == call.rule) {
        Some(rule) => {
            // One thread shows the same in every round: a few are enough.
            let order = Order { seed: call.seed, effort: 0.02, patience: PATIENCE, watchdog: Duration::MAX };
            examine_here(examinee, rule, order).await
        }
        None => Seen::from(Err(Flaw::NotApplicable("not run: its examination needs std".to_owned()))),
    };
    (letter::write(&seen), !matches!(seen.check, Err(Flaw::Broken(_))))
}
