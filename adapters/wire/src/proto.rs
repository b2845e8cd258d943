//! The types of the schema, made from `proto/telemetry.proto`; their binary form is `prost`'s, their JSON form `serde`'s.
//!
//! [`to_json`](crate::to_json) writes what JSON has no number for by its name; `serde` alone knows only `null` for it.

#![allow(
    clippy::all,
    clippy::exhaustive_structs,
    clippy::exhaustive_enums,
    clippy::unwrap_used,
    reason = "made by prost-build and pbjson-build; the schema says what there is"
)]

/// A point in time.
pub use pbjson_types::Timestamp;

include!(concat!(env!("OUT_DIR"), "/esper.leyline.v1.rs"));
include!(concat!(env!("OUT_DIR"), "/esper.leyline.v1.serde.rs"));
