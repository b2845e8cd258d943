//! What telling the router of an event costs the teller.
//!
//! Every contender tells of the same thing, a prefetch that is ready, with two texts and two numbers, and somebody takes it in: countermand's reporter, which keeps a
//! copy for the next outlet that has a turn, to be written down in its final form (protobuf); `tracing`, with a layer that
//! puts name and fields into a bounded channel, which is the usual way to get events out of a program; an owned struct of strings
//! through a bounded channel of flume's, and of tokio's, as one writes it by hand. A counter of `metrics` is the least that anybody does: it
//! keeps the number and forgets the event. The limit is a ring of one's own for one thread, that takes a number.
//!
//! What was told is taken out again, untimed, every 128 events, as those do who are on the other side: the outlets, the channel's receiver. (A reporter that nobody
//! serves keeps as many; the next one is written down by its teller.)
#![allow(missing_docs, reason = "criterion's macros make public items without any")]

use std::collections::VecDeque;
use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant as Clock};

use countermand::catalogue::events::PrefetchReady;
use countermand::{
    Event, Instant, Intake, Label, Level, Outlet, OutletConfig, OutletTurn, Payload, Router, RouterConfig, Source,
    Stream, Timestamp,
};
use criterion::{Bencher, Criterion, criterion_group, criterion_main};
use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

/// How many events are told before they are taken out.
const ROUND: u64 = 128;

/// Times `tell` alone; `take_out` empties what it filled.
fn rounds(bencher: &mut Bencher<'_>, mut tell: impl FnMut(u64), mut take_out: impl FnMut()) {
    bencher.iter_custom(|iterations| {
        let mut spent = Duration::ZERO;
        let mut left = iterations;
        while left > 0 {
            let round = left.min(ROUND);
            let begun = Clock::now();
            for number in 0..round {
                tell(black_box(number));
            }
            spent += begun.elapsed();
            take_out();
            left -= round;
        }
        spent
    });
}

fn drain<B: Send + Sync + 'static>(outlet: &mut Outlet<B>) {
    while let OutletTurn::Deliver(mut batch) = outlet.turn(Instant::ORIGIN, None) {
        batch.acknowledge_rest();
        outlet.conclude(Instant::ORIGIN, Some(batch));
    }
}

/// What is told, in the words of the catalogue.
fn event(number: u64) -> Event {
    let latency = Duration::from_micros(number);
    PrefetchReady { subsystem: "kasmina", request: "r-17", in_flight: number, latency }.into()
}

fn router() -> (Router<Payload>, Vec<Outlet<Payload>>) {
    let outlets = vec![OutletConfig::new("normal", Stream::Normal), OutletConfig::new("emergency", Stream::Emergency)];
    Router::new(RouterConfig::default(), outlets, scribe).expect("it is well set up")
}

/// The time that packets bear; read once, as the reading of the clock is not what is compared.
const AT: Timestamp = Timestamp::new(1_759_039_389, 0);

fn scribe(event: &Event, label: &Label, _: Duration) -> Payload {
    Payload::of_event(event, label, AT)
}

/// What one sends by hand.
struct ByHand {
    name: &'static str,
    level: Level,
    fields: Vec<(&'static str, String)>,
}

/// Puts what is told into a channel.
struct ToChannel(flume::Sender<ByHand>);

struct Fields(Vec<(&'static str, String)>);

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.push((field.name(), value.to_string()));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.push((field.name(), value.to_string()));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.to_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push((field.name(), format!("{value:?}")));
    }
}

impl<S: tracing::Subscriber> Layer<S> for ToChannel {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields(Vec::with_capacity(4));
        event.record(&mut fields);
        let _ = self.0.try_send(ByHand { name: event.metadata().name(), level: Level::Info, fields: fields.0 });
    }
}

fn by_hand(number: u64) -> ByHand {
    let fields = vec![
        ("subsystem", "kasmina".to_owned()),
        ("request", "r-17".to_owned()),
        ("in_flight", number.to_string()),
        ("latency", (number as f64 / 1e6).to_string()),
    ];
    ByHand { name: "prefetch_ready", level: Level::Info, fields }
}

fn use_up(told: ByHand) {
    black_box((told.name, told.level, told.fields.len()));
}

fn emission(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("telling of an event");
    group.bench_function("a ring of one's own, the limit", |b| {
        let ring = std::cell::RefCell::new(VecDeque::with_capacity(ROUND as usize));
        rounds(b, |number| ring.borrow_mut().push_back(number), || black_box(&ring).borrow_mut().clear());
    });
    group.bench_function("Reporter::take", |b| {
        let (router, mut outlets) = router();
        let reporter = router.reporter(Source::of("kasmina"), 1, || Instant::ORIGIN);
        rounds(b, |number| reporter.take(&event(number)), || drain(&mut outlets[0]));
        assert_eq!((reporter.refused(), router.ledger().shed), (0, [0; 4]), "nothing was lost");
    });
    group.bench_function("Event alone", |b| {
        rounds(
            b,
            |number| {
                black_box(event(number));
            },
            || {},
        );
    });
    group.bench_function("tracing into a channel", |b| {
        let (sender, receiver) = flume::bounded(2 * ROUND as usize);
        let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(ToChannel(sender)));
        rounds(
            b,
            |number| {
                let latency = number as f64 / 1e6;
                tracing::info!(name: "prefetch_ready", subsystem = "kasmina", request = "r-17", in_flight = number, latency);
            },
            || receiver.drain().for_each(use_up),
        );
    });
    group.bench_function("a struct into flume", |b| {
        let (sender, receiver) = flume::bounded(2 * ROUND as usize);
        rounds(
            b,
            |number| sender.try_send(by_hand(number)).map_err(|_| ()).expect("there is room"),
            || receiver.drain().for_each(use_up),
        );
    });
    group.bench_function("a struct into tokio's mpsc", |b| {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(2 * ROUND as usize);
        rounds(
            b,
            |number| sender.try_send(by_hand(number)).map_err(|_| ()).expect("there is room"),
            || std::iter::from_fn(|| receiver.try_recv().ok()).for_each(use_up),
        );
    });
    group.bench_function("a counter of metrics", |b| {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            rounds(b, |_| metrics::counter!("prefetch_ready_total").increment(1), || {});
        });
    });
    group.finish();
}

criterion_group!(benches, emission);
criterion_main!(benches);
