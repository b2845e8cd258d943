//! Bytes into a packet of the schema.

use countermand_core::{Format, Level};
use prost::{DecodeError, Message};

use crate::error::{WireError, WireFault};
use crate::limits::Limits;
use crate::proto::TelemetryPacket;
use crate::said::{column, of_json};
use crate::{check, shape};

/// The packet that `bytes` are.
///
/// What the schema does not know is not in it: to hand a packet on, hand on its bytes.
///
/// # Errors
///
/// [`WireError`] if they are not one whole valid packet, or more than the limits allow.
pub fn decode(format: Format, bytes: &[u8], limits: &Limits) -> Result<TelemetryPacket, WireError> {
    valid(format, bytes, limits).map(|(packet, _)| packet)
}

/// The packet and its level.
pub(crate) fn valid(format: Format, bytes: &[u8], limits: &Limits) -> Result<(TelemetryPacket, Level), WireError> {
    if bytes.len() > limits.bytes {
        let message = format_args!("{} bytes, where a packet has at most {}", bytes.len(), limits.bytes);
        return Err(WireError::new(WireFault::Limit, "", message));
    }
    let packet = match format {
        Format::Protobuf => binary::<TelemetryPacket>(bytes)?,
        Format::Json => json(bytes, limits)?,
        other => return Err(WireError::new(WireFault::BadValue, "", format_args!("{other} is not read here"))),
    };
    let level = check::examine(&packet)?;
    Ok((packet, level))
}

/// The message of this type that `bytes` are in binary form.
pub(crate) fn binary<M: Message + Default>(bytes: &[u8]) -> Result<M, WireError> {
    M::decode(bytes).map_err(|error: DecodeError| {
        let message = error.to_string();
        let bare = message.strip_prefix("failed to decode Protobuf message: ").unwrap_or(&message);
        WireError::new(WireFault::Malformed, "", format_args!("not a packet in protobuf: {bare}"))
    })
}

fn json(bytes: &[u8], limits: &Limits) -> Result<TelemetryPacket, WireError> {
    let text = str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let message = format_args!("the byte 0x{:02x} is not UTF-8", bytes[error.valid_up_to()]);
        WireError::new(WireFault::Malformed, "", message).at(column(before) + 1)
    })?;
    // What is kept as one line must be one.
    if let Some(at) = memchr::memchr(b'\n', bytes) {
        return Err(WireError::new(WireFault::Malformed, "", "more than one line").at(column(&bytes[..at]) + 1));
    }
    shape::examine(text, limits.depth)?;
    let mut parser = serde_json::Deserializer::from_str(text);
    // That nothing follows was seen before.
    serde_path_to_error::deserialize(&mut parser).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        of_json(error.inner(), WireFault::BadValue, path, text)
    })
}
