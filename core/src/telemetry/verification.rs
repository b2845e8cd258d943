//! What a verifier said of a command.

use core::time::Duration;

use super::Event;
use super::catalogue::Rejection;
use super::catalogue::events::{CommandAccepted, CommandRejected};
#[cfg(feature = "alloc")]
use super::catalogue::figures::{CommandValidation, CommandsAccepted, CommandsRejected};
#[cfg(feature = "alloc")]
use super::catalogue::indicators::LAST_COMMAND;
#[cfg(feature = "alloc")]
use super::{Metric, Packet};

/// What a verifier said of one command.
///
/// ```
/// use core::time::Duration;
/// use countermand_core::catalogue::Rejection;
/// use countermand_core::{Level, Verification};
/// let replayed = Verification::rejected("c-9", "n-1", Rejection::NonceReplayed, Duration::from_micros(40));
/// let event = replayed.event("kasmina");
/// assert_eq!((event.name(), event.level()), ("command_rejected", Level::Critical));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification<'a> {
    /// Which command.
    pub command: &'a str,
    /// Its nonce; empty if it has none.
    pub nonce: &'a str,
    /// Why it was not let through, if it was not.
    pub rejection: Option<Rejection>,
    /// How long it took to verify it.
    pub latency: Duration,
}

impl<'a> Verification<'a> {
    /// The command was let through.
    #[must_use]
    pub const fn accepted(command: &'a str, nonce: &'a str, latency: Duration) -> Self {
        Self { command, nonce, rejection: None, latency }
    }

    /// The command was not let through.
    #[must_use]
    pub const fn rejected(command: &'a str, nonce: &'a str, reason: Rejection, latency: Duration) -> Self {
        Self { command, nonce, rejection: Some(reason), latency }
    }

    /// `accepted`, or why it was not.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self.rejection {
            None => "accepted",
            Some(reason) => reason.name(),
        }
    }

    /// The event [`command_accepted`](CommandAccepted) or [`command_rejected`](CommandRejected) of this subsystem.
    #[must_use]
    pub fn event(&self, subsystem: &str) -> Event {
        let Self { command, nonce, rejection, latency } = *self;
        match rejection {
            None => CommandAccepted { subsystem, command, nonce, latency }.into(),
            Some(reason) => CommandRejected { subsystem, command, reason, nonce, latency }.into(),
        }
    }
}

/// How many commands a verifier let through, and how many it did not, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommandCounts {
    accepted: u64,
    rejected: [u64; Rejection::ALL.len()],
}

impl CommandCounts {
    /// Nothing counted.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one command.
    pub const fn add(&mut self, verification: &Verification<'_>) {
        match verification.rejection {
            None => self.accepted += 1,
            Some(reason) => self.rejected[reason as usize] += 1,
        }
    }

    /// How many were let through.
    #[must_use]
    pub const fn accepted(&self) -> u64 {
        self.accepted
    }

    /// How many were not, for this reason.
    #[must_use]
    pub const fn rejected(&self, reason: Rejection) -> u64 {
        self.rejected[reason as usize]
    }
}

#[cfg(feature = "alloc")]
impl Packet {
    /// Adds what a verifier said of a command. It becomes
    ///
    /// | what | name | attributes |
    /// | --- | --- | --- |
    /// | an event, if it was let through | [`command_accepted`](CommandAccepted) | `subsystem`, `command`, `nonce`, `latency` |
    /// | an event, if it was not | [`command_rejected`](CommandRejected) | `subsystem`, `command`, `reason`, `nonce`, `latency` |
    /// | a metric | [`command_verifier.validation_latency`](CommandValidation) | `subsystem` |
    /// | an indicator | [`command_verifier.last`](LAST_COMMAND) | |
    ///
    /// The level of the packet is raised to that of the event.
    #[must_use]
    pub fn verification(mut self, verification: &Verification<'_>) -> Self {
        let event = verification.event(self.source());
        let latency = CommandValidation { subsystem: self.source() }.reading(verification.latency.as_secs_f64());
        let latency = Metric::from(latency);
        self.level = self.level.max(event.level());
        self.event(&event).metric(latency).indicator(LAST_COMMAND, verification.word())
    }

    /// Adds what a verifier has counted. It becomes
    ///
    /// | what | name | attributes |
    /// | --- | --- | --- |
    /// | a metric | [`command_verifier.accepted_total`](CommandsAccepted) | `subsystem` |
    /// | a metric for each reason that there was | [`command_verifier.rejections_total`](CommandsRejected) | `subsystem`, `reason` |
    #[must_use]
    pub fn command_counts(mut self, counts: &CommandCounts) -> Self {
        let subsystem = self.source();
        let accepted = Metric::from(CommandsAccepted { subsystem }.reading(counts.accepted as f64));
        let rejected = Rejection::ALL.iter().filter(|reason| counts.rejected(**reason) > 0).map(|reason| {
            let count = counts.rejected(*reason);
            Metric::from(CommandsRejected { subsystem, reason: *reason }.reading(count as f64))
        });
        let metrics: alloc::vec::Vec<Metric> = core::iter::once(accepted).chain(rejected).collect();
        self.metrics.extend(metrics);
        self
    }
}
