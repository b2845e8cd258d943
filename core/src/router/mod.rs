//! Takes packets in, keeps a bounded number of them by priority, and hands them to the outlets, without ever losing an alarm.
//!
//! ```text
//!  offer ─► admit ─► [ line of an outlet: CRITICAL │ HIGH │ NORMAL │ LOW ] ─► batch ─► sink
//!             │ no room: told no (CRITICAL), the oldest shed (the rest)          │
//!             └─► receipt ◄───────────── what became of it ◄── answers ◄─────────┘
//!                                        never: dead letters        for now: tried again
//! ```
//!
//! Each outlet has a line of its own, with room, breaker and rate for each priority: a sink that is slow, stuck or failing holds up nothing but its
//! own line (E9), and ordinary packets never take what is CRITICAL's (E15). Everything is a state machine over the given time under one
//! lock, which is never held while others' code runs: sinks, wakers, bodies (T8).

mod after;
mod breaker;
mod config;
mod desk;
mod docket;
mod inbox;
mod line;
mod notes;
mod outlet;
mod rate;
mod receipt;
mod reporter;
mod settings;
mod shared;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::sync::Arc;
use crate::sync::atomic::Ordering;
use crate::telemetry::catalogue::events::{
    TelemetryPriorityUnknown, TelemetryShed, TelemetrySinkFailed, TelemetrySinkMisbehaved,
};
use crate::telemetry::{Event, Label, Ledger, PacketId, Parcel, Refused, Source};
use crate::{Instant, Priority};

pub use breaker::BreakerConfig;
pub use config::{Backoff, OutletConfig, Room, RouterConfig, RouterError, Takes};
pub use desk::OutletTurn;
pub use notes::{OutletTotals, SourceFigures};
pub use outlet::Outlet;
pub use rate::Rate;
pub use receipt::Receipt;
pub use reporter::Reporter;

use desk::Desk;
use notes::Note;
use shared::Shared;

/// Routes packets by priority to outlets. A clone is another handle on the same router.
///
/// Dropping all handles loses nothing that was taken in: the outlets go on with it.
///
/// ```
/// use countermand_core::{
///     Event, Instant, Label, Level, OutletConfig, OutletTurn, PacketId, Router, RouterConfig, Source, Stream,
/// };
/// let outlets = vec![OutletConfig::new("ordinary", Stream::Normal), OutletConfig::new("alarms", Stream::Emergency)];
/// let (router, mut outlets) = Router::new(RouterConfig::default(), outlets, |event: &Event, _: &Label, _| event.to_string())?;
///
/// let label = Label::new(PacketId::new(1), Source::of("kasmina"), Level::Critical);
/// let receipt = router.offer(Instant::ORIGIN, label, "prefetch_timeout".into())?;
/// assert_eq!(receipt.fate(), None);
///
/// // What an outlet does with its sink, by hand.
/// let OutletTurn::Deliver(mut batch) = outlets[1].turn(Instant::ORIGIN, None) else { panic!("there is a packet") };
/// assert_eq!(batch.deliveries()[0].parcel.body, "prefetch_timeout");
/// batch.acknowledge(0);
/// outlets[1].conclude(Instant::ORIGIN, Some(batch));
/// assert_eq!(receipt.fate(), Some(countermand_core::Fate::Delivered));
/// assert!(router.ledger().balances());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct Router<B> {
    shared: Arc<Shared<B>>,
}

/// What there is to know of one outlet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutletFigures {
    /// Its name.
    pub name: Cow<'static, str>,
    /// What it takes.
    pub takes: Takes,
    /// Packets that it has, by [`Priority::index`], also those with its sink.
    pub pending: [u32; Priority::COUNT],
    /// Packets that are with its sink.
    pub in_flight: usize,
    /// Whether its sink is let alone, by [`Priority::index`].
    pub open: [bool; Priority::COUNT],
    /// Whether somebody serves it.
    pub served: bool,
    /// What was counted.
    pub totals: OutletTotals,
}

