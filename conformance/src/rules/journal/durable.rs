//! What was acknowledged is there after a crash at any point. The disk is simulated: it forgets what was not synced, wholly, in part, or sector by sector.

use countermand_core::{
    Event, Fate, Format, Job, Label, OutletConfig, Payload, Priority, Router, RouterConfig, Stream, WorkerConfig,
};
use countermand_journal::{History, SimulatedDisk};

use super::{broken, kept, label, open, payload, small};
use crate::{Bench, Check, Flaw, ensure, ensure_eq};

/// A packet whose receipt was ready when so many deeds had been done to the disk.
struct Acknowledged {
    number: u64,
    deeds: usize,
}

pub(super) async fn e6_acknowledged_means_durable(bench: &Bench) -> Check {
    let mut random = bench.random();
    let (history, acknowledged, sent) = fill(bench, &mut random).await?;
    let deeds = acknowledged.last().map_or(0, |last| last.deeds);
    let mut points: Vec<usize> = (0..bench.rounds(40)).map(|_| random.usize(0..=deeds)).collect();
    // The moment of each receipt is the one that matters most.
    points.extend(acknowledged.iter().map(|acknowledged| acknowledged.deeds));
    points.sort_unstable();
    points.dedup();
    let (mut at, mut crashes) = (history.clone(), 0);
    for point in points {
        while at.at() < point && at.step() {}
        let missing = missing(&at, random.u64(..), &acknowledged, sent)?;
        ensure!(
            missing.is_empty(),
            "after a crash at deed {point} of {deeds} the packets {missing:?} are gone, whose receipts were ready"
        );
        crashes += 1;
    }
    // Null control: where a sync does nothing, the same look sees that packets are lost.
    let mut deaf = history.without_syncs();
    while deaf.step() {}
    for seed in 0..40 {
        match missing(&deaf, seed, &acknowledged, sent) {
            Ok(missing) if missing.is_empty() => {}
            _ => return Ok(crashes),
        }
    }
    Err(Flaw::Inconclusive(
        "a disk that never syncs lost nothing in 40 crashes: so crashes show nothing here".to_owned(),
    ))
}

/// Packets of all priorities through a router on the host into a journal; returns what was done to its disk, and which receipts were ready when.
async fn fill(bench: &Bench, random: &mut fastrand::Rng) -> Result<(History, Vec<Acknowledged>, u64), Flaw> {
    let disk = SimulatedDisk::new();
    let (journal, _) = open(&disk, small())?;
    disk.record();
    let outlets = vec![
        OutletConfig::new("normal", Stream::Normal).keeps(),
        OutletConfig::new("emergency", Stream::Emergency).keeps(),
    ];
    let scribe = |event: &Event, _: &Label, _| Payload::new(Format::Json, event.to_string().into_bytes());
    let (router, ends) = Router::new(RouterConfig::default(), outlets, scribe).map_err(broken)?;
    let worker = bench.worker(WorkerConfig::new().lanes(ends.len()).drivers(1))?;
    let mut jobs = Vec::new();
    for end in ends {
        let sink = journal.sink("journal");
        jobs.push(bench.submit(&worker, Job::task_with(move |context| end.run(context, sink))).await?);
    }
    let (mut acknowledged, mut number) = (Vec::new(), 0);
    for _ in 0..bench.rounds(12) {
        let mut receipts = Vec::new();
        for _ in 0..random.usize(1..8) {
            number += 1;
            let priority = Priority::ALL[random.usize(0..Priority::COUNT)];
            let offered = router.offer(bench.now(), label(number, priority), payload(number, random.usize(0..2_000)));
            receipts.push((number, offered.map_err(broken)?));
        }
        for (number, receipt) in receipts {
            let fate = bench.within("a receipt is ready", receipt).await?;
            // What was done before this moment is all that a crash at this moment leaves.
            acknowledged.push(Acknowledged { number, deeds: disk.recorded() });
            ensure_eq!(fate, Fate::Delivered, "what the receipt of packet {number} says");
        }
    }
    router.close();
    for job in jobs {
        bench.settled(job).await?;
    }
    ensure!(router.ledger().balances(), "the ledger does not balance: {:?}", router.ledger());
    let all = kept(&journal)?;
    ensure_eq!(all, (1..=number).collect::<Vec<_>>(), "packets in the journal before any crash");
    Ok((disk.history(), acknowledged, number))
}

/// Which of those that were acknowledged by this point are not there after a crash.
fn missing(at: &History, seed: u64, acknowledged: &[Acknowledged], sent: u64) -> Result<Vec<u64>, Flaw> {
    let (journal, recovery) = open(&at.crash(seed), small())?;
    let there = kept(&journal).map_err(|flaw| broken(format_args!("{flaw}, after {recovery}")))?;
    let unknown = there.iter().find(|number| **number > sent || **number == 0);
    ensure!(unknown.is_none(), "packet {unknown:?} is in the journal, which nobody sent");
    let by_now = acknowledged.iter().filter(|acknowledged| acknowledged.deeds <= at.at());
    Ok(by_now.map(|acknowledged| acknowledged.number).filter(|number| there.binary_search(number).is_err()).collect())
}
