//! What goes wrong with the router itself is told, in bounded number; and what it holds is bounded, whatever comes in.

use std::collections::BTreeMap;
use std::task::Waker;

use countermand_core::{
    Event, Label, OutletConfig, OutletTurn, PacketId, Priority, Router, RouterConfig, Source, Stream, Text,
};

use super::body::{Alive, Body};
use super::office::{EMERGENCY, NORMAL, Office, REPORT_EVERY, rooms, streams};
use super::taker::Mood;
use crate::rules::kit::{has, secs};
use crate::{Bench, Check, Flaw, Profile, ensure, ensure_eq};

pub(super) async fn e16_own_faults_are_reported_and_cannot_feed_themselves(bench: &Bench) -> Check {
    by_hand(bench)?;
    let mut ways = vec![
        ("telemetry.sink_failed", Mood::refuses_now()),
        ("telemetry.sink_failed", Mood::SaysNothing),
        ("telemetry.sink_misbehaved", Mood::Forges),
        ("telemetry.sink_misbehaved", Mood::AnswersAstray),
        ("telemetry.sink_misbehaved", Mood::Sticks),
    ];
    if has(bench, Profile::NONE.unwind()) {
        let moods = [Mood::Panics, Mood::PanicsLater, Mood::SticksAndPanics];
        ways.extend(moods.map(|mood| ("telemetry.sink_misbehaved", mood)));
    }
    let mut runs = 1;
    for (name, mood) in ways {
        reported(bench, name, &mood).await?;
        left_to_itself(bench, &mood).await?;
        runs += 2;
    }
    let mut random = bench.random();
    let rounds = bench.rounds(4);
    for _ in 0..rounds {
        flood(bench, &mut random).await?;
    }
    Ok(runs + rounds)
}

/// Outlets turned by hand, with time that stands still and a sink that never answers: one report, and no other because of it.
fn by_hand(bench: &Bench) -> Result<(), Flaw> {
    let alive = Alive::default();
    let bodies = alive.clone();
    let router = Router::new(rooms(1), streams(), move |event: &Event, _: &Label, _| Body::event(event, &bodies));
    let (router, mut outlets) = router.map_err(|error| Flaw::Broken(format!("a router was not made: {error}")))?;
    let now = bench.now();
    for turn in 0..100_u64 {
        // The report on what is shed takes the only room of what is HIGH, and is shed in its turn.
        for priority in [Priority::Normal, Priority::High] {
            let number = 2 * turn + u64::from(priority == Priority::High) + 1;
            let label = Label::new(PacketId::new(number.into()), Source::of("flood"), countermand_core::Level::Info);
            let posted = router.post(now, label.priority(priority).weight(1), Body::packet(number, &alive));
            ensure!(posted.is_ok(), "a {priority} packet was refused");
        }
        for outlet in &mut outlets {
            let _ = matches!(outlet.turn(now, Some(Waker::noop())), OutletTurn::Deliver(_));
        }
    }
    let accepted: u64 = router.ledger().accepted.iter().sum();
    ensure!(accepted <= 201, "{} reports of one source at one time, none of which arrived", accepted - 200);
    Ok(())
}

/// A sink fails with others' packets: that is told by name, where it can be told, with the total.
async fn reported(bench: &Bench, name: &'static str, mood: &Mood) -> Result<(), Flaw> {
    let mut outlets = streams();
    outlets.iter_mut().for_each(|outlet| outlet.patience = secs(5));
    outlets[EMERGENCY].breaker.failures = 3;
    let mut office = Office::open(bench, rooms(100), outlets).await?;
    office.sinks[EMERGENCY].set(mood.clone());
    office.post(bench, "a", Priority::Critical)?;
    for _ in 0..100 {
        office.advance(bench, secs(10)).await?;
    }
    office.quiet(bench).await?;
    let (events, totals) = (office.sinks[NORMAL].had_events(name), office.router.outlets()[EMERGENCY].totals);
    let Some(last) = events.last() else {
        return Err(Flaw::Broken(format!("no {name} in 1000 s of a sink that fails: {totals:?}")));
    };
    ensure_eq!(last.attribute("sink"), Some("emergency"), "the sink that {last} names");
    let mut before = 0;
    for event in &events {
        let count: u64 = event.attribute("count").and_then(|count| count.parse().ok()).unwrap_or(0);
        ensure!(count > before, "{event}, after one that said {before}");
        before = count;
    }
    office.heal();
    office.drain(bench).await?;
    office.close(bench).await
}

