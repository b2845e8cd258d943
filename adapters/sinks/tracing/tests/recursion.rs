//! Packets about delivering packets do not feed themselves: the whole way round, with a subscriber for the whole process.
//!
//! One test in a program of its own: `tracing` itself stops recursion where the subscriber is that of a scope, but not where it is global.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use countermand_core::{
    Event, Instant, Label, OutletConfig, OutletTurn, Payload, Router, RouterConfig, Sink as _, Stream,
};
use countermand_tracing::{TARGET, TelemetryLayer, TracingSink, quiet};
use countermand_wire::proto::{TelemetryEvent, TelemetryPacket};
use tracing::{Subscriber, info, warn};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// Counts what is shown, and tells of it: a layer that feeds.
struct Talkative(Arc<AtomicU64>);

impl<S: Subscriber> Layer<S> for Talkative {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == TARGET {
            self.0.fetch_add(1, Ordering::Relaxed);
            info!("a packet was shown");
        }
    }
}

fn scribe(event: &Event, label: &Label, _: std::time::Duration) -> Payload {
    let packet = TelemetryPacket {
        packet_id: label.id.to_string(),
        source_subsystem: label.source.to_string(),
        level: i32::from(event.level().number()),
        events: vec![TelemetryEvent { description: event.name().into(), ..TelemetryEvent::default() }],
        ..TelemetryPacket::default()
    };
    countermand_wire::pack(packet).expect("a packet").payload
}

#[test]
fn a_packet_goes_round_once() {
    let outlets = vec![OutletConfig::new("ordinary", Stream::Normal), OutletConfig::new("alarms", Stream::Emergency)];
    let (router, mut outlets) = Router::new(RouterConfig::default(), outlets, scribe).expect("a router");

    let to = Arc::new(OnceLock::new());
    let layer = {
        let to: Arc<OnceLock<Router<Payload>>> = to.clone();
        TelemetryLayer::new("mill".parse().expect("an id"), move |label: Label, payload: Payload| {
            warn!("a router that talks while it takes");
            let _span = tracing::error_span!("taking").entered();
            to.get().is_some_and(|router| router.post(Instant::ORIGIN, label, payload).is_ok())
        })
    };
    let (tally, shown) = (layer.tally(), Arc::new(AtomicU64::new(0)));
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer).with(Talkative(shown.clone())))
        .expect("nobody else is");
    assert!(to.set(router.clone()).is_ok());

    warn!("one");
    let accepted = || router.ledger().accepted.iter().sum::<u64>();
    assert_eq!((accepted(), tally.figures().taken), (1, 1));
    // What it talked of itself: the event; the span made nothing to close.
    assert_eq!(tally.figures().quiet, 1);

    let OutletTurn::Deliver(batch) = outlets[0].turn(Instant::ORIGIN, None) else { panic!("there is a packet") };
    assert_eq!(batch.len(), 1);
    let batch = TracingSink::new().deliver(batch).into_inner();
    outlets[0].conclude(Instant::ORIGIN, Some(batch));
    assert_eq!((shown.load(Ordering::Relaxed), accepted()), (1, 1), "shown, and that made no packet");
    assert_eq!(router.ledger().delivered.iter().sum::<u64>(), 1);
    // What the other layer told of it.
    assert_eq!(tally.figures().quiet, 2);

    quiet(|| info!("by whoever delivers"));
    assert_eq!((accepted(), tally.figures().quiet), (1, 3));
    info!("two");
    assert_eq!(accepted(), 2);
}
