//! What a router knows of a packet without looking into it.

use core::fmt;
use core::str::FromStr;

use super::{Level, Urgency};
use crate::{Priority, Text};

/// Names a packet, and stays the same however often it is delivered (E10).
///
/// Whoever takes a packet in gives it one: made from its bytes, so that a packet that is sent again, because the acknowledgement of the first
/// time was lost, is known to be the same. Shown as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PacketId(u128);

impl PacketId {
    /// The id of this number.
    #[must_use]
    pub const fn new(number: u128) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u128 {
        self.0
    }
}

impl fmt::Display for PacketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for PacketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PacketId({self})")
    }
}

/// A text that is no [`PacketId`]: not 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotAPacketId;

impl fmt::Display for NotAPacketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a packet's id is 32 hexadecimal digits")
    }
}

impl core::error::Error for NotAPacketId {}

impl FromStr for PacketId {
    type Err = NotAPacketId;

    fn from_str(text: &str) -> Result<Self, NotAPacketId> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = digits.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        number.map(Self).ok_or(NotAPacketId)
    }
}

/// Who sent a packet, as it says itself; longer names are cut.
pub type Source = Text<64>;

/// What a packet is about: the name of its first event, or a word of its sender's. Two packets of one source about the same are repeats.
pub type Subject = Text<64>;

/// What a router knows of a packet. It never looks into the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Label {
    /// Which one it is.
    pub id: PacketId,
    /// Who sent it.
    pub source: Source,
    /// What it is about; may be empty.
    pub subject: Subject,
    /// How bad what it tells is.
    pub level: Level,
    /// How urgent it is; see [`Urgency`].
    pub priority: Priority,
    /// Its sender named a priority that there is not (E1). The router counts and reports it.
    pub unknown_priority: bool,
    /// How many bytes it takes.
    pub weight: u32,
}

impl Label {
    /// A label with nothing said of subject and weight. The priority is that of the level.
    #[must_use]
    pub fn new(id: PacketId, source: Source, level: Level) -> Self {
        let Urgency { priority, .. } = Urgency::of(level, None);
        Self { id, source, subject: Subject::new(), level, priority, unknown_priority: false, weight: 0 }
    }

    /// Says how urgent it is.
    #[must_use]
    pub const fn urgency(mut self, urgency: Urgency) -> Self {
        self.priority = urgency.priority;
        self.unknown_priority = urgency.unknown;
        self
    }

    /// Says how urgent it is, where that is known without its sender's word.
    #[must_use]
    pub const fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Says what it is about.
    #[must_use]
    pub const fn subject(mut self, subject: Subject) -> Self {
        self.subject = subject;
        self
    }

    /// Says how many bytes it takes; more than 4 GiB count as that.
    #[must_use]
    pub const fn weight(mut self, bytes: usize) -> Self {
        self.weight = if bytes > u32::MAX as usize { u32::MAX } else { bytes as u32 };
        self
    }
}
