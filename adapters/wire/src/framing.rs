//! A stream of packets in either form.

use countermand_core::Format;

use crate::frame::{Frame, FrameError};
use crate::frames::Frames;
use crate::lines::Lines;

/// Finds the packets in a stream of either form.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "one for each form that is read here")]
pub enum Framing {
    /// JSON lines.
    Json(Lines),
    /// Packets in protobuf, each behind its length.
    Protobuf(Frames),
}

impl Framing {
    /// The packets of a stream in this form from its beginning, each of at most `limit` bytes.
    #[must_use]
    pub fn new(format: Format, limit: usize) -> Self {
        match format {
            Format::Json => Self::Json(Lines::new(limit)),
            _ => Self::Protobuf(Frames::new(limit)),
        }
    }

    /// The form of the packets.
    #[must_use]
    pub const fn format(&self) -> Format {
        match self {
            Self::Json(_) => Format::Json,
            Self::Protobuf(_) => Format::Protobuf,
        }
    }

    /// The next packet, if `piece` has its end. What was looked at is taken off the front of `piece`; at `None` that is all of it.
    ///
    /// # Errors
    ///
    /// [`FrameError`], which says whether the stream [is over](FrameError::is_last).
    pub fn next<'s, 'p: 's>(&'s mut self, piece: &mut &'p [u8]) -> Option<Result<Frame<'s>, FrameError>> {
        match self {
            Self::Json(lines) => lines.next(piece),
            Self::Protobuf(frames) => frames.next(piece),
        }
    }

    /// What is left when the stream is over.
    ///
    /// # Errors
    ///
    /// [`FrameError`] if it ended within a packet.
    pub fn finish(&mut self) -> Option<Result<Frame<'_>, FrameError>> {
        match self {
            Self::Json(lines) => lines.finish(),
            Self::Protobuf(frames) => frames.finish(),
        }
    }
}

/// In which form the packets of a stream are that begins with `head`; `None` if that cannot be told from so little.
///
/// JSON lines begin, after white space, with `{` and what can follow that. All else is protobuf with lengths: also a `{` that is the length of
/// a packet of 123 bytes, which begins with a field where an object begins with a key.
///
/// A stream that ends before it can be told has no packet in it; the form is then a matter of taste.
///
/// ```
/// use countermand_core::Format;
/// use countermand_wire::detect;
/// assert_eq!(detect(b"\n{\"packet_id\""), Some(Format::Json));
/// assert_eq!(detect(b"{\x0a\x03p-1\x1a"), Some(Format::Protobuf));
/// assert_eq!(detect(b"  "), None);
/// ```
#[must_use]
pub fn detect(head: &[u8]) -> Option<Format> {
    let begin = head.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))?;
    let form = |json| Some(if json { Format::Json } else { Format::Protobuf });
    match &head[begin..] {
        // A byte order mark; the reader of the first line says that it is one too many.
        [0xef, 0xbb, 0xbf, ..] => form(true),
        [0xef] | [0xef, 0xbb] | [b'{'] => None,
        // A line feed is the key of a packet's first field; an object that is a line has none.
        [b'{', next, ..] => form(*next != b'\n'),
        _ => form(false),
    }
}
