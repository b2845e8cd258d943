//! One packet's bytes in a stream of many.

use std::fmt;

use countermand_core::Format;

/// One packet's bytes in a stream of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame<'f> {
    /// Its number in the stream, counted from 1: of the line, or of the packet.
    pub number: u64,
    /// The bytes: of the line without its end, or of the packet without its length.
    pub bytes: &'f [u8],
}

/// What is wrong in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FrameFault {
    /// A line longer than is read. It is left out, and the stream goes on after it.
    LineTooLong {
        /// How many bytes a line has at the most.
        limit: usize,
    },
    /// A packet that claims to be longer than is read. Nothing after it can be found, so the stream is over.
    PacketTooLong {
        /// What it claims.
        length: u64,
        /// How many bytes a packet has at the most.
        limit: usize,
    },
    /// What should be a length is none. The stream is over.
    NoLength,
    /// The stream ended before the packet did.
    CutOff,
}

/// What is wrong in a stream, and with which of its lines or packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct FrameError {
    /// Which line or packet it is, counted from 1.
    pub number: u64,
    /// What is wrong with it.
    pub fault: FrameFault,
}

impl FrameError {
    /// Whether nothing more can be found in the stream.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        !matches!(self.fault, FrameFault::LineTooLong { .. })
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number;
        match self.fault {
            FrameFault::LineTooLong { limit } => write!(f, "line {number}: longer than {limit} bytes"),
            FrameFault::PacketTooLong { length, limit } => {
                write!(f, "packet {number}: claims {length} bytes, where a packet has at most {limit}")
            }
            FrameFault::NoLength => write!(f, "packet {number}: no length before it"),
            FrameFault::CutOff => write!(f, "packet {number}: the stream ends in it"),
        }
    }
}

impl std::error::Error for FrameError {}

/// Writes one packet's bytes behind others of its form: a line, or a length and the bytes.
pub fn write_framed(format: Format, bytes: &[u8], out: &mut Vec<u8>) {
    match format {
        Format::Json => {
            out.extend_from_slice(bytes);
            out.push(b'\n');
        }
        _ => {
            prost::encoding::encode_varint(bytes.len() as u64, out);
            out.extend_from_slice(bytes);
        }
    }
}

/// The bytes of a frame of which the beginning came in an earlier piece of the stream.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    bytes: Vec<u8>,
    /// They are a whole frame, and were given out.
    given: bool,
}

impl Kept {
    /// How much is kept without use for it.
    const SPARE: usize = 64 << 10;

    /// Forgets a frame that was given out.
    pub(crate) fn tidy(&mut self) {
        if self.given {
            self.clear();
        }
    }

    pub(crate) fn clear(&mut self) {
        self.given = false;
        self.bytes.clear();
        self.bytes.shrink_to(Self::SPARE);
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn keep(&mut self, more: &[u8]) {
        self.bytes.extend_from_slice(more);
    }

    /// The whole frame whose last part is `last`; if it is the only one, it is not copied.
    pub(crate) fn whole<'f>(&'f mut self, last: &'f [u8]) -> &'f [u8] {
        if self.bytes.is_empty() {
            return last;
        }
        self.given = true;
        self.bytes.extend_from_slice(last);
        &self.bytes
    }
}
