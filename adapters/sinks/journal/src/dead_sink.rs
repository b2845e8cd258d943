//! The sink to which a router gives its dead letters.

use std::future::Future;
use std::pin::Pin;

use countermand_core::{Batch, DeadReason, Payload, Refusal, Sink};

use crate::Journal;
use crate::sink::draft;

/// Keeps packets as dead letters, each with its reason (E14).
#[derive(Clone, Debug)]
pub struct DeadLetterSink {
    journal: Journal,
}

impl DeadLetterSink {
    pub(crate) const fn new(journal: Journal) -> Self {
        Self { journal }
    }
}

impl Sink<Payload> for DeadLetterSink {
    /// The delivery of a batch. It blocks no thread; the journal has one of its own.
    ///
    /// # Cancellation
    ///
    /// Dropped before it resolves, the packets may be dead letters or not; delivered again they may be there twice.
    type Delivery = Pin<Box<dyn Future<Output = Batch<Payload>> + Send>>;

    fn deliver(&mut self, mut batch: Batch<Payload>) -> Self::Delivery {
        let journal = self.journal.clone();
        Box::pin(async move {
            let letters = batch.deliveries().iter().map(|delivery| {
                let unsaid = || DeadReason::new("unknown", "no reason was given");
                (draft(delivery), delivery.dead.clone().unwrap_or_else(unsaid))
            });
            let letters = letters.collect::<Vec<_>>();
            let kept = journal.operate(move |change| {
                for (draft, reason) in &letters {
                    change.bury_draft(draft.clone(), reason.clone())?;
                }
                Ok(())
            });
            match kept.await {
                Ok(()) => batch.acknowledge_rest(),
                Err(error) => batch.refuse_rest(&Refusal::later(error.to_string())),
            }
            batch
        })
    }
}
