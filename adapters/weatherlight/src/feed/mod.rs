//! Feeds a sink from the journal, through a router of its own: a named reader goes on where it was, so nothing is lost while the sink is away.
//!
//! ```text
//!  journal ─► pump ─► router ─► outlet: rate, backoff, breaker ─► front ─► sink
//!     ▲        │ ▲       └─ never ─► letters ─► dead letters of the reader
//!     └────────┘ └─ what the router is through with is acknowledged
//! ```
//!
//! The journal keeps each packet, so above its rate the emergency stream may tell repeats together; each of them is acknowledged once the sink has
//! the one that stands for it. What was not acknowledged comes again, under the same id.

mod backlog;
mod fed;
mod feeds;
mod front;
mod letters;
mod pump;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use countermand::config::{TelemetrySettings, WeatherlightSettings};
use countermand::{
    Backoff, BreakerConfig, Event, JobContext, Label, Outlet, OutletConfig, Payload, Priority, Room, Router,
    RouterConfig, Sink, Source, Stream,
};
use countermand_journal::Journal;
use futures::future::{Either, select, select_all};

pub(crate) use fed::Fed;
pub(crate) use feeds::Feeds;
pub(crate) use front::Skips;

use crate::standing::Standing;
use crate::supervise::Board;
use crate::tuned::Tuned;
use crate::voice::Voice;
use front::Front;
use letters::Letters;
use pump::Pump;

/// How many packets of each stream are between the journal and the sink at the most. In the emergency stream these are what repeats are
/// looked for among.
const WINDOWS: [(Stream, usize); 2] = [(Stream::Emergency, 4_096), (Stream::Normal, 1_024)];

/// For what the router tells of itself, which is not passed on.
const MARGIN: usize = 64;

/// How long a sink may take for a batch.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the router tells that a sink fails, at the most. Each sink's is passed on once for each time that it is away.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// What a feed and its outlets are called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    /// The part, and the reader of the journal.
    pub(crate) feed: &'static str,
    pub(crate) emergency: &'static str,
    pub(crate) normal: &'static str,
    pub(crate) dead_letters: &'static str,
}

/// See the head of the file.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    pub(crate) names: Names,
    pub(crate) journal: Journal,
    pub(crate) own: WeatherlightSettings,
    pub(crate) telemetry: TelemetrySettings,
    pub(crate) tuned: Tuned,
    pub(crate) board: Board,
    pub(crate) voice: Voice,
    pub(crate) feeds: Feeds,
    pub(crate) skips: Skips,
}

/// Something that a feed consists of, until it can go on no more.
type Piece = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

impl Feed {
    /// Feeds the sinks that `make` makes, one for each stream, until the job is cancelled. It begins anew when its rate is changed.
    ///
    /// # Errors
    ///
    /// Why a sink cannot be, or why the journal does not go on, in words.
    ///
    /// # Cancellation
    ///
    /// Dropping it loses nothing: what was not acknowledged comes again, under the same id.
    pub(crate) async fn run<S>(self, cx: JobContext, make: impl Fn() -> Result<S, String>) -> Result<(), String>
    where
        S: Sink<Payload, Delivery: Send + 'static> + Send + 'static,
    {
        loop {
            let rate = self.tuned.read().emergency_max_per_minute;
            let pieces = select_all(self.pieces(&cx, rate, &make).await?);
            let otherwise = async {
                loop {
                    let changed = self.tuned.changed();
                    if self.tuned.read().emergency_max_per_minute != rate {
                        return;
                    }
                    changed.await;
                }
            };
            match select(pieces, pin!(otherwise)).await {
                Either::Left(((ended, ..), _)) => return ended,
                Either::Right(_) => {}
            }
        }
    }

