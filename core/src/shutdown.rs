//! The ways of shutting a worker down.

use core::time::Duration;

/// How to shut a worker down. In each case nothing is accepted from the call on (S1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[expect(clippy::exhaustive_enums, reason = "the ways of shutting down are the contract (S2 to S4)")]
pub enum Shutdown {
    /// Every accepted job settles by itself, however long that takes (S2).
    Drain,
    /// As `Drain`, for at most so long; then as `Abort` (S4). A duration beyond the clock is no limit (D8).
    DrainFor(Duration),
    /// Queued jobs are cancelled, running tasks are asked and then dropped, once their grace is over (S3). Calls, and tasks whose
    /// driver is held up in one poll, are waited for as long as
    /// [`shutdown_limit`](crate::WorkerConfig::shutdown_limit) says (B4).
    Abort,
    /// As `Abort`, with a limit of one's own. A limit of zero, too, waits for a poll that is in progress: held up is a driver that
    /// stays in one poll for 100 ms or more.
    AbortWithin(Duration),
}
