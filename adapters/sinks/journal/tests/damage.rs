//! Damage to the file: every record that is whole is kept, behind damage too (E12).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

mod common;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use common::{append, block_on, check, config, deliver, delivery, numbers, open};
use countermand_core::Priority::{Critical, High, Low, Normal};
use countermand_core::{DeadReason, Stream};
use countermand_journal::{Journal, SimulatedDisk, WallTime};

const PACKETS: u64 = 300;

/// The bytes of a journal with some hundred records, of all priorities; the first third of them was read.
fn whole() -> Vec<u8> {
    let disk = SimulatedDisk::new();
    let journal = open(&disk, config());
    let consumer = block_on(journal.consumer("reader")).unwrap();
    for first in (1..=PACKETS).step_by(20) {
        let batch =
            (first..first + 20).map(|number| delivery(number, [Low, Normal, High, Critical][number as usize % 4]));
        deliver(&mut journal.sink("journal"), batch.collect());
    }
    for stream in Stream::ALL {
        let entries = consumer.next(stream, 1000, WallTime::now()).unwrap();
        let read = entries.iter().filter(|entry| entry.sequence.number() <= PACKETS / 3);
        block_on(consumer.acknowledge(&read.map(|entry| entry.sequence).collect::<Vec<_>>())).unwrap();
    }
    let last = consumer.next(Stream::Emergency, 1000, WallTime::now()).unwrap();
    block_on(consumer.dead_letter(last[0].sequence, DeadReason::new("reader", "unwanted"))).unwrap();
    drop((consumer, journal));
    disk.bytes()
}

/// The packets of which a copy lies outside of this range.
fn undamaged(bytes: &[u8], damaged: &Range<usize>) -> BTreeSet<u64> {
    // What is in a record before its packet, and the packet itself.
    const BEFORE: usize = 120;
    let found = memchr::memmem::find_iter(bytes, b"{\"packet\":").filter_map(|at| {
        let end = at + bytes[at..].iter().position(|byte| *byte == b'}')? + 1;
        let number = std::str::from_utf8(&bytes[at + 10..end - 1]).ok()?.parse().ok()?;
        (end <= damaged.start || at - BEFORE >= damaged.end).then_some(number)
    });
    found.collect()
}

fn everything(journal: &Journal) -> BTreeSet<u64> {
    let found = Stream::ALL.into_iter().flat_map(|stream| numbers(&journal.tail(stream, None, 10_000).unwrap()));
    let letters = journal.dead_letters(0, 10).unwrap().into_iter().map(|letter| letter.entry.label.id.number() as u64);
    found.chain(letters).collect()
}

/// Opens the journal of these bytes, in which this range was damaged, and looks that everything else is there. Whether the damage was seen.
fn recover(before: &[u8], bytes: Vec<u8>, damaged: &Range<usize>) -> bool {
    let disk = SimulatedDisk::new();
    disk.set_bytes(bytes);
    let (journal, recovery) = Journal::open_on(Arc::new(disk.clone()), config()).unwrap();
    let seen = recovery.salvage.is_some();
    let there = everything(&journal);
    let missing = undamaged(before, damaged).difference(&there).copied().collect::<Vec<_>>();
    assert!(missing.is_empty(), "{damaged:?}: {missing:?} are missing; {recovery}");
    check(&journal);
    // It is a journal like any other now.
    append(&journal, 10_000, Critical).unwrap();
    let consumer = block_on(journal.consumer("reader")).unwrap();
    assert!(numbers(&consumer.next(Stream::Emergency, 1000, WallTime::now()).unwrap()).contains(&10_000));
    drop((consumer, journal));
    let (journal, recovery) = Journal::open_on(Arc::new(disk), config()).unwrap();
    assert!(recovery.is_clean(), "{recovery}");
    assert_eq!(everything(&journal).len(), there.len() + 1);
    check(&journal);
    seen
}

