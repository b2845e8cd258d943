//! The service: its parts, in the order in which they begin, and in which they end.

mod doors;
mod sinks;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use countermand::config::{Kind, WeatherlightSettings};
use countermand::{
    Event, Intake as _, JobContext, Level, Priority, Router, Shutdown, Source, Token, Worker, WorkerConfig,
};

use crate::alarms::Alarms;
use crate::ask::Desk;
use crate::body::Body;
use crate::ended::Ended;
use crate::feed::Feeds;
use crate::house::House;
use crate::intake::{Clerk, Reception, now};
use crate::preflight::Ready;
use crate::reports::Reports;
use crate::routing::{self, DEAD_LETTERS, EMERGENCY, NORMAL};
use crate::setup::Setup;
use crate::sift::Sift;
use crate::store::Store;
use crate::supervise::{Board, Part, RestartPolicy, Supervisor, Watched};
use crate::tuned::Tuned;
use crate::voice::Voice;
use crate::web::Site;

/// How many exchanges with browsers there are at a time.
const EXCHANGES: usize = 16;

/// How long what nothing durable depends on may take to end.
const BRIEFLY: Duration = Duration::from_millis(500);

/// How many parts there are at the most.
const PARTS: usize = 24;

/// See the head of the file.
#[derive(Debug)]
pub(crate) struct Service {
    supervisor: Supervisor,
    router: Router<Body>,
    reception: Reception,
    store: Store,
    /// Attends to connections.
    senders: Worker,
    /// Attends to browsers.
    visitors: Worker,
    end: Token,
    /// Cancelled first: nothing is read any more.
    intake: Token,
    /// Cancelled last: what looks at the service, and what feeds others from the journal.
    outside: Token,
    /// What ends by itself once the router is closed and drained.
    outlets: Mutex<Vec<Watched>>,
    feeds: Feeds,
    tuned: Tuned,
    /// What there is to show.
    site: Site,
}

impl Service {
    /// Starts all parts but those that were not configured.
    ///
    /// # Errors
    ///
    /// Why it cannot be, in words.
    pub(crate) fn start(
        ready: Ready,
        setup: &Setup,
        house: &House,
        voice: &Voice,
        tuned: &Tuned,
        end: &Token,
        began: SystemTime,
    ) -> Result<Self, String> {
        let own = setup.own();
        let (store, recovery) = Store::open(setup.journal(), &setup.config)?;
        let router = routing::router(own, &setup.config.telemetry)?;
        let seed = seed_of(began);
        voice.also(router.reporter(Source::of("weatherlight"), seed, now));
        let level = if recovery.salvage.is_some() { Level::Critical } else { Level::Info };
        let event = Event::new("weatherlight.journal_opened", level).describe(&recovery);
        voice.take(&event.with("journal", setup.journal().display()));

        let start = |name, lanes: usize| {
            let reports = Reports::new(name, voice).map_err(|error| error.to_string())?;
            house.start(worker(setup, name, lanes).observer(Arc::new(reports)))
        };
        // However many connections there are, now or later.
        let connections = most_connections();
        // As many lanes as there can be jobs: none of them waits for another's.
        let (watch, floor) = (start("watch", PARTS)?, start("floor", PARTS)?);
        let (senders, visitors) = (start("senders", 2 * connections)?, start("visitors", EXCHANGES)?);
        let supervisor = Supervisor {
            watch,
            floor,
            policy: RestartPolicy::from(own),
            board: Board::default(),
            voice: voice.clone(),
            end: end.clone(),
        };
        let alarms = Alarms::default();
        let clerk = Clerk { router: router.clone(), limits: setup.limits(), alarms: alarms.clone() };
        let desk = Desk { store: store.clone(), router: Some(router.clone()), limits: setup.limits() };
        let reception = Reception { clerk, desk: Arc::new(desk), tuned: tuned.clone() };
        let feeds = Feeds::default();
        let site = Site {
            board: supervisor.board.clone(),
            router: router.clone(),
            feeds: feeds.clone(),
            alarms,
            workers: [&supervisor.floor, &senders, &visitors, &supervisor.watch].map(Worker::clone).into(),
            store: store.clone(),
            began,
        };
        let service = Self {
            supervisor,
            router,
            reception,
            store,
            senders,
            visitors,
            end: end.clone(),
            intake: Token::new(),
            outside: Token::new(),
            outlets: Mutex::default(),
            feeds,
            tuned: tuned.clone(),
            site,
        };
        service.outlets()?;
        service.doors(ready, setup)?;
        service.page(setup)?;
        Ok(service)
    }

