//! Why a dependency is not met.

use core::fmt;

/// Why a dependency is not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Reason {
    /// Something that is required is not there.
    MissingValue,
    /// A text that should identify something does not (G1).
    InvalidIdentifier,
    /// Nobody knows what the identifier names.
    UnknownIdentifier,
    /// A fallback was asked for that no policy allows by name (G3).
    FallbackNotAllowed,
    /// A check of a preflight found a fault.
    CheckFailed,
    /// A check of a preflight took longer than it was given.
    CheckTimedOut,
    /// A check of a preflight panicked.
    CheckPanicked,
    /// A check of a preflight was cancelled.
    CheckCancelled,
    /// A check of a preflight was not accepted by the worker that it was to run on.
    CheckRejected,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::MissingValue,
        Self::InvalidIdentifier,
        Self::UnknownIdentifier,
        Self::FallbackNotAllowed,
        Self::CheckFailed,
        Self::CheckTimedOut,
        Self::CheckPanicked,
        Self::CheckCancelled,
        Self::CheckRejected,
    ];

    /// The stable name, for events and for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MissingValue => "missing_value",
            Self::InvalidIdentifier => "invalid_identifier",
            Self::UnknownIdentifier => "unknown_identifier",
            Self::FallbackNotAllowed => "fallback_not_allowed",
            Self::CheckFailed => "check_failed",
            Self::CheckTimedOut => "check_timed_out",
            Self::CheckPanicked => "check_panicked",
            Self::CheckCancelled => "check_cancelled",
            Self::CheckRejected => "check_rejected",
        }
    }
}

impl fmt::Display for Reason {
    /// What completes a sentence about the dependency.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::MissingValue => "is required, and is not there",
            Self::InvalidIdentifier => "is no valid identifier",
            Self::UnknownIdentifier => "is not known",
            Self::FallbackNotAllowed => "is a fallback that no policy allows",
            Self::CheckFailed => "did not pass",
            Self::CheckTimedOut => "was not done in time",
            Self::CheckPanicked => "panicked",
            Self::CheckCancelled => "was cancelled",
            Self::CheckRejected => "was not accepted by the worker",
        })
    }
}
