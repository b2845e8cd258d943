//! What stays, and what goes: retention, expiry, dead letters (E4, E14).
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

mod common;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::{append, block_on, check, config, deliver, delivery, numbers, open};
use countermand_core::Priority::{Critical, High, Low, Normal};
use countermand_core::{Answer, DeadReason, Stream};
use countermand_journal::{Journal, SimulatedDisk, WallTime};

/// The time of day, in seconds, of the tests that move it. Each test has one of its own.
macro_rules! clock {
    () => {{
        static SECONDS: AtomicU64 = AtomicU64::new(1000);
        fn now() -> WallTime {
            WallTime::from_nanos(SECONDS.load(Ordering::SeqCst) * 1_000_000_000)
        }
        (&SECONDS, now as fn() -> WallTime)
    }};
}

/// Appends until it has been tidied so far that this is so. Each append gives the committer a turn; it tidies after each.
fn tidied(journal: &Journal, done: impl Fn() -> bool) {
    let mut number = 1_000_000 + journal.ledger().sum().accepted;
    while !done() {
        number += 1;
        append(journal, number, Low).unwrap();
    }
}

#[test]
fn e4_retention_removes_what_all_have_read_and_never_an_unread_critical() {
    let (seconds, clock) = clock!();
    let mut config = config();
    config.clock = clock;
    config.retention_age = Some(Duration::from_secs(10));
    config.tidy_every = Duration::ZERO;
    let journal = open(&SimulatedDisk::new(), config);
    let consumer = block_on(journal.consumer("reader")).unwrap();
    for number in 1..=5 {
        append(&journal, number, Critical).unwrap();
        append(&journal, number + 10, High).unwrap();
    }
    let critical = consumer.next(Stream::Emergency, 10, clock()).unwrap();
    let high = consumer.next(Stream::Normal, 10, clock()).unwrap();
    // Two of the CRITICAL ones are read; the third is not, and holds up the fourth. All of the others are.
    let read = [&critical[0], &critical[1], &critical[3]].into_iter().chain(&high).map(|entry| entry.sequence);
    block_on(consumer.acknowledge(&read.collect::<Vec<_>>())).unwrap();
    seconds.fetch_add(11, Ordering::SeqCst);
    tidied(&journal, || {
        let high = journal.tail(Stream::Normal, None, 1000).unwrap().iter().any(|entry| entry.label.priority == High);
        !high && journal.tail(Stream::Emergency, None, 10).unwrap().len() == 3
    });
    assert_eq!(numbers(&journal.tail(Stream::Emergency, None, 10).unwrap()), [3, 4, 5]);
    assert_eq!(numbers(&consumer.next(Stream::Emergency, 10, clock()).unwrap()), [3, 5]);
    check(&journal);
}

#[test]
fn retention_by_bytes_removes_the_oldest() {
    let mut config = config();
    config.retention_bytes = Some(3000);
    config.tidy_every = Duration::ZERO;
    let journal = open(&SimulatedDisk::new(), config);
    for number in 1..=100 {
        append(&journal, number, if number % 2 == 0 { High } else { Low }).unwrap();
    }
    tidied(&journal, || journal.tail(Stream::Normal, None, 1000).unwrap().len() <= 30);
    let left = journal.tail(Stream::Normal, None, 1000).unwrap();
    assert!(left.iter().all(|entry| entry.sequence.number() > 60), "the oldest, of whichever priority, went first");
    check(&journal);
}

#[test]
fn e4_what_is_unread_expires_but_nothing_critical_does() {
    let (seconds, clock) = clock!();
    let mut config = config();
    config.clock = clock;
    config.time_to_live = Some(Duration::from_secs(10));
    config.tidy_every = Duration::ZERO;
    let journal = open(&SimulatedDisk::new(), config);
    let consumer = block_on(journal.consumer("reader")).unwrap();
    append(&journal, 1, Critical).unwrap();
    append(&journal, 2, Normal).unwrap();
    append(&journal, 3, High).unwrap();
    let late = WallTime::from_nanos(clock().as_nanos() + 11_000_000_000);
    assert!(consumer.next(Stream::Normal, 10, late).unwrap().is_empty(), "what is worthless is not read");
    seconds.fetch_add(11, Ordering::SeqCst);
    tidied(&journal, || journal.ledger().sum().expired == 2);
    assert_eq!(numbers(&consumer.next(Stream::Emergency, 10, clock()).unwrap()), [1]);
    // By hand, whatever there is.
    let pending = journal.ledger().sum().pending;
    assert_eq!(block_on(consumer.expire(WallTime::from_nanos(u64::MAX))).unwrap(), pending - 1);
    assert_eq!(journal.ledger().sum().pending, 1);
    check(&journal);
}

#[test]
fn e14_dead_letters_stay_until_they_are_taken() {
    let disk = SimulatedDisk::new();
    let journal = open(&disk, config());
    let consumer = block_on(journal.consumer("redis")).unwrap();
    append(&journal, 1, Normal).unwrap();
    let entry = consumer.next(Stream::Normal, 1, WallTime::now()).unwrap().remove(0);
    let mut reason = DeadReason::new("redis", "bad signature");
    reason.attempts = 5;
    block_on(consumer.dead_letter(entry.sequence, reason.clone())).unwrap();
    let mut dead = journal.dead_letter_sink();
    let mut refused = delivery(2, High);
    refused.dead = Some(DeadReason::new("metrics", "no such metric"));
    assert_eq!(deliver(&mut dead, vec![refused, delivery(3, Critical)]), [const { Some(Answer::Acknowledged) }; 2]);
    drop((consumer, dead, journal));

    let journal = open(&disk, config());
    let letters = journal.dead_letters(0, 10).unwrap();
    assert_eq!(letters.iter().map(|letter| letter.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((&letters[0].reason, &letters[0].entry), (&reason, &entry));
    assert_eq!(letters[1].reason.to_string(), "metrics: no such metric (tried 1 times)");
    assert_eq!(letters[2].reason.reason, "no reason was given");
    assert_eq!(journal.dead_letter(2).unwrap().as_ref(), Some(&letters[1]));
    assert_eq!(journal.dead_letter(4).unwrap(), None);

    // Into the stream again, into a sink, away.
    assert_eq!(block_on(journal.replay([1, 9])).unwrap(), 1);
    assert_eq!(numbers(&journal.tail(Stream::Normal, None, 10).unwrap()), [1, 1]);
    let elsewhere = open(&SimulatedDisk::new(), config());
    let answers = block_on(journal.replay_into(&[2], &mut elsewhere.sink("other"))).unwrap();
    assert_eq!(answers, [(2, Some(Answer::Acknowledged))]);
    assert_eq!(numbers(&elsewhere.tail(Stream::Normal, None, 10).unwrap()), [2]);
    assert_eq!(block_on(journal.purge([3, 3])).unwrap(), 1);
    let account = journal.ledger().dead_letters;
    assert_eq!((account.received, account.replayed, account.purged, account.kept), (3, 2, 1, 0));
    let account = journal.ledger().sum();
    assert_eq!((account.accepted, account.dead_lettered, account.pending), (2, 1, 1));
    check(&journal);
}
