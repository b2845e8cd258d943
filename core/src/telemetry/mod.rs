//! The words in which a service tells what happened, and the traits of whoever takes them in.

mod event;
mod health;
mod intake;
mod label;
mod level;
#[cfg(feature = "alloc")]
mod payload;
#[cfg(feature = "alloc")]
mod sink;
mod stream;
mod urgency;

pub use event::Event;
pub use health::HealthStatus;
pub use intake::Intake;
pub use label::{Label, NotAPacketId, PacketId, Source, Subject};
pub use level::Level;
#[cfg(feature = "alloc")]
pub use payload::{Format, Payload};
#[cfg(feature = "alloc")]
pub use sink::{Answer, Batch, DeadReason, Delivery, Parcel, Refusal, Repeats, Sink};
pub use stream::Stream;
pub use urgency::Urgency;
