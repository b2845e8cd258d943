//! Numbers and texts as bytes, and back: little-endian, lengths before what is of variable length.

use countermand_core::{Format, Level, Priority, Text};

/// Bytes to be.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn with_room(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    pub(crate) fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn u128(&mut self, value: u128) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// As they are, without their length.
    pub(crate) fn raw(&mut self, value: &[u8]) {
        self.0.extend_from_slice(value);
    }

    /// At most 4 GiB, which is above every limit of this crate.
    pub(crate) fn bytes(&mut self, value: &[u8]) {
        self.u32(u32::try_from(value.len()).unwrap_or(u32::MAX));
        self.0.extend_from_slice(value);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Bytes that are read from the front; `None` where they end too early or say what cannot be.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn u128(&mut self) -> Option<u128> {
        self.array().map(u128::from_le_bytes)
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        core::str::from_utf8(self.bytes()?).ok()
    }

    pub(crate) fn short<const N: usize>(&mut self) -> Option<Text<N>> {
        Text::try_from(self.text()?).ok()
    }

    pub(crate) fn level(&mut self) -> Option<Level> {
        let number = self.byte()?;
        Level::ALL.into_iter().find(|level| level.number() == number)
    }

    pub(crate) fn priority(&mut self) -> Option<Priority> {
        let number = usize::from(self.byte()?);
        Priority::ALL.get(number).copied()
    }

    pub(crate) fn format(&mut self) -> Option<Format> {
        match self.byte()? {
            1 => Some(Format::Protobuf),
            2 => Some(Format::Json),
            _ => None,
        }
    }
}

/// The number of a form of packets in a record; 0 is one that this version does not know.
pub(crate) const fn number_of(format: Format) -> u8 {
    match format {
        Format::Protobuf => 1,
        Format::Json => 2,
        _ => 0,
    }
}
