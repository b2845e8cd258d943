//! The router against random senders, sinks and clocks: whatever they do, the books balance, no alarm is lost, the order is kept.
#![cfg(feature = "std")]

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::time::Duration;

use countermand_core::*;
use proptest::prelude::*;

/// What may happen next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Offer {
        level: Level,
        source: u8,
        weight: u32,
    },
    /// An outlet has its turn; if it gets a batch, the sink keeps it.
    Turn(usize),
    /// The sink of an outlet answers: it takes so many, and then refuses the next one, and all behind it.
    Answer {
        outlet: usize,
        takes: usize,
        how: How,
    },
    /// Whoever serves an outlet dies, and another one takes it up.
    Replace(usize),
    Pass(u16),
}

#[derive(Clone, Copy, Debug)]
enum How {
    Later,
    Never,
    Silent,
    Lost,
}

const OUTLETS: usize = 5;

fn step() -> impl Strategy<Value = Step> {
    let level = prop::sample::select(Level::ALL.to_vec());
    let how = prop::sample::select(vec![How::Later, How::Later, How::Never, How::Silent, How::Lost]);
    prop_oneof![
        6 => (level, 0..3_u8, 1..40_u32).prop_map(|(level, source, weight)| Step::Offer { level, source, weight }),
        4 => (0..OUTLETS).prop_map(Step::Turn),
        4 => (0..OUTLETS, 0..6_usize, how).prop_map(|(outlet, takes, how)| Step::Answer { outlet, takes, how }),
        1 => (0..OUTLETS).prop_map(Step::Replace),
        2 => (1..3_000_u16).prop_map(Step::Pass),
    ]
}

/// The router with everybody around it.
struct World {
    router: Router<u64>,
    outlets: Vec<Option<Outlet<u64>>>,
    out: Vec<Option<Batch<u64>>>,
    now: Instant,
    /// All that were taken in, by their numbers.
    accepted: BTreeMap<u64, (Priority, u8)>,
    /// What each outlet's sink took, in the order in which it did.
    taken: Vec<Vec<u64>>,
    /// The number of the next packet.
    next: u64,
}

/// The outlet for dead letters.
const GRAVES: usize = 4;

