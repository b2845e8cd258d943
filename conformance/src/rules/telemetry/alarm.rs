//! What is CRITICAL is never lost, whatever becomes of rooms, rates, sinks, services and time.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};

use countermand_core::{
    Batch, Fate, OutletConfig, Priority, Rate, Refusal, RefuseReason, Room, RouterConfig, Stream, Subject,
};

use super::body::Body;
use super::office::{EMERGENCY, Office, rooms, streams};
use super::taker::{Mood, Sight};
use crate::rules::kit::{has, lock, secs};
use crate::{Bench, Check, Flaw, Profile, ensure, ensure_eq};

const CRITICAL: usize = Priority::Critical.index();

pub(super) async fn e4_a_critical_packet_is_never_dropped(bench: &Bench) -> Check {
    full_and_closed(bench).await?;
    for graves in [Graves::None, Graves::Stuck, Graves::Full] {
        refused_for_good(bench, graves).await?;
    }
    let rounds = bench.rounds(12);
    let mut random = bench.random();
    for _ in 0..rounds {
        whatever_happens(bench, &mut random).await?;
    }
    Ok(rounds + 4)
}

/// A room that is full, and a router that is closed: the sender is told no, and has the packet back. What was taken in arrives.
async fn full_and_closed(bench: &Bench) -> Result<(), Flaw> {
    const ROOM: u64 = 5;
    let mut office = Office::open(bench, rooms(ROOM as u32), streams()).await?;
    office.sinks[EMERGENCY].set(Mood::Sticks);
    for turn in 1..=3 * ROOM {
        let label = office.label_of("a", Priority::Critical);
        ensure_eq!(office.send(bench, label)?, turn <= ROOM, "whether number {turn} of {ROOM} that fit was taken in");
        office.quiet(bench).await?;
    }
    let refused: Vec<_> = office.sent.iter().filter_map(|sent| sent.taken.as_ref().err().copied()).collect();
    ensure_eq!(refused, [RefuseReason::Full; 2 * ROOM as usize], "what the senders were told");
    // Long after every time-out that there is for others.
    office.advance(bench, secs(100_000)).await?;
    let ledger = office.balanced()?;
    ensure_eq!(
        (ledger.pending[CRITICAL], ledger.refused[CRITICAL]),
        (ROOM, 2 * ROOM),
        "CRITICAL packets that are pending and that were refused, while a sink is stuck"
    );
    office.router.close();
    let label = office.label_of("a", Priority::Critical);
    ensure!(!office.send(bench, label)?, "a router that is closed took a packet in");
    office.heal();
    office.drain(bench).await?;
    ensure_eq!(office.sinks[EMERGENCY].had_numbers(), (1..=ROOM).collect::<Vec<_>>(), "packets that arrived");
    office.close(bench).await
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Graves {
    None,
    Stuck,
    Full,
}

/// A sink that will never have it, where nobody takes dead letters at the time: it is tried again and again, until it has a place.
async fn refused_for_good(bench: &Bench, graves: Graves) -> Result<(), Flaw> {
    let mut outlets = streams();
    outlets[EMERGENCY].attempts = 1;
    if graves != Graves::None {
        outlets.push(OutletConfig::dead_letters("graves"));
    }
    let mut office = Office::open(bench, rooms(2), outlets).await?;
    if graves != Graves::None {
        office.sinks[2].set(Mood::Sticks);
    }
    office.sinks[EMERGENCY].set(Mood::refuses_for_good());
    let count = if graves == Graves::Full { 4 } else { 2 };
    for _ in 0..count {
        office.post(bench, "a", Priority::Critical)?;
        office.quiet(bench).await?;
    }
    office.advance(bench, secs(1_000)).await?;
    for _ in 0..20 {
        office.advance(bench, secs(60)).await?;
    }
    let ledger = office.balanced()?;
    ensure_eq!(ledger.pending[CRITICAL], count, "CRITICAL packets pending that nobody takes, with graves {graves:?}");
    office.heal();
    office.drain(bench).await?;
    each_has_a_place(&office, Some(EMERGENCY), (graves != Graves::None).then_some(2))?;
    office.close(bench).await
}

/// Anything that can go wrong, at random.
async fn whatever_happens(bench: &Bench, random: &mut fastrand::Rng) -> Result<(), Flaw> {
    let mut config = RouterConfig::default();
    config.rooms = [Room::new(random.u32(2..8), random.u64(20..60)); Priority::COUNT];
    config.ttl = Some(secs(random.u64(1..20)));
    let mut outlets = streams();
    let (keeps, buries) = (random.bool(), random.bool());
    if keeps {
        outlets[EMERGENCY].keeps = true;
        // Tells repeats together when its rate is used up.
        let mut pager = OutletConfig::new("pager", Stream::Emergency);
        pager.rates[CRITICAL] = NonZeroU32::new(2).map(Rate::per_minute);
        outlets.push(pager);
    } else if random.bool() {
        outlets[EMERGENCY].rates[CRITICAL] = NonZeroU32::new(random.u32(1..9)).map(Rate::per_minute);
    }
    let graves = buries.then_some(outlets.len());
    if buries {
        outlets.push(OutletConfig::dead_letters("graves"));
    }
    for outlet in &mut outlets {
        outlet.attempts = random.u32(1..4);
        outlet.batch = random.usize(1..5);
        outlet.patience = secs(5);
        outlet.breaker.failures = random.u32(0..4);
    }
    let mut office = Office::open(bench, config, outlets).await?;
    let mut refused = 0;
    for _ in 0..random.usize(10..40) {
        let index = random.usize(0..office.sinks.len());
        office.sinks[index].set(any_mood(bench, random));
        for _ in 0..random.usize(1..6) {
            let priority = if random.bool() { Priority::Critical } else { Priority::ALL[random.usize(0..3)] };
            let source = if random.bool() { "a" } else { "b" };
            let subject = Subject::of(if random.bool() { "overheated" } else { "out of fuel" });
            let label = office.label_of(source, priority).subject(subject).weight(random.usize(1..12));
            let taken = office.send(bench, label)?;
            ensure!(
                taken || priority == Priority::Critical,
                "a {priority} packet was refused: {:?}",
                office.sent.last()
            );
            refused += u64::from(!taken);
        }
        match random.u8(0..6) {
            0 => office.restart(bench, random.usize(0..office.sinks.len())).await?,
            1 | 2 => office.advance(bench, secs(random.u64(1..40))).await?,
            _ => office.quiet(bench).await?,
        }
        let (ledger, all) =
            (office.balanced()?, office.numbers(|sent| sent.priority == Priority::Critical).len() as u64);
        ensure_eq!(
            (ledger.accepted[CRITICAL], ledger.refused[CRITICAL], ledger.shed[CRITICAL], ledger.expired[CRITICAL]),
            (all, refused, 0, 0),
            "CRITICAL packets taken in, refused, shed, expired"
        );
    }
    office.heal();
    office.drain(bench).await?;
    each_has_a_place(&office, Some(EMERGENCY), graves)?;
    if keeps {
        repeats_are_true(&office, &office.sinks[2].had())?;
    }
    office.close(bench).await
}

fn any_mood(bench: &Bench, random: &mut fastrand::Rng) -> Mood {
    let moods = if has(bench, Profile::NONE.unwind()) { 12 } else { 9 };
    match random.u8(0..moods) {
        0 | 1 => Mood::Takes,
        2 => Mood::refuses_now(),
        3 => Mood::refuses_for_good(),
        4 => Mood::Sticks,
        5 => Mood::Forges,
        6 => Mood::AnswersAstray,
        7 => Mood::SaysNothing,
        8 => answers_anything(random.fork()),
        9 => Mood::SticksAndPanics,
        10 => Mood::Panics,
        _ => Mood::PanicsLater,
    }
}

/// Any answer for any packet, or none.
pub(super) fn answers_anything(random: fastrand::Rng) -> Mood {
    let random = Mutex::new(random);
    Mood::Answers(Arc::new(move |batch: &mut Batch<Body>| {
        for index in 0..batch.len() {
            match lock(&random).u8(0..4) {
                0 => batch.acknowledge(index),
                1 => batch.refuse(index, Refusal::later("busy")),
                2 => batch.refuse(index, Refusal::never("ugly")),
                _ => {}
            }
        }
    }))
}

/// Each CRITICAL packet that was taken in is with the sink, or is a dead letter with its reason; what was refused is nowhere; and the receipts say so.
fn each_has_a_place(office: &Office, sink: Option<usize>, graves: Option<usize>) -> Result<(), Flaw> {
    let had = |place: Option<usize>| place.map(|place| office.sinks[place].had()).unwrap_or_default();
    let numbers = |sights: &[Sight]| sights.iter().filter_map(|sight| sight.number).collect::<BTreeSet<u64>>();
    let (kept, letters) = (had(sink), had(graves));
    for letter in &letters {
        let reason = letter.dead.as_ref().map(|dead| (!dead.sink.is_empty(), !dead.reason.is_empty()));
        ensure_eq!(reason, Some((true, true)), "sink and reason that are named by the dead letter {:032x}", letter.id);
    }
    let (kept, letters) = (numbers(&kept), numbers(&letters));
    for sent in office.sent.iter().filter(|sent| sent.priority == Priority::Critical) {
        let (number, places) = (sent.number, (kept.contains(&sent.number), letters.contains(&sent.number)));
        match sent.fate() {
            None if sent.taken.is_err() => {
                ensure_eq!(places, (false, false), "where number {number} is, which was refused");
            }
            Some(Fate::Delivered) => {
                ensure!(places.0, "number {number} is lost; its receipt says that it was delivered")
            }
            Some(Fate::DeadLettered) => {
                ensure!(places.0 || places.1, "number {number} is lost; its receipt says that it is a dead letter");
            }
            fate => ensure!(false, "number {number}, which is CRITICAL, met the fate {fate:?}"),
        }
    }
    Ok(())
}

/// What was told together stands for packets that were sent: no more of each source, and not earlier or later.
fn repeats_are_true(office: &Office, pager: &[Sight]) -> Result<(), Flaw> {
    let mut told: BTreeMap<_, u64> = BTreeMap::new();
    for sight in pager {
        let count = sight.repeats.map_or(1, |repeats| repeats.count);
        *told.entry(sight.source).or_default() += count;
        if let Some(repeats) = sight.repeats {
            ensure!(count > 1 && repeats.first <= repeats.last, "a packet told together with no other: {repeats:?}");
            ensure_eq!(repeats.first, sight.accepted, "when the first of {count} repeats was taken in");
        }
    }
    for (source, told) in told {
        let sent = office.numbers(|sent| sent.priority == Priority::Critical && sent.source == source).len() as u64;
        ensure!(told <= sent, "{told} CRITICAL packets of {source} were told, of {sent}");
    }
    Ok(())
}
