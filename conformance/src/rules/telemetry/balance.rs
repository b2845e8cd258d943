//! The ledger, beside the rule's own count of everything, while it goes on and at the end.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use countermand_core::{Fate, Label, Ledger, Level, OutletConfig, PacketId, Priority, Source};

use super::alarm::answers_anything;
use super::body::Body;
use super::office::{EMERGENCY, NORMAL, Office, rooms, streams};
use super::taker::Mood;
use crate::rules::kit::{has, secs};
use crate::{Bench, Check, Flaw, Profile, ensure, ensure_eq};

pub(super) async fn e8_the_ledger_balances_at_any_moment(bench: &Bench) -> Check {
    let rounds = bench.rounds(10);
    let mut random = bench.random();
    for _ in 0..rounds {
        mixed(bench, &mut random).await?;
    }
    let mut samples = 0;
    if has(bench, Profile::NONE.threads()) {
        samples = from_threads(bench, &mut random).await?;
    }
    Ok(rounds + samples)
}

const GRAVES: usize = 2;

async fn mixed(bench: &Bench, random: &mut fastrand::Rng) -> Result<(), Flaw> {
    let mut config = rooms(random.u32(2..10));
    config.ttl = Some(secs(random.u64(1..60)));
    // None of the router's own packets are shed, so that it is known of each packet what became of it.
    config.rooms[Priority::High.index()].packets = 10_000;
    let mut outlets = streams();
    outlets.push(OutletConfig::dead_letters("graves"));
    for outlet in &mut outlets {
        outlet.attempts = random.u32(1..6);
        outlet.batch = random.usize(1..6);
        outlet.patience = secs(5);
        outlet.breaker.failures = random.u32(0..4);
    }
    let mut office = Office::open(bench, config, outlets).await?;
    let mut last = Ledger::default();
    for _ in 0..random.usize(10..30) {
        let index = random.usize(0..office.sinks.len());
        office.sinks[index].set(any_mood(bench, random));
        for _ in 0..random.usize(1..10) {
            let priority = Priority::ALL[random.usize(0..Priority::COUNT)];
            let label = office.label_of(if random.bool() { "a" } else { "b" }, priority);
            office.send(bench, label)?;
            last = later(last, office.router.ledger())?;
        }
        match random.u8(0..6) {
            0 => office.restart(bench, random.usize(0..office.sinks.len())).await?,
            1 | 2 => office.advance(bench, secs(random.u64(1..40))).await?,
            _ => office.quiet(bench).await?,
        }
        last = later(last, office.router.ledger())?;
        let counted = taken_and_refused(&office);
        ensure_eq!((last.accepted, last.refused), counted, "packets taken in and refused, by priority");
    }
    office.heal();
    office.drain(bench).await?;
    let ledger = later(last, office.balanced()?)?;
    each_column(&office, &ledger)?;
    office.close(bench).await
}

fn any_mood(bench: &Bench, random: &mut fastrand::Rng) -> Mood {
    let moods = if has(bench, Profile::NONE.unwind()) { 9 } else { 7 };
    match random.u8(0..moods) {
        0 | 1 => Mood::Takes,
        2 => Mood::refuses_now(),
        3 => Mood::refuses_for_good(),
        4 => Mood::Sticks,
        5 => Mood::Forges,
        6 => answers_anything(random.fork()),
        7 => Mood::Panics,
        _ => Mood::PanicsLater,
    }
}

/// The ledger balances, and nothing in it was taken back since the one before.
fn later(before: Ledger, now: Ledger) -> Result<Ledger, Flaw> {
    ensure!(now.balances(), "the ledger does not balance: {now:?}");
    // As it says itself; here it is added up once more.
    for of in 0..Priority::COUNT {
        let ended = now.delivered[of] + now.dead_lettered[of] + now.expired[of] + now.shed[of];
        ensure_eq!(now.accepted[of], ended + now.pending[of], "taken in, and all that became of it, in {now:?}");
        let columns = |ledger: &Ledger| {
            [ledger.accepted, ledger.delivered, ledger.dead_lettered, ledger.expired, ledger.shed, ledger.refused]
                .map(|column| column[of])
        };
        let back = columns(&before).into_iter().zip(columns(&now)).any(|(before, now)| before > now);
        ensure!(!back, "a column of the ledger went down: from {before:?} to {now:?}");
    }
    Ok(now)
}

