//! What a preflight ends with: the proof that all passed, or all that did not.

use alloc::vec::Vec;
use core::fmt;

use crate::{CheckId, Violation};

/// The proof that every check of a preflight passed. Only a preflight makes one; let what starts the service ask for it.
///
/// ```compile_fail,E0451
/// # use countermand_core::Cleared;
/// let forged = Cleared { checks: vec![] };
/// ```
#[derive(Clone, Debug)]
#[must_use = "a preflight that nobody acts on was made for nothing"]
pub struct Cleared {
    pub(super) checks: Vec<CheckId>,
}

impl Cleared {
    /// The checks, in the order in which they were declared.
    #[must_use]
    pub fn checks(&self) -> &[CheckId] {
        &self.checks
    }
}

/// A check that was not made, because another did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// Which check.
    pub check: CheckId,
    /// The one that was made and did not pass: what it comes after, or the first in the chain of those.
    pub because_of: CheckId,
}

/// A preflight of which not every check passed: every violation, and every check that was skipped (G4).
#[derive(Clone, Debug)]
pub struct Grounded {
    pub(super) violations: Vec<(CheckId, Violation)>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) passed: Vec<CheckId>,
}

impl Grounded {
    /// The checks that were made and did not pass, each with its violation, in the order in which they were declared. Each has been
    /// reported.
    pub fn violations(&self) -> impl ExactSizeIterator<Item = (CheckId, &Violation)> {
        self.violations.iter().map(|(check, violation)| (*check, violation))
    }

    /// The checks that were not made, in the order in which they were declared.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// The checks that passed all the same, in the order in which they were declared.
    #[must_use]
    pub fn passed(&self) -> &[CheckId] {
        &self.passed
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "check {} was skipped because of {}", self.check, self.because_of)
    }
}

impl fmt::Display for Grounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (_, violation)) in self.violations.iter().enumerate() {
            write!(f, "{}{violation}", if place == 0 { "" } else { "; " })?;
        }
        self.skipped.iter().try_for_each(|skipped| write!(f, "; {skipped}"))
    }
}

impl core::error::Error for Grounded {}
