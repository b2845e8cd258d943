//! What is shed: which packets, how many of each priority and source, and that it is told.

use std::collections::{BTreeMap, BTreeSet};

use countermand_core::{Event, Fate, Priority, Source};

use super::office::{NORMAL, Office, REPORT_EVERY, rooms, streams};
use super::taker::Mood;
use crate::{Bench, Check, Flaw, Gate, ensure, ensure_eq};

pub(super) async fn e5_what_is_shed_is_counted_and_published(bench: &Bench) -> Check {
    let rounds = bench.rounds(10);
    let mut random = bench.random();
    for round in 0..rounds {
        // Every third time there are more senders than the router has rows for.
        let senders = if round % 3 == 2 { 40 } else { 5 };
        a_sink_is_stuck(bench, &mut random, senders).await?;
    }
    a_report_is_shed(bench).await?;
    Ok(rounds + 1)
}

/// The report itself is pushed out by others' packets: the count is published all the same, when there is room again.
async fn a_report_is_shed(bench: &Bench) -> Result<(), Flaw> {
    let mut config = rooms(8);
    config.rooms[Priority::Normal.index()].packets = 2;
    let mut office = Office::open(bench, config, streams()).await?;
    let gate = Gate::new();
    office.sinks[NORMAL].set(Mood::Waits(gate.clone()));
    office.post(bench, "silent", Priority::Low)?;
    office.quiet(bench).await?;
    for _ in 0..5 {
        office.post(bench, "silent", Priority::Normal)?;
    }
    // Written down by now.
    office.quiet(bench).await?;
    ensure!(office.times_told("telemetry.shed") > 0, "nothing was told of packets that were shed");
    for _ in 0..30 {
        office.post(bench, "loud", Priority::High)?;
    }
    office.sinks[NORMAL].set(Mood::Takes);
    gate.open();
    for _ in 0..3 {
        office.advance(bench, REPORT_EVERY).await?;
    }
    let told = office.sinks[NORMAL].had_events("telemetry.shed");
    let last = told.iter().rfind(|event| event.attribute("source") == Some("silent"));
    let count = last.map(|event| number(event, "normal")).transpose()?;
    ensure_eq!(count, Some(3), "packets of one source shed, as published after its first report was shed itself");
    office.close(bench).await
}

/// How many rows of sources a router has here.
const ROWS: usize = 16;

type Counts = BTreeMap<Source, [u64; Priority::COUNT]>;

