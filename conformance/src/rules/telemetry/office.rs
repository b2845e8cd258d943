//! A router whose outlets run as jobs of a worker of the host, and the rule's own account of what it sent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use countermand_core::{
    Event, Fate, Handle, Job, Label, Ledger, Level, Outlet, OutletConfig, PacketId, Priority, Receipt, RefuseReason,
    Room, Router, RouterConfig, Source, Stream, Worker, WorkerConfig,
};

use super::body::{Alive, Body};
use super::taker::{Mood, Taker};
use crate::rules::kit::lock;
use crate::{Bench, Flaw, ensure, ensure_eq};

/// As far as the clock goes at a time while what is pending is waited for.
const STEP: Duration = Duration::from_secs(31);

/// How often it does.
const STEPS: u32 = 400;

/// How often the router tells of itself, where a rule does not want it otherwise.
pub(super) const REPORT_EVERY: Duration = Duration::from_secs(10);

/// A packet that the rule sent.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) number: u64,
    pub(super) source: Source,
    pub(super) priority: Priority,
    /// `Err` if its sender was told no.
    pub(super) taken: Result<Receipt, RefuseReason>,
}

impl Sent {
    pub(super) fn fate(&self) -> Option<Fate> {
        self.taken.as_ref().ok().and_then(Receipt::fate)
    }
}

/// See the head of the file.
pub(super) struct Office {
    pub(super) router: Router<Body>,
    /// Of the outlets' jobs.
    pub(super) worker: Worker,
    /// In the order of the outlets.
    pub(super) sinks: Vec<Taker>,
    pub(super) sent: Vec<Sent>,
    /// What is in memory of all bodies.
    pub(super) alive: Alive,
    told: Told,
    jobs: Vec<(String, Handle<Taker>)>,
}

/// What the router told of itself, each when it was written down.
#[derive(Clone, Debug, Default)]
pub(super) struct Told(Arc<Mutex<Vec<(u128, Priority, Event)>>>);

impl Told {
    fn note(&self, label: &Label, event: &Event) {
        lock(&self.0).push((label.id.number(), label.priority, *event));
    }
}

/// Rooms for so many packets of each priority, and no time-out.
pub(super) fn rooms(packets: u32) -> RouterConfig {
    let mut config = RouterConfig::default();
    config.rooms = [Room::new(packets, 1 << 20); Priority::COUNT];
    config.report_every = REPORT_EVERY;
    config.ttl = None;
    config
}

/// An outlet for each stream: the normal one, and the one for emergencies.
pub(super) fn streams() -> Vec<OutletConfig> {
    vec![OutletConfig::new("normal", Stream::Normal), OutletConfig::new("emergency", Stream::Emergency)]
}

/// The places of the outlets in [`streams`].
pub(super) const NORMAL: usize = 0;
pub(super) const EMERGENCY: usize = 1;

impl Office {
    /// Every outlet is served by a job of its own. The jobs share one driver, so that what holds up one of them holds up all.
    pub(super) async fn open(bench: &Bench, config: RouterConfig, outlets: Vec<OutletConfig>) -> Result<Self, Flaw> {
        let (told, alive, own) = (Told::default(), Alive::default(), config.source);
        let scribe = {
            let (told, alive) = (told.clone(), alive.clone());
            move |event: &Event, label: &Label, _| {
                if label.source == own {
                    told.note(label, event);
                }
                Body::event(event, &alive)
            }
        };
        let router = Router::new(config, outlets, scribe);
        let (router, ends) = router.map_err(|error| Flaw::Broken(format!("a router was not made: {error}")))?;
        let worker = bench.worker(WorkerConfig::new().lanes(ends.len() + 2).drivers(1))?;
        let (sinks, jobs) = (Vec::new(), Vec::new());
        let mut office = Self { router, worker, sinks, sent: Vec::new(), alive, told, jobs };
        let names = office.router.outlets().into_iter().map(|outlet| outlet.name.into_owned());
        for (end, name) in ends.into_iter().zip(names.collect::<Vec<_>>()) {
            let taker = Taker::new();
            office.sinks.push(taker.clone());
            let job = office.serve(bench, end, taker).await?;
            office.jobs.push((name, job));
        }
        office.quiet(bench).await?;
        Ok(office)
    }

    /// The label of a packet that is going to be sent. Its priority is that of the level.
    pub(super) fn label(&self, source: &str, level: Level) -> Label {
        let number = self.sent.len() as u128 + 1;
        Label::new(PacketId::new(number), Source::of(source), level).weight(1)
    }

    /// The label of a packet of this priority that is going to be sent.
    pub(super) fn label_of(&self, source: &str, priority: Priority) -> Label {
        let level = match priority {
            Priority::Low | Priority::Normal => Level::Info,
            Priority::High => Level::Error,
            Priority::Critical => Level::Critical,
        };
        self.label(source, level).priority(priority)
    }

