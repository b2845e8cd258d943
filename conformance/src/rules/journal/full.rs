//! A full disk: what is CRITICAL has a reserve, afterwards it is refused in so many words, and all is well when there is space again.

use std::time::Duration;

use countermand_core::{Priority, Refusal};
use countermand_journal::{Journal, SimulatedDisk};

use super::{broken, kept, label, open, payload, small};
use crate::{Bench, Check, Flaw, ensure, ensure_eq};

pub(super) async fn e13_a_full_disk_has_a_reserve_for_what_is_critical(bench: &Bench) -> Check {
    let mut random = bench.random();
    let rounds = bench.rounds(2);
    for round in 0..rounds {
        let packets = fills_up(bench, &mut random, round % 2 == 1).await?;
        // Null control: on a disk that has no end the same packets fill nothing.
        let (journal, _) = open(&SimulatedDisk::new(), small())?;
        match fill(bench, &journal, packets).await {
            Err(Flaw::Inconclusive(_)) => {}
            Err(flaw) => return Err(flaw),
            Ok(full) => return Err(broken(format_args!("a disk that has room was full: {:?}", full.refusal))),
        }
    }
    Ok(rounds)
}

/// How a disk became full.
struct Full {
    /// The number of the last packet.
    number: u64,
    /// Those that were taken.
    taken: Vec<u64>,
    refusal: Refusal,
}

/// Ordinary packets, and then smaller ones, until the disk is full; no more than so many. Room that a commit gives back is there for the next.
async fn fill(bench: &Bench, journal: &Journal, most: u64) -> Result<Full, Flaw> {
    let (mut number, mut taken, mut last) = (0, Vec::new(), None);
    for bytes in [50_000, 5_000] {
        let mut in_a_row = 0;
        while in_a_row < 3 {
            if number == most {
                return Err(Flaw::Inconclusive(format!(
                    "the fault did not happen: {number} packets, and no disk is full"
                )));
            }
            number += 1;
            match append(bench, journal, number, Priority::Normal, bytes).await? {
                Ok(()) => {
                    taken.push(number);
                    in_a_row = 0;
                }
                Err(refused) => {
                    last = Some(refused);
                    in_a_row += 1;
                }
            }
        }
    }
    let refusal = last.ok_or_else(|| broken("a disk is full, and refused nothing"))?;
    Ok(Full { number, taken, refusal })
}

async fn append(
    bench: &Bench,
    journal: &Journal,
    number: u64,
    priority: Priority,
    bytes: usize,
) -> Result<Result<(), Refusal>, Flaw> {
    let answer = journal.append(label(number, priority), payload(number, bytes));
    Ok(bench.within("an append is answered", answer).await?.map(drop))
}

/// Returns how many packets filled the disk.
async fn fills_up(bench: &Bench, random: &mut fastrand::Rng, restarts: bool) -> Result<u64, Flaw> {
    let reserve = random.usize(4..8) << 12;
    let config = || {
        let mut config = small();
        config.reserve = reserve as u64;
        // Not each append is a try: what is refused meanwhile is refused for the same reason.
        (config.retry, config.retry_most) = (Duration::from_millis(20), Duration::from_millis(20));
        config
    };
    let disk = SimulatedDisk::new();
    let capacity = (random.u64(2..4) << 19) + reserve as u64;
    disk.set_capacity(Some(capacity));
    let (mut journal, recovery) = open(&disk, config())?;
    ensure!(recovery.no_reserve.is_none(), "there is no reserve: {recovery}");
    let Full { mut number, mut taken, refusal } = fill(bench, &journal, 10_000).await?;
    said(Some(&refusal), "full")?;
    let packets = number;
    // The reserve, to its end.
    let (each, ordinary) = (random.usize(500..2_000), taken.len());
    let refusal = loop {
        number += 1;
        match append(bench, &journal, number, Priority::Critical, each).await? {
            Ok(()) => taken.push(number),
            Err(refusal) => break refusal,
        }
        ensure!(
            number < 20_000,
            "{number} packets on a disk of {capacity} bytes with a reserve of {reserve}, and both are not full"
        );
    };
    let reserved = journal.ledger().reserved as usize;
    ensure!(reserved * each <= reserve, "{reserved} packets of {each} bytes in a reserve of {reserve}");
    ensure!(
        (taken.len() - ordinary + 2) * (each + 400) > reserve,
        "a CRITICAL packet of {each} bytes is refused, where a reserve of {reserve} has {reserved} of them: {refusal:?}"
    );
    said(Some(&refusal), "reserve")?;
    for priority in [Priority::Low, Priority::Normal, Priority::High] {
        number += 1;
        let answer = append(bench, &journal, number, priority, 50_000).await?;
        ensure!(answer.is_err(), "a {priority} packet was taken by a full disk");
        said(answer.as_ref().err(), "full")?;
    }
    ensure!(journal.ledger().balances(), "the ledger of the journal does not balance: {:?}", journal.ledger());
    // The trouble is over when what is in the reserve has found a place after all: it is small, and a commit may give room back.
    let untroubled = journal.trouble().is_none();
    ensure!(
        !untroubled || journal.ledger().reserved == 0,
        "a journal with a reserve that it cannot empty has no trouble to tell of"
    );
    if restarts {
        drop(journal);
        let (again, recovery) = open(&disk, config())?;
        let found = recovery.in_reserve + recovery.from_reserve;
        // Some may have been moved into the file meanwhile; that none is lost is looked at below.
        ensure!(found <= reserved as u64, "{found} packets in the reserve after a restart, of {reserved}: {recovery}");
        journal = again;
    }
    // There is space again: nothing more has to be done.
    disk.set_capacity(Some(capacity * 4));
    let mut refused = 0_u32;
    let first = loop {
        number += 1;
        if append(bench, &journal, number, Priority::Normal, 1_000).await?.is_ok() {
            break number;
        }
        refused += 1;
        ensure!(refused < 1_000_000, "a disk that has space again takes nothing");
        bench.yield_now().await;
    };
    taken.push(first);
    number += 1;
    let answer = append(bench, &journal, number, Priority::Critical, each).await?;
    ensure!(answer.is_ok(), "a CRITICAL packet was refused when there is space again: {answer:?}");
    taken.push(number);
    bench.until("the reserve is empty", || journal.ledger().reserved == 0).await?;
    ensure_eq!(kept(&journal)?, taken, "packets in the journal: those that were taken, and no other");
    drop(journal);
    let (journal, recovery) = open(&disk, config())?;
    ensure!(recovery.is_clean(), "a journal that had recovered from a full disk had to again: {recovery}");
    ensure_eq!(kept(&journal)?, taken, "packets in the journal after a restart");
    Ok(packets)
}

/// Refused for now, and why.
fn said(refusal: Option<&Refusal>, word: &str) -> Result<(), Flaw> {
    match refusal {
        Some(Refusal::Later(reason)) if reason.contains(word) => Ok(()),
        refusal => Err(broken(format_args!("a refusal by a full disk that does not say {word:?}: {refusal:?}"))),
    }
}