/// The sink of the normal stream holds what it got first. Of what comes afterwards the newest stay, of each priority as many as fit.
async fn a_sink_is_stuck(bench: &Bench, random: &mut fastrand::Rng, senders: usize) -> Result<(), Flaw> {
    const ROOM: usize = 8;
    let mut config = rooms(ROOM as u32);
    config.sources = ROWS;
    // The router's own reports find room, so that what is counted is what the rule sent.
    config.rooms[Priority::High.index()].packets = 1_000;
    let mut office = Office::open(bench, config, streams()).await?;
    let gate = Gate::new();
    office.sinks[NORMAL].set(Mood::Waits(gate.clone()));
    let out = random.usize(1..ROOM);
    for _ in 0..out {
        office.post(bench, "sender 0", Priority::Normal)?;
    }
    office.quiet(bench).await?;
    let first = office.sinks[NORMAL].seen_numbers();
    for _ in 0..random.usize(60..150) {
        let source = format!("sender {}", random.usize(0..senders));
        let priority = if random.bool() { Priority::Normal } else { Priority::Low };
        office.post(bench, &source, priority)?;
    }
    for _ in 0..5 {
        office.post(bench, "sender 0", Priority::High)?;
        office.post(bench, "sender 0", Priority::Critical)?;
    }
    // Reckoned without the router: the newest stay, beside what the sink has.
    let mut kept: BTreeSet<u64> = first.iter().copied().collect();
    for priority in [Priority::Low, Priority::Normal] {
        let waiting = office.numbers(|sent| sent.priority == priority && !kept.contains(&sent.number));
        let out = if priority == Priority::Normal { first.len() } else { 0 };
        kept.extend(waiting.iter().rev().take(ROOM - out));
    }
    let mut expected = Counts::new();
    for sent in &office.sent {
        let worldly = matches!(sent.priority, Priority::Low | Priority::Normal);
        let shed = worldly && !kept.contains(&sent.number);
        ensure_eq!(
            sent.fate() == Some(Fate::Shed),
            shed,
            "whether number {} of {} was shed, where there is room for {ROOM} of each priority, as its receipt says",
            sent.number,
            sent.priority
        );
        if shed {
            expected.entry(sent.source).or_default()[sent.priority.index()] += 1;
        }
    }
    ensure!(!expected.is_empty(), "nothing was shed of {} packets", office.sent.len());
    let total = |counts: &Counts| -> [u64; Priority::COUNT] {
        Priority::ALL.map(|priority| counts.values().map(|of| of[priority.index()]).sum())
    };
    ensure_eq!(office.balanced()?.shed, total(&expected), "packets shed, by priority, in the ledger");
    counted(&office, &expected)?;
    // The sink is well again: what was kept arrives, and so does the count.
    office.sinks[NORMAL].set(Mood::Takes);
    gate.open();
    office.advance(bench, REPORT_EVERY).await?;
    office.advance(bench, REPORT_EVERY).await?;
    office.drain(bench).await?;
    let arrived: BTreeSet<u64> = office.sinks[NORMAL].had_numbers().into_iter().collect();
    for sent in &office.sent {
        let worldly = matches!(sent.priority, Priority::Low | Priority::Normal);
        ensure!(
            !worldly || arrived.contains(&sent.number) == kept.contains(&sent.number),
            "number {} arrived: {}, was kept: {}",
            sent.number,
            arrived.contains(&sent.number),
            kept.contains(&sent.number)
        );
    }
    ensure_eq!(office.balanced()?.shed, total(&expected), "packets shed, by priority, at the end");
    counted(&office, &expected)?;
    published(&office, &expected)?;
    office.close(bench).await
}

/// The name under which all sources beyond the bound are counted.
const OTHERS: &str = "(others)";

/// The rows of the router: each source has what is due to it, and those beyond the bound together what is due to them.
fn counted(office: &Office, expected: &Counts) -> Result<(), Flaw> {
    let rows: Counts = office.router.sources().into_iter().map(|(source, figures)| (source, figures.shed)).collect();
    same(&rows, expected, "counted")
}

/// What the last report on each source says, that arrived.
fn published(office: &Office, expected: &Counts) -> Result<(), Flaw> {
    let mut rows = Counts::new();
    for event in office.sinks[NORMAL].had_events("telemetry.shed") {
        let source = Source::of(event.attribute("source").unwrap_or_default());
        rows.insert(source, [number(&event, "low")?, number(&event, "normal")?, number(&event, "high")?, 0]);
    }
    same(&rows, expected, "published")
}

fn number(event: &Event, key: &str) -> Result<u64, Flaw> {
    let value = event.attribute(key).unwrap_or_default();
    value.parse().map_err(|_| Flaw::Broken(format!("{event} says {key}={value:?}")))
}

fn same(rows: &Counts, expected: &Counts, how: &str) -> Result<(), Flaw> {
    let others = Source::of(OTHERS);
    ensure!(rows.len() <= ROWS + 1, "{} rows {how}, where there are {ROWS} and one for the others", rows.len());
    if expected.len() <= ROWS {
        ensure_eq!(rows, expected, "packets shed, {how} by source and priority");
        return Ok(());
    }
    let mut rest = [0; Priority::COUNT];
    for (source, of) in expected {
        match rows.get(source) {
            Some(row) => ensure_eq!(row, of, "packets of {source} shed, {how} by priority"),
            None => rest.iter_mut().zip(of).for_each(|(rest, of)| *rest += of),
        }
    }
    ensure_eq!(rows.get(&others), Some(&rest), "packets shed of all other sources, {how} by priority");
    Ok(())
}
