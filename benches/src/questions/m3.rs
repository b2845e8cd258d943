//! M3: what telling the router of an event costs the teller.
//!
//! Every contender tells of the same thing, a prefetch that is ready, with two texts and two numbers, and somebody takes it in: countermand's reporter, which keeps
//! the fields for the next outlet that has a turn, to be written down in their final form (protobuf); a plain struct through a bounded channel of tokio's or of flume's,
//! which is the least that one sends by hand, and says nothing yet to who reads telemetry; the same as a map of strings, which does;
//! `tracing`, with a layer that puts name and fields into such a channel, the usual way to get events out of a program. The limit is a ring of one's own, for
//! one thread, that takes the struct. A counter of `metrics` is a note: it keeps the number and forgets the event; so is making an event that nobody takes, and
//! telling of something that is an event already, as what is not in the catalogue is.
//!
//! What was told is taken out again, untimed, every 128 events, as those do who are on the other side: the outlets, the channel's receiver. (A reporter that nobody
//! serves keeps as many; the next one is written down by its teller.)

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::hint::black_box;
use std::time::Duration;

use countermand::catalogue::events::PrefetchReady;
use countermand::{
    Event, Instant, Intake, Label, Outlet, OutletConfig, OutletTurn, Payload, Router, RouterConfig, Source, Stream,
    Timestamp,
};
use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::meter::Meter;
use crate::question::{At, Cases, Goal, Quantity, Question};

const OURS: &str = "Reporter::take_said";
const LIMIT: &str = "a ring of one's own";

/// See the head of the file.
pub(super) static QUESTION: Question = Question {
    id: "M3",
    title: "telling the router of an event",
    ops: 200_000,
    by: Quantity::Cpu,
    goals: &[Goal::within("", OURS, LIMIT, 1.6), Goal::at_most(At("", OURS), Quantity::Cpu, 150.0)],
    cases,
};

/// How many events are told before they are taken out.
const ROUND: u64 = 128;

/// Times `tell` alone; `take_out` empties what it filled.
fn rounds(meter: &mut Meter, mut tell: impl FnMut(u64), mut take_out: impl FnMut()) {
    let mut left = meter.ops();
    while left > 0 {
        let round = left.min(ROUND);
        meter.time(|| (0..round).for_each(|number| tell(black_box(number))));
        take_out();
        left -= round;
    }
}

/// What is told, in the words of the catalogue.
pub(crate) fn said(number: u64) -> PrefetchReady<'static> {
    PrefetchReady { subsystem: "kasmina", request: "r-17", in_flight: number, latency: Duration::from_micros(number) }
}

/// The same as an event, as what is not of the catalogue is from the first.
pub(crate) fn event(number: u64) -> Event {
    said(number).into()
}

/// A router with an outlet for each stream.
pub(crate) fn router() -> (Router<Payload>, Vec<Outlet<Payload>>) {
    let outlets = vec![OutletConfig::new("normal", Stream::Normal), OutletConfig::new("emergency", Stream::Emergency)];
    Router::new(RouterConfig::default(), outlets, scribe).expect("it is well set up")
}

/// The time that packets bear; read once, as the reading of the clock is not what is compared.
const AT: Timestamp = Timestamp::new(1_759_039_389, 0);

fn scribe(event: &Event, label: &Label, _: Duration) -> Payload {
    Payload::of_event(event, label, AT)
}

/// Takes out all that waits at an outlet.
pub(crate) fn drain<B: Send + Sync + 'static>(outlet: &mut Outlet<B>) {
    while let OutletTurn::Deliver(mut batch) = outlet.turn(Instant::ORIGIN, None) {
        batch.acknowledge_rest();
        outlet.conclude(Instant::ORIGIN, Some(batch));
    }
}

/// What one sends by hand where the reader knows it.
#[derive(Clone, Copy)]
struct Plain {
    subsystem: &'static str,
    request: &'static str,
    in_flight: u64,
    latency: Duration,
}