impl<B: Send + Sync + 'static> Router<B> {
    /// A router, and its outlets in the order in which they were described. `scribe` writes down what the router has to tell of itself, and what
    /// its [reporters](Router::reporter) are given; it is told how long ago that was. It may be called twice for the same event, by two threads, and one of
    /// the two bodies is then dropped.
    ///
    /// # Errors
    ///
    /// [`RouterError`], if a stream has no outlet, or something else is not set up as it can be.
    pub fn new(
        config: RouterConfig,
        outlets: Vec<OutletConfig>,
        scribe: impl Fn(&Event, &Label, Duration) -> B + Send + Sync + 'static,
    ) -> Result<(Self, Vec<Outlet<B>>), RouterError> {
        config.check(&outlets)?;
        let count = outlets.len();
        let shared = Arc::new(Shared::new(Desk::new(config, outlets), Box::new(scribe)));
        let outlets = (0..count).filter_map(|index| Outlet::serve(&shared, index)).collect();
        Ok((Self { shared }, outlets))
    }

    /// Takes a packet in.
    ///
    /// What is CRITICAL is never shed: if there is no room for it, its sender is told no. Of the rest, the oldest that waits makes room for the newest, and is
    /// counted (E5).
    ///
    /// # Errors
    ///
    /// [`Refused`] with the packet, if there is no room for what is CRITICAL, if the packet is larger than all room, or if the router is
    /// closed.
    pub fn offer(&self, now: Instant, label: Label, body: B) -> Result<Receipt, Box<Refused<B>>> {
        let case = self.take_in(now, label, body, true, false)?;
        Ok(Receipt::new(self.shared.clone(), case))
    }

    /// Takes a packet in of which nobody asks what becomes of it: [`offer`](Router::offer) without a receipt, and cheaper.
    ///
    /// # Errors
    ///
    /// As [`offer`](Router::offer).
    pub fn post(&self, now: Instant, label: Label, body: B) -> Result<(), Box<Refused<B>>> {
        self.take_in(now, label, body, false, false).map(|_| ())
    }

    /// An intake of events under the name of `source`: for guards, for the observer of a worker, for whatever has something to tell.
    ///
    /// `clock` reads the clock that the outlets are driven by. `seed` makes the ids of its packets: the same is not to be used
    /// twice, so take it from the wall clock or at random.
    pub fn reporter(
        &self,
        source: Source,
        seed: u64,
        clock: impl Fn() -> Instant + Send + Sync + 'static,
    ) -> Reporter<B> {
        Reporter::new(self.clone(), source, seed, Box::new(clock))
    }

    /// What became of all packets so far (E8).
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.write_down();
        self.shared.desk.with(|desk| desk.ledger)
    }

    /// What was shed, and what was unclear, of each source; those beyond [`RouterConfig::sources`] are together under `(others)`.
    #[must_use]
    pub fn sources(&self) -> Vec<(Source, SourceFigures)> {
        self.write_down();
        self.shared.desk.with(|desk| desk.notes.sources())
    }

    /// The outlets and their figures, in the order in which they were described.
    #[must_use]
    pub fn outlets(&self) -> Vec<OutletFigures> {
        self.write_down();
        self.shared.desk.with(|desk| {
            let figures = desk.lines.iter().enumerate().map(|(index, line)| OutletFigures {
                name: line.config.name.clone(),
                takes: line.config.takes,
                pending: Priority::ALL.map(|priority| line.len_of(priority)),
                in_flight: line.in_flight(),
                open: Priority::ALL.map(|priority| line.is_open(priority)),
                served: line.served,
                totals: desk.notes.totals(index),
            });
            figures.collect()
        })
    }

    /// The outlet of this name, if nobody serves it: after its service was dropped, another one takes it up here.
    #[must_use]
    pub fn outlet(&self, name: &str) -> Option<Outlet<B>> {
        let index = self.shared.desk.with(|desk| desk.lines.iter().position(|line| line.config.name == name))?;
        Outlet::serve(&self.shared, index)
    }

    /// From here on nothing is taken in; the outlets end when everything is delivered. Idempotent.
    pub fn close(&self) {
        self.write_down();
        self.shared.with(Desk::close);
    }

    /// Whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.desk.with(|desk| desk.is_closed())
    }

    fn take_in(
        &self,
        now: Instant,
        label: Label,
        body: B,
        held: bool,
        own: bool,
    ) -> Result<docket::Case, Box<Refused<B>>> {
        if label.priority != Priority::Critical {
            // What was told before comes before (E3). An alarm need not wait for that: the order is that of a priority.
            self.write_down();
        }
        // Made outside of the lock: that is where the time goes.
        let parcel = Arc::new(Parcel::new(label, now, body));
        let taken = self.shared.with(|desk, after| desk.take_in(&parcel, held, own, after));
        taken.map_err(|reason| match Arc::try_unwrap(parcel) {
            Ok(Parcel { label, body, .. }) => Box::new(Refused { reason, label, body }),
            Err(_) => unreachable!("what was not taken in is nowhere else"),
        })
    }

    /// Writes down what its reporters were told.
    fn write_down(&self) {
        self.shared.write_down();
    }

    /// Tells these events of the router itself.
    fn tell(&self, now: Instant, events: Vec<Event>, source: Source) {
        for event in events {
            let number = self.shared.written.fetch_add(1, Ordering::Relaxed);
            // The top bit keeps these ids from those of reporters.
            let id = PacketId::new(1 << 127 | u128::from(now.as_nanos()) << 32 | u128::from(number as u32));
            let label = Label::new(id, source, event.level()).subject(crate::Text::cut(event.name()));
            let mut body = None;
            crate::contain::survives(|| body = Some((self.shared.scribe)(&event, &label, Duration::ZERO)));
            if let Some(body) = body {
                // Refused only when the router is closed: then there is nobody to tell.
                let _ = self.take_in(now, label, body, false, true);
            }
        }
    }
}

/// What there is to tell of the router itself at `now`.
fn news<B>(desk: &mut Desk<B>, now: Instant) -> Vec<Event> {
    let notes = desk.notes.due(now);
    let names = |index: usize| desk.lines.get(index).map(|line| line.config.name.clone()).unwrap_or_default();
    notes.iter().map(|note| event_of(note, &desk.source(), &names)).collect()
}

/// What a note says, in the words of the catalogue.
fn event_of(note: &Note, subsystem: &str, names: &dyn Fn(usize) -> Cow<'static, str>) -> Event {
    match note {
        Note::Shed(source, figures) => {
            let [low, normal, high, _] = figures.shed;
            TelemetryShed { subsystem, source, low, normal, high }.into()
        }
        Note::UnknownPriority(source, count) => TelemetryPriorityUnknown { subsystem, source, count: *count }.into(),
        Note::Failed(outlet, count) => TelemetrySinkFailed { subsystem, sink: &names(*outlet), count: *count }.into(),
        Note::Misbehaved(outlet, count) => {
            TelemetrySinkMisbehaved { subsystem, sink: &names(*outlet), count: *count }.into()
        }
    }
}

impl<B> Clone for Router<B> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<B> fmt::Debug for Router<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ledger = self.shared.desk.with(|desk| desk.ledger);
        f.debug_struct("Router").field("ledger", &ledger).finish_non_exhaustive()
    }
}
