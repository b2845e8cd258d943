//! A sink in the hands of a rule: it does with its batches what the rule wants at the moment, and writes down what it saw.

use std::fmt;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use countermand_core::{
    Answer, Batch, DeadReason, Delivery, Event, Instant, Level, Priority, Refusal, Repeats, Sink, Source,
};

use super::body::Body;
use crate::Gate;
use crate::rules::kit::lock;

/// What a sink answers to a batch.
type Answering = Arc<dyn Fn(&mut Batch<Body>) + Send + Sync>;

/// What a sink does with a batch. It is chosen when the batch comes.
#[derive(Clone)]
pub(super) enum Mood {
    /// Acknowledges all of it.
    Takes,
    /// Refuses all of it.
    Refuses(Refusal),
    /// Acknowledges all of it once the gate is open.
    Waits(Gate),
    /// Never comes back.
    Sticks,
    /// Never comes back, and panics when it is dropped for that.
    SticksAndPanics,
    /// Panics before there is a future.
    Panics,
    /// Panics in the future's poll.
    PanicsLater,
    /// Keeps the batch, and gives another one back in which all is acknowledged.
    Forges,
    /// Answers for packets that there are not.
    AnswersAstray,
    /// Gives the batch back without any answer.
    SaysNothing,
    /// Answers as this says.
    Answers(Answering),
}

impl Mood {
    /// Refuses all for now.
    pub(super) fn refuses_now() -> Self {
        Self::Refuses(Refusal::later("busy"))
    }

    /// Refuses all for good.
    pub(super) fn refuses_for_good() -> Self {
        Self::Refuses(Refusal::never("ugly"))
    }
}

/// What a sink saw of one packet.
#[derive(Clone, Debug)]
pub(super) struct Sight {
    pub(super) id: u128,
    /// The rule's number of it; `None` for an event that was written down.
    pub(super) number: Option<u64>,
    pub(super) event: Option<Box<Event>>,
    pub(super) source: Source,
    pub(super) level: Level,
    pub(super) priority: Priority,
    pub(super) accepted: Instant,
    pub(super) attempts: u32,
    pub(super) repeats: Option<Repeats>,
    pub(super) dead: Option<DeadReason>,
    /// Counted from 1, over all batches that this sink was given.
    pub(super) batch: u64,
}

/// See the head of the file. Clones are the same sink.
#[derive(Clone)]
pub(super) struct Taker(Arc<Mutex<Pages>>);

struct Pages {
    mood: Mood,
    batches: u64,
    seen: Vec<Sight>,
    had: Vec<Sight>,
}

impl Taker {
    /// One that takes everything.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Pages { mood: Mood::Takes, batches: 0, seen: Vec::new(), had: Vec::new() })))
    }

    /// What it does from the next batch on.
    pub(super) fn set(&self, mood: Mood) {
        let before = std::mem::replace(&mut lock(&self.0).mood, mood);
        drop(before);
    }

    /// Every packet of every batch that it was given.
    pub(super) fn seen(&self) -> Vec<Sight> {
        lock(&self.0).seen.clone()
    }

    /// Every packet that it has acknowledged, in the order in which it did.
    pub(super) fn had(&self) -> Vec<Sight> {
        lock(&self.0).had.clone()
    }

    /// The rule's numbers of what it was given.
    pub(super) fn seen_numbers(&self) -> Vec<u64> {
        lock(&self.0).seen.iter().filter_map(|sight| sight.number).collect()
    }

    /// The rule's numbers of what it has.
    pub(super) fn had_numbers(&self) -> Vec<u64> {
        lock(&self.0).had.iter().filter_map(|sight| sight.number).collect()
    }

    /// The events of this name that it has.
    pub(super) fn had_events(&self, name: &str) -> Vec<Event> {
        let pages = lock(&self.0);
        let events = pages.had.iter().filter_map(|sight| sight.event.as_deref());
        events.filter(|event| event.name() == name).copied().collect()
    }

    /// How many batches it was given.
    pub(super) fn batches(&self) -> u64 {
        lock(&self.0).batches
    }

    fn keep(&self, batch: &Batch<Body>, number: u64) {
        let mut pages = lock(&self.0);
        for (delivery, answer) in batch.deliveries().iter().zip(batch.answers()) {
            if *answer == Some(Answer::Acknowledged) {
                pages.had.push(sight(delivery, number));
            }
        }
    }
}

fn sight(delivery: &Delivery<Body>, batch: u64) -> Sight {
    let parcel = &delivery.parcel;
    let label = &parcel.label;
    Sight {
        id: label.id.number(),
        number: parcel.body.number,
        event: parcel.body.event.clone(),
        source: label.source,
        level: label.level,
        priority: label.priority,
        accepted: parcel.accepted,
        attempts: delivery.attempts,
        repeats: delivery.repeats,
        dead: delivery.dead.clone(),
        batch,
    }
}

impl Sink<Body> for Taker {
    type Delivery = Pin<Box<dyn Future<Output = Batch<Body>> + Send>>;

    fn deliver(&mut self, mut batch: Batch<Body>) -> Self::Delivery {
        let (mood, number) = {
            let mut pages = lock(&self.0);
            pages.batches += 1;
            let number = pages.batches;
            let sights = batch.deliveries().iter().map(|delivery| sight(delivery, number));
            pages.seen.extend(sights);
            (pages.mood.clone(), number)
        };
        assert!(!matches!(mood, Mood::Panics), "planted in a sink");
        let taker = self.clone();
        Box::pin(async move {
            match mood {
                Mood::Takes | Mood::Panics => batch.acknowledge_rest(),
                Mood::Refuses(refusal) => batch.refuse_rest(&refusal),
                Mood::Waits(gate) => {
                    gate.wait().await;
                    batch.acknowledge_rest();
                }
                Mood::Sticks => pending().await,
                Mood::SticksAndPanics => {
                    let _last_act = LastAct;
                    pending().await
                }
                Mood::PanicsLater => panic!("planted in a delivery"),
                Mood::Forges => {
                    let mut forged = Batch::new(batch.number() + 1_000_000, batch.deliveries().to_vec());
                    forged.acknowledge_rest();
                    return forged;
                }
                Mood::AnswersAstray => {
                    let beyond = batch.len();
                    batch.acknowledge(beyond);
                    batch.acknowledge(beyond + 7);
                }
                Mood::SaysNothing => {}
                Mood::Answers(answer) => answer(&mut batch),
            }
            taker.keep(&batch, number);
            batch
        })
    }
}

/// Panics when it is dropped.
struct LastAct;

impl Drop for LastAct {
    fn drop(&mut self) {
        // A second panic while one is on its way would end the process.
        assert!(std::thread::panicking(), "planted in the destructor of a delivery");
    }
}

impl fmt::Debug for Taker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pages = lock(&self.0);
        f.debug_struct("Taker").field("seen", &pages.seen.len()).field("had", &pages.had.len()).finish_non_exhaustive()
    }
}
