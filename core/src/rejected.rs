//! A job that comes back to its submitter.

use core::fmt;

/// A job that was not accepted, with the reason. The job is in it, whole.
#[non_exhaustive]
pub struct Rejected<J> {
    /// The job, to be submitted again, or elsewhere.
    pub job: J,
    /// Why it was not accepted.
    pub reason: RejectReason,
}

impl<J> fmt::Debug for Rejected<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<J> fmt::Display for Rejected<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the job was not accepted: {}", self.reason)
    }
}

impl<J> core::error::Error for Rejected<J> {}

/// Why a job was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RejectReason {
    /// The queue has no place for a job of this priority.
    Full,
    /// The worker is closed.
    Closed,
    /// The job is a blocking closure and the host has no threads.
    NoThreads,
    /// Waiting for a place would block a thread that the drivers need (C3).
    WouldDeadlock,
}

impl RejectReason {
    /// The word for it that OpenTelemetry uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "queue_full",
            Self::Closed => "already_shutdown",
            Self::NoThreads => "no_threads",
            Self::WouldDeadlock => "would_deadlock",
        }
    }
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Full => "the queue is full for this priority",
            Self::Closed => "the worker is closed",
            Self::NoThreads => "the host has no threads for blocking closures",
            Self::WouldDeadlock => "waiting here would block a thread that the worker needs",
        })
    }
}
