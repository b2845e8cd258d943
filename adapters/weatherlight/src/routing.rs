//! How the router of this program is set up: an outlet to the journal for each stream, and one for dead letters.

use std::time::{Duration, SystemTime};

use countermand::config::{TelemetrySettings, WeatherlightSettings};
use countermand::{Backoff, BreakerConfig, Event, Label, OutletConfig, Room, Router, RouterConfig, Source, Stream};

use crate::body::Body;
use crate::scribe;

/// The outlet for all that is not CRITICAL.
pub(crate) const NORMAL: &str = "journal.normal";
/// The outlet for what is CRITICAL.
pub(crate) const EMERGENCY: &str = "journal.emergency";
/// The outlet for what is no packet, and for what the journal will never take.
pub(crate) const DEAD_LETTERS: &str = "journal.dead_letters";

/// The router. Its outlets are had by their names.
///
/// A packet that the journal does not take now is tried again until it is out of date: that the disk is full is not the packet's fault, and no
/// reason to make it a dead letter.
///
/// # Errors
///
/// What cannot be, in words.
pub(crate) fn router(own: &WeatherlightSettings, telemetry: &TelemetrySettings) -> Result<Router<Body>, String> {
    let bytes = u64::from(own.room_mebibytes) << 20;
    let mut config = RouterConfig::from(telemetry);
    config.source = Source::of("weatherlight.router");
    config.rooms =
        [own.room_low, own.room_normal, own.room_high, own.room_critical].map(|packets| Room::new(packets, bytes));
    let outlets = [
        OutletConfig::new(NORMAL, Stream::Normal),
        OutletConfig::new(EMERGENCY, Stream::Emergency),
        OutletConfig::dead_letters(DEAD_LETTERS),
    ];
    let outlets = outlets.map(|outlet| {
        let mut outlet = outlet.keeps();
        outlet.batch = own.commit_packets as usize;
        outlet.attempts = u32::MAX;
        // The journal says quickly what it cannot do, and that the disk has room again shows only when it is tried.
        outlet.breaker = BreakerConfig::new(5, Duration::from_secs(1));
        outlet.backoff = Backoff::new(Duration::from_millis(10), Duration::from_secs(1));
        outlet
    });
    let scribe = |event: &Event, label: &Label, age| scribe::packet(event, label, SystemTime::now() - age);
    let router = Router::new(config, outlets.into(), scribe).map_err(|error| error.to_string())?;
    Ok(router.0)
}
