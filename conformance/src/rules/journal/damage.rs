//! Files that are torn, damaged, cut off, or full of rubbish: what is whole in them is kept, and the journal opens.

use std::collections::BTreeSet;

use countermand_core::Priority;
use countermand_journal::SimulatedDisk;

use super::{broken, kept, label, mark, open, payload, small};
use crate::{Bench, Check, Flaw, ensure, ensure_eq};

/// How many packets there are in a file.
const PACKETS: u64 = 40;

pub(super) async fn e12_a_torn_tail_is_cut_and_valid_records_are_kept(bench: &Bench) -> Check {
    let mut random = bench.random();
    let rounds = bench.rounds(6);
    for _ in 0..rounds {
        torn(bench, &mut random).await?;
        damaged(bench, &mut random, true).await?;
        cut_off(bench, &mut random).await?;
    }
    rubbish(bench, &mut random).await?;
    // Null control: where nothing is damaged, no damage is seen.
    damaged(bench, &mut random, false).await?;
    Ok(3 * rounds + 1)
}

async fn append(bench: &Bench, journal: &countermand_journal::Journal, number: u64, bytes: usize) -> Result<(), Flaw> {
    let priority = Priority::ALL[(number % Priority::COUNT as u64) as usize];
    let answer =
        bench.within("an append is answered", journal.append(label(number, priority), payload(number, bytes))).await?;
    answer.map(drop).map_err(|refusal| broken(format_args!("packet {number} was refused: {refusal:?}")))
}

/// A journal of whole packets.
async fn filled(bench: &Bench, random: &mut fastrand::Rng) -> Result<SimulatedDisk, Flaw> {
    let disk = SimulatedDisk::new();
    let (journal, _) = open(&disk, small())?;
    for number in 1..=PACKETS {
        append(bench, &journal, number, random.usize(0..3_000)).await?;
    }
    Ok(disk)
}

/// The journal that is opened here is whole, takes packets, and has nothing to recover from at the next opening.
async fn goes_on(bench: &Bench, disk: &SimulatedDisk, there: &[u64]) -> Result<(), Flaw> {
    let (journal, _) = open(disk, small())?;
    append(bench, &journal, PACKETS + 1, 100).await?;
    drop(journal);
    let (journal, recovery) = open(disk, small())?;
    ensure!(recovery.is_clean(), "a journal that was put right had to be again: {recovery}");
    let mut expected = there.to_vec();
    expected.push(PACKETS + 1);
    ensure_eq!(kept(&journal)?, expected, "packets in a journal that went on");
    Ok(())
}

/// The process ends in the middle of a commit: the journal ends with a whole record, no later than one commit after the last that was acknowledged.
async fn torn(bench: &Bench, random: &mut fastrand::Rng) -> Result<(), Flaw> {
    let disk = SimulatedDisk::new();
    let (journal, _) = open(&disk, small())?;
    disk.record();
    let mut deeds = Vec::new();
    for number in 1..=PACKETS {
        append(bench, &journal, number, random.usize(0..3_000)).await?;
        deeds.push(disk.recorded());
    }
    drop(journal);
    let mut history = disk.history();
    let point = random.usize(0..deeds[deeds.len() - 1]);
    while history.at() < point && history.step() {}
    let crashed = history.crash(random.u64(..));
    let (journal, recovery) = open(&crashed, small())?;
    let there = kept(&journal)?;
    let by_then = deeds.iter().filter(|deeds| **deeds <= point).count() as u64;
    let last = there.last().copied().unwrap_or(0);
    ensure_eq!(there, (1..=last).collect::<Vec<_>>(), "packets after a crash in the middle of a commit, by {recovery}");
    ensure!(
        (by_then..=by_then + 1).contains(&last),
        "the last packet is {last}, where {by_then} were acknowledged and one more was on its way"
    );
    drop(journal);
    goes_on(bench, &crashed, &there).await
}

