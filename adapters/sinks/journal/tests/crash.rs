//! A disk that forgets at a crash what was not synced, in many thousands of states: E6, E8, E12.
//!
//! One history is made, of everything that a journal does to its disk; then the disk is made that a crash at each point leaves, in several ways, and
//! the journal is opened on it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::{append, block_on, config, deliver, delivery, numbers, open};
use countermand_core::Priority::{Critical, High, Low, Normal};
use countermand_core::{Answer, DeadReason, Priority, Stream};
use countermand_journal::{History, Journal, JournalConfig, SimulatedDisk, WallTime};

/// What was promised, and by which deed of the disk.
#[derive(Default)]
struct Promises {
    /// Acknowledged packets, and the deeds before.
    packets: BTreeMap<u64, usize>,
    /// What was ever given to the journal.
    given: BTreeSet<u64>,
    /// Dead letters, by packet.
    letters: BTreeMap<u64, usize>,
    /// How many deeds there were when the consumer had acknowledged so many.
    read: Vec<(usize, u64)>,
    /// When the consumer was registered.
    consumer: usize,
}

fn small() -> JournalConfig {
    let mut config = config();
    config.cache = 128 << 10;
    config.tidy_every = Duration::from_secs(3600);
    config.remember = 64;
    config.reserve = 8 << 10;
    config
}

/// A journal is opened, used for everything that it does, closed and opened again; and what was promised meanwhile.
fn work(seed: u64) -> (History, Promises) {
    let disk = SimulatedDisk::new();
    disk.record();
    let mut promises = Promises::default();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut number = 0;
    for _ in 0..2 {
        let journal = open(&disk, small());
        let consumer = block_on(journal.consumer("reader")).unwrap();
        if promises.consumer == 0 {
            promises.consumer = disk.recorded();
        }
        let mut sink = journal.sink("journal");
        for _ in 0..4 {
            let batch = (0..random.u64(1..12)).map(|_| {
                number += 1;
                promises.given.insert(number);
                (number, [Low, Normal, High, Critical][random.usize(..4)])
            });
            let batch = batch.collect::<Vec<(u64, Priority)>>();
            if let [(number, priority)] = *batch {
                append(&journal, number, priority).unwrap();
            } else {
                let deliveries = batch.iter().map(|(number, priority)| delivery(*number, *priority)).collect();
                let answers = deliver(&mut sink, deliveries);
                assert!(answers.iter().all(|answer| *answer == Some(Answer::Acknowledged)));
            }
            promises.packets.extend(batch.iter().map(|(number, _)| (*number, disk.recorded())));

            let stream = if random.bool() { Stream::Normal } else { Stream::Emergency };
            let entries = consumer.next(stream, random.usize(1..8), WallTime::now()).unwrap();
            let read = entries.iter().filter(|_| random.u8(..4) > 0).map(|entry| entry.sequence).collect::<Vec<_>>();
            block_on(consumer.acknowledge(&read)).unwrap();
            promises.read.push((disk.recorded(), journal.ledger().sum().delivered));
            if let Some(entry) = consumer.next(stream, 1, WallTime::now()).unwrap().first() {
                let reason = DeadReason::new("reader", "it is not wanted");
                block_on(consumer.dead_letter(entry.sequence, reason)).unwrap();
                promises.letters.insert(entry.label.id.number() as u64, disk.recorded());
            }
        }
    }
    (disk.history(), promises)
}

