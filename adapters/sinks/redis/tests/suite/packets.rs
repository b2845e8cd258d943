//! Packets to send, and what is looked at when they have arrived.

use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use countermand_core::{
    Answer, Batch, Delivery, Format, Instant, Label, Level, PacketId, Parcel, Payload, Priority, Refusal, Sink as _,
    Source, Subject,
};
use countermand_redis::{Entry, RedisSink};

/// A packet of this number. What is in it is no text, so that it shows whether the bytes stay what they are.
pub(crate) fn packet(number: u64, source: &str, level: Level) -> Delivery<Payload> {
    let mut bytes = format!("{{\"number\":{number}}}\r\n\0\u{fffd}").into_bytes();
    bytes.push(0xff);
    let label = Label::new(PacketId::new(number.into()), Source::of(source), level);
    let label = label.subject(Subject::of("epoch")).weight(bytes.len());
    Delivery::new(Arc::new(Parcel::new(label, Instant::from_nanos(number), Payload::new(Format::Json, bytes))))
}

/// Packets of these numbers, of one source, all NORMAL.
pub(crate) fn normal(numbers: std::ops::Range<u64>) -> Vec<Delivery<Payload>> {
    numbers.map(|number| packet(number, "tolaria", Level::Info)).collect()
}

/// Delivers these packets once; the answers.
pub(crate) async fn deliver(sink: &mut RedisSink, packets: &[Delivery<Payload>]) -> Vec<Answer> {
    let batch = sink.deliver(Batch::new(1, packets.to_vec())).await;
    assert_eq!((batch.number(), batch.astray()), (1, 0));
    batch.into_answers().into_iter().map(|answer| answer.expect("an answer for each packet")).collect()
}

/// Delivers these packets, all of which are taken.
pub(crate) async fn deliver_all(sink: &mut RedisSink, packets: &[Delivery<Payload>]) {
    assert_eq!(deliver(sink, packets).await, vec![Answer::Acknowledged; packets.len()]);
}

/// Why a packet was refused for now.
pub(crate) fn later(answer: &Answer) -> &str {
    match answer {
        Answer::Refused(Refusal::Later(reason)) => reason,
        other => panic!("{other:?}, which is no refusal for now"),
    }
}

/// How many packets were refused for now: the sign of a fault of the server.
pub(crate) fn refused(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| **answer != Answer::Acknowledged).map(later).count()
}

/// What a handler was given, in that order.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<Entry>>>);

impl Seen {
    pub(crate) fn add(&self, entry: Entry) {
        self.0.lock().unwrap().push(entry);
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap().clone()
    }

    /// The numbers of the packets, in the order in which they came, each at its first time.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        let mut known = HashSet::new();
        let numbers = self.entries().into_iter().map(|entry| entry.label.id.number() as u64);
        numbers.filter(|number| known.insert(*number)).collect()
    }

    /// How many different packets came.
    pub(crate) fn packets(&self) -> usize {
        self.0.lock().unwrap().iter().map(|entry| entry.label.id).collect::<HashSet<_>>().len()
    }

    /// Nothing is missing, nothing is another's, and within each source and priority the order is that of `sent` (E3, E6, E10).
    pub(crate) fn agrees_with(&self, sent: &[Delivery<Payload>]) {
        type Lanes = HashMap<(Source, Priority), Vec<PacketId>>;
        let mut expected = Lanes::new();
        let mut bodies = HashMap::new();
        for packet in sent {
            let label = &packet.parcel.label;
            expected.entry((label.source, label.priority)).or_default().push(label.id);
            bodies.insert(label.id, (*label, packet.parcel.body.clone()));
        }
        let mut known = HashSet::new();
        let mut found = Lanes::new();
        for entry in self.entries() {
            assert_eq!((entry.label, entry.payload), bodies[&entry.label.id].clone());
            if known.insert(entry.label.id) {
                found.entry((entry.label.source, entry.label.priority)).or_default().push(entry.label.id);
            }
        }
        assert_eq!(found, expected);
    }
}
