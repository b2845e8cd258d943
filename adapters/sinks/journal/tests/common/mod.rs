//! Packets for tests.
#![allow(dead_code, reason = "each test needs some of it")]

use std::sync::Arc;
use std::time::Duration;

use countermand_core::{
    Answer, Batch, Delivery, Format, Instant, Label, Level, PacketId, Parcel, Payload, Priority, Refusal, Sink, Text,
};
use countermand_journal::{Entry, Journal, JournalConfig, SimulatedDisk};
pub(crate) use futures_lite::future::block_on;

/// A small journal that keeps everything and waits for nobody.
pub(crate) fn config() -> JournalConfig {
    let mut config = JournalConfig::default();
    config.max_age = Duration::ZERO;
    config.retention_age = None;
    config.retention_bytes = None;
    config.time_to_live = None;
    config.reserve = 0;
    config.remember = 1000;
    config.cache = 1 << 20;
    config
}

pub(crate) fn open(disk: &SimulatedDisk, config: JournalConfig) -> Journal {
    let (journal, recovery) = Journal::open_on(Arc::new(disk.clone()), config).unwrap();
    assert!(recovery.is_clean(), "{recovery}");
    journal
}

pub(crate) fn label(number: u64, priority: Priority) -> Label {
    let level = if priority == Priority::Critical { Level::Critical } else { Level::Info };
    Label::new(PacketId::new(u128::from(number)), Text::of(format_args!("source-{}", number % 3)), level)
        .priority(priority)
        .subject(Text::of("furnace"))
        .weight(body(number).bytes().len())
}

pub(crate) fn body(number: u64) -> Payload {
    Payload::new(Format::Json, format!("{{\"packet\":{number}}}").into_bytes())
}

pub(crate) fn append(journal: &Journal, number: u64, priority: Priority) -> Result<u64, Refusal> {
    block_on(journal.append(label(number, priority), body(number))).map(|sequence| sequence.number())
}

pub(crate) fn delivery(number: u64, priority: Priority) -> Delivery<Payload> {
    Delivery::new(Arc::new(Parcel::new(label(number, priority), Instant::ORIGIN, body(number))))
}

pub(crate) fn deliver(sink: &mut impl Sink<Payload>, deliveries: Vec<Delivery<Payload>>) -> Vec<Option<Answer>> {
    block_on(sink.deliver(Batch::new(1, deliveries))).into_answers()
}

/// Which packets these are.
pub(crate) fn numbers(entries: &[Entry]) -> Vec<u64> {
    let number = |entry: &Entry| {
        let number = entry.label.id.number() as u64;
        assert_eq!(entry.payload, body(number), "a packet comes out as it came in");
        assert_eq!(entry.label, label(number, entry.label.priority));
        number
    };
    entries.iter().map(number).collect()
}

/// The ledger balances, and is right.
pub(crate) fn check(journal: &Journal) {
    let ledger = journal.ledger();
    assert!(ledger.balances(), "{ledger:?}");
    assert_eq!(journal.audit().unwrap(), [""; 0]);
}
