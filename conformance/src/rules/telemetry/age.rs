//! A packet that is alone goes out when it is old enough, without another one that comes.

use std::time::Duration;

use countermand_core::Priority;

use super::office::{EMERGENCY, NORMAL, Office, rooms, streams};
use super::taker::Mood;
use crate::rules::kit::{TICK, secs};
use crate::{Bench, Check, Flaw, ensure_eq};

pub(super) async fn e11_nothing_waits_for_the_next_packet(bench: &Bench) -> Check {
    let mut runs = 0;
    for linger in [TICK, Duration::from_millis(20), secs(3_600)] {
        for priority in [Priority::Low, Priority::Normal, Priority::High] {
            for packets in [1, 2, 9] {
                alone(bench, linger, priority, packets).await?;
                runs += 1;
            }
        }
        refused_once(bench, linger).await?;
    }
    without_linger(bench).await?;
    Ok(runs + 4)
}

const BATCH: usize = 20;

/// Fewer packets than a batch has: all of them go out exactly when the first is as old as it may be.
async fn alone(bench: &Bench, linger: Duration, priority: Priority, packets: u64) -> Result<(), Flaw> {
    let mut outlets = streams();
    outlets[NORMAL].linger = linger;
    outlets[NORMAL].batch = BATCH;
    let mut office = Office::open(bench, rooms(100), outlets).await?;
    for _ in 0..packets {
        office.post(bench, "a", priority)?;
    }
    office.quiet(bench).await?;
    let seen = |office: &Office| office.sinks[NORMAL].seen_numbers().len() as u64;
    ensure_eq!(
        seen(&office),
        0,
        "of {packets} {priority} packets gone out at once, which may wait {linger:?} for {BATCH}"
    );
    let rest = linger - TICK;
    // Those that come later do not keep the first from going.
    office.advance(bench, rest / 2).await?;
    office.post(bench, "a", Priority::Low)?;
    office.advance(bench, rest - rest / 2).await?;
    ensure_eq!(seen(&office), 0, "of {packets} {priority} packets gone out one tick before they are {linger:?} old");
    office.advance(bench, TICK).await?;
    let gone: Vec<u64> = office.sinks[NORMAL].had_numbers().into_iter().filter(|number| *number <= packets).collect();
    ensure_eq!(
        gone,
        (1..=packets).collect::<Vec<_>>(),
        "{priority} packets gone out when the first is {linger:?} old, and no other came for it"
    );
    // A full batch waits for nothing, and neither does what is CRITICAL.
    let before = seen(&office);
    for _ in 0..2 * BATCH {
        office.post(bench, "a", priority)?;
    }
    let alarm = office.post(bench, "a", Priority::Critical)?;
    office.quiet(bench).await?;
    ensure_eq!((seen(&office) - before) as usize >= 2 * BATCH, true, "whether two full batches went out at once");
    ensure_eq!(office.sinks[EMERGENCY].had_numbers(), [alarm], "CRITICAL packets gone out at once");
    office.advance(bench, linger).await?;
    office.drain(bench).await?;
    office.close(bench).await
}

/// What was refused and is alone comes again by itself.
async fn refused_once(bench: &Bench, linger: Duration) -> Result<(), Flaw> {
    let mut outlets = streams();
    outlets[NORMAL].linger = linger;
    let mut office = Office::open(bench, rooms(100), outlets).await?;
    office.sinks[NORMAL].set(Mood::refuses_now());
    let number = office.post(bench, "a", Priority::Normal)?;
    office.advance(bench, linger).await?;
    ensure_eq!(office.sinks[NORMAL].seen_numbers(), [number], "packets tried when the only one is {linger:?} old");
    office.heal();
    // As long as it rests at first, at the most.
    office.advance(bench, Duration::from_millis(200)).await?;
    ensure_eq!(
        office.sinks[NORMAL].had_numbers(),
        [number],
        "packets that the sink has 200 ms after it refused the only one"
    );
    office.close(bench).await
}

/// Where nothing may wait, nothing does.
async fn without_linger(bench: &Bench) -> Result<(), Flaw> {
    let mut office = Office::open(bench, rooms(100), streams()).await?;
    for priority in Priority::ALL {
        let number = office.post(bench, "a", priority)?;
        office.quiet(bench).await?;
        let had = office.sinks.iter().flat_map(|sink| sink.had_numbers()).any(|had| had == number);
        ensure_eq!(had, true, "whether a {priority} packet that is alone went out at once");
    }
    office.close(bench).await
}
