//! Group E, what of it is about the journal.

mod damage;
mod durable;
mod full;
mod letters;

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use countermand_core::{Format, Label, Level, PacketId, Payload, Priority, Source, Stream, Subject};
use countermand_journal::{Entry, Journal, JournalConfig, Recovery, SimulatedDisk};

use crate::rule::rules;
use crate::{Flaw, ensure, ensure_eq};

use damage::e12_a_torn_tail_is_cut_and_valid_records_are_kept;
use durable::e6_acknowledged_means_durable;
use full::e13_a_full_disk_has_a_reserve_for_what_is_critical;
use letters::e14_dead_letters_survive_until_somebody_takes_them;

rules! {
    "E6" e6_acknowledged_means_durable, needs alloc threads;
    "E12" e12_a_torn_tail_is_cut_and_valid_records_are_kept => once;
    "E13" e13_a_full_disk_has_a_reserve_for_what_is_critical => once;
    "E14" e14_dead_letters_survive_until_somebody_takes_them => once;
}

/// What was seen instead.
fn broken(seen: impl Display) -> Flaw {
    Flaw::Broken(seen.to_string())
}

/// A small journal that keeps everything and waits for nobody.
fn small() -> JournalConfig {
    let mut config = JournalConfig::default();
    config.max_age = Duration::ZERO;
    config.retention_age = None;
    config.retention_bytes = None;
    config.time_to_live = None;
    config.reserve = 0;
    config.remember = 1_000;
    config.cache = 1 << 20;
    config.retry = Duration::from_millis(1);
    config.retry_most = Duration::from_millis(1);
    config
}

fn open(disk: &SimulatedDisk, config: JournalConfig) -> Result<(Journal, Recovery), Flaw> {
    Journal::open_on(Arc::new(disk.clone()), config)
        .map_err(|error| broken(format_args!("a journal was not opened: {error}")))
}

/// The label of packet `number`; all of it follows from the number and the priority.
fn label(number: u64, priority: Priority) -> Label {
    let level = if priority == Priority::Critical { Level::Critical } else { Level::Info };
    let source = Source::of(format_args!("source {}", number % 3));
    let label = Label::new(PacketId::new(number.into()), source, level).priority(priority);
    label.subject(Subject::of("furnace")).weight(16)
}

/// The packet itself: its number stands in it in a way that is nowhere else in a file.
fn payload(number: u64, bytes: usize) -> Payload {
    let mut text = mark(number);
    text.extend(std::iter::repeat_n(b'.', bytes.saturating_sub(text.len())));
    Payload::new(Format::Json, text)
}

fn mark(number: u64) -> Vec<u8> {
    format!("{{\"packet\":\"<{number:08}>\"}}").into_bytes()
}

/// Everything in a journal, each packet as it was given, in order, and none twice.
fn kept(journal: &Journal) -> Result<Vec<u64>, Flaw> {
    let mut numbers = Vec::new();
    for stream in Stream::ALL {
        let entries = journal.tail(stream, None, usize::MAX).map_err(broken)?;
        let mut last = None;
        for entry in &entries {
            numbers.push(whole(entry)?);
            let place = entry.sequence.number();
            ensure!(last.is_none_or(|last| last < place), "record {place} comes after {last:?}");
            ensure_eq!(Stream::of(entry.label.priority), stream, "the stream of a {} record", entry.label.priority);
            last = Some(place);
        }
    }
    numbers.sort_unstable();
    let all = numbers.len();
    numbers.dedup();
    ensure_eq!(all, numbers.len(), "records, and packets among them");
    let ledger = journal.ledger();
    ensure!(ledger.balances(), "the ledger of the journal does not balance: {ledger:?}");
    let wrong = journal.audit().map_err(broken)?;
    ensure!(wrong.is_empty(), "the ledger of the journal is wrong: {wrong:?}");
    Ok(numbers)
}

/// The number of a packet, which came out as it went in.
fn whole(entry: &Entry) -> Result<u64, Flaw> {
    let number = entry.label.id.number() as u64;
    let bytes = entry.payload.bytes();
    ensure_eq!(entry.payload, payload(number, bytes.len()), "packet {number} as the journal has it");
    // The journal weighs what it keeps.
    let expected = label(number, entry.label.priority).weight(bytes.len());
    ensure_eq!(entry.label, expected, "the label of packet {number} as the journal has it");
    Ok(number)
}