type Row = [u64; Priority::COUNT];

/// What the rule was told when it sent them, and what the router wrote down of its own.
fn taken_and_refused(office: &Office) -> (Row, Row) {
    let (mut taken, mut refused) = ([0; Priority::COUNT], [0; Priority::COUNT]);
    for sent in &office.sent {
        let row = if sent.taken.is_ok() { &mut taken } else { &mut refused };
        row[sent.priority.index()] += 1;
    }
    office.told().iter().for_each(|(_, priority, _)| taken[priority.index()] += 1);
    (taken, refused)
}

/// Every column against what sinks have and receipts say.
fn each_column(office: &Office, ledger: &Ledger) -> Result<(), Flaw> {
    let had = |place: usize| office.sinks[place].had().into_iter().map(|sight| (sight.id, sight.priority));
    let delivered: BTreeSet<_> = had(NORMAL).chain(had(EMERGENCY)).collect();
    let dead: BTreeSet<_> = had(GRAVES).collect();
    let both = delivered.intersection(&dead).count();
    ensure_eq!(both, 0, "packets that were delivered and are dead letters, with one sink for each stream");
    let count = |set: &BTreeSet<(u128, Priority)>| -> Row {
        Priority::ALL.map(|priority| set.iter().filter(|(_, of)| *of == priority).count() as u64)
    };
    let of_fate = |fate: Fate| -> Row {
        Priority::ALL.map(|priority| {
            office.sent.iter().filter(|sent| sent.priority == priority && sent.fate() == Some(fate)).count() as u64
        })
    };
    ensure_eq!(ledger.delivered, count(&delivered), "delivered, by priority, as the sinks say");
    // A dead letter that its own outlet gave up for good has no place, and is counted as one all the same.
    let letters: Row = {
        let (taken, own) = (of_fate(Fate::DeadLettered), own_letters(office, ledger));
        Priority::ALL.map(|priority| taken[priority.index()] + own[priority.index()])
    };
    ensure_eq!(ledger.dead_lettered, letters, "dead-lettered, by priority, as the receipts say");
    for (of, (letters, kept)) in ledger.dead_lettered.iter().zip(count(&dead)).enumerate() {
        ensure!(*letters >= kept, "{letters} dead letters of {}, where their sink has {kept}", Priority::ALL[of]);
    }
    ensure_eq!(ledger.shed, of_fate(Fate::Shed), "shed, by priority, as the receipts say");
    let expired: u64 = ledger.expired.iter().sum();
    let receipts: u64 = of_fate(Fate::Expired).iter().sum();
    let own = own_rest(office, &delivered);
    ensure!(
        expired >= receipts && expired <= receipts + own,
        "{expired} expired, where receipts say {receipts}, and {own} of the router's own did not arrive"
    );
    Ok(())
}

/// How many of the router's own packets are dead letters: what the ledger has beyond the rule's, at the most as many as did not arrive.
fn own_letters(office: &Office, ledger: &Ledger) -> Row {
    let mut row = [0; Priority::COUNT];
    let had: BTreeSet<u128> = office.sinks[NORMAL].had().into_iter().map(|sight| sight.id).collect();
    let lost = office.told().iter().filter(|(id, _, _)| !had.contains(id)).count() as u64;
    let of = Priority::High.index();
    let receipts = office
        .sent
        .iter()
        .filter(|sent| sent.priority == Priority::High && sent.fate() == Some(Fate::DeadLettered))
        .count() as u64;
    row[of] = ledger.dead_lettered[of].saturating_sub(receipts).min(lost);
    row
}

