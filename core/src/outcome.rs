//! How a job ended.

use core::convert::Infallible;

use crate::{Cause, Panic};

/// Where a job was when its time ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(clippy::exhaustive_enums, reason = "a job is in the queue or in a lane; there is no third place")]
pub enum Phase {
    /// It had not been started.
    Queued,
    /// It had been started.
    Running,
}

/// How a job ended. Fixed once, by the one atomic transition called *settle* (J1).
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(clippy::exhaustive_enums, reason = "the six outcomes are the contract; users match on all of them")]
pub enum Outcome<T, E = Infallible> {
    /// The job returned this value.
    Completed(T),
    /// A fallible job returned this error of its own.
    Failed(E),
    /// The job was cancelled.
    Cancelled {
        /// Why.
        cause: Cause,
        /// Whether it had been started.
        started: bool,
    },
    /// The job's deadline or one of its time-outs was due.
    TimedOut {
        /// Where the job was at that time.
        phase: Phase,
        /// A value that came too late, under [`LatePolicy::Mark`](crate::LatePolicy::Mark).
        late: Option<T>,
    },
    /// The job, or a destructor of what it captured, panicked.
    Panicked(Panic),
    /// A blocking call that went on past its limits; it was left to itself.
    Abandoned,
}

/// An [`Outcome`] without its values: what counters, observers and reports speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(clippy::exhaustive_enums, reason = "mirrors Outcome")]
pub enum Class {
    /// See [`Outcome::Completed`].
    Completed,
    /// See [`Outcome::Failed`].
    Failed,
    /// See [`Outcome::Cancelled`].
    Cancelled {
        /// Why.
        cause: Cause,
        /// Whether the job had been started.
        started: bool,
    },
    /// See [`Outcome::TimedOut`].
    TimedOut(Phase),
    /// See [`Outcome::Panicked`].
    Panicked,
    /// See [`Outcome::Abandoned`].
    Abandoned,
}

impl<T, E> Outcome<T, E> {
    /// The outcome without its values.
    #[must_use]
    pub const fn class(&self) -> Class {
        match self {
            Self::Completed(_) => Class::Completed,
            Self::Failed(_) => Class::Failed,
            Self::Cancelled { cause, started } => Class::Cancelled { cause: *cause, started: *started },
            Self::TimedOut { phase, .. } => Class::TimedOut(*phase),
            Self::Panicked(_) => Class::Panicked,
            Self::Abandoned => Class::Abandoned,
        }
    }

    /// The value of a completed job.
    #[must_use]
    pub fn completed(self) -> Option<T> {
        match self {
            Self::Completed(value) => Some(value),
            _ => None,
        }
    }

    /// Whether the job was cancelled (a time-out is not a cancellation).
    #[must_use]
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled { .. })
    }

    /// Whether the job's time ran out.
    #[must_use]
    pub const fn is_timed_out(&self) -> bool {
        matches!(self, Self::TimedOut { .. })
    }
}
