//! The digits of a packet's id.

use core::ops::Deref;

use super::super::PacketId;

/// The 32 digits of a [`PacketId`], as it is shown, made without the machinery of formatting: for the text that a packet calls itself by.
///
/// ```
/// use countermand_core::{HexId, PacketId};
/// let id = PacketId::new(0xc0ffee);
/// assert_eq!(&*HexId::of(id), id.to_string());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HexId([u8; 32]);

impl HexId {
    /// The digits of this id.
    #[must_use]
    #[inline]
    pub fn of(id: PacketId) -> Self {
        let mut digits = [0; 32];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(id.number().to_be_bytes()) {
            pair[0] = digit(byte >> 4);
            pair[1] = digit(byte & 0xf);
        }
        Self(digits)
    }
}

#[inline]
const fn digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

impl Deref for HexId {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}
