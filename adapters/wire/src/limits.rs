//! How much of one packet is read at the most.

/// How much of one packet is read at the most. What goes beyond is an error that names the limit; nothing is cut off.
///
/// While it is read, a packet takes memory: at the worst, when it is a list of nothing but empty metrics, about eighty times its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The size of a packet, in bytes. Default: 1 MiB.
    pub bytes: usize,
    /// How deep objects and lists are nested in JSON; a packet of the schema needs 4, and what the schema does not know may be deeper.
    /// Beyond 127 it has no effect: the parser has a limit of its own there. Default: 32.
    pub depth: usize,
}

impl Limits {
    /// Sets the size of a packet, in bytes.
    #[must_use]
    pub const fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Sets how deep JSON is nested.
    #[must_use]
    pub const fn depth(mut self, depth: usize) -> Self {
        self.depth = depth;
        self
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 1 << 20, depth: 32 }
    }
}
