//! Journals to be damaged.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use countermand_core::{DeadReason, Format, Label, Level, PacketId, Payload, Priority, Stream, Text};
use countermand_journal::{Journal, JournalConfig, SimulatedDisk, WallTime};
use futures_lite::future::block_on;
use memchr::memmem;

/// The packets behind this one are CRITICAL; those before are of all priorities.
const ORDINARY: u64 = 40;

/// How every packet begins, before its number.
const BEGINNING: &[u8] = b"{\"packet\":";

/// A small journal that keeps everything and waits for nobody.
pub(crate) fn config() -> JournalConfig {
    let mut config = JournalConfig::default();
    config.max_age = Duration::ZERO;
    config.retention_age = None;
    config.retention_bytes = None;
    config.time_to_live = None;
    config.tidy_every = Duration::from_secs(3600);
    config.reserve = 2048;
    config.cache = 128 << 10;
    config.clock = || WallTime::from_nanos(1_800_000_000_000_000_000);
    config
}

/// The packet of this number.
pub(crate) fn packet(number: u64) -> (Label, Payload) {
    let priority = if number > ORDINARY { Priority::Critical } else { Priority::ALL[number as usize % 4] };
    let body = format!("{{\"packet\":{number}}}").into_bytes();
    let label = Label::new(PacketId::new(number.into()), Text::of("source"), Level::Info).priority(priority);
    (label.weight(body.len()), Payload::new(Format::Json, body))
}

/// A journal as it lies on a disk, and where its packets do.
pub(crate) struct Base {
    pub(crate) database: Vec<u8>,
    pub(crate) reserve: Vec<u8>,
    pub(crate) in_database: Vec<(u64, Range<usize>)>,
    pub(crate) in_reserve: Vec<(u64, Range<usize>)>,
}

impl Base {
    fn of(disk: &SimulatedDisk) -> Self {
        let (database, reserve) = (disk.bytes(), disk.reserve_bytes());
        let (in_database, in_reserve) = (places(&database), places(&reserve));
        Self { database, reserve, in_database, in_reserve }
    }
}

/// Where the frames of packets are, generously.
fn places(bytes: &[u8]) -> Vec<(u64, Range<usize>)> {
    // What is in a frame before its packet is not as long.
    const BEFORE: usize = 120;
    let places = memmem::find_iter(bytes, BEGINNING).filter_map(|at| {
        let from = at + BEGINNING.len();
        let digits = bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let number = std::str::from_utf8(&bytes[from..from + digits]).ok()?.parse().ok()?;
        Some((number, at.saturating_sub(BEFORE)..from + digits + 1))
    });
    places.collect()
}

fn append(journal: &Journal, number: u64) {
    let (label, payload) = packet(number);
    block_on(journal.append(label, payload)).expect("there is room, in the reserve if nowhere else");
}

/// Journals that were killed, some of them in the midst of a commit, one that is full, and one that was closed as it should be; how many packets
/// the last of them have.
pub(crate) fn all() -> (Vec<Base>, u64) {
    let disk = SimulatedDisk::new();
    disk.set_capacity(Some(1 << 30));
    let (journal, _) = Journal::open_on(Arc::new(disk.clone()), config()).expect("a new journal");
    let reader = block_on(journal.consumer("reader")).expect("a reader");
    (1..=ORDINARY - 4).for_each(|number| append(&journal, number));
    let entries = reader.next(Stream::Normal, 9, WallTime::from_nanos(0)).expect("it can be read");
    let read = entries.iter().map(|entry| entry.sequence).collect::<Vec<_>>();
    block_on(reader.acknowledge(&read[1..])).expect("there is room");

    disk.record();
    block_on(reader.dead_letter(read[0], DeadReason::new("reader", "unwanted"))).expect("there is room");
    (ORDINARY - 3..=ORDINARY).for_each(|number| append(&journal, number));
    let mut history = disk.history();
    let mut bases = Vec::new();
    while history.step() {
        if history.at() % 3 == 0 {
            bases.push(Base::of(&history.crash(history.at() as u64)));
        }
    }
    bases.push(Base::of(&disk));

    disk.set_capacity(Some(disk.used()));
    let mut last = ORDINARY;
    while journal.ledger().reserved < 5 {
        last += 1;
        append(&journal, last);
    }
    bases.push(Base::of(&disk));
    drop((reader, journal));
    bases.push(Base::of(&disk));

    disk.set_capacity(None);
    drop(Journal::open_on(Arc::new(disk.clone()), config()).expect("a journal"));
    bases.push(Base::of(&disk));
    (bases, last)
}
