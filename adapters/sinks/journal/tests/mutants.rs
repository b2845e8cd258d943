//! Each planted defect is seen, and nothing is seen where there is none.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{append, block_on, config, deliver, delivery, open};
use countermand_core::Priority::{Critical, Normal};
use countermand_core::Stream;
use countermand_core::mutant::{Mutant, activate};
use countermand_journal::{Journal, SimulatedDisk};

/// E6: what was acknowledged is there after a crash that takes all that was not synced.
fn acknowledged_is_durable() -> bool {
    let disk = SimulatedDisk::new();
    let journal = open(&disk, config());
    disk.record();
    for number in 1..=5 {
        append(&journal, number, Normal).unwrap();
    }
    let mut history = disk.history();
    while history.step() {}
    (0..50).all(|seed| {
        let (journal, _) = Journal::open_on(Arc::new(history.crash(seed)), config()).unwrap();
        journal.tail(Stream::Normal, None, 10).unwrap().len() == 5
    })
}

/// E12: records behind a damaged one are kept.
fn behind_damage_is_kept() -> bool {
    let disk = SimulatedDisk::new();
    let journal = open(&disk, config());
    for number in 1..=50 {
        append(&journal, number, Normal).unwrap();
    }
    drop(journal);
    let mut bytes = disk.bytes();
    // One byte of every copy of one packet: the database cannot be opened, all other records are whole.
    let copies = memchr::memmem::find_iter(&disk.bytes(), b"{\"packet\":7}").collect::<Vec<_>>();
    copies.into_iter().for_each(|at| bytes[at] ^= 1);
    disk.set_bytes(bytes);
    let (journal, recovery) = Journal::open_on(Arc::new(disk), config()).unwrap();
    assert!(recovery.salvage.is_some());
    journal.tail(Stream::Normal, None, 100).unwrap().len() == 49
}

/// E13: on a full disk what is CRITICAL is taken.
fn critical_is_taken_when_full() -> bool {
    let disk = SimulatedDisk::new();
    disk.set_capacity(Some(300 << 10));
    let mut config = config();
    config.reserve = 16 << 10;
    config.retry = Duration::from_secs(3600);
    let journal = open(&disk, config);
    let full = (1..20_000).any(|number| append(&journal, number, Normal).is_err());
    assert!(full, "the fault did not happen: the disk is never full");
    append(&journal, 1_000_000, Critical).is_ok()
}

/// E14: a dead letter survives a restart.
fn dead_letters_stay() -> bool {
    let disk = SimulatedDisk::new();
    let journal = open(&disk, config());
    deliver(&mut journal.dead_letter_sink(), vec![delivery(1, Normal)]);
    drop(journal);
    let journal = open(&disk, config());
    block_on(async { journal.dead_letters(0, 10) }).unwrap().len() == 1
}

#[test]
fn each_planted_defect_is_seen() {
    type Check = fn() -> bool;
    let checks: [(Mutant, Check); 4] = [
        (Mutant::AcknowledgesBeforeTheSync, acknowledged_is_durable),
        (Mutant::StopsAtTheFirstBadRecord, behind_damage_is_kept),
        (Mutant::NoReserve, critical_is_taken_when_full),
        (Mutant::DeadLettersPurgedAtStart, dead_letters_stay),
    ];
    for (mutant, check) in checks {
        activate(None);
        assert!(check(), "without a defect the check of {} passes", mutant.rule());
        activate(Some(mutant));
        assert!(!check(), "the check of {} sees that {}", mutant.rule(), mutant.defect());
        activate(None);
    }
}
