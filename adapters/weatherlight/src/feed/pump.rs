//! Brings the packets of one stream from the journal to the router, and acknowledges those that it is through with.

use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use countermand::{Fate, Instant, JobContext, Receipt, Router, Stream};
use countermand_journal::{Consumer, Entry, Journal, JournalError, Sequence, WallTime};
use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt as _};

use super::Fed;
use super::backlog::Backlog;
use crate::intake::now;
use crate::standing::Standing;

/// How long the journal is let alone when it cannot be written.
const BREATH: Duration = Duration::from_secs(1);

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Pump {
    pub(super) journal: Journal,
    pub(super) consumer: Arc<Consumer>,
    pub(super) router: Router<Fed>,
    pub(super) stream: Stream,
    pub(super) window: usize,
    pub(super) standing: Standing,
}

/// A packet that the router has.
struct OnTheWay {
    sequence: Sequence,
    bytes: u64,
    receipt: Receipt,
}

/// One that it is through with.
struct Through {
    sequence: Sequence,
    bytes: u64,
    fate: Fate,
}

impl Future for OnTheWay {
    type Output = Through;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Through> {
        let fate = ready!(Pin::new(&mut self.receipt).poll(cx));
        Poll::Ready(Through { sequence: self.sequence, bytes: self.bytes, fate })
    }
}

impl Pump {
    /// Works until the job is cancelled.
    ///
    /// # Errors
    ///
    /// Why the journal does not go on, in words.
    ///
    /// # Cancellation
    ///
    /// Dropping it loses nothing: what was not acknowledged comes again.
    pub(super) async fn run(&self, cx: &JobContext) -> Result<(), String> {
        let in_words = |error: JournalError| error.to_string();
        let mut backlog = Backlog::new(self.stream, self.window);
        let mut on_the_way = FuturesUnordered::new();
        loop {
            let entries = backlog.next(&self.journal, &self.consumer).map_err(in_words)?;
            if !entries.is_empty() {
                let mut is_full = false;
                for entry in entries {
                    let (sequence, bytes) = (entry.sequence, entry.payload.bytes().len() as u64);
                    match if is_full { None } else { self.offer(entry) } {
                        Some(receipt) => on_the_way.push(OnTheWay { sequence, bytes, receipt }),
                        // It stays where it was, and so does what is behind it (E3).
                        None => {
                            is_full = true;
                            backlog.through(sequence, bytes);
                        }
                    }
                }
                if is_full {
                    backlog.look_again();
                    cx.sleep(BREATH).await;
                }
                cx.yield_now().await;
                continue;
            }
            let through = poll_fn(|cx| {
                let mut through = Vec::new();
                while let Poll::Ready(Some(one)) = on_the_way.poll_next_unpin(cx) {
                    through.push(one);
                }
                if through.is_empty() { Poll::Pending } else { Poll::Ready(through) }
            });
            let more = async {
                match backlog.waits_behind() {
                    Some(after) => self.journal.appended_after(after).await,
                    None => pending().await,
                }
            };
            let through = match select(through, pin!(more)).await {
                Either::Left((through, _)) => through,
                Either::Right(_) => continue,
            };
            let taken = through.iter().filter(|one| one.fate == Fate::Delivered);
            self.acknowledge(cx, &taken.map(|one| one.sequence).collect::<Vec<_>>()).await.map_err(in_words)?;
            for Through { sequence, bytes, fate } in through {
                backlog.through(sequence, bytes);
                // Acknowledged, or a dead letter of this reader. Of anything else the journal decides what becomes of it.
                if !matches!(fate, Fate::Delivered | Fate::DeadLettered) {
                    backlog.look_again();
                }
            }
        }
    }

    /// Gives a packet to the router, as taken in when the journal took it in; at the earliest when the clock of this process began.
    fn offer(&self, entry: Entry) -> Option<Receipt> {
        let age = WallTime::now().as_nanos().saturating_sub(entry.accepted.as_nanos());
        let accepted = Instant::from_nanos(now().as_nanos().saturating_sub(age));
        self.router.offer(accepted, entry.label, Fed::Kept(entry.sequence, entry.payload)).ok()
    }

    /// On a full disk what the sink has cannot be acknowledged, and would come again and again: so this waits.
    async fn acknowledge(&self, cx: &JobContext, taken: &[Sequence]) -> Result<(), JournalError> {
        if taken.is_empty() {
            return Ok(());
        }
        loop {
            match self.consumer.acknowledge(taken).await {
                Ok(_) => return Ok(()),
                Err(error @ (JournalError::Full(_) | JournalError::Unavailable(_))) => {
                    self.standing.rests(&error.to_string());
                    cx.sleep(BREATH).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}