    fn outlets(&self) -> Result<(), String> {
        // They are told to end by the router, never by a token: what was taken in is kept first.
        let never = Token::never();
        let mut outlets = Vec::new();
        for name in [EMERGENCY, NORMAL, DEAD_LETTERS] {
            let (router, journal) = (self.router.clone(), self.store.journal.clone());
            let part = Part::task(name, &never, move |cx: JobContext| {
                let (outlet, journal) = (router.outlet(name), journal.clone());
                async move {
                    let outlet = outlet.ok_or("another run of it has not ended yet")?;
                    match name {
                        DEAD_LETTERS => drop(outlet.run(cx, Sift::before(journal.dead_letter_sink())).await),
                        _ => drop(outlet.run(cx, Sift::before(journal.sink(name))).await),
                    }
                    Ok(())
                }
            });
            outlets.push(self.supervisor.start(part.essential())?);
        }
        *self.outlets.lock().unwrap_or_else(PoisonError::into_inner) = outlets;
        Ok(())
    }

    fn detach(&self, part: Part) -> Result<(), String> {
        self.supervisor.start(part).map(drop)
    }

    /// Ends in order: nothing is read any more, what was read is kept and answered, and then the rest goes. Takes little longer than the time that
    /// the settings give it.
    pub(crate) fn end(self) -> Ended {
        let limit = self.tuned.read().drain;
        let why = self.end.cause().map(|cause| cause.to_string()).unwrap_or_default();
        let until = now().checked_add(limit);
        let left = || until.map_or(Duration::MAX, |until| until.saturating_since(now()));
        self.intake.cancel();
        // Connections end by themselves once all that was read is answered; their answers wait for the outlets, which go on.
        let report = self.senders.shutdown_blocking(Shutdown::DrainFor(left()));
        let answered = report.is_ok_and(|report| report.survivors.is_empty());
        self.router.close();
        let outlets = std::mem::take(&mut *self.outlets.lock().unwrap_or_else(PoisonError::into_inner));
        let late = outlets.into_iter().map(|outlet| outlet.wait_timeout(left())).filter(Result::is_err).count();
        let drained = late == 0;
        let parts = self.supervisor.board.parts().into_iter();
        let failed = parts.filter(|part| part.state.is_failed()).map(|part| part.name).collect();
        self.outside.cancel();
        for worker in [&self.supervisor.watch, &self.supervisor.floor, &self.visitors] {
            // Nothing durable depends on these.
            drop(worker.shutdown_blocking(Shutdown::AbortWithin(BRIEFLY)));
        }
        let ledger = self.router.ledger();
        Ended { why, answered, drained, failed, left: ledger.pending.iter().sum(), balances: ledger.balances() }
    }
}

/// How a worker of the service is set up: as the configuration says, but for what parts need that go on for ever.
fn worker(setup: &Setup, name: &'static str, lanes: usize) -> WorkerConfig {
    let mut config = WorkerConfig::from(&setup.config.worker).name(name).lanes(lanes).capacity(lanes);
    config.drivers = config.drivers.map(|drivers| drivers.min(lanes));
    config.reserved = [0; Priority::COUNT];
    config.run_timeout = None;
    config.queue_timeout = None;
    config
}

/// How many connections there may be at each door, whatever is set.
fn most_connections() -> usize {
    let setting = WeatherlightSettings::SETTINGS.iter().find(|setting| setting.key == "connections");
    match setting.map(|setting| setting.kind) {
        Some(Kind::Number { most, .. }) => usize::try_from(most).unwrap_or(usize::MAX),
        _ => unreachable!("the connections are a number"),
    }
}

/// Makes the ids of this run's own packets others than those of any run before.
fn seed_of(began: SystemTime) -> u64 {
    let since = began.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