fn own_rest(office: &Office, delivered: &BTreeSet<(u128, Priority)>) -> u64 {
    office.told().iter().filter(|(id, priority, _)| !delivered.contains(&(*id, *priority))).count() as u64
}

/// Threads send, another one looks at the ledger all the time, while time passes and the sinks are now well and now ill.
async fn from_threads(bench: &Bench, random: &mut fastrand::Rng) -> Check {
    const SENDERS: u64 = 3;
    let each = bench.rounds(400);
    let mut outlets = streams();
    outlets.push(OutletConfig::dead_letters("graves"));
    outlets.iter_mut().for_each(|outlet| outlet.patience = secs(5));
    let office = Office::open(bench, rooms(50), outlets).await?;
    let (left, stop) = (Arc::new(AtomicU64::new(SENDERS)), Arc::new(AtomicBool::new(false)));
    let now = bench.now();
    let mut senders = Vec::new();
    for sender in 0..SENDERS {
        let (router, alive, left) = (office.router.clone(), office.alive.clone(), Arc::clone(&left));
        let mut random = random.fork();
        senders.push(std::thread::spawn(move || {
            let (mut taken, mut refused): (Row, Row) = Default::default();
            for turn in 0..each {
                let priority = Priority::ALL[random.usize(0..Priority::COUNT)];
                let number = sender * each + turn + 1;
                let label = Label::new(PacketId::new(number.into()), Source::of("thread"), Level::Info);
                let offered = router.post(now, label.priority(priority).weight(1), Body::packet(number, &alive));
                let row = if offered.is_ok() { &mut taken } else { &mut refused };
                row[priority.index()] += 1;
            }
            left.fetch_sub(1, Ordering::SeqCst);
            (taken, refused)
        }));
    }
    let sampler = {
        let (router, stop) = (office.router.clone(), Arc::clone(&stop));
        std::thread::spawn(move || {
            let (mut samples, mut last) = (0, Ledger::default());
            while !stop.load(Ordering::SeqCst) {
                last = later(last, router.ledger())?;
                samples += 1;
                std::thread::yield_now();
            }
            Ok::<u64, Flaw>(samples)
        })
    };
    let mut turns = 0;
    let sent = loop {
        for sink in &office.sinks {
            sink.set(any_mood(bench, random));
        }
        bench.tick(secs(random.u64(0..5)));
        bench.yield_now().await;
        turns += 1;
        if left.load(Ordering::SeqCst) == 0 && turns > 50 {
            break bench.until("the threads end", || senders.iter().all(std::thread::JoinHandle::is_finished)).await;
        }
    };
    office.heal();
    let drained = office.drain(bench).await;
    stop.store(true, Ordering::SeqCst);
    sent?;
    drained?;
    let panicked = |_| Flaw::Broken("a thread panicked that used a router".to_owned());
    let samples = sampler.join().map_err(panicked)??;
    let (mut taken, mut refused): (Row, Row) = Default::default();
    for sender in senders {
        let (of_taken, of_refused) = sender.join().map_err(panicked)?;
        taken.iter_mut().zip(of_taken).for_each(|(sum, of)| *sum += of);
        refused.iter_mut().zip(of_refused).for_each(|(sum, of)| *sum += of);
    }
    office.told().iter().for_each(|(_, priority, _)| taken[priority.index()] += 1);
    let ledger = office.balanced()?;
    ensure_eq!(
        (ledger.accepted, ledger.refused),
        (taken, refused),
        "packets taken in and refused, as the threads count"
    );
    let sink = |place: usize, priority| office.sinks[place].had().iter().filter(|had| had.priority == priority).count();
    let delivered = Priority::ALL.map(|priority| (sink(NORMAL, priority) + sink(EMERGENCY, priority)) as u64);
    ensure_eq!(ledger.delivered, delivered, "packets delivered, as the sinks count");
    office.close(bench).await?;
    Ok(samples)
}
