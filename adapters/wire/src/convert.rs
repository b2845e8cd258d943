//! From one form of a packet to the other.

use std::io;

use countermand_core::Format;
use prost::Message as _;
use serde::Serialize as _;
use serde_json::ser::Formatter;

use crate::decode::decode;
use crate::error::{WireError, WireFault};
use crate::limits::Limits;
use crate::proto::TelemetryPacket;

/// The JSON form of a packet, one line without its end: field names as in the schema, fields at their default left out.
///
/// # Errors
///
/// [`WireError`] if a time in it is none.
pub fn to_json(packet: &TelemetryPacket) -> Result<String, WireError> {
    let odd = packet.metrics.iter().map(|metric| metric.value).filter(|value| !value.is_finite());
    let mut json = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut json, OddNumbers(odd));
    packet.serialize(&mut serializer).map_err(|error| WireError::new(WireFault::BadValue, "", error))?;
    String::from_utf8(json).map_err(|error| WireError::new(WireFault::Malformed, "", error))
}

/// The binary form of a packet in JSON. What the schema does not know is not in it.
///
/// # Errors
///
/// [`WireError`] if `json` is not one valid packet.
pub fn to_protobuf(json: &[u8], limits: &Limits) -> Result<Vec<u8>, WireError> {
    Ok(decode(Format::Json, json, limits)?.encode_to_vec())
}

/// Writes numbers that JSON does not have by their names, as protobuf's JSON does; the serializer knows only `null` for them, which
/// stands for nothing else in a packet. Holds those numbers, in the order in which they are written.
struct OddNumbers<I>(I);

impl<I: Iterator<Item = f64>> Formatter for OddNumbers<I> {
    fn write_null<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(match self.0.next() {
            Some(f64::INFINITY) => b"\"Infinity\"",
            Some(f64::NEG_INFINITY) => b"\"-Infinity\"",
            Some(_) => b"\"NaN\"",
            None => b"null",
        })
    }
}
