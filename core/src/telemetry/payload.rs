//! A packet as bytes.

use core::fmt;

use super::{Event, HexId, Label, PacketParts, Timestamp};
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

    /// The packet that tells of an event under this label, in protobuf's binary form: what a router's scribe writes. Its id is that of the
    /// label. A label without a source is told as `(nobody)`: a packet's source is never empty.
    ///
    /// ```
    /// use core::time::Duration;
    /// use countermand_core::{Event, Label, OutletConfig, Payload, Router, RouterConfig, Stream, Timestamp};
    /// let outlets = Stream::ALL.map(|stream| OutletConfig::new(stream.name(), stream)).into();
    /// let wall_clock = |age: Duration| Timestamp::new(1_759_039_389 - age.as_secs() as i64, 0); // of course read
    /// let scribe = move |event: &Event, label: &Label, age| Payload::of_event(event, label, wall_clock(age));
    /// let (router, outlets) = Router::new(RouterConfig::default(), outlets, scribe)?;
    /// # let _ = (router, outlets);
    /// # Ok::<(), countermand_core::RouterError>(())
    /// ```
    #[must_use]
    pub fn of_event(event: &Event, label: &Label, at: Timestamp) -> Self {
        let id = HexId::of(label.id);
        let source = if label.source.is_empty() { "(nobody)" } else { label.source.as_str() };
        match PacketParts::of_event(&id, at, source, event) {
            Ok(parts) => parts.to_payload(),
            Err(_) => unreachable!("neither the id nor the source is empty"),
        }
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