/// What is wrong with the journal on this disk, on which `at` deeds were done before the crash.
fn examine(disk: SimulatedDisk, at: usize, promises: &Promises) -> Result<(), String> {
    let (journal, _) =
        Journal::open_on(Arc::new(disk), small()).map_err(|error| format!("cannot be opened: {error}"))?;
    let wrong = journal.audit().map_err(|error| format!("cannot be read: {error}"))?;
    let ledger = journal.ledger();
    if !wrong.is_empty() || !ledger.balances() {
        return Err(format!("the ledger is wrong: {wrong:?} {ledger:?}"));
    }
    let mut found = Vec::new();
    for stream in Stream::ALL {
        found.extend(numbers(&journal.tail(stream, None, 10_000).map_err(|error| error.to_string())?));
    }
    let count = found.len();
    let found = found.into_iter().collect::<BTreeSet<_>>();
    if found.len() < count {
        return Err(format!("{} packets are there twice", count - found.len()));
    }
    if let Some(stranger) = found.iter().find(|number| !promises.given.contains(number)) {
        return Err(format!("packet {stranger} was never given"));
    }
    let lost = promises.packets.iter().find(|(number, by)| **by <= at && !found.contains(number));
    if let Some((number, by)) = lost {
        return Err(format!("packet {number} was acknowledged by deed {by}, and is lost"));
    }
    let letters = journal.dead_letters(0, 10_000).map_err(|error| error.to_string())?;
    let letters = letters.iter().map(|letter| letter.entry.label.id.number() as u64).collect::<BTreeSet<_>>();
    if let Some((number, _)) = promises.letters.iter().find(|(number, by)| **by <= at && !letters.contains(number)) {
        return Err(format!("the dead letter of packet {number} is lost"));
    }
    let read = promises.read.iter().rev().find(|(by, _)| *by <= at).map_or(0, |(_, read)| *read);
    if promises.consumer <= at && (ledger.consumer("reader").is_none() || ledger.sum().delivered < read) {
        return Err(format!("the consumer had read {read}, and the ledger says {:?}", ledger.sum()));
    }
    Ok(())
}

/// Examines at least `states` disks that crashes leave, on two threads. How many, and the first that is wrong.
fn crash(seeds: std::ops::Range<u64>, states: u64, syncs: bool) -> (u64, Option<String>) {
    let done = AtomicU64::new(0);
    let first = std::sync::Mutex::new(None);
    let (histories, promises): (Vec<_>, Vec<_>) = seeds.map(work).unzip();
    let points = histories.iter().map(|history| history.recorded() as u64).sum::<u64>();
    let each = states.div_ceil(points).max(1);
    std::thread::scope(|scope| {
        for half in 0..2 {
            let (done, first, histories, promises) = (&done, &first, &histories, &promises);
            scope.spawn(move || {
                for (history, promises) in histories.iter().zip(promises) {
                    let mut history = if syncs { history.clone() } else { history.clone().without_syncs() };
                    while history.step() {
                        if history.at() % 2 != half {
                            continue;
                        }
                        for seed in 0..each {
                            let seed = (history.at() as u64) << 32 | seed;
                            if first.lock().unwrap().is_some() {
                                return;
                            }
                            done.fetch_add(1, Ordering::Relaxed);
                            if let Err(wrong) = examine(history.crash(seed), history.at(), promises) {
                                let at = history.at();
                                first
                                    .lock()
                                    .unwrap()
                                    .get_or_insert(format!("after deed {at}, seed {seed:#x}: {wrong}"));
                            }
                        }
                    }
                }
            });
        }
    });
    (done.into_inner(), first.into_inner().unwrap())
}

#[test]
fn e6_e8_e12_nothing_that_was_acknowledged_is_lost_in_a_crash() {
    let (states, wrong) = crash(0..1, 4_000, true);
    assert_eq!(wrong, None);
    assert!(states >= 4_000);
}

#[test]
fn null_control_a_disk_that_does_not_sync_is_found_out() {
    let (_, wrong) = crash(0..1, 4_000, false);
    let wrong = wrong.expect("a journal on a disk that does not sync loses what it acknowledged");
    assert!(wrong.contains("lost") || wrong.contains("the consumer had read"), "{wrong}");
}

#[test]
#[ignore = "a million crash states, some minutes: cargo test -p countermand-journal --release --test crash -- --ignored million"]
fn a_million_crash_states() {
    let started = std::time::Instant::now();
    // Fewer, for a look in between.
    let states = std::env::var("COUNTERMAND_CRASH_STATES").map_or(1_000_000, |states| states.parse().unwrap());
    let (states, wrong) = crash(0..20, states, true);
    assert_eq!(wrong, None);
    println!("{states} states, {:.0} a second", states as f64 / started.elapsed().as_secs_f64());
}
