//! What a sink will never take becomes a dead letter of the reader that it was for, with the reason.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use countermand::{Batch, DeadReason, Refusal, Sink};
use countermand_journal::Consumer;

use super::Fed;

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Letters {
    consumer: Arc<Consumer>,
}

impl Letters {
    pub(super) const fn new(consumer: Arc<Consumer>) -> Self {
        Self { consumer }
    }
}

impl Sink<Fed> for Letters {
    type Delivery = Pin<Box<dyn Future<Output = Batch<Fed>> + Send>>;

    fn deliver(&mut self, mut batch: Batch<Fed>) -> Self::Delivery {
        let consumer = self.consumer.clone();
        Box::pin(async move {
            for place in 0..batch.len() {
                let delivery = &batch.deliveries()[place];
                let Fed::Kept(sequence, _) = delivery.parcel.body else {
                    batch.acknowledge(place);
                    continue;
                };
                let unsaid = || DeadReason::new(consumer.name().to_owned(), "no reason was given");
                let reason = delivery.dead.clone().unwrap_or_else(unsaid);
                match consumer.dead_letter(sequence, reason).await {
                    Ok(_) => batch.acknowledge(place),
                    Err(error) => {
                        batch.refuse_rest(&Refusal::later(error.to_string()));
                        break;
                    }
                }
            }
            batch
        })
    }
}
