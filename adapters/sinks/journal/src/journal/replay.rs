//! A journal's dead letters: looked at, sent on their way again, thrown away.

use std::sync::Arc;

use countermand_core::{Answer, Batch, Delivery, Instant, Parcel, Payload, Sink};

use super::Journal;
use crate::{DeadLetter, Entry, JournalError, reading};

impl Journal {
    /// The dead letters with numbers above `after`, oldest first; at most `most`.
    ///
    /// # Errors
    ///
    /// The file cannot be read; a dead letter in it is damaged.
    pub fn dead_letters(&self, after: u64, most: usize) -> Result<Vec<DeadLetter>, JournalError> {
        self.read(|views| reading::dead_letters(views, after, most))
    }

    /// The dead letter of this number.
    ///
    /// # Errors
    ///
    /// The file cannot be read; the dead letter is damaged.
    pub fn dead_letter(&self, number: u64) -> Result<Option<DeadLetter>, JournalError> {
        let letters = self.dead_letters(number.saturating_sub(1), 1)?;
        Ok(letters.into_iter().find(|letter| letter.number == number))
    }

    /// Takes these dead letters into their streams again, under the ids that they have; they are dead letters no more. How many there were.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    ///
    /// # Cancellation
    ///
    /// Dropped before it resolves, it may have been done or not; not by half.
    pub async fn replay(&self, numbers: impl Into<Vec<u64>>) -> Result<u64, JournalError> {
        let numbers = numbers.into();
        self.operate(move |change| change.replay(&numbers)).await
    }

    /// Gives these dead letters to a sink. Those that it acknowledges are dead letters no more. What it answered, by number.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written.
    ///
    /// # Cancellation
    ///
    /// Dropped before it resolves, the sink may have them, and they may be dead letters still.
    pub async fn replay_into<S: Sink<Payload>>(
        &self,
        numbers: &[u64],
        sink: &mut S,
    ) -> Result<Vec<(u64, Option<Answer>)>, JournalError> {
        let mut letters = Vec::new();
        for number in numbers {
            letters.extend(self.dead_letter(*number)?);
        }
        let deliveries = letters.iter().map(|letter| {
            let Entry { label, payload, .. } = &letter.entry;
            Delivery::new(Arc::new(Parcel::new(*label, Instant::ORIGIN, payload.clone())))
        });
        let answers = sink.deliver(Batch::new(0, deliveries.collect())).await.into_answers();
        let answers = letters.iter().map(|letter| letter.number).zip(answers).collect::<Vec<_>>();
        let taken = answers.iter().filter(|(_, answer)| *answer == Some(Answer::Acknowledged));
        let taken = taken.map(|(number, _)| *number).collect::<Vec<_>>();
        self.operate(move |change| change.remove_letters(&taken, true)).await?;
        Ok(answers)
    }

    /// Throws these dead letters away. How many there were.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    ///
    /// # Cancellation
    ///
    /// Dropped before it resolves, it may have been done or not; not by half.
    pub async fn purge(&self, numbers: impl Into<Vec<u64>>) -> Result<u64, JournalError> {
        let numbers = numbers.into();
        self.operate(move |change| change.remove_letters(&numbers, false)).await
    }
}
