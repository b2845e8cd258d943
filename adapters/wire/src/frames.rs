//! The packets in a stream of packets in protobuf, each behind its length.

use crate::frame::{Frame, FrameError, FrameFault, Kept};

/// Finds the packets in a stream that comes in pieces of any size: before each stands its length, as a varint.
///
/// A length is believed only within the limit, and memory is taken for what has come, not for what is claimed. After an error the stream is
/// over: what follows cannot be found, and is taken without a look.
///
/// ```
/// use countermand_wire::Frames;
/// let mut frames = Frames::new(8);
/// let mut piece = &b"\x02hi\x03yo"[..];
/// assert_eq!(frames.next(&mut piece).unwrap()?.bytes, b"hi");
/// assert!(frames.next(&mut piece).is_none());
/// let mut piece = &b"u\x80\x80\x80\x20what follows"[..];
/// assert_eq!(frames.next(&mut piece).unwrap()?.bytes, b"you");
/// let error = frames.next(&mut piece).unwrap().unwrap_err();
/// assert_eq!(error.to_string(), "packet 3: claims 67108864 bytes, where a packet has at most 8");
/// assert!(frames.next(&mut piece).is_none() && frames.finish().is_none());
/// # Ok::<(), countermand_wire::FrameError>(())
/// ```
#[derive(Debug)]
pub struct Frames {
    limit: usize,
    /// How many packets were begun.
    number: u64,
    state: State,
    kept: Kept,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// In front of a length.
    Between,
    /// In a length of which there were `bits` bits.
    Length {
        length: u64,
        bits: u32,
    },
    /// In a packet of this length.
    Packet {
        length: usize,
    },
    Over,
}

impl Frames {
    /// The packets of a stream from its beginning, each of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, number: 0, state: State::Between, kept: Kept::default() }
    }

    /// The next packet, if `piece` has its end. What was looked at is taken off the front of `piece`; at `None` that is all of it.
    ///
    /// # Errors
    ///
    /// [`FrameError`] for a length that is none or too large; the stream is over.
    pub fn next<'s, 'p: 's>(&'s mut self, piece: &mut &'p [u8]) -> Option<Result<Frame<'s>, FrameError>> {
        self.kept.tidy();
        let length = match self.length(piece)? {
            Ok(length) => length,
            Err(fault) => {
                self.state = State::Over;
                *piece = &piece[piece.len()..];
                return Some(Err(FrameError { number: self.number, fault }));
            }
        };
        let missing = length - self.kept.bytes().len();
        match piece.split_at_checked(missing) {
            Some((last, rest)) => {
                *piece = rest;
                self.state = State::Between;
                Some(Ok(Frame { number: self.number, bytes: self.kept.whole(last) }))
            }
            None => {
                self.kept.keep(piece);
                *piece = &piece[piece.len()..];
                None
            }
        }
    }

    /// The length of the current packet, if all of it has come.
    fn length(&mut self, piece: &mut &[u8]) -> Option<Result<usize, FrameFault>> {
        loop {
            let (length, bits) = match self.state {
                State::Packet { length } => return Some(Ok(length)),
                State::Over => {
                    *piece = &piece[piece.len()..];
                    return None;
                }
                State::Between => (0, 0),
                State::Length { length, bits } => (length, bits),
            };
            let (byte, rest) = piece.split_first()?;
            *piece = rest;
            if matches!(self.state, State::Between) {
                self.number += 1;
            }
            let more = u64::from(byte & 0x7f);
            // Ten bytes have room for 70 bits.
            if bits > 63 || more > u64::MAX >> bits {
                return Some(Err(FrameFault::NoLength));
            }
            let length = length | more << bits;
            if byte & 0x80 != 0 {
                self.state = State::Length { length, bits: bits + 7 };
                continue;
            }
            self.state = match usize::try_from(length) {
                Ok(length) if length <= self.limit => State::Packet { length },
                _ => return Some(Err(FrameFault::PacketTooLong { length, limit: self.limit })),
            };
        }
    }

    /// The stream is over: `None` if it ended between two packets, or was over already.
    ///
    /// # Errors
    ///
    /// [`FrameError`] if it ended within a packet.
    pub fn finish(&mut self) -> Option<Result<Frame<'_>, FrameError>> {
        let inside = matches!(self.state, State::Length { .. } | State::Packet { .. });
        self.state = State::Over;
        self.kept.clear();
        inside.then_some(Err(FrameError { number: self.number, fault: FrameFault::CutOff }))
    }
}
