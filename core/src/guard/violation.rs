//! A dependency that is not met.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
use core::fmt;

use super::ids::SubsystemId;
use super::reason::Reason;
use crate::catalogue::events::DependencyViolation;
use crate::{Event, Text};

/// A dependency that is not met: whose, which, and why (G2).
///
/// ```
/// use countermand_core::{Event, Level, Reason, SubsystemId, Violation};
/// let tolaria = SubsystemId::new("tolaria")?;
/// let violation = Violation::new(tolaria, "kernel", Reason::UnknownIdentifier).about("k9").details("3 shards were asked");
/// assert_eq!(violation.to_string(), "tolaria: kernel k9 is not known (3 shards were asked)");
/// let event = Event::from(&violation);
/// assert_eq!((event.name(), event.level()), ("dependency_guard.violation", Level::Critical));
/// assert_eq!(event.attribute("reason"), Some("unknown_identifier"));
/// # Ok::<(), countermand_core::IdError>(())
/// ```
///
/// # Implementation notes
///
/// With a heap it is a pointer wide, so that the results it is the error of stay small where nothing is wrong; without one it lies in its owner.
#[derive(Clone)]
pub struct Violation {
    #[cfg(feature = "alloc")]
    parts: Box<Parts>,
    #[cfg(not(feature = "alloc"))]
    parts: Parts,
}

#[derive(Clone, Copy)]
struct Parts {
    subsystem: SubsystemId,
    dependency: Text<{ Violation::LONGEST_NAME }>,
    identifier: Text<{ Violation::LONGEST_NAME }>,
    reason: Reason,
    details: Text<{ Violation::LONGEST_DETAILS }>,
    reported: bool,
}

impl Violation {
    /// The name of the event that it becomes.
    pub const EVENT: &'static str = DependencyViolation::NAME;

    /// How many bytes of dependency and identifier are kept: as many as an identifier has at the most.
    pub const LONGEST_NAME: usize = 96;

    /// How many bytes of the details are kept.
    pub const LONGEST_DETAILS: usize = 128;

    /// A violation found in `subsystem`, of a dependency of the kind `dependency`. It has not been reported.
    #[must_use]
    pub fn new(subsystem: SubsystemId, dependency: impl fmt::Display, reason: Reason) -> Self {
        let dependency = Text::of(dependency);
        let parts =
            Parts { subsystem, dependency, identifier: Text::new(), reason, details: Text::new(), reported: false };
        #[cfg(feature = "alloc")]
        let parts = Box::new(parts);
        Self { parts }
    }

    /// Says which thing of its kind is concerned.
    #[must_use]
    pub fn about(mut self, identifier: impl fmt::Display) -> Self {
        self.parts.identifier = Text::of(identifier);
        self
    }

    /// Says more.
    #[must_use]
    pub fn details(mut self, details: impl fmt::Display) -> Self {
        self.parts.details = Text::of(details);
        self
    }

    /// Whose dependency it is.
    #[must_use]
    pub fn subsystem(&self) -> SubsystemId {
        self.parts.subsystem
    }

    /// The kind of the dependency, such as `kernel`.
    #[must_use]
    pub fn dependency(&self) -> &str {
        &self.parts.dependency
    }

    /// Which thing of that kind; empty if that was not said.
    #[must_use]
    pub fn identifier(&self) -> &str {
        &self.parts.identifier
    }

    /// Why it is not met.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.parts.reason
    }

    /// More about it; may be empty.
    #[must_use]
    pub fn more(&self) -> &str {
        &self.parts.details
    }

    /// Whether a guard has reported it. A clone of a reported one counts as reported.
    #[must_use]
    pub fn is_reported(&self) -> bool {
        self.parts.reported
    }

    /// From here on it is reported.
    pub(super) fn mark_reported(&mut self) {
        self.parts.reported = true;
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subsystem(), self.dependency())?;
        if !self.identifier().is_empty() {
            write!(f, " {}", self.identifier())?;
        }
        write!(f, " {}", self.reason())?;
        if self.more().is_empty() { Ok(()) } else { write!(f, " ({})", self.more()) }
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Violation {
    fn format(&self, f: defmt::Formatter<'_>) {
        let subsystem = self.subsystem();
        let (subsystem, dependency, identifier) = (subsystem.as_str(), self.dependency(), self.identifier());
        let (reason, more) = (self.reason(), self.more());
        defmt::write!(f, "{=str}: {=str} {=str} {} {=str}", subsystem, dependency, identifier, reason, more);
    }
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Violation")
            .field("subsystem", &self.subsystem())
            .field("dependency", &self.dependency())
            .field("identifier", &self.identifier())
            .field("reason", &self.reason())
            .field("details", &self.more())
            .field("reported", &self.is_reported())
            .finish()
    }
}

impl core::error::Error for Violation {}

impl From<&Violation> for Event {
    fn from(violation: &Violation) -> Self {
        let subsystem = violation.subsystem();
        let said = DependencyViolation {
            subsystem: subsystem.as_ref(),
            dependency: violation.dependency(),
            identifier: violation.identifier(),
            reason: violation.reason().name(),
            details: violation.more(),
        };
        Self::from(said).describe(violation)
    }
}
