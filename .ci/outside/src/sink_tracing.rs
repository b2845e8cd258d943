//! What `tracing` is told comes out as a packet.

use std::sync::{Arc, Mutex};

use countermand::sinks::tracing::TelemetryLayer;
use countermand::{Label, Payload, Priority, SubsystemId};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::Tried;

pub(crate) fn tried() -> Tried {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&sent);
    let outgoing = move |label: Label, _: Payload| {
        seen.lock().expect("nobody panics").push(label.priority);
        true
    };
    let layer = TelemetryLayer::new(SubsystemId::new("mill")?, outgoing);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || tracing::warn!(turns = 7, "slow"));
    assert_eq!(*sent.lock().expect("nobody panics"), [Priority::High]);
    Ok(())
}
