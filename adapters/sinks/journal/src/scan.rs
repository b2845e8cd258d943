//! Finding frames in bytes that are otherwise not understood, in one pass.

use std::io::{self, Read};

use memchr::memmem::Finder;

use crate::frame::{self, HEAD, Kind, MAGIC, Parsed};

/// What a scan came upon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scanned {
    /// How many bytes there were.
    pub(crate) bytes: u64,
    /// How many of them belong to frames that are not whole.
    pub(crate) damaged: u64,
    /// The first bytes are those of a database, or nothing was written there.
    pub(crate) may_be_ours: bool,
}

/// How many bytes are read at once.
const STEP: usize = 256 << 10;

/// How many times the bytes may be checked in all. A file in which the frames do not overlap needs one.
const PATIENCE: u64 = 16;

/// Calls `each` for every whole frame and the place where it ends, in the order of the bytes. Frames inside of frames are not looked for.
pub(crate) fn scan<E: From<io::Error>>(
    mut from: impl Read,
    mut each: impl FnMut(Kind, &[u8], u64) -> Result<(), E>,
) -> Result<Scanned, E> {
    let finder = Finder::new(&MAGIC);
    let mut scanned = Scanned::default();
    let mut window = Window { from: &mut from, buffer: Vec::new(), at: 0, read: 0, ended: false };
    window.fill(STEP)?;
    const DATABASE: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";
    scanned.may_be_ours = [DATABASE, &[0; DATABASE.len()]].iter().any(|start| window.rest().starts_with(start));
    let mut checked = 0;
    loop {
        let Some(skip) = finder.find(window.rest()) else {
            let tail = window.rest().len().min(MAGIC.len() - 1);
            window.at = window.buffer.len() - tail;
            if !window.fill(tail + STEP)? {
                break;
            }
            continue;
        };
        window.at += skip;
        let needs = match frame::parse(window.rest()) {
            Parsed::Short { needs } => needs,
            _ => 0,
        };
        if needs > 0 && window.fill(needs + STEP)? {
            continue;
        }
        match frame::parse(window.rest()) {
            Parsed::Whole { kind, length, .. } => {
                let end = window.place() + length as u64;
                each(kind, &window.rest()[..length], end)?;
                checked += length as u64;
                window.at += length;
            }
            Parsed::Damaged { length } => {
                scanned.damaged += length.min(window.rest().len()) as u64;
                checked += length as u64;
                window.at += MAGIC.len();
                if mutant!(StopsAtTheFirstBadRecord) {
                    break;
                }
            }
            // The end of the file is before the end of the frame; there may be others behind its beginning.
            Parsed::Short { .. } => {
                scanned.damaged += HEAD.min(window.rest().len()) as u64;
                window.at += MAGIC.len();
            }
        }
        if checked > PATIENCE * (window.read + STEP as u64) {
            break;
        }
    }
    scanned.bytes = window.read;
    Ok(scanned)
}

/// A part of the bytes that moves forward.
struct Window<'a, R> {
    from: &'a mut R,
    buffer: Vec<u8>,
    /// What is before this has been looked at.
    at: usize,
    read: u64,
    ended: bool,
}

impl<R: Read> Window<'_, R> {
    fn rest(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    /// How many bytes are before [`rest`](Self::rest).
    fn place(&self) -> u64 {
        self.read - self.rest().len() as u64
    }

    /// Reads until so many bytes are ahead, or the end. Whether there are more than before.
    fn fill(&mut self, ahead: usize) -> io::Result<bool> {
        let here = self.rest().len();
        if self.ended || here >= ahead {
            return Ok(false);
        }
        self.buffer.drain(..self.at);
        self.at = 0;
        let more = (ahead - here) as u64;
        let read = Read::by_ref(self.from).take(more).read_to_end(&mut self.buffer)? as u64;
        self.read += read;
        self.ended = read < more;
        Ok(read > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8]) -> (Vec<Vec<u8>>, Scanned) {
        let mut found = Vec::new();
        let scanned = scan::<io::Error>(bytes, |_, frame, end| {
            assert!(bytes[..end as usize].ends_with(frame));
            found.push(frame.to_vec());
            Ok(())
        });
        (found, scanned.unwrap())
    }

    #[test]
    fn what_is_whole_is_found_between_and_behind_damage() {
        let frames = (0..50_u32)
            .map(|n| frame::seal(Kind::Record, 0, |writer| writer.raw(&vec![n as u8; 50_000 * (n as usize % 3) + 1])));
        let frames = frames.collect::<Vec<_>>();
        let mut bytes = vec![7; 1000];
        for frame in &frames {
            bytes.extend_from_slice(frame);
            bytes.extend_from_slice(&MAGIC[..5]);
        }
        let (all, scanned) = found(&bytes);
        assert_eq!((all.as_slice(), scanned.damaged, scanned.bytes), (&*frames, 0, bytes.len() as u64));

        bytes[1000 + 8] ^= 1;
        let (all, scanned) = found(&bytes);
        assert_eq!((all.as_slice(), scanned.damaged), (&frames[1..], HEAD as u64));
        // The last one is cut.
        let (all, _) = found(&bytes[..bytes.len() - 6]);
        assert_eq!(all, frames[1..49]);
    }

    #[test]
    fn a_swarm_of_long_damaged_frames_is_given_up_in_time() {
        // Each head is good, claims all that follows, and is wrong about it.
        let heads = 5_000;
        let mut bytes = Vec::new();
        for n in 0..heads {
            let mut frame = frame::seal(Kind::Record, 0, |writer| writer.raw(&vec![0; (heads - n) * HEAD]));
            frame.truncate(HEAD);
            bytes.extend_from_slice(&frame);
        }
        bytes.extend_from_slice(&[1; HEAD]);
        let (all, scanned) = found(&bytes);
        assert!(all.is_empty() && scanned.damaged > 0);
    }
}
