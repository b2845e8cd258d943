//! The types of the schema, made from `proto/telemetry.proto`; their binary form is `prost`'s, their JSON form `serde`'s.

#![allow(
    clippy::all,
    clippy::exhaustive_structs,
    clippy::exhaustive_enums,
    clippy::unwrap_used,
    reason = "made by prost-build and pbjson-build; the schema says what there is"
)]

include!(concat!(env!("OUT_DIR"), "/esper.leyline.v1.rs"));
include!(concat!(env!("OUT_DIR"), "/esper.leyline.v1.serde.rs"));
