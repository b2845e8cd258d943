//! A packet that was not taken in.

use core::fmt;

use super::Label;

/// Why a packet was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RefuseReason {
    /// There is no room for what must not be shed.
    Full,
    /// The router is closed.
    Closed,
    /// It would not fit even if there were nothing else.
    TooLarge {
        /// What it takes.
        bytes: u32,
        /// The whole room of its priority, in bytes.
        limit: u64,
    },
}

impl RefuseReason {
    /// The word for it, as OpenTelemetry has it where it has one.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "queue_full",
            Self::Closed => "already_shutdown",
            Self::TooLarge { .. } => "too_large",
        }
    }
}

impl fmt::Display for RefuseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("there is no room for a packet of this priority"),
            Self::Closed => f.write_str("the router is closed"),
            Self::TooLarge { bytes, limit } => write!(f, "a packet of {bytes} bytes, where the room has {limit}"),
        }
    }
}

/// A packet that was not taken in, given back.
#[non_exhaustive]
pub struct Refused<B> {
    /// Why.
    pub reason: RefuseReason,
    /// Its label.
    pub label: Label,
    /// The packet.
    pub body: B,
}

impl<B> fmt::Debug for Refused<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("reason", &self.reason).field("label", &self.label).finish_non_exhaustive()
    }
}

impl<B> fmt::Display for Refused<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Label { id, source, .. } = &self.label;
        write!(f, "packet {id} of {source} was not taken in: {}", self.reason)
    }
}

impl<B> core::error::Error for Refused<B> {}
