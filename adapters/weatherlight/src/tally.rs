//! A sink in front of another: counts what the other has taken.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use countermand::{Answer, Batch, Payload, Priority, Sink, Source};

/// What went where: stream or dead letters, priority, source.
pub(crate) type Where = (&'static str, Priority, Source);

/// How much went where. A clone is the same count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    counts: Arc<Mutex<BTreeMap<Where, u64>>>,
}

/// See the head of the file.
#[derive(Debug)]
pub(crate) struct Tallied<S> {
    tally: Tally,
    place: &'static str,
    behind: S,
}

impl Tally {
    /// A sink in front of `behind`, whose packets are counted as having gone to `place`.
    pub(crate) fn before<S>(&self, place: &'static str, behind: S) -> Tallied<S> {
        Tallied { tally: self.clone(), place, behind }
    }

    /// What went where so far.
    pub(crate) fn counts(&self) -> BTreeMap<Where, u64> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<S> Sink<Payload> for Tallied<S>
where
    S: Sink<Payload>,
    S::Delivery: Send + 'static,
{
    type Delivery = Pin<Box<dyn Future<Output = Batch<Payload>> + Send>>;

    fn deliver(&mut self, batch: Batch<Payload>) -> Self::Delivery {
        let (tally, place) = (self.tally.clone(), self.place);
        let delivery = self.behind.deliver(batch);
        Box::pin(async move {
            let batch = delivery.await;
            let mut counts = tally.counts.lock().unwrap_or_else(PoisonError::into_inner);
            for (delivery, answer) in batch.deliveries().iter().zip(batch.answers()) {
                if matches!(answer, Some(Answer::Acknowledged)) {
                    let label = &delivery.parcel.label;
                    *counts.entry((place, label.priority, label.source)).or_default() += 1;
                }
            }
            drop(counts);
            batch
        })
    }
}

/// A sink that takes everything and keeps nothing.
#[derive(Debug)]
pub(crate) struct Memory;

impl Sink<Payload> for Memory {
    type Delivery = std::future::Ready<Batch<Payload>>;

    fn deliver(&mut self, mut batch: Batch<Payload>) -> Self::Delivery {
        batch.acknowledge_rest();
        std::future::ready(batch)
    }
}