    /// Sends it. Whether it was taken in; if not, it came back whole.
    pub(super) fn send(&mut self, bench: &Bench, label: Label) -> Result<bool, Flaw> {
        let number = label.id.number() as u64;
        ensure_eq!(number, self.sent.len() as u64 + 1, "number of the packet that is sent next");
        let offered = self.router.offer(bench.now(), label, Body::packet(number, &self.alive));
        let taken = match offered {
            Ok(receipt) => Ok(receipt),
            Err(refused) => {
                ensure_eq!((refused.body.number, refused.label), (Some(number), label), "what came back to its sender");
                Err(refused.reason)
            }
        };
        self.sent.push(Sent { number, source: label.source, priority: label.priority, taken });
        Ok(self.sent.last().is_some_and(|sent| sent.taken.is_ok()))
    }

    /// Sends one that must be taken in. Returns its number.
    pub(super) fn must_send(&mut self, bench: &Bench, label: Label) -> Result<u64, Flaw> {
        let what = format!("{} of {}", label.id, label.source);
        ensure!(self.send(bench, label)?, "{what}, which is {}, was refused though there is room", label.priority);
        Ok(label.id.number() as u64)
    }

    /// Sends one of this priority that must be taken in. Returns its number.
    pub(super) fn post(&mut self, bench: &Bench, source: &str, priority: Priority) -> Result<u64, Flaw> {
        self.must_send(bench, self.label_of(source, priority))
    }

    pub(super) async fn quiet(&self, bench: &Bench) -> Result<(), Flaw> {
        bench.quiet(&self.worker).await
    }

    pub(super) async fn advance(&self, bench: &Bench, by: Duration) -> Result<(), Flaw> {
        bench.advance(&self.worker, by).await
    }

    /// All sinks take everything from the next batch on.
    pub(super) fn heal(&self) {
        self.sinks.iter().for_each(|sink| sink.set(Mood::Takes));
    }

    /// Lets time pass until nothing is on its way.
    pub(super) async fn drain(&self, bench: &Bench) -> Result<(), Flaw> {
        self.drain_by(bench, STEP).await
    }

    /// The same, where something rests for as long as `step`.
    pub(super) async fn drain_by(&self, bench: &Bench, step: Duration) -> Result<(), Flaw> {
        self.quiet(bench).await?;
        for _ in 0..STEPS {
            if self.balanced()?.pending == [0; Priority::COUNT] {
                return Ok(());
            }
            self.advance(bench, step).await?;
        }
        let (ledger, spent) = (self.router.ledger(), step * STEPS);
        Err(Flaw::Broken(format!("{spent:?} after all sinks were well, this is still pending: {ledger:?}")))
    }

    /// The service of this outlet is cut off in whatever it is doing, and another one begins.
    pub(super) async fn restart(&mut self, bench: &Bench, index: usize) -> Result<(), Flaw> {
        let (name, job) = self.jobs.remove(index);
        job.cancel();
        bench.settled(job).await?;
        let Some(end) = self.router.outlet(&name) else {
            return Err(Flaw::Broken(format!(
                "the outlet {name} cannot be served again after its service was dropped"
            )));
        };
        let job = self.serve(bench, end, self.sinks[index].clone()).await?;
        self.jobs.insert(index, (name, job));
        self.quiet(bench).await
    }

    /// The ledger, which balances.
    pub(super) fn balanced(&self) -> Result<Ledger, Flaw> {
        let ledger = self.router.ledger();
        ensure!(ledger.balances(), "the ledger does not balance: {ledger:?}");
        Ok(ledger)
    }

    /// Closes the router, of which nothing is on its way; the outlets end by that.
    pub(super) async fn close(self, bench: &Bench) -> Result<(), Flaw> {
        let ledger = self.balanced()?;
        self.router.close();
        for (name, job) in self.jobs {
            let end = bench.within(&format!("the outlet {name} ends, with {ledger:?}"), job).await?;
            ensure!(end.completed().is_some(), "the job that serves the outlet {name} did not end by itself");
        }
        Ok(())
    }

    /// What the router told of itself so far, by id, whether it arrived or not.
    pub(super) fn told(&self) -> Vec<(u128, Priority, Event)> {
        lock(&self.told.0).clone()
    }

    /// How often the router told of itself under this name.
    pub(super) fn times_told(&self, name: &str) -> usize {
        lock(&self.told.0).iter().filter(|(_, _, event)| event.name() == name).count()
    }

    /// The numbers of what was sent and taken in that `choice` chooses.
    pub(super) fn numbers(&self, mut choice: impl FnMut(&Sent) -> bool) -> Vec<u64> {
        self.sent.iter().filter(|sent| sent.taken.is_ok() && choice(sent)).map(|sent| sent.number).collect()
    }

    async fn serve(&self, bench: &Bench, end: Outlet<Body>, taker: Taker) -> Result<Handle<Taker>, Flaw> {
        let job = Job::task_with(move |context| end.run(context, taker)).name("outlet");
        bench.submit(&self.worker, job).await
    }
}