    /// A router for packets of `rate` a minute, and all that works on it.
    async fn pieces<S>(
        &self,
        cx: &JobContext,
        rate: u32,
        make: impl Fn() -> Result<S, String>,
    ) -> Result<Vec<Piece>, String>
    where
        S: Sink<Payload, Delivery: Send + 'static> + Send + 'static,
    {
        let consumer = self.journal.consumer(self.names.feed).await.map_err(|error| error.to_string())?;
        let consumer = Arc::new(consumer);
        let standings = WINDOWS.map(|(stream, _)| Standing::new(self.name(stream), &self.board, &self.voice));
        let (router, outlets) = self.router(rate, standings.clone())?;
        self.feeds.set(self.names.feed, router.clone());
        let mut outlets = outlets.into_iter();
        let mut pieces = Vec::new();
        for ((stream, window), standing) in WINDOWS.into_iter().zip(standings) {
            let front = Front::new(make()?, standing.clone(), self.skips);
            pieces.extend(outlets.next().map(|outlet| serve(outlet, cx, front)));
            let pump = Pump {
                journal: self.journal.clone(),
                consumer: consumer.clone(),
                router: router.clone(),
                stream,
                window,
                standing,
            };
            let cx = cx.clone();
            pieces.push(Box::pin(async move { pump.run(&cx).await }));
        }
        pieces.extend(outlets.next().map(|outlet| serve(outlet, cx, Letters::new(consumer))));
        Ok(pieces)
    }

    const fn name(&self, stream: Stream) -> &'static str {
        match stream {
            Stream::Emergency => self.names.emergency,
            Stream::Normal => self.names.normal,
        }
    }

    /// The router, and its outlets: those of [`WINDOWS`], and then the one for dead letters.
    fn router(
        &self,
        rate: u32,
        standings: [Standing; WINDOWS.len()],
    ) -> Result<(Router<Fed>, Vec<Outlet<Fed>>), String> {
        let mut telemetry = self.telemetry.clone();
        telemetry.emergency_max_per_minute = rate;
        let mut config = RouterConfig::from(&telemetry);
        config.source = Source::of(self.names.feed);
        // Each packet is in the stream where the journal has it.
        config.high_overflow = None;
        config.report_every = REPORT_EVERY;
        // The pumps see to it that no room is ever full, in packets or in bytes.
        let packets = WINDOWS.iter().map(|(_, window)| window + MARGIN).max().unwrap_or(MARGIN);
        config.rooms = [Room::new(u32::try_from(packets).unwrap_or(u32::MAX), u64::MAX); Priority::COUNT];
        let rest = Duration::from_millis(self.own.restart_most_ms);
        let first = Duration::from_millis(self.own.restart_first_ms);
        let outlets = WINDOWS.map(|(stream, _)| {
            let mut outlet = OutletConfig::new(self.name(stream), stream).with_settings(&telemetry);
            outlet.kept_elsewhere = true;
            outlet.patience = PATIENCE;
            // That the sink is away is not the packet's fault, and no reason to make it a dead letter.
            outlet.attempts = u32::MAX;
            outlet.backoff = Backoff::new(first, rest);
            outlet.breaker = BreakerConfig::new(5, rest);
            outlet
        });
        let mut outlets = Vec::from(outlets);
        outlets.push(OutletConfig::dead_letters(self.names.dead_letters));
        let scribe = move |event: &Event, _: &Label, _| {
            let of = |standing: &&Standing| event.attribute("sink") == Some(standing.name());
            // What is of no sink's is told like what is of the first.
            if let Some(standing) = standings.iter().find(of).or(standings.first()) {
                standing.tell(event);
            }
            Fed::Own
        };
        Router::new(config, outlets, scribe).map_err(|error| error.to_string())
    }
}

fn serve<S>(outlet: Outlet<Fed>, cx: &JobContext, sink: S) -> Piece
where
    S: Sink<Fed, Delivery: Send + 'static> + Send + 'static,
{
    let cx = cx.clone();
    Box::pin(async move {
        drop(outlet.run(cx, sink).await);
        Err("its router was closed".to_owned())
    })
}
