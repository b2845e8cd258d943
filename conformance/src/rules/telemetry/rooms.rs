//! Ordinary packets never use what is CRITICAL's: its room, its rate, its breaker, its stream.

use std::num::NonZeroU32;
use std::sync::Arc;

use countermand_core::{OutletConfig, Priority, Rate, Refusal, Room, Stream};

use super::office::{EMERGENCY, NORMAL, Office, rooms, streams};
use super::taker::Mood;
use crate::rules::kit::secs;
use crate::{Bench, Check, Flaw, ensure, ensure_eq};

pub(super) async fn e15_priorities_do_not_borrow_downwards(bench: &Bench) -> Check {
    let mut random = bench.random();
    let rounds = bench.rounds(6);
    for _ in 0..rounds {
        room(bench, &mut random).await?;
        room_of_letters(bench, &mut random).await?;
    }
    rate(bench).await?;
    breaker(bench).await?;
    one_alarm(bench).await?;
    Ok(2 * rounds + 3)
}

/// Every sink is stuck, and the flood comes first: there is still all the room for what is CRITICAL, in packets or in bytes.
async fn room(bench: &Bench, random: &mut fastrand::Rng) -> Result<(), Flaw> {
    let (packets, weight) = (random.u64(1..8), random.u64(1..50));
    let mut config = rooms(1);
    let by_bytes = random.bool();
    let room = if by_bytes { Room::new(1_000, packets * weight) } else { Room::new(packets as u32, 1 << 30) };
    config.rooms = [room; Priority::COUNT];
    let mut office = Office::open(bench, config, streams()).await?;
    office.sinks.iter().for_each(|sink| sink.set(Mood::Sticks));
    let mut taken = 0;
    for turn in 0..200_u64 {
        let priority = if turn % 10 == 9 { Priority::Critical } else { Priority::ALL[random.usize(0..3)] };
        let label = office.label_of("a", priority).weight(weight as usize);
        let accepted = office.send(bench, label)?;
        if priority == Priority::Critical {
            ensure_eq!(
                accepted,
                taken < packets,
                "whether the CRITICAL packet after {taken} of {packets} was taken in under a flood, {} bounded",
                if by_bytes { "bytes" } else { "packets" }
            );
            taken += u64::from(accepted);
        } else {
            ensure!(accepted, "a {priority} packet was refused");
        }
        if turn % 16 == 0 {
            office.quiet(bench).await?;
        }
    }
    let pending = office.balanced()?.pending;
    // The router's own reports have no weight.
    let own = if by_bytes { office.told().len() as u64 } else { 0 };
    for priority in Priority::ALL {
        ensure!(
            pending[priority.index()] <= packets + own,
            "{pending:?} are pending, where each priority has room for {packets}"
        );
    }
    office.heal();
    office.drain(bench).await?;
    office.close(bench).await
}

/// The same for dead letters, where all priorities go through one outlet.
async fn room_of_letters(bench: &Bench, random: &mut fastrand::Rng) -> Result<(), Flaw> {
    let packets = random.u64(1..6);
    let mut outlets = streams();
    outlets.push(OutletConfig::dead_letters("graves"));
    let mut office = Office::open(bench, rooms(packets as u32), outlets).await?;
    office.sinks[2].set(Mood::Sticks);
    office.sinks[NORMAL].set(Mood::refuses_for_good());
    for _ in 0..5 * packets {
        office.post(bench, "a", Priority::ALL[random.usize(0..3)])?;
        office.quiet(bench).await?;
    }
    office.sinks[EMERGENCY].set(Mood::refuses_for_good());
    for turn in 0..packets {
        office.post(bench, "a", Priority::Critical)?;
        office.quiet(bench).await?;
        let graves = &office.router.outlets()[2];
        ensure_eq!(
            u64::from(graves.pending[Priority::Critical.index()]),
            turn + 1,
            "CRITICAL dead letters in a room for {packets}, after a flood of others: {graves:?}"
        );
    }
    office.heal();
    office.drain(bench).await?;
    office.close(bench).await
}