/// A sink does whatever is wrong with everything, the reports too. Soon nothing but reports is left, and then there are no new ones.
async fn left_to_itself(bench: &Bench, mood: &Mood) -> Result<(), Flaw> {
    let mut outlets = streams();
    for outlet in &mut outlets {
        outlet.attempts = 3;
        outlet.patience = secs(5);
        outlet.breaker.failures = 2;
    }
    let mut office = Office::open(bench, rooms(4), outlets).await?;
    office.sinks[NORMAL].set(mood.clone());
    for _ in 0..20 {
        office.post(bench, "a", Priority::Normal)?;
        office.quiet(bench).await?;
    }
    let mut last = 0;
    let mut silent = 0;
    for period in 1..=300 {
        office.advance(bench, REPORT_EVERY).await?;
        let told = office.told().len();
        // In each period at most one about the source, and two about the sink.
        ensure!(told <= (period + 1) * 3, "{told} reports in {period} periods");
        silent = if told == last { silent + 1 } else { 0 };
        last = told;
    }
    ensure!(
        silent > 100,
        "{last} reports, the last {silent} periods ago, where nothing was sent for 300: they report on each other: {:?}",
        office.told().last().map(|(_, _, event)| event.to_string())
    );
    ensure!(last > 0, "no report on a sink that fails with everything");
    office.heal();
    office.drain(bench).await?;
    office.close(bench).await
}

/// Whatever comes in, from whomever: what is in memory is bounded by the rooms.
async fn flood(bench: &Bench, random: &mut fastrand::Rng) -> Result<(), Flaw> {
    const SOURCES: usize = 8;
    let room = random.u32(3..20);
    let mut config = RouterConfig::default();
    config.rooms = rooms(room).rooms;
    config.sources = SOURCES;
    let mut outlets = streams();
    outlets.push(OutletConfig::new("second", Stream::Normal));
    outlets.push(OutletConfig::dead_letters("graves"));
    outlets.iter_mut().for_each(|outlet| outlet.attempts = 2);
    let office = Office::open(bench, config, outlets).await?;
    let moods = [Mood::Sticks, Mood::refuses_now(), Mood::refuses_for_good(), Mood::SaysNothing];
    office.sinks.iter().for_each(|sink| sink.set(moods[random.usize(0..moods.len())].clone()));
    let most = u64::from(room) * Priority::COUNT as u64 * office.sinks.len() as u64;
    let (mut told, mut periods) = (BTreeMap::<Text<64>, u64>::new(), 1);
    // However small the budget: what does not fill the rooms, and comes to no report, is no flood.
    for number in 1..=bench.rounds(1_500).max(300) {
        let priority = Priority::ALL[random.usize(0..Priority::COUNT)];
        let source = Source::of(format_args!("sender {number}"));
        let label = Label::new(PacketId::new(number.into()), source, countermand_core::Level::Info);
        // Nobody keeps a receipt of it, or its body if it was refused.
        let _ =
            office.router.post(bench.now(), label.priority(priority).weight(1), Body::packet(number, &office.alive));
        let alive = office.alive.count();
        // One may be on its way out, in another thread.
        ensure!(alive <= most + 16, "{alive} packets in memory after {number}, where there are rooms for {most}");
        for outlet in office.router.outlets() {
            let fits = outlet.pending.iter().all(|pending| *pending <= room);
            ensure!(fits, "{outlet:?} has more than {room} packets of a priority");
        }
        if number % 100 == 0 {
            office.advance(bench, REPORT_EVERY).await?;
            periods += 1;
        }
    }
    ensure!(office.router.sources().len() <= SOURCES + 1, "{} rows of sources", office.router.sources().len());
    for (_, _, event) in office.told() {
        let about = event.attribute("source").or(event.attribute("sink")).unwrap_or_default().to_owned();
        *told.entry(Text::of(format_args!("{} {about}", event.name()))).or_default() += 1;
    }
    for (about, told) in told {
        ensure!(told <= periods + 1, "{told} reports on {about} in {periods} periods");
    }
    ensure!(office.times_told("telemetry.shed") > 0, "nothing was told of a flood");
    office.heal();
    office.drain(bench).await?;
    ensure_eq!(office.alive.count(), 0, "packets in memory when nothing is on its way");
    office.close(bench).await
}
