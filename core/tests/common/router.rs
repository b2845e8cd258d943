//! A router served by hand: what its tests set up alike.

use core::time::Duration;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countermand_core::*;

pub(crate) fn at(millis: u64) -> Instant {
    Instant::from_nanos(millis * 1_000_000)
}

pub(crate) fn label(id: u128, source: &str, level: Level) -> Label {
    Label::new(PacketId::new(id), Source::of(source), level).weight(1)
}

/// Rooms for so many packets of each priority.
pub(crate) fn rooms(packets: u32) -> RouterConfig {
    let mut config = RouterConfig::default();
    config.rooms = [Room::new(packets, 1_000); 4];
    config.report_every = Duration::from_secs(1);
    config
}

pub(crate) fn streams() -> Vec<OutletConfig> {
    vec![OutletConfig::new("normal", Stream::Normal), OutletConfig::new("emergency", Stream::Emergency)]
}

pub(crate) type Made = (Router<String>, Vec<Outlet<String>>);

pub(crate) fn router(config: RouterConfig, outlets: Vec<OutletConfig>) -> Made {
    Router::new(config, outlets, |event: &Event, _: &Label, _| event.to_string()).expect("a router")
}

pub(crate) fn offer(router: &Router<String>, now: Instant, label: Label) -> Receipt {
    router.offer(now, label, label.id.number().to_string()).expect("taken in")
}

pub(crate) fn batch(outlet: &mut Outlet<String>, now: Instant) -> Batch<String> {
    match outlet.turn(now, None) {
        OutletTurn::Deliver(batch) => batch,
        other => panic!("no batch but {other:?}"),
    }
}

pub(crate) fn ids(batch: &Batch<String>) -> Vec<u128> {
    batch.deliveries().iter().map(|delivery| delivery.parcel.label.id.number()).collect()
}

pub(crate) fn deliver(outlet: &mut Outlet<String>, now: Instant) -> Vec<String> {
    let mut batch = batch(outlet, now);
    let bodies = batch.deliveries().iter().map(|delivery| delivery.parcel.body.clone()).collect();
    batch.acknowledge_rest();
    outlet.conclude(now, Some(batch));
    bodies
}

pub(crate) fn waits(outlet: &mut Outlet<String>, now: Instant) -> Option<Instant> {
    match outlet.turn(now, None) {
        OutletTurn::Wait(until) => until,
        other => panic!("no wait but {other:?}"),
    }
}

/// The next batch, and when there is one: the clock is put forward to whatever the outlet waits for.
pub(crate) fn next_batch(outlet: &mut Outlet<String>, mut now: Instant) -> (Instant, Batch<String>) {
    loop {
        match outlet.turn(now, None) {
            OutletTurn::Deliver(batch) => return (now, batch),
            OutletTurn::Wait(Some(until)) => {
                assert!(until > now, "it waits for what was");
                now = until;
            }
            other => panic!("no batch but {other:?}"),
        }
    }
}

/// A scribe that counts what it has written.
pub(crate) fn counting() -> (Arc<AtomicU64>, impl Fn(&Event, &Label, Duration) -> String + Send + Sync + 'static) {
    let written = Arc::new(AtomicU64::new(0));
    let count = written.clone();
    (written, move |event: &Event, _: &Label, _: Duration| {
        count.fetch_add(1, Ordering::SeqCst);
        event.to_string()
    })
}
