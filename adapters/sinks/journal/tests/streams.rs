//! Appending, reading, acknowledging: E2, E3, E6, E8, E10, E11.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops where it is")]

mod common;

use std::pin::pin;
use std::time::Duration;

use common::{append, block_on, body, check, config, deliver, delivery, label, numbers, open};
use countermand_core::Priority::{Critical, High, Low, Normal};
use countermand_core::{Answer, Batch, Refusal, Sink, Stream};
use countermand_journal::{Journal, JournalConfig, JournalError, Sequence, SimulatedDisk, WallTime};
use futures_lite::future::poll_once;

#[test]
fn e2_e3_the_urgent_come_first_and_each_priority_in_its_order() {
    let journal = open(&SimulatedDisk::new(), config());
    for (number, priority) in [(1, Low), (2, Normal), (3, Critical), (4, High), (5, Normal), (6, High), (7, Critical)] {
        append(&journal, number, priority).unwrap();
    }
    let consumer = block_on(journal.consumer("reader")).unwrap();
    let next = |stream, most| numbers(&consumer.next(stream, most, WallTime::now()).unwrap());
    assert_eq!(next(Stream::Normal, 10), [4, 6, 2, 5, 1]);
    assert_eq!(next(Stream::Normal, 3), [4, 6, 2]);
    assert_eq!(next(Stream::Emergency, 10), [3, 7]);
    let tail = |stream, after| numbers(&journal.tail(stream, after, 3).unwrap());
    assert_eq!(tail(Stream::Normal, None), [1, 2, 4]);
    assert_eq!(tail(Stream::Normal, Some(Sequence::new(4))), [5, 6]);
    assert_eq!(tail(Stream::Emergency, None), [3, 7]);
    check(&journal);
}

#[test]
fn e6_e10_what_is_not_acknowledged_comes_again_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.journal");
    let first = {
        let (journal, recovery) = Journal::open(&path, config()).unwrap();
        assert!(recovery.created && recovery.is_clean());
        for number in 1..=6 {
            append(&journal, number, if number == 6 { Critical } else { Normal }).unwrap();
        }
        assert!(matches!(Journal::open(&path, config()), Err(JournalError::InUse { .. })));
        assert!(matches!(Journal::verify(&path), Err(JournalError::InUse { .. })));
        let consumer = block_on(journal.consumer("reader")).unwrap();
        let entries = consumer.next(Stream::Normal, 10, WallTime::now()).unwrap();
        // The first, and one ahead of a gap.
        assert_eq!(block_on(consumer.acknowledge(&[entries[0].sequence, entries[3].sequence])).unwrap(), 2);
        assert_eq!(block_on(consumer.acknowledge(&[entries[3].sequence])).unwrap(), 0);
        check(&journal);
        entries
    };
    let verification = Journal::verify(&path).unwrap();
    assert!(verification.is_whole(), "{verification}");
    assert_eq!(verification.records, [0, 5, 0, 1]);

    let (journal, recovery) = Journal::open(&path, config()).unwrap();
    assert!(!recovery.created && recovery.is_clean(), "{recovery}");
    let consumer = block_on(journal.consumer("reader")).unwrap();
    let again = consumer.next(Stream::Normal, 10, WallTime::now()).unwrap();
    assert_eq!(again, [first[1].clone(), first[2].clone(), first[4].clone()]);
    block_on(consumer.acknowledge(&[first[2].sequence, first[1].sequence])).unwrap();
    assert_eq!(numbers(&consumer.next(Stream::Normal, 10, WallTime::now()).unwrap()), [5]);
    assert_eq!(numbers(&consumer.next(Stream::Emergency, 10, WallTime::now()).unwrap()), [6]);
    let account = journal.ledger().consumer("reader").unwrap();
    assert_eq!((account.accepted, account.delivered, account.pending), (6, 4, 2));
    check(&journal);
}