/// Some packets are damaged wherever the file has them: they are gone, and no other.
async fn damaged(bench: &Bench, random: &mut fastrand::Rng, fault: bool) -> Result<(), Flaw> {
    let disk = filled(bench, random).await?;
    let bad: BTreeSet<u64> = (0..if fault { random.usize(1..5) } else { 0 }).map(|_| random.u64(1..=PACKETS)).collect();
    let mut bytes = disk.bytes();
    for number in &bad {
        let mark = mark(*number);
        let places = places(&bytes, &mark);
        ensure!(!places.is_empty(), "packet {number} is not in the file as it is");
        let spot = random.usize(0..mark.len());
        places.into_iter().for_each(|place| bytes[place + spot] ^= 1 << random.u8(0..8));
    }
    disk.set_bytes(bytes);
    let (journal, recovery) = open(&disk, small())?;
    ensure_eq!(
        recovery.salvage.is_some(),
        fault,
        "whether a file was found damaged of which the packets {bad:?} are, by {recovery}"
    );
    let expected: Vec<u64> = (1..=PACKETS).filter(|number| !bad.contains(number)).collect();
    ensure_eq!(
        kept(&journal)?,
        expected,
        "packets in a journal of {PACKETS} of which {bad:?} were damaged, by {recovery}"
    );
    drop(journal);
    goes_on(bench, &disk, &expected).await
}

/// The end of the file is missing: every packet that is whole in what is left of it is kept.
async fn cut_off(bench: &Bench, random: &mut fastrand::Rng) -> Result<(), Flaw> {
    let disk = filled(bench, random).await?;
    let mut bytes = disk.bytes();
    let whole = bytes.len();
    bytes.truncate(random.usize(whole / 8..whole));
    // With its whole page, and all that stands around it.
    let margin = 16 << 10;
    let surely: Vec<u64> = (1..=PACKETS)
        .filter(|number| places(&bytes, &mark(*number)).iter().any(|place| place + margin < bytes.len()))
        .collect();
    let left = bytes.len();
    disk.set_bytes(bytes);
    let (journal, recovery) = open(&disk, small())?;
    let there = kept(&journal)?;
    let lost: Vec<_> = surely.iter().filter(|number| !there.contains(number)).collect();
    ensure!(lost.is_empty(), "packets {lost:?} are lost that are whole in the {left} of {whole} bytes, by {recovery}");
    ensure!(there.iter().all(|number| (1..=PACKETS).contains(number)), "packets {there:?}, of {PACKETS}");
    drop(journal);
    goes_on(bench, &disk, &there).await
}

/// Beginnings of records everywhere, with lengths that lead into one another: it is opened all the same. That it ends is seen by its ending.
async fn rubbish(bench: &Bench, random: &mut fastrand::Rng) -> Result<(), Flaw> {
    let disk = filled(bench, random).await?;
    let mut bytes = disk.bytes();
    let heads: Vec<Vec<u8>> = (1..=PACKETS)
        .filter_map(|number| {
            let place = *places(&bytes, &mark(number)).first()?;
            let begin = place.saturating_sub(200);
            Some(bytes[begin..place].to_vec())
        })
        .collect();
    // Behind the first page, so that it is still taken for a journal; what was there is gone.
    let begin = bytes.len().min(4_096);
    let mut at = begin;
    while at < bytes.len() {
        let head = &heads[random.usize(0..heads.len())];
        let end = (at + head.len()).min(bytes.len());
        bytes[at..end].copy_from_slice(&head[..end - at]);
        at = end;
    }
    disk.set_bytes(bytes);
    let (journal, recovery) = open(&disk, small())?;
    ensure!(recovery.salvage.is_some(), "rubbish was taken for a journal: {recovery}");
    // A slice may have had a small one as a whole.
    let there = kept(&journal)?;
    ensure!(there.iter().all(|number| (1..=PACKETS).contains(number)), "packets {there:?} in rubbish, of {PACKETS}");
    drop(journal);
    goes_on(bench, &disk, &there).await
}

/// Where `mark` stands in `bytes`.
fn places(bytes: &[u8], mark: &[u8]) -> Vec<usize> {
    bytes.windows(mark.len()).enumerate().filter(|(_, window)| *window == mark).map(|(place, _)| place).collect()
}
