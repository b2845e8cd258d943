//! A disk that is full: E4, E13.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use common::{append, block_on, check, config, deliver, delivery, numbers};
use countermand_core::Priority::{Critical, Normal};
use countermand_core::{Answer, Refusal, Stream};
use countermand_journal::{Disk, Files, Journal, JournalConfig, SimulatedDisk, WallTime};

/// Tries again fifty times a second.
fn eager() -> JournalConfig {
    let mut config = config();
    config.retry = Duration::from_millis(20);
    config.retry_most = Duration::from_millis(20);
    config.reserve = 16 << 10;
    config.remember = 100_000;
    config
}

fn open(disk: &Arc<dyn Disk>) -> (Journal, countermand_journal::Recovery) {
    Journal::open_on(disk.clone(), eager()).unwrap()
}

/// More than any disk of these tests has room for.
const MOST: u64 = 20_000;

/// The first ordinary packet that is refused, of so many.
fn first_refused(journal: &Journal) -> Result<u64, String> {
    let full = (1..=MOST).find(|number| append(journal, *number, Normal).is_err());
    full.ok_or_else(|| format!("the fault did not happen: {MOST} packets, and the disk is not full"))
}

/// Fills the disk, has CRITICAL packets go into the reserve and beyond it, restarts, makes room, and sees all of it come back.
fn fill_and_free(disk: &Arc<dyn Disk>, make_room: impl FnOnce()) {
    let (journal, recovery) = open(disk);
    assert_eq!(recovery.no_reserve, None);
    let consumer = block_on(journal.consumer("reader")).unwrap();
    let mut kept = Vec::new();
    let mut number = 0;
    let refusal = loop {
        number += 1;
        let batch = (0..20).map(|_| {
            number += 1;
            number
        });
        let batch = batch.collect::<Vec<u64>>();
        let deliveries = batch.iter().map(|number| delivery(*number, Normal)).collect();
        let answers = deliver(&mut journal.sink("journal"), deliveries);
        if let Some(Answer::Refused(refusal)) = &answers[0] {
            break refusal.clone();
        }
        assert!(answers.iter().all(|answer| *answer == Some(Answer::Acknowledged)));
        kept.extend(batch);
        assert!(number < MOST, "the fault did not happen: the disk is never full");
    };
    assert!(matches!(&refusal, Refusal::Later(text) if text.starts_with("disk full: ")), "{refusal:?}");
    assert!(journal.trouble().is_some_and(|trouble| trouble.starts_with("disk full: ")));

    // What is CRITICAL is still taken, from the same batch too; and is counted.
    let answers =
        deliver(&mut journal.sink("journal"), vec![delivery(2_000_000, Critical), delivery(2_000_001, Normal)]);
    assert_eq!(answers[0], Some(Answer::Acknowledged));
    assert!(matches!(&answers[1], Some(Answer::Refused(Refusal::Later(_)))));
    let mut critical = vec![2_000_000];
    let refusal = loop {
        let number = critical[critical.len() - 1] + 2;
        match append(&journal, number, Critical) {
            Ok(_) => critical.push(number),
            Err(refusal) => break refusal,
        }
    };
    assert!(critical.len() > 50, "{} fit into the reserve", critical.len());
    let Refusal::Later(text) = &refusal else { panic!("{refusal:?}") };
    assert!(
        text.starts_with("disk full: ") && text.contains("the reserve of 16384 bytes for CRITICAL is full too"),
        "{text}"
    );
    assert_eq!(append(&journal, critical[3], Critical).map(drop), Ok(()), "one that comes again is there");
    let ledger = journal.ledger();
    assert_eq!((ledger.reserved, ledger.total[3].accepted), (critical.len() as u64, critical.len() as u64));
    assert!(ledger.balances());
    assert_eq!(ledger.total[1].accepted, kept.len() as u64);
    drop((consumer, journal));

    // A restart finds the disk as full as before.
    let (journal, recovery) = open(disk);
    assert_eq!((recovery.in_reserve, recovery.from_reserve), (critical.len() as u64, 0), "{recovery}");
    assert_eq!(append(&journal, critical[3], Critical).map(drop), Ok(()));
    assert!(matches!(append(&journal, 3_000_000, Normal), Err(Refusal::Later(_))));

    make_room();
    // It is tried again when its time has come.
    while append(&journal, 3_000_000, Normal).is_err() {}
    assert_eq!((journal.ledger().reserved, journal.trouble()), (0, None));
    let consumer = block_on(journal.consumer("reader")).unwrap();
    assert_eq!(numbers(&consumer.next(Stream::Emergency, 10_000, WallTime::now()).unwrap()), critical);
    kept.push(3_000_000);
    assert_eq!(numbers(&consumer.next(Stream::Normal, 1_000_000, WallTime::now()).unwrap()), kept);
    check(&journal);
    drop((consumer, journal));
    let (journal, recovery) = open(disk);
    assert!(recovery.is_clean(), "{recovery}");
    assert_eq!(journal.ledger().sum().accepted, (kept.len() + critical.len()) as u64);
    check(&journal);
}

/// Which packets are in the streams.
fn everything(journal: &Journal) -> BTreeSet<u64> {
    let entries = Stream::ALL.into_iter().flat_map(|stream| journal.tail(stream, None, 10_000).unwrap());
    numbers(&entries.collect::<Vec<_>>()).into_iter().collect()
}

