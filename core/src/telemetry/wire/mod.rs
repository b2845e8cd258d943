//! The wire: packets in protobuf's binary form.
//!
//! A packet is measured, and then written from its end to its beginning: a message in a message stands behind its length, which is
//! known when the message has been written. So nothing is measured twice or kept in between. Fields at their default are left
//! out, as the third version of protobuf has it.

mod event;
mod field;
mod hex;
#[cfg(feature = "alloc")]
mod owned;
mod parts;

#[cfg(feature = "alloc")]
pub(super) use event::{ID as EVENT_ID, LEFT_OUT, sentence_key};
pub use hex::HexId;
pub use parts::{BufferTooSmall, HealthParts, PacketParts, SpanParts};
