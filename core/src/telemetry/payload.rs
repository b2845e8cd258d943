//! A packet as bytes.

use core::fmt;

use crate::sync::Arc;

/// In which form a packet's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Protobuf's binary form.
    Protobuf,
    /// Protobuf's JSON form, one line without its end.
    Json,
}

impl Format {
    /// `protobuf` or `json`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Protobuf => "protobuf",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A packet as the bytes that it came in. It is handed on as it is; clones share the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    format: Format,
    bytes: Arc<[u8]>,
}

impl Payload {
    /// These bytes, which are in this form. Nothing is checked.
    #[must_use]
    pub fn new(format: Format, bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { format, bytes: bytes.into() }
    }

    /// Their form.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload").field("format", &self.format).field("bytes", &self.bytes.len()).finish()
    }
}
