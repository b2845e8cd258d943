//! A packet in the envelope of the recorded system's bus.

use countermand_core::{Format, Payload};
use prost::Message as _;

use crate::convert::to_protobuf;
use crate::decode::binary;
use crate::error::{WireError, WireFault};
use crate::incoming::{Incoming, read};
use crate::limits::Limits;
use crate::proto::{BusEnvelope, BusMessageType};

/// Puts a packet into an envelope. The bus knows the binary form only: JSON is converted, binary bytes stay as they are.
///
/// # Errors
///
/// [`WireError`] if JSON is not one valid packet.
pub fn seal(payload: &Payload, limits: &Limits) -> Result<BusEnvelope, WireError> {
    let bytes = match payload.format() {
        Format::Json => to_protobuf(payload.bytes(), limits)?,
        _ => payload.bytes().to_vec(),
    };
    let mut envelope = BusEnvelope { payload: bytes, ..BusEnvelope::default() };
    envelope.set_message_type(BusMessageType::Telemetry);
    Ok(envelope)
}

/// Takes the packet out of the envelope that `bytes` are, in binary form.
///
/// # Errors
///
/// [`WireError`] if they are no envelope, if there is no telemetry in it, or if that is not one valid packet. The size is limited for both.
pub fn open(bytes: &[u8], limits: &Limits) -> Result<Incoming, WireError> {
    if bytes.len() > limits.bytes {
        let message = format_args!("an envelope of {} bytes, where at most {} are read", bytes.len(), limits.bytes);
        return Err(WireError::new(WireFault::Limit, "", message));
    }
    let envelope: BusEnvelope = binary(bytes)?;
    if envelope.message_type() != BusMessageType::Telemetry {
        let message = format_args!("{} is not the number of telemetry, 4", envelope.message_type);
        return Err(WireError::new(WireFault::BadValue, "message_type", message));
    }
    read(Format::Protobuf, &envelope.payload, limits)
}

impl BusEnvelope {
    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode_to_vec()
    }
}
