//! Any bytes as a journal, and any damage to a journal: it is opened or refused, and every record outside of the damage is kept (E12).
//!
//! In `adapters/sinks/journal`: `cargo +nightly fuzz run -s none recovery -- -runs=1000000 -max_len=512 -timeout=10`; with `-s none` it is several
//! times as fast, and there is no unsafe code here for a sanitizer to look at.
#![no_main]

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use countermand_core::{Format, Label, Level, PacketId, Payload, Priority, Stream, Text};
use countermand_journal::{Journal, JournalConfig, SimulatedDisk, WallTime};
use futures_lite::future::block_on;
use libfuzzer_sys::fuzz_target;

fn config() -> JournalConfig {
    let mut config = JournalConfig::default();
    config.max_age = Duration::ZERO;
    config.retention_age = None;
    config.time_to_live = None;
    config.reserve = 0;
    config.cache = 128 << 10;
    config
}

/// A small journal with records of all priorities and a reader, closed as it should be, and where its packets lie.
static WHOLE: LazyLock<(Vec<u8>, Vec<(u64, Range<usize>)>)> = LazyLock::new(|| {
    // The database may panic about what it finds, which is contained; only what this program finds wrong ends it.
    std::panic::set_hook(Box::new(|info| {
        if info.location().is_some_and(|location| location.file().ends_with("recovery.rs")) {
            eprintln!("{info}");
        }
    }));
    let disk = SimulatedDisk::new();
    let (journal, _) = Journal::open_on(Arc::new(disk.clone()), config()).expect("a new journal");
    let reader = block_on(journal.consumer("reader")).expect("a reader");
    for number in 1..=40_u64 {
        let label = Label::new(PacketId::new(number.into()), Text::of("source"), Level::Info);
        let label = label.priority(Priority::ALL[number as usize % 4]);
        let body = format!("{{\"packet\":{number}}}").into_bytes();
        block_on(journal.append(label, Payload::new(Format::Json, body))).expect("there is room");
    }
    let entries = reader.next(Stream::Normal, 9, WallTime::from_nanos(0)).expect("it can be read");
    let read = entries.iter().map(|entry| entry.sequence).collect::<Vec<_>>();
    block_on(reader.acknowledge(&read)).expect("there is room");
    drop((reader, journal));
    let bytes = disk.bytes();
    let places = memchr::memmem::find_iter(&bytes, b"{\"packet\":").filter_map(|at| {
        let end = at + bytes[at..].iter().position(|byte| *byte == b'}')? + 1;
        let number = std::str::from_utf8(&bytes[at + 10..end - 1]).ok()?.parse().ok()?;
        // What is in a record before its packet is not as long.
        Some((number, at - 120..end))
    });
    let places = places.collect();
    (bytes, places)
});

/// Damages the journal as the input says; which packets are still whole somewhere.
fn damaged(mut input: &[u8]) -> (Vec<u8>, BTreeSet<u64>) {
    let (mut bytes, places) = (WHOLE.0.clone(), &WHOLE.1);
    let mut ranges = Vec::new();
    while let Some((deed, rest)) = input.split_first_chunk::<6>() {
        let [kind, at @ .., length, value] = *deed;
        let at = u32::from_le_bytes([at[0], at[1], at[2], 0]) as usize % bytes.len();
        let end = (at + (usize::from(length) << (kind >> 4)) + 1).min(bytes.len());
        input = rest;
        match kind & 7 {
            0 => bytes[at..end].fill(value),
            1 => bytes[at..end].iter_mut().for_each(|byte| *byte ^= value),
            2 => {
                let there = rest.len().min(end - at);
                bytes[at..at + there].copy_from_slice(&rest[..there]);
            }
            3 => {
                let from = usize::from(value) * 1024 % bytes.len();
                let from = from.min(bytes.len() - (end - at));
                bytes.copy_within(from..from + (end - at), at);
            }
            4 if at > 0 => {
                ranges.push(at..usize::MAX);
                bytes.truncate(at);
                continue;
            }
            _ => bytes[at] = bytes[at].wrapping_add(value),
        }
        ranges.push(at..end);
    }
    let apart = |place: &Range<usize>| ranges.iter().all(|range| place.end <= range.start || range.end <= place.start);
    let whole = places.iter().filter(|(_, place)| apart(place)).map(|(number, _)| *number);
    (bytes, whole.collect())
}

fuzz_target!(|input: &[u8]| {
    LazyLock::force(&WHOLE);
    let Some((choice, rest)) = input.split_first() else { return };
    let (bytes, whole) = match choice % 8 {
        0 => (rest.to_vec(), BTreeSet::new()),
        1 => ([b"redb\x1A\x0A\xA9\x0D\x0A", rest].concat(), BTreeSet::new()),
        _ => damaged(rest),
    };
    let disk = SimulatedDisk::new();
    disk.set_bytes(bytes);
    let (journal, recovery) = match Journal::open_on(Arc::new(disk.clone()), config()) {
        Ok(opened) => opened,
        Err(error) => {
            assert!(whole.is_empty(), "{error}, and there are {} records", whole.len());
            return;
        }
    };
    let found = Stream::ALL.into_iter().flat_map(|stream| journal.tail(stream, None, 10_000).expect("it can be read"));
    let found = found.map(|entry| entry.label.id.number() as u64).collect::<BTreeSet<_>>();
    let missing = whole.difference(&found).collect::<Vec<_>>();
    assert!(missing.is_empty(), "{missing:?} are missing: {recovery}");
    assert!(journal.ledger().balances());
    let wrong = journal.audit().expect("it can be read");
    assert!(wrong.is_empty(), "{wrong:?}: {recovery}");
});
