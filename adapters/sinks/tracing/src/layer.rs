//! Packets out of a program's events and spans.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use countermand_core::{SubsystemId, Urgency};
use countermand_wire::proto::{SystemHealth, TelemetryEvent, TelemetryLevel, TelemetryPacket, TraceSpan};
use countermand_wire::{pack, timestamp};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;
use ulid::Ulid;

use crate::fields::{self, Fields};
use crate::open::{Open, id_of};
use crate::outgoing::Outgoing;
use crate::quiet::Quiet;
use crate::sink::TARGET;
use crate::tally::{Fate, Tally};

/// Turns the events and spans of a program into packets, and offers them to whoever routes them.
///
/// - An event becomes a packet with one event as soon as it is emitted, a span one with its beginning and its end as soon as it is closed.
/// - TRACE, DEBUG and INFO become INFO, WARN becomes WARNING, ERROR becomes ERROR.
/// - A field `priority` becomes the packet's indicator and can raise its priority (E1): `priority = "critical"` makes an alarm, which
///   `tracing` has no level for. A priority that there is not is counted in the [`tally`](Self::tally), and the level decides.
/// - The description is the name of the event where it was given one (`name: "gate_failure"`), else its message. All other fields are attributes,
///   as texts of at most [`LONGEST_TEXT`](Self::LONGEST_TEXT) bytes. `tracing.target`, `tracing.level`, `tracing.location` and, in a span,
///   `tracing.span_id` are added where no field has these names.
///
/// It makes packets of all that it sees: give it a filter of its own, `layer.with_filter(LevelFilter::INFO)`, where that is too much.
/// Values are shown on the spot, by their own code; one that panics is told as such. What the router does is not seen by it (see
/// [`quiet`](crate::quiet())), nor what [`TracingSink`](crate::TracingSink) shows.
pub struct TelemetryLayer<O> {
    source: String,
    outgoing: O,
    /// Targets that make no packets, with all below them.
    without: Vec<String>,
    spans: bool,
    clock: Box<dyn Fn() -> SystemTime + Send + Sync>,
    tally: Tally,
    /// What its ids begin with: another at each start of the program.
    run: String,
    /// Of the next id.
    number: AtomicU64,
}

impl<O> TelemetryLayer<O> {
    /// How many bytes of a description or an attribute are kept; what is cut ends with `…`.
    pub const LONGEST_TEXT: usize = fields::LONGEST;

    /// A layer whose packets are from `source` and go to `outgoing`.
    #[must_use]
    pub fn new(source: SubsystemId, outgoing: O) -> Self {
        Self {
            source: source.to_string(),
            outgoing,
            without: vec![String::from(TARGET)],
            spans: true,
            clock: Box::new(SystemTime::now),
            tally: Tally::default(),
            run: Ulid::generate().to_string(),
            number: AtomicU64::new(1),
        }
    }

    /// Makes no packets of what has this target, or one below it: `redis` is also `redis::aio`.
    #[must_use]
    pub fn without_target(mut self, target: impl Into<String>) -> Self {
        self.without.push(target.into());
        self
    }

    /// Makes no packets of spans.
    #[must_use]
    pub fn without_spans(mut self) -> Self {
        self.spans = false;
        self
    }

    /// Takes the time from this clock instead of the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Tells what became of its packets.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally.clone()
    }

    fn leaves_out(&self, metadata: &Metadata<'_>) -> bool {
        self.without.iter().any(|without| {
            let below = metadata.target().strip_prefix(without.as_str());
            below.is_some_and(|below| below.is_empty() || below.starts_with("::"))
        })
    }

    fn next_id(&self) -> String {
        format!("{}-{}", self.run, self.number.fetch_add(1, Ordering::Relaxed))
    }

    /// Begins the making of a packet: `None` where none is to be made.
    fn begin(&self) -> Option<Quiet> {
        let quiet = Quiet::begin();
        if quiet.is_none() {
            self.tally.count(Fate::Quiet);
        }
        quiet
    }
}

impl<O: Outgoing> TelemetryLayer<O> {
    /// Offers a packet with what is given; the rest is said by `metadata` and `priority`.
    fn offer(&self, metadata: &Metadata<'_>, priority: Option<String>, packet: TelemetryPacket) {
        let health = |priority| SystemHealth {
            indicators: [(String::from(Urgency::INDICATOR), priority)].into(),
            ..SystemHealth::default()
        };
        let packet = TelemetryPacket {
            packet_id: self.next_id(),
            source_subsystem: self.source.clone(),
            level: level_of(metadata) as i32,
            system_health: priority.map(health),
            ..packet
        };
        // It has an id, a source, a level, and times that are some.
        let Ok(incoming) = pack(packet) else { return self.tally.count(Fate::Refused) };
        if incoming.unknown_priority.is_some() {
            self.tally.count_unknown_priority();
        }
        let offer = || self.outgoing.offer(incoming.label, incoming.payload);
        self.tally.count(match catch_unwind(AssertUnwindSafe(offer)) {
            Ok(true) => Fate::Taken,
            Ok(false) => Fate::Refused,
            Err(_) => Fate::Panicked,
        });
    }
}