fn plain(number: u64) -> Plain {
    Plain { subsystem: "kasmina", request: "r-17", in_flight: number, latency: Duration::from_micros(number) }
}

fn use_plain(told: Plain) {
    black_box((told.subsystem, told.request, told.in_flight, told.latency));
}

/// What one sends by hand where the reader does not.
type Map = BTreeMap<&'static str, String>;

fn map(number: u64) -> Map {
    BTreeMap::from([
        ("event", "prefetch_ready".to_owned()),
        ("subsystem", "kasmina".to_owned()),
        ("request", "r-17".to_owned()),
        ("in_flight", number.to_string()),
        ("latency", (number as f64 / 1e6).to_string()),
    ])
}

/// Puts what is told into a channel.
struct ToChannel(flume::Sender<Map>);

struct Fields(Map);

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name(), value.to_string());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name(), value.to_string());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl<S: tracing::Subscriber> Layer<S> for ToChannel {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields(Map::from([("event", event.metadata().name().to_owned())]));
        event.record(&mut fields);
        let _ = self.0.try_send(fields.0);
    }
}

fn room() -> usize {
    2 * ROUND as usize
}

fn cases(_: u64, cases: &mut Cases) {
    let (router, mut outlets) = router();
    let reporter = router.reporter(Source::of("kasmina"), 1, || Instant::ORIGIN);
    cases.ours(OURS, move |meter| {
        rounds(meter, |number| reporter.take_said(&said(number)), || drain(&mut outlets[0]));
        assert_eq!((reporter.refused(), router.ledger().shed), (0, [0; 4]), "nothing was lost");
    });
    cases.peer("a struct into tokio's mpsc", |meter| {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(room());
        rounds(
            meter,
            |number| sender.try_send(plain(number)).map_err(drop).expect("there is room"),
            || std::iter::from_fn(|| receiver.try_recv().ok()).for_each(use_plain),
        );
    });
    cases.peer("a struct into flume", |meter| {
        let (sender, receiver) = flume::bounded(room());
        rounds(
            meter,
            |number| sender.try_send(plain(number)).map_err(drop).expect("there is room"),
            || receiver.drain().for_each(use_plain),
        );
    });
    cases.peer("a map of strings into flume", |meter| {
        let (sender, receiver) = flume::bounded(room());
        rounds(
            meter,
            |number| sender.try_send(map(number)).map_err(drop).expect("there is room"),
            || receiver.drain().for_each(|told| drop(black_box(told))),
        );
    });
    cases.peer("tracing into a channel", |meter| {
        let (sender, receiver) = flume::bounded(room());
        let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(ToChannel(sender)));
        let tell = |number| {
            let latency = number as f64 / 1e6;
            tracing::info!(name: "prefetch_ready", subsystem = "kasmina", request = "r-17", in_flight = number, latency);
        };
        rounds(meter, tell, || receiver.drain().for_each(|told| drop(black_box(told))));
    });
    let ring = RefCell::new(VecDeque::with_capacity(ROUND as usize));
    cases.limit(LIMIT, move |meter| {
        let take_out = || ring.borrow_mut().drain(..).for_each(use_plain);
        rounds(meter, |number| black_box(&ring).borrow_mut().push_back(plain(number)), take_out);
    });
    cases.note("an event that nobody takes", |meter| {
        rounds(
            meter,
            |number| {
                black_box(event(number));
            },
            || (),
        );
    });
    let (router, mut outlets) = self::router();
    let reporter = router.reporter(Source::of("kasmina"), 1, || Instant::ORIGIN);
    cases.note("Reporter::take, of an event", move |meter| {
        rounds(meter, |number| reporter.take(&event(number)), || drain(&mut outlets[0]));
    });
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    cases.note("a counter of metrics, by name", move |meter| {
        metrics::with_local_recorder(&recorder, || {
            rounds(meter, |_| metrics::counter!("prefetch_ready_total").increment(1), || ());
        });
    });
}
