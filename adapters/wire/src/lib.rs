//! The packets of `esper.leyline.v1` on the wire: read, checked and labelled in both of protobuf's forms, binary and JSON, and handed on
//! byte for byte.
//!
//! [`read`] takes the bytes of one packet and says what a router has to know of them; [`Lines`] and [`Frames`] find the packets in a
//! stream; [`pack`] makes the bytes of a packet of one's own.
//!
//! ```
//! use countermand_core::{Format, Level, Priority};
//! use countermand_wire::{Limits, read};
//!
//! let line = br#"{"packet_id":"p-1","source_subsystem":"pump","level":"TELEMETRY_LEVEL_ERROR","colour":"red"}"#;
//! let incoming = read(Format::Json, line, &Limits::default())?;
//! assert_eq!((incoming.label.level, incoming.label.priority), (Level::Error, Priority::High));
//! assert_eq!(incoming.payload.bytes(), line);
//!
//! let misspelt = br#"{"packet_id":"p-1","source_subsystem":"pump","level":"TELEMETRY_LEVEL_FATAL"}"#;
//! let error = read(Format::Json, misspelt, &Limits::default()).unwrap_err();
//! assert!(error.to_string().starts_with("column 76: level: unknown variant `TELEMETRY_LEVEL_FATAL`"), "{error}");
//! # Ok::<(), countermand_wire::WireError>(())
//! ```
//!
//! # What is a packet
//!
//! All of the bytes are one packet: nothing is missing, nothing follows it. What the schema does not know is no error: it is skipped, and
//! handed on. These are errors:
//!
//! - `packet_id` or `source_subsystem` absent, empty or blank; `level` absent or unspecified. A packet that does not say how bad what it tells
//!   is cannot be routed, and to guess INFO would hide an alarm.
//! - A level or a state of health that the schema does not have, by name or by number, also in an event.
//! - A time beyond the years 1 to 9999.
//! - In JSON: a key twice in one object, whatever the object is; `null` for anything but a message; more than one line; deeper or longer than
//!   [`Limits`] allow.
//!
//! Field names in JSON are read as the schema writes them, `packet_id`, and as `packetId`; they are written as the schema does.
#![forbid(unsafe_code)]

mod check;
mod convert;
mod decode;
mod envelope;
mod error;
mod frame;
mod frames;
mod framing;
mod incoming;
mod limits;
mod lines;
pub mod proto;
mod said;
mod shape;
mod time;

pub use convert::{to_json, to_protobuf};
pub use decode::decode;
pub use envelope::{open, seal};
pub use error::{WireError, WireFault};
pub use frame::{Frame, FrameError, FrameFault, write_framed};
pub use frames::Frames;
pub use framing::{Framing, detect};
pub use incoming::{Incoming, id_of, pack, read};
pub use limits::Limits;
pub use lines::Lines;
pub use time::timestamp;
