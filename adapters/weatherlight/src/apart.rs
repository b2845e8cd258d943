//! A sink that may block, on a thread of its own: whoever has batches for it waits without a thread.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::thread;

use async_channel::{Sender, TrySendError};
use countermand::{Batch, Payload, Refusal, Sink};
use futures::executor::block_on;

/// See the head of the file. The thread ends once this is dropped and the sink has come back.
#[derive(Debug)]
pub(crate) struct Apart {
    to: Sender<Errand>,
}

/// A batch, and where it goes when the sink is through with it.
type Errand = (Batch<Payload>, Sender<Batch<Payload>>);

impl Apart {
    /// Puts a sink on a thread of this name.
    ///
    /// # Errors
    ///
    /// If the system gives no thread.
    pub(crate) fn new<S: Sink<Payload> + Send + 'static>(name: &str, mut sink: S) -> io::Result<Self> {
        let (to, errands) = async_channel::bounded::<Errand>(1);
        let work = move || {
            while let Ok((batch, back)) = errands.recv_blocking() {
                // Whoever had it may have lost patience; then it comes again.
                let _ = back.try_send(block_on(sink.deliver(batch)));
            }
        };
        thread::Builder::new().name(name.to_owned()).spawn(work)?;
        Ok(Self { to })
    }
}

impl Sink<Payload> for Apart {
    type Delivery = Pin<Box<dyn Future<Output = Batch<Payload>> + Send>>;

    /// Gives a batch to the thread.
    ///
    /// # Cancellation
    ///
    /// Dropping the future leaves the batch with the thread; it comes again all the same.
    fn deliver(&mut self, batch: Batch<Payload>) -> Self::Delivery {
        // If the thread does not bring it back it is one that was not answered.
        let unanswered = (batch.number(), batch.deliveries().to_vec());
        let (back, answered) = async_channel::bounded(1);
        match self.to.try_send((batch, back)) {
            Ok(()) => Box::pin(async move {
                let (number, deliveries) = unanswered;
                answered.recv().await.unwrap_or_else(|_| Batch::new(number, deliveries))
            }),
            Err(TrySendError::Full((mut batch, _)) | TrySendError::Closed((mut batch, _))) => {
                batch.refuse_rest(&Refusal::later("it is still at what it was given before"));
                Box::pin(async { batch })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, channel};

    use countermand::{Answer, Delivery, Format, Instant, Label, Level, PacketId, Parcel, Source};

    use super::*;

    /// Blocks its thread until it is let go on, and panics if nobody does.
    struct Stuck(Receiver<()>);

    impl Sink<Payload> for Stuck {
        type Delivery = std::future::Ready<Batch<Payload>>;

        fn deliver(&mut self, mut batch: Batch<Payload>) -> Self::Delivery {
            self.0.recv().expect("somebody lets it go on");
            batch.acknowledge_rest();
            std::future::ready(batch)
        }
    }

    fn batch(number: u64) -> Batch<Payload> {
        let label = Label::new(PacketId::new(number.into()), Source::of("a"), Level::Info);
        let parcel = Parcel::new(label, Instant::ORIGIN, Payload::new(Format::Json, *b"{}"));
        Batch::new(number, vec![Delivery::new(Arc::new(parcel))])
    }

    #[test]
    fn whoever_is_stuck_holds_up_nobody_and_answers_when_it_can() {
        let (go, gate) = channel();
        let mut apart = Apart::new("stuck", Stuck(gate)).unwrap();
        // One is with the sink or before it, and one waits; there is no room for more.
        let first = apart.deliver(batch(1));
        let mut others = 0;
        let refused = loop {
            others += 1;
            let mut delivery = apart.deliver(batch(1 + others));
            if let Some(back) = futures::FutureExt::now_or_never(&mut delivery) {
                break back;
            }
        };
        assert!(others <= 2, "{others} batches were taken");
        assert!(matches!(refused.answers(), [Some(Answer::Refused(Refusal::Later(_)))]));
        for _ in 0..others {
            go.send(()).unwrap();
        }
        let first = block_on(first);
        assert_eq!((first.number(), first.into_answers()), (1, vec![Some(Answer::Acknowledged)]));
        // A thread that has gone gives nothing back, and the batch is not lost.
        let last = apart.deliver(batch(9));
        drop(go);
        assert_eq!(block_on(last).into_answers(), [None]);
    }
}
