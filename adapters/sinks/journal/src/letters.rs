//! Keeping dead letters, and sending them on their way again.

use std::collections::BTreeSet;

use countermand_core::DeadReason;
use redb::ReadableTable;

use crate::DeadLetter;
use crate::account::Fate;
use crate::change::Change;
use crate::fault::Fault;
use crate::record::{Draft, Entry};

impl Change<'_> {
    /// Keeps a packet that nobody would have. Its number among the dead letters.
    pub(crate) fn bury(&mut self, entry: Entry, reason: DeadReason) -> Result<u64, Fault> {
        let number = self.state.next_letter;
        self.keep_letter(&DeadLetter::new(number, self.now, reason, entry))?;
        Ok(number)
    }

    /// Keeps one that never was in a stream.
    pub(crate) fn bury_draft(&mut self, draft: Draft, reason: DeadReason) -> Result<u64, Fault> {
        self.bury(Entry::of(draft, 0, self.now), reason)
    }

    pub(crate) fn keep_letter(&mut self, letter: &DeadLetter) -> Result<(), Fault> {
        self.tables.letters.insert(letter.number, &*letter.seal())?;
        self.state.next_letter = self.state.next_letter.max(letter.number + 1);
        self.state.letters.received += 1;
        self.state.letters.kept += 1;
        Ok(())
    }

    /// Makes a record a dead letter for a reader. Whether it had not ended for it.
    pub(crate) fn dead_letter(&mut self, reader: usize, sequence: u64, reason: DeadReason) -> Result<bool, Fault> {
        let Some(entry) = self.record(sequence)? else { return Ok(false) };
        let place = &self.state.readers[reader];
        if self.has_ended(place, entry.label.priority, sequence)? {
            return Ok(false);
        }
        self.bury(entry, reason)?;
        self.settle(reader, &BTreeSet::from([sequence]), Fate::DeadLettered)?;
        Ok(true)
    }

    /// Takes these dead letters into their streams again. How many there were.
    pub(crate) fn replay(&mut self, numbers: &[u64]) -> Result<u64, Fault> {
        let mut letters = Vec::new();
        for number in numbers.iter().collect::<BTreeSet<_>>() {
            if let Some(frame) = self.tables.letters.get(number)? {
                let damaged = || Fault::Damaged(format!("dead letter {number} is damaged"));
                letters.push(DeadLetter::unseal(frame.value()).ok_or_else(damaged)?);
            }
        }
        // All of them or none: from here on nothing is found to be damaged.
        for letter in &letters {
            self.append_again(letter.entry.clone().draft())?;
            self.remove_letters(&[letter.number], true)?;
        }
        Ok(letters.len() as u64)
    }

    /// Removes these dead letters, because they have gone elsewhere or are not wanted. How many there were.
    pub(crate) fn remove_letters(&mut self, numbers: &[u64], replayed: bool) -> Result<u64, Fault> {
        let mut removed = 0;
        for number in numbers {
            removed += u64::from(self.tables.letters.remove(*number)?.is_some());
        }
        let account = &mut self.state.letters;
        account.kept -= removed;
        *(if replayed { &mut account.replayed } else { &mut account.purged }) += removed;
        Ok(removed)
    }

    /// Removes all of them.
    pub(crate) fn purge_all(&mut self) -> Result<u64, Fault> {
        let numbers = self.tables.letters.iter()?.map(|item| item.map(|(number, _)| number.value()));
        let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
        self.remove_letters(&numbers, false)
    }
}
