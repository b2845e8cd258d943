//! What a packet must have, beyond being one of the schema.

use countermand_core::Level;
use pbjson_types::Timestamp;

use crate::error::{WireError, WireFault};
use crate::proto::{HealthStatus, TelemetryLevel, TelemetryPacket};

/// The first second of the year 1, and the last of the year 9999: what a time of the schema can be.
pub(crate) const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// The level of a valid packet.
pub(crate) fn examine(packet: &TelemetryPacket) -> Result<Level, WireError> {
    for (field, value) in [("packet_id", &packet.packet_id), ("source_subsystem", &packet.source_subsystem)] {
        if value.trim().is_empty() {
            return Err(WireError::new(WireFault::Missing, field, "absent or blank; every packet has one"));
        }
    }
    let level = level(packet.level, || String::from("level"))?
        .ok_or_else(|| WireError::new(WireFault::Missing, "level", "absent or unspecified; every packet has one"))?;
    time(packet.timestamp, || String::from("timestamp"))?;
    for (index, event) in packet.events.iter().enumerate() {
        self::level(event.level, || format!("events[{index}].level"))?;
    }
    for (index, span) in packet.spans.iter().enumerate() {
        time(span.start_time, || format!("spans[{index}].start_time"))?;
        time(span.end_time, || format!("spans[{index}].end_time"))?;
    }
    match &packet.system_health {
        Some(health) if HealthStatus::try_from(health.status).is_err() => {
            Err(unknown(String::from("system_health.status"), "a state of health", health.status))
        }
        _ => Ok(level),
    }
}

/// The level of this number; `None` if it is unspecified.
pub(crate) fn level(number: i32, field: impl FnOnce() -> String) -> Result<Option<Level>, WireError> {
    match TelemetryLevel::try_from(number) {
        Ok(TelemetryLevel::Unspecified) => Ok(None),
        Ok(TelemetryLevel::Info) => Ok(Some(Level::Info)),
        Ok(TelemetryLevel::Warning) => Ok(Some(Level::Warning)),
        Ok(TelemetryLevel::Error) => Ok(Some(Level::Error)),
        Ok(TelemetryLevel::Critical) => Ok(Some(Level::Critical)),
        Err(_) => Err(unknown(field(), "a level", number)),
    }
}

fn unknown(field: String, what: &str, number: i32) -> WireError {
    WireError::new(WireFault::BadValue, field, format_args!("{number} is not {what}; those of the schema are 0 to 4"))
}

fn time(time: Option<Timestamp>, field: impl FnOnce() -> String) -> Result<(), WireError> {
    match time {
        Some(Timestamp { seconds, nanos }) if !SECONDS.contains(&seconds) || !(0..1_000_000_000).contains(&nanos) => {
            let message = format_args!("{seconds} s and {nanos} ns since 1970 is no time in the years 1 to 9999");
            Err(WireError::new(WireFault::BadValue, field(), message))
        }
        _ => Ok(()),
    }
}