impl World {
    fn new(with_graves: bool) -> Self {
        let mut outlets = vec![
            OutletConfig::new("normal", Stream::Normal),
            OutletConfig::new("emergency", Stream::Emergency).keeps(),
            OutletConfig::new("pager", Stream::Emergency),
            OutletConfig::new("copy", Stream::Normal),
        ];
        outlets[2].rates[3] = Some(Rate::new(NonZeroU32::new(2).expect("two"), Duration::from_millis(500)));
        outlets[3].linger = Duration::from_millis(20);
        if with_graves {
            outlets.push(OutletConfig::dead_letters("graves"));
        }
        for outlet in &mut outlets {
            outlet.batch = 4;
            outlet.attempts = 3;
            outlet.backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(50));
            outlet.breaker = BreakerConfig::new(2, Duration::from_millis(100));
        }
        let mut config = RouterConfig::default();
        config.rooms = [Room::new(6, 150); 4];
        config.ttl = Some(Duration::from_secs(5));
        let (router, outlets) = Router::new(config, outlets, |_: &Event, _: &Label, _| u64::MAX).expect("a router");
        let mut outlets: Vec<_> = outlets.into_iter().map(Some).collect();
        outlets.resize_with(OUTLETS, || None);
        let out = (0..OUTLETS).map(|_| None).collect();
        let taken = vec![Vec::new(); OUTLETS];
        Self { router, outlets, out, now: Instant::ORIGIN, accepted: BTreeMap::new(), taken, next: 0 }
    }

    fn play(&mut self, step: Step) {
        match step {
            Step::Offer { level, source, weight } => {
                let id = self.next;
                self.next += 1;
                let label =
                    Label::new(PacketId::new(u128::from(id)), Source::of(source), level).weight(weight as usize);
                let label = label.subject(Subject::of(id % 2));
                match self.router.offer(self.now, label, id) {
                    Ok(receipt) => {
                        receipt.forget();
                        self.accepted.insert(id, (label.priority, source));
                    }
                    Err(refused) => {
                        assert_eq!((refused.reason, refused.body), (RefuseReason::Full, id));
                        assert_eq!(label.priority, Priority::Critical, "only what must not be shed is refused");
                    }
                }
            }
            Step::Turn(of) => self.turn(of),
            Step::Answer { outlet, takes, how } => self.answer(outlet, takes, how),
            Step::Replace(of) => {
                self.out[of] = None;
                if let Some(outlet) = self.outlets[of].take() {
                    drop(outlet);
                    let name = ["normal", "emergency", "pager", "copy", "graves"][of];
                    self.outlets[of] = self.router.outlet(name);
                    assert!(self.outlets[of].is_some(), "nobody serves {name}");
                }
            }
            Step::Pass(millis) => {
                self.now = self.now.checked_add(Duration::from_millis(millis.into())).expect("a short while");
            }
        }
        let ledger = self.router.ledger();
        assert!(ledger.balances(), "{ledger:?}");
        assert_eq!(ledger.shed[3] + ledger.expired[3], 0, "{ledger:?}");
        for figures in self.router.outlets() {
            assert!(figures.pending.iter().all(|packets| *packets <= 6), "{figures:?}");
        }
    }

    fn turn(&mut self, of: usize) {
        let (Some(outlet), None) = (&mut self.outlets[of], &self.out[of]) else { return };
        match outlet.turn(self.now, None) {
            OutletTurn::Deliver(batch) => {
                let priorities: Vec<_> =
                    batch.deliveries().iter().map(|delivery| delivery.parcel.label.priority).collect();
                assert!(priorities.is_sorted_by(|a, b| a >= b), "{priorities:?}");
                self.out[of] = Some(batch);
            }
            OutletTurn::Wait(until) => {
                assert!(until.is_none_or(|until| until > self.now), "at {:?} it waits for {until:?}", self.now);
            }
            OutletTurn::Done => assert!(self.router.is_closed()),
        }
    }

    fn answer(&mut self, of: usize, takes: usize, how: How) {
        let (Some(outlet), Some(mut batch)) = (&mut self.outlets[of], self.out[of].take()) else { return };
        for index in 0..takes.min(batch.len()) {
            batch.acknowledge(index);
            self.taken[of].push(batch.deliveries()[index].parcel.body);
            let repeats = batch.deliveries()[index].repeats.map_or(1, |repeats| repeats.count);
            assert!(repeats == 1 || of == 2, "only the pager has a rate");
        }
        let batch = match how {
            How::Later => {
                batch.refuse_rest(&Refusal::later("busy"));
                Some(batch)
            }
            How::Never if takes < batch.len() => {
                batch.refuse(takes, Refusal::never("ugly"));
                Some(batch)
            }
            How::Never | How::Silent => Some(batch),
            How::Lost => {
                // The sink had them, but nobody learns of it: they come again.
                let before = self.taken[of].len() - takes.min(batch.len());
                self.taken[of].truncate(before);
                None
            }
        };
        outlet.conclude(self.now, batch);
    }

    /// From here on all sinks are well; everything ends.
    fn finish(mut self) {
        self.router.close();
        for round in 0.. {
            assert!(round < 10_000, "it does not come to an end: {:?}", self.router);
            for of in 0..OUTLETS {
                self.answer(of, usize::MAX, How::Later);
                self.turn(of);
                self.answer(of, usize::MAX, How::Later);
            }
            if self.router.ledger().pending == [0; 4] {
                break;
            }
            self.play(Step::Pass(100));
        }
        for outlet in self.outlets.iter_mut().flatten() {
            assert!(matches!(outlet.turn(self.now, None), OutletTurn::Done));
        }
        let alarms = self.accepted.iter().filter(|(_, (priority, _))| *priority == Priority::Critical);
        let dead: BTreeSet<u64> = self.taken[GRAVES].iter().copied().collect();
        for (id, _) in alarms {
            assert!(self.taken[1].contains(id) || dead.contains(id), "alarm {id} was lost");
        }
        for of in [0, 1, 3] {
            self.in_order(of);
        }
    }

    /// Within a source and priority, a sink that keeps to the contract has all in the order in which they were sent.
    fn in_order(&self, of: usize) {
        let mut last = BTreeMap::new();
        for id in &self.taken[of] {
            let Some(row) = self.accepted.get(id) else { continue };
            let before = last.insert(*row, *id);
            assert!(before.is_none_or(|before| before < *id), "{id} after {before:?} in {:?}", self.taken[of]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn the_books_balance_and_no_alarm_is_lost(steps in prop::collection::vec(step(), 1..120), with_graves: bool) {
        let mut world = World::new(with_graves);
        for step in steps {
            world.play(step);
        }
        world.finish();
    }
}
