//! What the page, the metrics and the health say.

use std::time::SystemTime;

use countermand::{JobInfo, OutletFigures, Router, Source, SourceFigures, Takes, Worker};
use serde_json::{Value, json};

use crate::alarms::Alarms;
use crate::body::Body;
use crate::feed::Feeds;
use crate::figures;
use crate::store::Store;
use crate::supervise::Board;

/// How many jobs are listed.
const JOBS: usize = 100;

/// Everything that there is to show. A clone shows the same.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) board: Board,
    pub(crate) router: Router<Body>,
    pub(crate) feeds: Feeds,
    pub(crate) alarms: Alarms,
    pub(crate) workers: Vec<Worker>,
    pub(crate) store: Store,
    pub(crate) began: SystemTime,
}

impl Site {
    /// What the page asks for again and again.
    pub(crate) fn live(&self) -> Value {
        let now = SystemTime::now();
        json!({
            "now": humantime::format_rfc3339_millis(now).to_string(),
            "uptime_s": now.duration_since(self.began).unwrap_or_default().as_secs(),
            "health": self.board.health(),
            "parts": self.board.json(),
            "ledger": figures::ledger(&self.router.ledger()),
            "journal": self.store.ledger(),
            "outlets": self.outlets(),
            "sources": self.sources(),
            "alarms": self.alarms.json(),
            "jobs": self.jobs(),
        })
    }

    /// Whether all is well, and which parts are not.
    pub(crate) fn health(&self) -> Value {
        json!({
            "status": self.board.health(),
            "ledger_balances": self.router.ledger().balances(),
            "parts": self.board.json(),
        })
    }

    fn outlets(&self) -> Value {
        let outlet = |outlet: OutletFigures| {
            let takes = match outlet.takes {
                Takes::Stream(stream) => stream.name(),
                Takes::DeadLetters => "dead letters",
            };
            json!({
                "name": outlet.name,
                "takes": takes,
                "pending": outlet.pending.iter().sum::<u32>(),
                "in_flight": outlet.in_flight,
                "open": outlet.open.iter().any(|open| *open),
                "served": outlet.served,
                "delivered": outlet.totals.delivered,
            })
        };
        let feeds = self.feeds.all().into_iter().flat_map(|(_, router)| router.outlets());
        self.router.outlets().into_iter().chain(feeds).map(outlet).collect()
    }

    fn sources(&self) -> Value {
        let source = |(source, figures): (Source, SourceFigures)| {
            json!({
                "source": source.as_str(),
                "shed": figures.shed.iter().sum::<u64>(),
                "unknown_priority": figures.unknown_priority,
            })
        };
        self.router.sources().into_iter().map(source).collect()
    }

    fn jobs(&self) -> Value {
        let of = |worker: &Worker| {
            let name = worker.config().name.to_string();
            let job = |job: JobInfo| {
                json!({
                    "worker": name,
                    "id": job.id.to_string(),
                    "name": job.name,
                    "state": format!("{:?}", job.state).to_lowercase(),
                    "age_s": job.age.as_secs(),
                    "polls": job.polls,
                })
            };
            worker.jobs().into_iter().map(job).collect::<Vec<_>>()
        };
        self.workers.iter().flat_map(of).take(JOBS).collect()
    }
}
