//! Which check it is and whose, and how its troubles become violations.

use core::any::Any;
use core::fmt;

use crate::contain::{Panic, contain};
use crate::{CheckId, Reason, SubsystemId, Violation};

/// The dependency that a violation names which says no more than that a check did not pass.
const DEPENDENCY: &str = "check";

/// A check, and whose it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    pub(super) subsystem: SubsystemId,
    pub(super) check: CheckId,
}

impl Site {
    /// A violation of this check.
    pub(super) fn violation(self, reason: Reason, details: impl fmt::Display) -> Violation {
        Violation::new(self.subsystem, DEPENDENCY, reason).about(self.check).details(details)
    }

    /// What a check's error becomes: a violation stays what it is, anything else is what a violation says.
    pub(super) fn object<E: fmt::Display + 'static>(self, error: &E) -> Violation {
        let whole = (error as &dyn Any).downcast_ref::<Violation>().cloned();
        whole.unwrap_or_else(|| self.violation(Reason::CheckFailed, error))
    }

    /// What a check's panic becomes.
    pub(super) fn panicked(self, panic: Panic) -> Violation {
        let violation = self.violation(Reason::CheckPanicked, &panic);
        panic.discard();
        violation
    }

    /// Runs a check's code, or its error's; a panic inside is a violation as well.
    pub(super) fn watch(self, code: impl FnOnce() -> Option<Violation>) -> Option<Violation> {
        contain(code).unwrap_or_else(|panic| Some(self.panicked(panic)))
    }
}