impl<S, O> Layer<S> for TelemetryLayer<O>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    O: Outgoing + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if !self.spans || self.leaves_out(attributes.metadata()) {
            return;
        }
        let Some(span) = context.span(id) else { return };
        // None is counted: a packet is made of it when it is closed.
        let Some(_quiet) = Quiet::begin() else { return };
        if span.extensions().get::<Open>().is_some() {
            return;
        }
        let open = Open {
            id: self.next_id(),
            parent: span.parent().and_then(|parent| id_of(&parent)).unwrap_or_default(),
            begun: (self.clock)(),
            // Before the lock on the extensions is taken: showing values is others' code.
            fields: Fields::of(|visitor| attributes.record(visitor)),
        };
        span.extensions_mut().replace(open);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let Some(_quiet) = Quiet::begin() else { return };
        if span.extensions().get::<Open>().is_none() {
            return;
        }
        let fields = Fields::of(|visitor| values.record(visitor));
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            open.fields.merge(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        if self.leaves_out(metadata) {
            return;
        }
        let Some(_quiet) = self.begin() else { return };
        let time = timestamp((self.clock)());
        let Fields { message, priority, mut attributes } = Fields::of(|visitor| event.record(visitor));
        // Where none was given, the name is made of the place in the source.
        let description = match (message, metadata.name().starts_with("event ")) {
            (Some(message), true) => message,
            (None, true) => String::new(),
            (message, false) => {
                attributes.extend(message.map(|message| (String::from("message"), message)));
                String::from(metadata.name())
            }
        };
        let span = context.event_span(event).and_then(|span| id_of(&span));
        add(&mut attributes, "tracing.span_id", span);
        about(&mut attributes, metadata);
        let told =
            TelemetryEvent { event_id: self.next_id(), description, level: level_of(metadata) as i32, attributes };
        let packet = TelemetryPacket { timestamp: Some(time), events: vec![told], ..TelemetryPacket::default() };
        self.offer(metadata, priority, packet);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let metadata = span.metadata();
        if !self.spans || self.leaves_out(metadata) {
            return;
        }
        // Left there, for the other layers that share it.
        let Some(Open { id, parent, begun, fields }) = span.extensions().get::<Open>().cloned() else { return };
        let Some(_quiet) = self.begin() else { return };
        let end = timestamp((self.clock)());
        let Fields { message, priority, mut attributes } = fields;
        add(&mut attributes, "message", message);
        about(&mut attributes, metadata);
        let span = TraceSpan {
            span_id: id,
            parent_span_id: parent,
            name: String::from(metadata.name()),
            start_time: Some(timestamp(begun)),
            end_time: Some(end),
            attributes,
        };
        let packet = TelemetryPacket { timestamp: Some(end), spans: vec![span], ..TelemetryPacket::default() };
        self.offer(metadata, priority, packet);
    }
}

impl<O> fmt::Debug for TelemetryLayer<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelemetryLayer")
            .field("source", &self.source)
            .field("tally", &self.tally)
            .finish_non_exhaustive()
    }
}

fn level_of(metadata: &Metadata<'_>) -> TelemetryLevel {
    match *metadata.level() {
        Level::ERROR => TelemetryLevel::Error,
        Level::WARN => TelemetryLevel::Warning,
        _ => TelemetryLevel::Info,
    }
}

type Texts = std::collections::BTreeMap<String, String>;

/// Adds where it comes from.
fn about(attributes: &mut Texts, metadata: &Metadata<'_>) {
    add(attributes, "tracing.target", Some(metadata.target()));
    add(attributes, "tracing.level", Some(metadata.level().as_str()));
    let place = metadata.file().zip(metadata.line());
    add(attributes, "tracing.location", place.map(|(file, line)| format!("{file}:{line}")));
}

/// Adds what there is, if no field has this name.
fn add(attributes: &mut Texts, key: &str, value: Option<impl Into<String>>) {
    if let Some(value) = value {
        attributes.entry(String::from(key)).or_insert_with(|| value.into());
    }
}
