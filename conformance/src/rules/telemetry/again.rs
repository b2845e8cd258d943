//! What is refused, in whatever way, is not delivered: it stays, and comes again as what it is.

use std::pin::pin;

use countermand_core::{Fate, Level, Priority, Stream};

use super::office::{EMERGENCY, NORMAL, Office, rooms, streams};
use super::taker::Mood;
use crate::rules::kit::{has, secs};
use crate::{Bench, Check, Flaw, Gate, Profile, Recorder, ensure, ensure_eq, poll};

pub(super) async fn e10_a_refusal_is_no_acknowledgement(bench: &Bench) -> Check {
    let mut ways: Vec<(&str, Mood)> = vec![
        ("refuses for now", Mood::refuses_now()),
        ("says nothing", Mood::SaysNothing),
        ("gives back another batch", Mood::Forges),
        ("answers for packets that there are not", Mood::AnswersAstray),
        ("takes too long", Mood::Sticks),
    ];
    if has(bench, Profile::NONE.unwind()) {
        ways.extend([
            ("panics", Mood::Panics),
            ("panics in its delivery", Mood::PanicsLater),
            ("takes too long, and panics then", Mood::SticksAndPanics),
        ]);
    }
    let mut runs = 0;
    for (way, mood) in ways {
        for level in Level::ALL {
            comes_again(bench, way, &mood, level).await?;
            runs += 1;
        }
        cut_off(bench, &mood).await?;
    }
    some_of_a_batch(bench).await?;
    Ok(runs + 1)
}

/// How often it is refused.
const TIMES: u32 = 4;

async fn comes_again(bench: &Bench, way: &str, mood: &Mood, level: Level) -> Result<(), Flaw> {
    let mut outlets = streams();
    outlets.iter_mut().for_each(|outlet| outlet.attempts = u32::MAX);
    let mut office = Office::open(bench, rooms(100), outlets).await?;
    let label = office.label("a", level);
    let of = label.priority.index();
    let place = if Stream::of(label.priority) == Stream::Normal { NORMAL } else { EMERGENCY };
    let sink = office.sinks[place].clone();
    sink.set(mood.clone());
    let number = office.must_send(bench, label)?;
    office.quiet(bench).await?;
    let tries = || sink.seen().into_iter().filter(|sight| sight.number == Some(number)).collect::<Vec<_>>();
    for _ in 0..1_000 {
        let (tried, ledger) = (tries().len(), office.balanced()?);
        ensure_eq!(
            (ledger.delivered[of], ledger.pending[of]),
            (0, 1 + own_pending(&office, label.priority)),
            "delivered, and pending, after {tried} tries with a sink that {way}"
        );
        ensure_eq!(office.sent[0].fate(), None, "what the receipt says after {tried} tries with a sink that {way}");
        if tried >= TIMES as usize {
            break;
        }
        office.advance(bench, secs(10)).await?;
    }
    ensure!(tries().len() >= TIMES as usize, "{} tries in 10000 s with a sink that {way}", tries().len());
    office.heal();
    office.drain(bench).await?;
    let tries = tries();
    for (before, sight) in tries.iter().enumerate() {
        ensure_eq!(
            (sight.id, sight.attempts, sight.priority, sight.level, sight.accepted),
            (label.id.number(), before as u32, label.priority, level, tries[0].accepted),
            "id, tries before, priority, level and age at the try after {before}, with a sink that {way}"
        );
    }
    ensure_eq!(sink.had_numbers(), [number], "what a sink has that {way}, when it is well again");
    ensure_eq!(office.sent[0].fate(), Some(Fate::Delivered), "what the receipt says then");
    office.close(bench).await
}

/// How many reports of the router's own are on their way, if this is their priority: nothing of theirs was taken either.
fn own_pending(office: &Office, of: Priority) -> u64 {
    office.told().iter().filter(|(_, priority, _)| *priority == of).count() as u64
}

/// The service is cut off while it has the packet: it comes again, and whoever waits for the receipt is told at the end.
async fn cut_off(bench: &Bench, mood: &Mood) -> Result<(), Flaw> {
    let mut office = Office::open(bench, rooms(100), streams()).await?;
    let gate = Gate::new();
    office.sinks[EMERGENCY].set(Mood::Waits(gate.clone()));
    let number = office.post(bench, "a", Priority::Critical)?;
    office.quiet(bench).await?;
    office.sinks[EMERGENCY].set(mood.clone());
    office.restart(bench, EMERGENCY).await?;
    gate.open();
    office.quiet(bench).await?;
    let sink = office.sinks[EMERGENCY].clone();
    ensure_eq!(sink.seen_numbers().len(), 2, "how often a packet was tried whose service was cut off once");
    ensure_eq!(sink.had_numbers(), [] as [u64; 0], "what a sink acknowledged after its service was cut off");
    let recorder = Recorder::new();
    let Some(Ok(receipt)) = office.sent.pop().map(|sent| sent.taken) else {
        return Err(Flaw::Broken("a packet was refused though there is room".to_owned()));
    };
    let mut receipt = pin!(receipt);
    ensure!(poll(receipt.as_mut(), &recorder.waker()).is_pending(), "a receipt is ready for what no sink has");
    office.heal();
    office.drain(bench).await?;
    ensure_eq!(bench.within("the receipt is ready", receipt).await?, Fate::Delivered, "what the receipt says");
    ensure!(recorder.wakes() > 0, "whoever waited for a receipt was not woken");
    ensure_eq!(sink.had_numbers(), [number], "what the sink has");
    office.close(bench).await
}

/// Of one batch some are taken, some refused: only the former are delivered.
async fn some_of_a_batch(bench: &Bench) -> Result<(), Flaw> {
    let mut office = Office::open(bench, rooms(100), streams()).await?;
    let gate = Gate::new();
    office.sinks[NORMAL].set(Mood::Waits(gate.clone()));
    office.post(bench, "a", Priority::Normal)?;
    office.quiet(bench).await?;
    for _ in 0..9 {
        office.post(bench, "a", Priority::Normal)?;
    }
    let odd = |number: u64| number % 2 == 1;
    office.sinks[NORMAL].set(Mood::Answers(std::sync::Arc::new(move |batch| {
        for index in 0..batch.len() {
            match batch.deliveries()[index].parcel.body.number {
                Some(number) if odd(number) => batch.acknowledge(index),
                _ => batch.refuse(index, countermand_core::Refusal::later("even")),
            }
        }
    })));
    gate.open();
    office.quiet(bench).await?;
    for sent in &office.sent {
        let expected = odd(sent.number).then_some(Fate::Delivered);
        ensure_eq!(
            sent.fate(),
            expected,
            "what the receipt of number {} says, of which the odd were taken",
            sent.number
        );
    }
    office.heal();
    office.drain(bench).await?;
    let mut had = office.sinks[NORMAL].had_numbers();
    had.sort_unstable();
    ensure_eq!(had, (1..=10).collect::<Vec<_>>(), "what the sink has at the end, each once");
    office.close(bench).await
}
