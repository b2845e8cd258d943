//! The lines in a stream of JSON lines.

use crate::frame::{Frame, FrameError, FrameFault, Kept};

/// Finds the lines in a stream that comes in pieces of any size.
///
/// A line ends with a line feed; what stands before it is given out as it came, also a carriage return. Lines of nothing but white space are
/// counted and left out. A line beyond the limit is an error as soon as it is seen to be, and the next line is the next frame.
///
/// ```
/// use countermand_wire::Lines;
/// let mut lines = Lines::new(8);
/// let mut found = Vec::new();
/// for mut piece in [&b"{}\n\n{\"a\""[..], b":1}\n", b"{\"far too long\":1}\n{", b"}"] {
///     while let Some(line) = lines.next(&mut piece) {
///         found.push(line.map(|line| (line.number, line.bytes.to_vec())).map_err(|error| error.to_string()));
///     }
/// }
/// found.extend(lines.finish().map(|line| line.map(|line| (line.number, line.bytes.to_vec())).map_err(|error| error.to_string())));
/// assert_eq!(found, [
///     Ok((1, b"{}".to_vec())),
///     Ok((3, b"{\"a\":1}".to_vec())),
///     Err("line 4: longer than 8 bytes".into()),
///     Ok((5, b"{}".to_vec())),
/// ]);
/// ```
#[derive(Debug)]
pub struct Lines {
    limit: usize,
    /// The number of the last line that was begun and ended.
    number: u64,
    kept: Kept,
    /// The rest of the current line is left out; its error was told.
    skipping: bool,
}

impl Lines {
    /// The lines of a stream from its beginning, each of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, number: 0, kept: Kept::default(), skipping: false }
    }

    /// The next line, if `piece` has its end. What was looked at is taken off the front of `piece`; at `None` that is all of it.
    ///
    /// # Errors
    ///
    /// [`FrameError`] for a line that is too long; the stream goes on.
    pub fn next<'s, 'p: 's>(&'s mut self, piece: &mut &'p [u8]) -> Option<Result<Frame<'s>, FrameError>> {
        self.kept.tidy();
        loop {
            let end = memchr::memchr(b'\n', piece);
            let (part, rest) = match end {
                Some(end) => (&piece[..end], &piece[end + 1..]),
                None => (*piece, &piece[piece.len()..]),
            };
            *piece = rest;
            if self.skipping {
                self.skipping = end.is_none();
                if self.skipping {
                    return None;
                }
                continue;
            }
            if self.kept.bytes().len() + part.len() > self.limit {
                self.kept.clear();
                self.skipping = end.is_none();
                self.number += 1;
                let fault = FrameFault::LineTooLong { limit: self.limit };
                return Some(Err(FrameError { number: self.number, fault }));
            }
            if end.is_none() {
                self.kept.keep(part);
                return None;
            }
            self.number += 1;
            if blank(self.kept.bytes()) && blank(part) {
                self.kept.clear();
                continue;
            }
            return Some(Ok(Frame { number: self.number, bytes: self.kept.whole(part) }));
        }
    }

    /// The last line, if it has no end; the stream is over.
    ///
    /// # Errors
    ///
    /// None; it is fallible so that it is used like [`next`](Self::next).
    pub fn finish(&mut self) -> Option<Result<Frame<'_>, FrameError>> {
        self.kept.tidy();
        self.skipping = false;
        if blank(self.kept.bytes()) {
            self.kept.clear();
            return None;
        }
        self.number += 1;
        Some(Ok(Frame { number: self.number, bytes: self.kept.whole(&[]) }))
    }
}

/// Whether bytes are nothing but the white space of JSON.
fn blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}
