//! Feeds a sink from the journal: a named reader goes on where it was, so nothing is lost while the sink is away.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use countermand::{Answer, Batch, DeadReason, Delivery, Instant, JobContext, Parcel, Payload, Refusal, Sink, Stream};
use countermand_journal::{Consumer, Entry, Journal, WallTime};
use futures::future::{Either, select};

/// How many packets a batch has at the most.
const BATCH: usize = 256;

/// How long a sink may take for one.
const PATIENCE: Duration = Duration::from_secs(30);

/// One stream of one reader. Each stream of a sink has a job of its own: alarms do not wait behind the rest.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    pub(crate) journal: Journal,
    pub(crate) consumer: Arc<Consumer>,
    pub(crate) stream: Stream,
}

impl Feed {
    /// Feeds `sink` until the job is cancelled.
    ///
    /// # Errors
    ///
    /// Why the sink, or the journal, does not go on, in words. What was not acknowledged comes again.
    ///
    /// # Cancellation
    ///
    /// Dropping it loses nothing: what was not acknowledged comes again, under the same id.
    pub(crate) async fn run<S: Sink<Payload>>(self, cx: JobContext, mut sink: S) -> Result<(), String> {
        let mut number = 0;
        loop {
            // Looked at first: what comes between this and the look into the stream wakes the wait.
            let last = self.journal.last();
            let entries = self.consumer.next(self.stream, BATCH, WallTime::now()).map_err(|error| error.to_string())?;
            if entries.is_empty() {
                self.journal.appended_after(last).await;
                continue;
            }
            number += 1;
            let batch = Batch::new(number, entries.iter().map(delivery).collect());
            let answers = within(&cx, sink.deliver(batch)).await?.into_answers();
            self.conclude(&entries, answers).await?;
            cx.yield_now().await;
        }
    }

    /// Tells the journal what the sink has.
    async fn conclude(&self, entries: &[Entry], answers: Vec<Option<Answer>>) -> Result<(), String> {
        let mut taken = Vec::new();
        let mut never = Vec::new();
        let mut later = None;
        for (entry, answer) in entries.iter().zip(answers) {
            match answer {
                Some(Answer::Acknowledged) => taken.push(entry.sequence),
                Some(Answer::Refused(Refusal::Never(reason))) => never.push((entry.sequence, reason)),
                Some(Answer::Refused(Refusal::Later(reason))) => later = later.or(Some(reason.into_owned())),
                None => later = later.or(Some("it gave no answer".to_owned())),
            }
        }
        self.consumer.acknowledge(&taken).await.map_err(|error| error.to_string())?;
        for (sequence, reason) in never {
            let reason = DeadReason::new(self.consumer.name().to_owned(), reason);
            self.consumer.dead_letter(sequence, reason).await.map_err(|error| error.to_string())?;
        }
        later.map_or(Ok(()), Err)
    }
}

fn delivery(entry: &Entry) -> Delivery<Payload> {
    // The time of the router that took it in is gone; what is kept is the time of day.
    Delivery::new(Arc::new(Parcel::new(entry.label, Instant::ORIGIN, entry.payload.clone())))
}

async fn within<F: Future>(cx: &JobContext, future: F) -> Result<F::Output, String> {
    match select(pin!(future), pin!(cx.sleep(PATIENCE))).await {
        Either::Left((output, _)) => Ok(output),
        Either::Right(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}
