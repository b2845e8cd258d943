//! A consumer: a named reader that the journal remembers.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use countermand_core::{DeadReason, Stream};

use crate::account::Fate;
use crate::{Entry, Journal, JournalError, Sequence, WallTime, reading};

/// How many records of a priority expire with one commit.
const STEP: usize = 1024;

/// A named reader. The journal remembers, through restarts, what it has acknowledged; everything else comes again, under the same id (E10).
///
/// One reader has one batch out at a time: until something is acknowledged, [`next`](Self::next) gives the same again, and what has come since.
pub struct Consumer {
    journal: Journal,
    name: String,
    /// What had been appended when it was last asked for more.
    seen: AtomicU64,
}

impl Consumer {
    pub(crate) const fn new(journal: Journal, name: String) -> Self {
        Self { journal, name, seen: AtomicU64::new(0) }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it has not acknowledged of a stream, at most `most`. In the normal stream HIGH comes before NORMAL before LOW (E2); within a
    /// priority the oldest comes first (E3). What is beyond its time to live at `now` is left out, and will count as expired.
    ///
    /// # Errors
    ///
    /// It was removed; the file cannot be read; a record in it is damaged.
    pub fn next(&self, stream: Stream, most: usize, now: WallTime) -> Result<Vec<Entry>, JournalError> {
        self.seen.store(self.journal.shared().next(), Ordering::SeqCst);
        let worthless = self.journal.config().time_to_live.map(|time_to_live| now.before(time_to_live));
        self.journal.read(|views| reading::next(views, &self.name, stream, most, worthless))
    }

    /// Resolves when something has been appended since it was last asked for [`next`](Self::next), to whichever stream.
    ///
    /// # Cancellation
    ///
    /// Dropped at any time, nothing happens.
    pub async fn appended(&self) {
        let seen = self.seen.load(Ordering::SeqCst);
        self.journal.appended_after(seen.checked_sub(1).map(Sequence::new)).await;
    }

    /// Has read these, and does not want them again. What it had acknowledged before does no harm. How many it had not.
    ///
    /// # Errors
    ///
    /// It was removed; the file cannot be written.
    ///
    /// # Cancellation
    ///
    /// Dropped before it resolves, it may have been done or not; not by half.
    pub async fn acknowledge(&self, sequences: &[Sequence]) -> Result<usize, JournalError> {
        let sequences = sequences.iter().map(|sequence| sequence.number()).collect::<BTreeSet<_>>();
        let name = self.name.clone();
        let done = self.journal.operate(move |change| {
            let reader = change.reader(&name)?;
            change.settle(reader, &sequences, Fate::Delivered)
        });
        done.await
    }

    /// Will never read this one: it becomes a dead letter with this reason. Whether it had not been read or given up before.
    ///
    /// # Errors
    ///
    /// It was removed; the file cannot be written.
    ///
    /// # Cancellation
    ///
    /// Dropped before it resolves, it may have been done or not; not by half.
    pub async fn dead_letter(&self, sequence: Sequence, reason: DeadReason) -> Result<bool, JournalError> {
        let name = self.name.clone();
        let done = self.journal.operate(move |change| {
            let reader = change.reader(&name)?;
            change.dead_letter(reader, sequence.number(), reason.clone())
        });
        done.await
    }

    /// Lets expire what it has not read and was taken in before this time, but nothing CRITICAL (E4). How many there were.
    ///
    /// # Errors
    ///
    /// It was removed; the file cannot be written.
    ///
    /// # Cancellation
    ///
    /// Dropped before it resolves, some may have expired.
    pub async fn expire(&self, before: WallTime) -> Result<u64, JournalError> {
        let mut total = 0;
        loop {
            let name = self.name.clone();
            let step = self.journal.operate(move |change| {
                let reader = change.reader(&name)?;
                change.expire(reader, before, STEP)
            });
            match step.await? {
                0 => return Ok(total),
                expired => total += expired as u64,
            }
        }
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("name", &self.name).field("journal", &self.journal).finish_non_exhaustive()
    }
}
