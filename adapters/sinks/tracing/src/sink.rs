//! Packets shown as events of `tracing`.

use std::fmt;
use std::future::{Ready, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};

use countermand_core::{Batch, Delivery, Level, Payload, Refusal, Sink, Text};
use countermand_wire::proto::TelemetryPacket;
use countermand_wire::{Limits, decode};

use crate::quiet::quiet;

/// The target of the events in which packets are shown.
pub const TARGET: &str = "countermand::telemetry";

/// Shows packets as events of `tracing`, one each, of the target [`TARGET`].
///
/// INFO is shown at INFO, WARNING at WARN, ERROR and CRITICAL at ERROR. The message is what the packet is about; the fields say the rest:
///
/// | field | |
/// | --- | --- |
/// | `priority`, `level` | as the router knows them: an alarm is an ERROR with `priority=CRITICAL` |
/// | `source`, `packet_id` | who sent it, and its sender's name for it |
/// | `packet` | the id that stays the same however often it is delivered |
/// | `attributes` | of its first event, cut where it gets long |
/// | `events`, `metrics`, `spans` | how many there are |
/// | `health`, `summary` | if it tells of its sender's health |
/// | `attempts`, `repeats`, `dead` | if it was tried before; how many are told together; why it is a dead letter |
/// | `unreadable` | why its bytes cannot be read; the label has told the rest |
///
/// It is done when the subscriber is, and blocks as little as that does: one that writes to a slow terminal needs a writer of its own
/// thread. A packet that was shown is acknowledged. If the subscriber panics, that packet and those behind it are refused for now.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct TracingSink {}

impl TracingSink {
    /// A sink that shows packets to the subscriber that is current where it is polled.
    #[must_use]
    pub const fn new() -> Self {
        Self {}
    }
}

impl Sink<Payload> for TracingSink {
    type Delivery = Ready<Batch<Payload>>;

    /// Shows a batch.
    ///
    /// # Cancellation
    ///
    /// The packets have been shown when it returns; if the future is dropped, they come again and are shown twice.
    fn deliver(&mut self, mut batch: Batch<Payload>) -> Ready<Batch<Payload>> {
        for index in 0..batch.len() {
            let delivery = &batch.deliveries()[index];
            if catch_unwind(AssertUnwindSafe(|| quiet(|| show(delivery)))).is_err() {
                batch.refuse_rest(&Refusal::later("the subscriber of tracing panicked"));
                break;
            }
            batch.acknowledge(index);
        }
        ready(batch)
    }
}

/// What `tracing` needs to know at the place of each call.
macro_rules! at {
    ($level:ident, $shown:expr) => {{
        let Shown { delivery, packet, unreadable } = $shown;
        let label = &delivery.parcel.label;
        let first = packet.as_ref().and_then(|packet| packet.events.first());
        let health = packet.as_ref().and_then(|packet| packet.system_health.as_ref());
        tracing::event!(
            target: TARGET,
            tracing::Level::$level,
            source = %Plain(&label.source),
            priority = %label.priority,
            level = %label.level,
            packet_id = packet.as_ref().map(|packet| tracing::field::display(Plain(&packet.packet_id))),
            packet = %label.id,
            attributes = first.map(|event| tracing::field::display(Text::<1024>::of(Pairs(&event.attributes)))),
            events = packet.as_ref().map(|packet| packet.events.len()),
            metrics = packet.as_ref().map(|packet| packet.metrics.len()),
            spans = packet.as_ref().map(|packet| packet.spans.len()),
            health = health.map(|health| health.status().as_str_name().trim_start_matches("HEALTH_STATUS_")),
            summary = health.map(|health| tracing::field::display(Plain(&health.summary))),
            attempts = (delivery.attempts > 0).then_some(delivery.attempts),
            repeats = delivery.repeats.map(|repeats| repeats.count),
            dead = delivery.dead.as_ref().map(tracing::field::display),
            unreadable,
            "{}",
            Plain(first.map_or(&*label.subject, |event| &event.description)),
        );
    }};
}

/// A delivery, and what can be read of it.
struct Shown<'d> {
    delivery: &'d Delivery<Payload>,
    packet: Option<TelemetryPacket>,
    unreadable: Option<String>,
}

fn show(delivery: &Delivery<Payload>) {
    let body = &delivery.parcel.body;
    // Whoever took it in has looked at its size.
    let packet = decode(body.format(), body.bytes(), &Limits::default().bytes(usize::MAX));
    let (packet, unreadable) = match packet {
        Ok(packet) => (Some(packet), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let shown = Shown { delivery, packet, unreadable };
    match delivery.parcel.label.level {
        Level::Info => at!(INFO, shown),
        Level::Warning => at!(WARN, shown),
        Level::Error | Level::Critical => at!(ERROR, shown),
    }
}

/// A text of a sender's with a sign in the place of each control character: a terminal would obey it.
struct Plain<'t>(&'t str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        self.0.chars().try_for_each(|c| f.write_char(if c.is_control() { '\u{fffd}' } else { c }))
    }
}

/// Attributes as `key=value key=value`.
struct Pairs<'t>(&'t std::collections::BTreeMap<String, String>);

impl fmt::Display for Pairs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (key, value)) in self.0.iter().enumerate() {
            write!(f, "{}{}={}", if place == 0 { "" } else { " " }, Plain(key), Plain(value))?;
        }
        Ok(())
    }
}