#[test]
fn e12_what_is_behind_damage_in_the_reserve_is_kept() {
    assert_eq!(lost_from_the_reserve(true), 1, "the fault did not happen");
    // Null control.
    assert_eq!(lost_from_the_reserve(false), 0, "lost without damage");
}

/// How many of five packets in the reserve are lost, of which one is damaged or none.
fn lost_from_the_reserve(fault: bool) -> u64 {
    let disk = SimulatedDisk::new();
    disk.set_capacity(Some(1 << 20));
    let on: Arc<dyn Disk> = Arc::new(disk.clone());
    let (journal, _) = open(&on);
    let mut number = 0;
    while number < 40 {
        number += 1;
        append(&journal, number, [Normal, Critical][number as usize % 2]).unwrap();
    }
    disk.set_capacity(Some(disk.used()));
    // The file has pages to spare; after them the reserve takes what comes.
    while journal.ledger().reserved < 5 {
        number += 1;
        append(&journal, number, Critical).unwrap();
    }
    drop(journal);
    let mut reserve = disk.reserve_bytes();
    let damaged = number - 3;
    let text = format!("{{\"packet\":{damaged}}}");
    let place = memchr::memmem::find(&reserve, text.as_bytes()).unwrap();
    reserve[place] ^= u8::from(fault);
    disk.set_reserve_bytes(reserve);
    disk.set_capacity(None);
    let (journal, recovery) = open(&on);
    let there = everything(&journal);
    assert!((1..=number).filter(|number| !fault || *number != damaged).eq(there), "{recovery}");
    check(&journal);
    5 - recovery.from_reserve
}

#[test]
fn null_control_a_disk_with_room_is_never_full() {
    let (journal, _) = Journal::open_on(Arc::new(SimulatedDisk::new()), eager()).unwrap();
    assert!(first_refused(&journal).unwrap_err().starts_with("the fault did not happen"));
    append(&journal, 2_000_000, Critical).unwrap();
    assert_eq!((journal.ledger().reserved, journal.trouble()), (0, None));
    check(&journal);
}

#[test]
fn e13_on_a_full_disk_critical_goes_into_the_reserve_and_then_is_refused() {
    for capacity in [300, 500, 800] {
        let disk = SimulatedDisk::new();
        disk.set_capacity(Some(capacity << 10));
        let roomy = disk.clone();
        let disk: Arc<dyn Disk> = Arc::new(disk);
        fill_and_free(&disk, move || roomy.set_capacity(None));
    }
}

#[test]
fn e13_the_reserve_is_moved_without_being_asked() {
    let disk = SimulatedDisk::new();
    disk.set_capacity(Some(300 << 10));
    let mut config = eager();
    config.retry = Duration::from_millis(1);
    config.retry_most = Duration::from_millis(1);
    let (journal, _) = Journal::open_on(Arc::new(disk.clone()), config).unwrap();
    let consumer = block_on(journal.consumer("reader")).unwrap();
    let full = first_refused(&journal).unwrap();
    append(&journal, full + 1, Critical).unwrap();
    consumer.next(Stream::Emergency, 1, WallTime::now()).unwrap();
    disk.set_capacity(None);
    // Nothing is appended; it resolves when the reserve has been moved.
    block_on(consumer.appended());
    assert_eq!(numbers(&consumer.next(Stream::Emergency, 10, WallTime::now()).unwrap()), [full + 1]);
    check(&journal);
}

#[test]
fn e13_without_a_reserve_critical_is_refused_with_an_error_that_says_so() {
    let disk = SimulatedDisk::new();
    disk.set_capacity(Some(300 << 10));
    let mut config = eager();
    config.reserve = 0;
    let (journal, _) = Journal::open_on(Arc::new(disk.clone()), config).unwrap();
    first_refused(&journal).unwrap();
    let refusal = append(&journal, 2_000_000, Critical).unwrap_err();
    assert!(matches!(&refusal, Refusal::Later(text) if text.contains("reserve of 0 bytes")), "{refusal:?}");
    disk.set_capacity(None);
    while append(&journal, 2_000_000, Critical).is_err() {}
    check(&journal);
}

/// Where the child of the next test finds its disk.
const DISK: &str = "COUNTERMAND_JOURNAL_SMALL_DISK";

#[test]
fn e13_on_a_tmpfs_of_a_mebibyte() {
    if let Some(disk) = std::env::var_os(DISK) {
        let ballast = Path::new(&disk).join("ballast");
        std::fs::write(&ballast, vec![1; 256 << 10]).unwrap();
        let files: Arc<dyn Disk> = Arc::new(Files::new(Path::new(&disk).join("a.journal")));
        fill_and_free(&files, move || std::fs::remove_file(ballast).unwrap());
        println!("the tmpfs was full");
        return;
    }
    // In a process with mounts of its own, so that nothing is left behind.
    let directory = tempfile::tempdir().unwrap();
    let mount =
        "mount -t tmpfs -o size=1m tmpfs \"$0\" && exec \"$1\" --exact e13_on_a_tmpfs_of_a_mebibyte --nocapture";
    let mut child = Command::new("unshare");
    child.args(["--mount", "sh", "-c", mount]).arg(directory.path()).arg(std::env::current_exe().unwrap());
    let may = Command::new("unshare").args(["--mount", "true"]).status().is_ok_and(|status| status.success());
    if !may {
        println!("not permitted to mount: the simulated disk has to do");
        return;
    }
    let output = child.env(DISK, directory.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("the tmpfs was full"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
