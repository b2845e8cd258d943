//! What the router of a feed carries.

use countermand::Payload;
use countermand_journal::Sequence;

/// See the head of the file.
#[derive(Clone, Debug)]
pub(crate) enum Fed {
    /// A packet, and its place in the journal.
    Kept(Sequence, Payload),
    /// What the router had to tell of itself. It has been told, and goes no further.
    Own,
}
