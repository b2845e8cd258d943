//! The order in which packets arrive: by urgency, and within it by their turn.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use countermand_core::{Batch, Priority, Refusal, Source};

use super::body::Body;
use super::office::{EMERGENCY, NORMAL, Office, rooms, streams};
use super::taker::{Mood, Taker};
use crate::rules::kit::{has, lock, secs};
use crate::{Bench, Check, Flaw, Gate, Profile, ensure, ensure_eq};

pub(super) async fn e2_critical_to_the_emergency_stream_and_high_ahead(bench: &Bench) -> Check {
    let rounds = bench.rounds(12);
    let mut random = bench.random();
    for _ in 0..rounds {
        all_at_once(bench, &mut random).await?;
    }
    in_between(bench).await?;
    Ok(rounds + 1)
}

/// While the sink of the normal stream holds one packet, many come, in any order.
async fn all_at_once(bench: &Bench, random: &mut fastrand::Rng) -> Result<(), Flaw> {
    let mut outlets = streams();
    outlets[NORMAL].batch = random.usize(1..6);
    let mut office = Office::open(bench, rooms(1_000), outlets).await?;
    let gate = Gate::new();
    office.sinks[NORMAL].set(Mood::Waits(gate.clone()));
    let first = office.post(bench, "a", Priority::Normal)?;
    office.quiet(bench).await?;
    ensure_eq!(office.sinks[NORMAL].seen_numbers(), [first], "packets that a sink was given, of one");
    for _ in 0..random.usize(20..60) {
        let priority = Priority::ALL[random.usize(0..Priority::COUNT)];
        let source = if random.bool() { "a" } else { "b" };
        office.post(bench, source, priority)?;
    }
    office.quiet(bench).await?;
    let of = |priority| office.numbers(|sent| sent.priority == priority && sent.number != first);
    ensure_eq!(
        office.sinks[EMERGENCY].had_numbers(),
        of(Priority::Critical),
        "packets by the emergency stream while the sink of the other one waits"
    );
    office.sinks[NORMAL].set(Mood::Takes);
    gate.open();
    office.quiet(bench).await?;
    let mut expected = vec![first];
    [Priority::High, Priority::Normal, Priority::Low].into_iter().for_each(|priority| expected.extend(of(priority)));
    ensure_eq!(office.sinks[NORMAL].had_numbers(), expected, "packets by the normal stream: HIGH, NORMAL, LOW");
    office.drain(bench).await?;
    office.close(bench).await
}

/// What is HIGH comes while NORMAL packets go out batch by batch: it is the first of the very next one.
async fn in_between(bench: &Bench) -> Result<(), Flaw> {
    let mut outlets = streams();
    outlets[NORMAL].batch = 2;
    let mut office = Office::open(bench, rooms(1_000), outlets).await?;
    let mut gate = Gate::new();
    office.sinks[NORMAL].set(Mood::Waits(gate.clone()));
    for _ in 0..20 {
        office.post(bench, "a", Priority::Normal)?;
    }
    for round in 0..8 {
        office.quiet(bench).await?;
        let high = office.post(bench, "a", Priority::High)?;
        let (next, batches) = (Gate::new(), office.sinks[NORMAL].batches());
        office.sinks[NORMAL].set(Mood::Waits(next.clone()));
        gate.open();
        gate = next;
        office.quiet(bench).await?;
        let seen = office.sinks[NORMAL].seen();
        let head = seen.iter().find(|sight| sight.batch == batches + 1).and_then(|sight| sight.number);
        ensure_eq!(head, Some(high), "first packet of the batch after a HIGH one came, the {round}th time");
    }
    office.heal();
    gate.open();
    office.drain(bench).await?;
    ensure_eq!(office.sinks[NORMAL].had_numbers().len(), 28, "packets that arrived");
    office.close(bench).await
}

pub(super) async fn e3_order_is_kept_within_a_priority_and_a_source(bench: &Bench) -> Check {
    let rounds = bench.rounds(10);
    let mut random = bench.random();
    for _ in 0..rounds {
        through_trouble(bench, &mut random).await?;
    }
    Ok(rounds)
}