#[test]
fn e12_every_record_outside_of_the_damage_is_kept() {
    let before = whole();
    let mut random = fastrand::Rng::with_seed(7);
    let mut seen = 0;
    for round in 0..400 {
        let start = random.usize(..before.len());
        let length = 1 << random.usize(..14);
        let range = start..(start + length).min(before.len());
        let mut bytes = before.clone();
        match round % 3 {
            0 => bytes[range.clone()].fill(0),
            1 => bytes[range.clone()].iter_mut().for_each(|byte| *byte = random.u8(..)),
            _ => bytes[range.clone()].iter_mut().for_each(|byte| *byte ^= 1 << random.u8(..8)),
        }
        seen += u32::from(recover(&before, bytes, &range));
    }
    assert!(seen > 0, "the fault did not happen: no damage was seen");
}

#[test]
fn null_control_without_damage_none_is_seen_and_damage_elsewhere_is_no_excuse() {
    let before = whole();
    assert!(!recover(&before, before.clone(), &(0..0)), "damage that nobody did");
    let mut bytes = before.clone();
    let damaged = bytes.len() / 4..bytes.len() / 2;
    bytes[damaged].fill(0x55);
    let missed = std::panic::catch_unwind(|| recover(&before, bytes, &(0..0)));
    let said = *missed.expect_err("a quarter of the file is lost, and nothing is missed").downcast::<String>().unwrap();
    assert!(said.contains("are missing"), "{said}");
}

#[test]
fn e12_a_torn_tail_is_cut_at_the_last_valid_record() {
    let before = whole();
    let mut seen = 0;
    for length in (0..before.len()).step_by(1537) {
        seen += u32::from(recover(&before, before[..length].to_vec(), &(length..before.len())));
    }
    assert!(seen > 0, "the fault did not happen: no torn tail was seen");
}

#[test]
fn e12_behind_damage_the_reader_goes_on_where_it_was() {
    let before = whole();
    let disk = SimulatedDisk::new();
    let mut bytes = before.clone();
    // Everything by which the database finds its way.
    bytes[..4096].fill(0xAA);
    disk.set_bytes(bytes);
    let (journal, recovery) = Journal::open_on(Arc::new(disk), config()).unwrap();
    let salvage = recovery.salvage.as_ref().unwrap();
    assert_eq!((salvage.records, salvage.dead_letters, salvage.consumers), (PACKETS, 1, true), "{recovery}");
    assert!(recovery.to_string().contains("300 records and 1 dead letters"), "{recovery}");
    let consumer = block_on(journal.consumer("reader")).unwrap();
    let next = numbers(&consumer.next(Stream::Normal, 1000, WallTime::now()).unwrap());
    assert!(next.iter().all(|number| *number > PACKETS / 3) && next.len() == 150);
    assert_eq!(journal.dead_letters(0, 10).unwrap()[0].reason.reason, "unwanted");
    check(&journal);
}

#[test]
fn e12_in_files_the_damaged_one_is_kept_aside() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.journal");
    let mut bytes = whole();
    let end = bytes.len();
    std::fs::write(&path, &bytes).unwrap();
    assert!(Journal::verify(&path).unwrap().is_whole(), "null control: it is whole before it is damaged");
    bytes[4096..8192].fill(0x55);
    bytes[end / 2..end / 2 + 5000].fill(0x55);
    std::fs::write(&path, &bytes).unwrap();
    let verification = Journal::verify(&path).unwrap();
    assert!(!verification.is_whole() && verification.to_string().starts_with("damaged: "), "{verification}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "looking changes nothing");

    let (journal, recovery) = Journal::open(&path, config()).unwrap();
    let aside = directory.path().join("a.journal.damaged1");
    assert_eq!(recovery.salvage.unwrap().damaged, aside.display().to_string());
    // The database may have begun a repair of it; what is in it is there.
    assert_eq!(std::fs::read(&aside).unwrap().len(), bytes.len());
    check(&journal);
    drop(journal);
    assert!(Journal::verify(&path).unwrap().is_whole());
    let (_, recovery) = Journal::open(&path, config()).unwrap();
    assert!(recovery.is_clean(), "{recovery}");
}

#[test]
fn a_journal_that_was_never_finished_is_made_anew() {
    for bytes in [vec![0; 73_728], b"redb\x1A\x0A\xA9\x0D\x0A".to_vec(), vec![]] {
        let disk = SimulatedDisk::new();
        disk.set_bytes(bytes);
        let (journal, _) = Journal::open_on(Arc::new(disk), config()).unwrap();
        append(&journal, 1, Low).unwrap();
        check(&journal);
    }
}