#[test]
fn e8_a_record_has_ended_when_it_has_for_all_and_the_worst_end_counts() {
    let journal = open(&SimulatedDisk::new(), config());
    append(&journal, 1, Normal).unwrap();
    assert_eq!((journal.ledger().sum().delivered, journal.ledger().sum().pending), (1, 0), "nobody reads");
    let one = block_on(journal.consumer("one")).unwrap();
    let two = block_on(journal.consumer("two")).unwrap();
    for number in 2..=4 {
        append(&journal, number, Normal).unwrap();
    }
    let all = two.next(Stream::Normal, 10, WallTime::now()).unwrap();
    assert_eq!(numbers(&all), [1, 2, 3, 4], "a new consumer begins at the beginning");
    let sequences = all.iter().map(|entry| entry.sequence).collect::<Vec<_>>();
    block_on(two.acknowledge(&sequences[..3])).unwrap();
    check(&journal);
    assert_eq!(journal.ledger().sum().pending, 3);

    let reason = countermand_core::DeadReason::new("one", "the server does not want it");
    assert!(block_on(one.dead_letter(sequences[1], reason.clone())).unwrap());
    assert!(!block_on(one.dead_letter(sequences[1], reason)).unwrap());
    block_on(one.acknowledge(&sequences)).unwrap();
    let sum = journal.ledger().sum();
    assert_eq!((sum.accepted, sum.delivered, sum.dead_lettered, sum.pending), (4, 2, 1, 1));
    check(&journal);

    // What only the second had not read is nobody's any more.
    block_on(journal.remove_consumer("two")).unwrap();
    assert_eq!(journal.ledger().sum().pending, 0);
    assert!(matches!(block_on(two.acknowledge(&sequences)), Err(JournalError::UnknownConsumer { .. })));
    assert!(matches!(two.next(Stream::Normal, 1, WallTime::now()), Err(JournalError::UnknownConsumer { .. })));
    check(&journal);
}

#[test]
fn e10_a_packet_that_is_sent_again_is_there_once() {
    let disk = SimulatedDisk::new();
    let mut small = config();
    small.remember = 3;
    let journal = open(&disk, small.clone());
    assert_eq!(append(&journal, 1, Normal), Ok(1));
    assert_eq!(append(&journal, 2, Normal), Ok(2));
    assert_eq!(append(&journal, 1, Normal), Ok(1));
    drop(journal);
    let journal = open(&disk, small);
    assert_eq!(append(&journal, 2, Normal), Ok(2), "it is remembered through a restart");
    for number in 3..=4 {
        append(&journal, number, Normal).unwrap();
    }
    assert_eq!(append(&journal, 1, Normal), Ok(5), "three later it is forgotten");
    assert_eq!((journal.ledger().sum().accepted, journal.ledger().duplicates), (5, 2));
    check(&journal);
}

#[test]
fn e11_a_packet_alone_is_committed_at_its_age_and_a_critical_one_at_once() {
    let mut patient = config();
    patient.max_age = Duration::from_secs(3600);
    let journal = open(&SimulatedDisk::new(), patient);
    let waiting = journal.append(label(1, Normal), body(1));
    block_on(async {
        let mut waiting = pin!(waiting);
        assert!(poll_once(&mut waiting).await.is_none());
        // It takes along what waits; and it waits for nobody.
        journal.append(label(2, Critical), body(2)).await.unwrap();
        waiting.await.unwrap();
    });
    drop(journal);

    let mut config = config();
    config.max_age = Duration::from_millis(20);
    append(&open(&SimulatedDisk::new(), config), 1, Normal).unwrap();
}