/// The rate of ordinary letters is used up, and they wait; a CRITICAL one goes out at once, and its rate is whole.
async fn rate(bench: &Bench) -> Result<(), Flaw> {
    const RATE: NonZeroU32 = NonZeroU32::new(3).unwrap();
    let mut outlets = streams();
    let mut graves = OutletConfig::dead_letters("graves");
    graves.rates = [Some(Rate::per_minute(RATE)); Priority::COUNT];
    outlets.push(graves);
    let mut office = Office::open(bench, rooms(100), outlets).await?;
    office.sinks[NORMAL].set(Mood::refuses_for_good());
    office.sinks[EMERGENCY].set(Mood::refuses_for_good());
    for priority in [Priority::Low, Priority::Normal, Priority::High] {
        for _ in 0..20 {
            office.post(bench, "flood", priority)?;
        }
    }
    office.quiet(bench).await?;
    let letters =
        |office: &Office, priority| office.sinks[2].had().iter().filter(|had| had.priority == priority).count();
    for priority in [Priority::Low, Priority::Normal, Priority::High] {
        let gone = letters(&office, priority);
        ensure!(gone <= 3, "{gone} {priority} letters went out at once, where the rate is 3 a minute");
    }
    for turn in 1..=3 {
        office.post(bench, "a", Priority::Critical)?;
        office.quiet(bench).await?;
        ensure_eq!(
            letters(&office, Priority::Critical),
            turn,
            "CRITICAL letters gone out, while the flood waits for its rate"
        );
    }
    office.post(bench, "a", Priority::Critical)?;
    office.quiet(bench).await?;
    ensure_eq!(letters(&office, Priority::Critical), 3, "CRITICAL letters gone out at a rate of 3 a minute");
    office.heal();
    office.drain(bench).await?;
    office.close(bench).await
}

/// Ordinary letters fail until their sink is let alone with them; not so with what is CRITICAL, and its own failures are its own.
async fn breaker(bench: &Bench) -> Result<(), Flaw> {
    let mut outlets = streams();
    let mut graves = OutletConfig::dead_letters("graves");
    graves.breaker = countermand_core::BreakerConfig::new(2, secs(1_000_000));
    outlets.push(graves);
    let mut office = Office::open(bench, rooms(100), outlets).await?;
    office.sinks[NORMAL].set(Mood::refuses_for_good());
    office.sinks[EMERGENCY].set(Mood::refuses_for_good());
    office.sinks[2].set(Mood::Answers(Arc::new(|batch| {
        for index in 0..batch.len() {
            match batch.deliveries()[index].parcel.label.priority {
                Priority::Critical => batch.acknowledge(index),
                _ => batch.refuse(index, Refusal::later("no room for trifles")),
            }
        }
    })));
    let open = |office: &Office| office.router.outlets()[2].open;
    let mut alarms = Vec::new();
    for _ in 0..12 {
        office.post(bench, "flood", Priority::Normal)?;
        alarms.push(office.post(bench, "a", Priority::Critical)?);
        office.quiet(bench).await?;
        ensure_eq!(office.sinks[2].had_numbers(), alarms, "CRITICAL letters that arrived, while others fail");
        ensure!(
            !open(&office)[Priority::Critical.index()],
            "a sink is let alone with what is CRITICAL, of which it took all"
        );
        office.advance(bench, secs(40)).await?;
    }
    ensure!(open(&office)[Priority::Normal.index()], "a sink that refused NORMAL letters for minutes is not let alone");
    office.heal();
    office.drain_by(bench, secs(1_000_000)).await?;
    office.close(bench).await
}

/// One alarm changes nothing for those that follow.
async fn one_alarm(bench: &Bench) -> Result<(), Flaw> {
    let mut office = Office::open(bench, rooms(100), streams()).await?;
    let mut expected = (Vec::new(), Vec::new());
    for turn in 0..40 {
        let priority = if turn % 10 == 3 { Priority::Critical } else { Priority::ALL[turn % 3] };
        let number = office.post(bench, "a", priority)?;
        let stream = if Stream::of(priority) == Stream::Normal { &mut expected.0 } else { &mut expected.1 };
        stream.push(number);
        office.quiet(bench).await?;
        ensure_eq!(
            (office.sinks[NORMAL].had_numbers(), office.sinks[EMERGENCY].had_numbers()),
            expected,
            "packets by the normal and by the emergency stream"
        );
    }
    office.close(bench).await
}
