//! The sink of a router that is this journal.

use std::future::Future;
use std::pin::Pin;

use countermand_core::{Batch, Delivery, Payload, Sink};

use crate::Journal;
use crate::record::Draft;

/// Appends batches to a journal. Each packet is answered when it is durable, or refused.
///
/// When the disk is full what is CRITICAL goes into the reserve, and is acknowledged; anything else is refused for now, and so is what is CRITICAL
/// when the reserve is full too (E13).
#[derive(Clone, Debug)]
pub struct JournalSink {
    journal: Journal,
    name: String,
}

impl JournalSink {
    pub(crate) const fn new(journal: Journal, name: String) -> Self {
        Self { journal, name }
    }

    /// What a router calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The packet of a delivery, as it is to be kept.
pub(crate) fn draft(delivery: &Delivery<Payload>) -> Draft {
    let parcel = &delivery.parcel;
    Draft { label: parcel.label, repeats: delivery.repeats.map(Into::into), payload: parcel.body.clone() }
}

impl Sink<Payload> for JournalSink {
    /// The delivery of a batch. It blocks no thread; the journal has one of its own.
    ///
    /// # Cancellation
    ///
    /// Dropped before it resolves, the packets may be there or not; delivered again they are there once.
    type Delivery = Pin<Box<dyn Future<Output = Batch<Payload>> + Send>>;

    fn deliver(&mut self, mut batch: Batch<Payload>) -> Self::Delivery {
        let journal = self.journal.clone();
        Box::pin(async move {
            let drafts = batch.deliveries().iter().map(draft).collect();
            for (index, answer) in journal.append_all(drafts).await.into_iter().enumerate() {
                match answer {
                    Ok(_) => batch.acknowledge(index),
                    Err(refusal) => batch.refuse(index, refusal),
                }
            }
            batch
        })
    }
}
