//! A packet is read.

use countermand::wire::{Limits, read};
use countermand::{Format, Priority};

use crate::Tried;

pub(crate) fn tried() -> Tried {
    let line = br#"{"packet_id":"p-1","source_subsystem":"pump","level":"TELEMETRY_LEVEL_ERROR"}"#;
    let incoming = read(Format::Json, line, &Limits::default())?;
    assert_eq!((incoming.label.priority, incoming.payload.bytes()), (Priority::High, &line[..]));
    Ok(())
}