#[test]
fn the_sink_answers_each_packet() {
    let mut config = config();
    config.largest_packet = 20;
    let journal = open(&SimulatedDisk::new(), config);
    let mut sink = journal.sink("journal");
    let answers =
        deliver(&mut sink, vec![delivery(1, Critical), delivery(1_000_000_000_000, High), delivery(2, Normal)]);
    let refused = Refusal::never("a packet of 24 bytes, where at most 20 fit");
    assert_eq!(answers[1], Some(Answer::Refused(refused)));
    assert_eq!((&answers[0], &answers[2]), (&Some(Answer::Acknowledged), &Some(Answer::Acknowledged)));
    assert!(deliver(&mut sink, Vec::new()).is_empty());
    // A delivery that is dropped, and comes again.
    drop(sink.deliver(Batch::new(2, vec![delivery(3, Normal)])));
    deliver(&mut sink, vec![delivery(3, Normal)]);
    assert_eq!(numbers(&journal.tail(Stream::Normal, None, 10).unwrap()), [2, 3]);
    check(&journal);
}

#[test]
fn e16_who_comes_when_the_queue_is_full_waits_for_a_place() {
    let mut narrow = config();
    narrow.queue = 1;
    narrow.max_batch = 2;
    let journal = open(&SimulatedDisk::new(), narrow);
    let writers = (0..4).map(|writer| {
        let journal = journal.clone();
        std::thread::spawn(move || {
            for number in 0..100 {
                append(&journal, writer * 100 + number, if number % 10 == 0 { Critical } else { Low }).unwrap();
            }
        })
    });
    writers.collect::<Vec<_>>().into_iter().for_each(|writer| writer.join().unwrap());
    assert_eq!(journal.ledger().sum().accepted, 400);
    for writer in 0..4 {
        let of = |entries: Vec<_>| numbers(&entries).into_iter().filter(|n| n / 100 == writer).collect::<Vec<_>>();
        let low = of(journal.tail(Stream::Normal, None, 400).unwrap());
        assert!(low.is_sorted() && low.len() == 90);
    }
    check(&journal);
}

#[test]
fn a_reader_is_woken_by_what_is_appended() {
    let journal = open(&SimulatedDisk::new(), config());
    let consumer = block_on(journal.consumer("reader")).unwrap();
    assert!(consumer.next(Stream::Normal, 10, WallTime::now()).unwrap().is_empty());
    block_on(async {
        let mut appended = pin!(consumer.appended());
        assert!(poll_once(&mut appended).await.is_none());
        journal.append(label(1, Normal), body(1)).await.unwrap();
        appended.await;
        // It has not asked since: it is told again.
        consumer.appended().await;
        consumer.next(Stream::Normal, 10, WallTime::now()).unwrap();
        assert!(poll_once(consumer.appended()).await.is_none(), "not acknowledged, but nothing new");
    });
}

#[test]
fn a_closed_journal_says_so_and_bad_names_are_refused() {
    let journal = open(&SimulatedDisk::new(), JournalConfig::default());
    assert!(matches!(block_on(journal.consumer("")), Err(JournalError::Name { length: 0 })));
    assert!(matches!(block_on(journal.consumer("x".repeat(65))), Err(JournalError::Name { length: 65 })));
    assert!(matches!(block_on(journal.remove_consumer("nobody")), Err(JournalError::UnknownConsumer { .. })));
}

#[test]
fn what_is_no_journal_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.txt");
    std::fs::write(&path, "these are notes, and no journal".repeat(1000)).unwrap();
    assert!(matches!(Journal::open(&path, config()), Err(JournalError::NotAJournal { .. })));
    assert!(matches!(Journal::verify(&path), Err(JournalError::NotAJournal { .. })));
    assert_eq!(std::fs::read_to_string(&path).unwrap().len(), 31_000);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
    let missing = directory.path().join("missing/a.journal");
    let error = Journal::open(&missing, config()).unwrap_err();
    assert!(error.to_string().contains("missing/a.journal"), "{error}");

    // Another program's database.
    let other = directory.path().join("other.redb");
    let database = redb::Database::create(&other).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(redb::TableDefinition::<u64, u64>::new("theirs")).unwrap().insert(1, 1).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert!(matches!(Journal::open(&other, config()), Err(JournalError::NotAJournal { .. })));
}
