//! A dead letter: a packet that somebody would not have, and why.

use countermand_core::DeadReason;

use crate::codec::Reader;
use crate::frame::{self, Kind};
use crate::{Entry, WallTime};

/// A packet that somebody would not have. It stays until somebody takes it (E14).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// Its number among the dead letters.
    pub number: u64,
    /// When it became one.
    pub since: WallTime,
    /// Who would not have it, why, and how often it was tried.
    pub reason: DeadReason,
    /// The packet. Its sequence is 0 if it never was in a stream of this journal.
    pub entry: Entry,
}

impl DeadLetter {
    pub(crate) const fn new(number: u64, since: WallTime, reason: DeadReason, entry: Entry) -> Self {
        Self { number, since, reason, entry }
    }

    pub(crate) fn seal(&self) -> Vec<u8> {
        frame::seal(Kind::DeadLetter, 256 + self.entry.payload.bytes().len(), |writer| {
            writer.u64(self.number);
            writer.u64(self.since.as_nanos());
            writer.u32(self.reason.attempts);
            writer.bytes(self.reason.sink.as_bytes());
            writer.bytes(self.reason.reason.as_bytes());
            self.entry.write(writer);
        })
    }

    /// The dead letter in this frame.
    pub(crate) fn unseal(bytes: &[u8]) -> Option<Self> {
        let reader = &mut Reader::new(frame::open(Kind::DeadLetter, bytes)?);
        let number = reader.u64()?;
        let since = WallTime::from_nanos(reader.u64()?);
        let attempts = reader.u32()?;
        let sink = reader.text()?.to_owned();
        let mut reason = DeadReason::new(sink, reader.text()?.to_owned());
        reason.attempts = attempts;
        Some(Self { number, since, reason, entry: Entry::read(reader)? })
    }
}