const SOURCES: [&str; 3] = ["a", "b", "c"];

/// Sinks refuse, are silent, panic, are too slow, are cut off in the middle; they never take what is behind something that they refuse.
async fn through_trouble(bench: &Bench, random: &mut fastrand::Rng) -> Result<(), Flaw> {
    let mut outlets = streams();
    for outlet in &mut outlets {
        outlet.batch = random.usize(1..7);
        outlet.attempts = u32::MAX;
        outlet.patience = secs(5);
        outlet.breaker.failures = random.u32(0..4);
    }
    let mut office = Office::open(bench, rooms(1_000), outlets).await?;
    for _ in 0..random.usize(6..14) {
        for sink in &office.sinks {
            sink.set(any_mood(bench, random));
        }
        for _ in 0..random.usize(1..10) {
            let source = SOURCES[random.usize(0..SOURCES.len())];
            office.post(bench, source, Priority::ALL[random.usize(0..Priority::COUNT)])?;
        }
        match random.u8(0..4) {
            0 => office.restart(bench, random.usize(0..2)).await?,
            1 => office.advance(bench, secs(random.u64(1..50))).await?,
            _ => office.quiet(bench).await?,
        }
    }
    office.heal();
    office.drain(bench).await?;
    for (place, sink) in office.sinks.iter().enumerate() {
        arrived_in_order(&office, sink, place == EMERGENCY)?;
    }
    office.close(bench).await
}

fn any_mood(bench: &Bench, random: &mut fastrand::Rng) -> Mood {
    let moods = if has(bench, Profile::NONE.unwind()) { 8 } else { 6 };
    match random.u8(0..moods) {
        0 | 1 => Mood::Takes,
        2 | 3 => takes_some(random.fork()),
        4 => Mood::SaysNothing,
        5 => Mood::Sticks,
        6 => Mood::Panics,
        _ => Mood::PanicsLater,
    }
}

/// Takes packets in their order, and refuses some; and with each all that is of the same source and priority behind it.
fn takes_some(random: fastrand::Rng) -> Mood {
    let random = Mutex::new(random);
    Mood::Answers(Arc::new(move |batch: &mut Batch<Body>| {
        let mut refused: Vec<(Source, Priority)> = Vec::new();
        for index in 0..batch.len() {
            let label = &batch.deliveries()[index].parcel.label;
            let of = (label.source, label.priority);
            if refused.contains(&of) || lock(&random).u8(0..3) == 0 {
                refused.push(of);
                batch.refuse(index, Refusal::later("busy"));
            } else {
                batch.acknowledge(index);
            }
        }
    }))
}

/// Everything arrived, once, and of each source and priority in the order in which it was sent; so did every batch.
fn arrived_in_order(office: &Office, sink: &Taker, emergency: bool) -> Result<(), Flaw> {
    let (had, seen) = (sink.had(), sink.seen());
    for priority in Priority::ALL {
        for source in SOURCES.map(Source::of) {
            let arrived: Vec<u64> = had
                .iter()
                .filter(|sight| (sight.priority, sight.source) == (priority, source))
                .filter_map(|sight| sight.number)
                .collect();
            let sent = office.numbers(|sent| {
                (sent.priority, sent.source) == (priority, source) && (sent.priority == Priority::Critical) == emergency
            });
            ensure_eq!(arrived, sent, "{priority} packets of {source} in the order in which a sink has them");
        }
    }
    let batches: BTreeSet<u64> = seen.iter().map(|sight| sight.batch).collect();
    for batch in batches {
        let mut last = std::collections::BTreeMap::new();
        for sight in seen.iter().filter(|sight| sight.batch == batch) {
            let Some(number) = sight.number else { continue };
            let before = last.insert((sight.priority, sight.source), number);
            ensure!(
                before.is_none_or(|before| before < number),
                "in one batch {number} came after {before:?}, both {} and of {}",
                sight.priority,
                sight.source
            );
        }
    }
    Ok(())
}
