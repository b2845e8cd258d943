//! The words in which a service tells what happened, and the traits of whoever takes them in.

mod arena;
pub mod catalogue;
#[cfg(feature = "alloc")]
mod coverage;
mod digits;
mod empty_id;
mod event;
#[cfg(feature = "alloc")]
mod fallbacks;
mod health;
mod intake;
#[cfg(feature = "alloc")]
mod job_end;
#[cfg(feature = "alloc")]
mod job_reports;
mod label;
mod ledger;
mod level;
#[cfg(feature = "alloc")]
mod metric;
#[cfg(feature = "alloc")]
mod packet;
#[cfg(feature = "alloc")]
mod packet_event;
#[cfg(feature = "alloc")]
mod packet_health;
#[cfg(feature = "alloc")]
mod payload;
mod refused;
#[cfg(feature = "alloc")]
mod sink;
#[cfg(feature = "alloc")]
mod span;
mod stream;
mod timestamp;
mod urgency;
mod verification;
mod wire;

#[cfg(feature = "alloc")]
pub use coverage::Coverage;
pub use empty_id::EmptyId;
pub use event::Event;
#[cfg(feature = "alloc")]
pub use fallbacks::Fallbacks;
pub use health::HealthStatus;
pub use intake::Intake;
#[cfg(feature = "alloc")]
pub(crate) use job_end::Ended;
#[cfg(feature = "alloc")]
pub use job_end::JobEnd;
#[cfg(feature = "alloc")]
pub use job_reports::JobReports;
pub use label::{Label, NotAPacketId, PacketId, Source, Subject};
pub use ledger::{Fate, Ledger};
pub use level::Level;
#[cfg(feature = "alloc")]
pub use metric::{Attributes, Metric, Words};
#[cfg(feature = "alloc")]
pub use packet::Packet;
#[cfg(feature = "alloc")]
pub use packet_event::PacketEvent;
#[cfg(feature = "alloc")]
pub use packet_health::Health;
#[cfg(feature = "alloc")]
pub use payload::{Format, Payload};
pub use refused::{RefuseReason, Refused};
#[cfg(feature = "alloc")]
pub use sink::{Answer, Batch, DeadReason, Delivery, Parcel, Refusal, Repeats, Sink};
#[cfg(feature = "alloc")]
pub use span::Span;
pub use stream::Stream;
pub use timestamp::Timestamp;
pub use urgency::Urgency;
pub use verification::{CommandCounts, Verification};
pub use wire::{BufferTooSmall, HealthParts, HexId, PacketParts, SpanParts};
