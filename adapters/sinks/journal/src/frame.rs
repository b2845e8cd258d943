//! A frame: bytes that can be recognised and checked by themselves, wherever in a file they are found.
//!
//! ```text
//!  0        7    8             12          16          20
//!  | magic  |kind| body length | crc head  | crc whole | body …
//! ```
//! The first crc is over what is before it, so that a length that means nothing is known at once; the second is over that and the body.

use crc32fast::Hasher;

use crate::codec::Writer;

/// How every frame begins. Neither text nor a likely number.
pub(crate) const MAGIC: [u8; 7] = [0xC7, b'c', b'm', b'J', 0x9E, b'f', 0xB1];

/// The bytes before the body.
pub(crate) const HEAD: usize = 20;

/// The longest body there can be; a longer one is not a frame's.
pub(crate) const LONGEST_BODY: usize = 64 << 20;

/// What is in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Record = 1,
    DeadLetter = 2,
    State = 3,
}

/// What the bytes at some place are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed<'a> {
    /// A whole frame, so long.
    Whole { kind: Kind, body: &'a [u8], length: usize },
    /// The head of a frame; it needs so many bytes.
    Short { needs: usize },
    /// No frame, or a damaged one. So many bytes of it are certainly lost.
    Damaged { length: usize },
}

/// The frame of the body that `write` writes, of about `room` bytes.
pub(crate) fn seal(kind: Kind, room: usize, write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::with_room(HEAD + room);
    // The head is known when the body is.
    writer.raw(&[0; HEAD]);
    write(&mut writer);
    let mut frame = writer.finish();
    let (head, body) = frame.split_at_mut(HEAD);
    head[..7].copy_from_slice(&MAGIC);
    head[7] = kind as u8;
    head[8..12].copy_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    let crc = crc32fast::hash(&head[..12]);
    let whole = whole(&head[..12], body);
    head[12..16].copy_from_slice(&crc.to_le_bytes());
    head[16..].copy_from_slice(&whole.to_le_bytes());
    frame
}

fn whole(head: &[u8], body: &[u8]) -> u32 {
    let mut hasher = Hasher::new();
    hasher.update(head);
    hasher.update(body);
    hasher.finalize()
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// Looks at the frame that may begin with the first of `bytes`.
pub(crate) fn parse(bytes: &[u8]) -> Parsed<'_> {
    let (Some(length), Some(head), Some(crc)) = (number(bytes, 8), number(bytes, 12), number(bytes, 16)) else {
        return Parsed::Short { needs: HEAD };
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let kind = match bytes[7] {
        1 => Kind::Record,
        2 => Kind::DeadLetter,
        3 => Kind::State,
        _ => return Parsed::Damaged { length: HEAD },
    };
    if !bytes.starts_with(&MAGIC) || length > LONGEST_BODY || crc32fast::hash(&bytes[..12]) != head {
        return Parsed::Damaged { length: HEAD };
    }
    match bytes.get(HEAD..HEAD + length) {
        None => Parsed::Short { needs: HEAD + length },
        Some(body) if whole(&bytes[..12], body) == crc => Parsed::Whole { kind, body, length: HEAD + length },
        Some(_) => Parsed::Damaged { length: HEAD + length },
    }
}

/// The body of the frame of this kind that `bytes` are; `None` if they are not.
pub(crate) fn open(expected: Kind, bytes: &[u8]) -> Option<&[u8]> {
    match parse(bytes) {
        Parsed::Whole { kind, body, .. } if kind == expected => Some(body),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_bit_is_noticed() {
        let frame = seal(Kind::Record, 0, |writer| writer.raw(b"what happened"));
        assert_eq!(open(Kind::Record, &frame), Some(&b"what happened"[..]));
        assert_eq!(open(Kind::State, &frame), None);
        for bit in 0..frame.len() * 8 {
            let mut damaged = frame.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(!matches!(parse(&damaged), Parsed::Whole { .. }), "bit {bit}");
        }
        for length in 0..frame.len() {
            assert!(matches!(parse(&frame[..length]), Parsed::Short { .. }), "cut at {length}");
        }
    }
}
