//! Dead letters: they are there after every restart, each with its reason, until somebody takes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use countermand_core::{Batch, DeadReason, Delivery, Instant, Parcel, Payload, Priority, Refusal, Sink, Stream};
use countermand_journal::{Journal, WallTime};

use super::{broken, label, payload, small, whole};
use crate::{Bench, Check, Flaw, ensure, ensure_eq};

pub(super) async fn e14_dead_letters_survive_until_somebody_takes_them(bench: &Bench) -> Check {
    let mut random = bench.random();
    let rounds = bench.rounds(3);
    for _ in 0..rounds {
        until_taken(bench, &mut random).await?;
    }
    Ok(rounds)
}

/// By the number of the packet.
type Letters = BTreeMap<u64, DeadReason>;

async fn until_taken(bench: &Bench, random: &mut fastrand::Rng) -> Result<(), Flaw> {
    let folder = tempfile::tempdir().map_err(broken)?;
    let path = folder.path().join("journal");
    let open = || Journal::open(&path, small()).map(|(journal, _)| journal).map_err(broken);
    let mut expected = Letters::new();
    let mut journal = open()?;
    // From a router's outlet for dead letters.
    let mut sink = journal.dead_letter_sink();
    let mut deliveries = Vec::new();
    for number in 1..=12 {
        let mut dead = DeadReason::new(format!("sink {}", number % 3), format!("bad signature {number}"));
        dead.attempts = random.u32(1..9);
        let parcel =
            Parcel::new(label(number, Priority::ALL[number as usize % 4]), Instant::ORIGIN, payload(number, 300));
        let mut delivery = Delivery::new(Arc::new(parcel));
        delivery.dead = Some(dead.clone());
        expected.insert(number, dead);
        deliveries.push(delivery);
    }
    let batch = bench.within("dead letters are kept", sink.deliver(Batch::new(1, deliveries))).await?;
    ensure!(batch.answers().iter().all(Option::is_some), "dead letters were not answered: {:?}", batch.answers());
    drop((sink, batch));
    // From a reader of the journal.
    let reader = bench.within("a reader is made", journal.consumer("printer")).await?.map_err(broken)?;
    for number in 13..=20 {
        let priority = Priority::ALL[number as usize % 4];
        let appended = journal.append(label(number, priority), payload(number, 300));
        let sequence = bench.within("an append is answered", appended).await?;
        let sequence = sequence.map_err(|refusal| broken(format_args!("{refusal:?}")))?;
        let reason = DeadReason::new("printer", format!("no paper for {number}"));
        let buried = bench.within("a letter is kept", reader.dead_letter(sequence, reason.clone())).await?;
        ensure_eq!(buried.map_err(broken)?, true, "whether packet {number} became a dead letter");
        expected.insert(number, reason);
    }
    drop(reader);
    let mut taken = Vec::new();
    for round in 0..5 {
        drop(journal);
        journal = open()?;
        let numbers = are_there(&journal, &expected)?;
        let some: Vec<u64> = expected.keys().copied().filter(|_| random.u8(0..4) == 0).collect();
        let letters: Vec<u64> = some.iter().map(|number| numbers[number]).collect();
        match round {
            // Only looked at.
            0 => continue,
            1 | 4 => {
                let replayed = bench.within("letters are replayed", journal.replay(letters)).await?.map_err(broken)?;
                ensure_eq!(replayed, some.len() as u64, "letters replayed of {some:?}");
                taken.extend(&some);
            }
            2 => {
                let purged = bench.within("letters are purged", journal.purge(letters)).await?.map_err(broken)?;
                ensure_eq!(purged, some.len() as u64, "letters purged of {some:?}");
            }
            _ => {
                // What this sink does not take stays.
                let mut picky = Picky;
                let given = journal.replay_into(&letters, &mut picky);
                bench.within("letters are given away", given).await?.map_err(broken)?;
                expected.retain(|number, _| !(some.contains(number) && Picky::takes(*number)));
                continue;
            }
        }
        expected.retain(|number, _| !some.contains(number));
    }
    drop(journal);
    let journal = open()?;
    are_there(&journal, &expected)?;
    // What a reader gave up is in its stream twice then, under one id: as it came, and as it comes again.
    let mut there = Vec::new();
    for stream in Stream::ALL {
        for entry in journal.tail(stream, None, usize::MAX).map_err(broken)? {
            there.push(whole(&entry)?);
        }
    }
    let lost: Vec<_> = taken.iter().filter(|number| !there.contains(number)).collect();
    ensure!(lost.is_empty(), "letters {lost:?} were replayed, and are in no stream");
    let reader = bench.within("a reader is made", journal.consumer("printer")).await?.map_err(broken)?;
    for stream in Stream::ALL {
        for entry in reader.next(stream, usize::MAX, WallTime::now()).map_err(broken)? {
            let number = whole(&entry)?;
            ensure!(taken.contains(&number), "packet {number} comes again from its stream, and is a dead letter");
        }
    }
    Ok(())
}

/// All of them are there, each with its packet and its reason. Returns their own numbers by those of the packets.
fn are_there(journal: &Journal, expected: &Letters) -> Result<BTreeMap<u64, u64>, Flaw> {
    let letters = journal.dead_letters(0, usize::MAX).map_err(broken)?;
    let (mut found, mut numbers) = (Letters::new(), BTreeMap::new());
    for letter in letters {
        let number = whole(&letter.entry)?;
        numbers.insert(number, letter.number);
        ensure!(found.insert(number, letter.reason).is_none(), "packet {number} is a dead letter twice");
    }
    ensure_eq!(&found, expected, "dead letters after a restart, and why");
    Ok(numbers)
}

/// Takes what is even.
struct Picky;

impl Picky {
    const fn takes(number: u64) -> bool {
        number.is_multiple_of(2)
    }
}

impl Sink<Payload> for Picky {
    type Delivery = std::future::Ready<Batch<Payload>>;

    fn deliver(&mut self, mut batch: Batch<Payload>) -> Self::Delivery {
        for index in 0..batch.len() {
            if Self::takes(batch.deliveries()[index].parcel.label.id.number() as u64) {
                batch.acknowledge(index);
            } else {
                batch.refuse(index, Refusal::never("odd"));
            }
        }
        std::future::ready(batch)
    }
}
