//! Ending records for a reader, and for the journal as a whole when the last reader is done.

use std::collections::BTreeSet;

use countermand_core::Priority;
use redb::{ReadableTable, ReadableTableMetadata};

use crate::account::Fate;
use crate::change::Change;
use crate::fault::Fault;
use crate::state::Place;

impl Change<'_> {
    /// Which of the readers this is.
    pub(crate) fn reader(&self, name: &str) -> Result<usize, Fault> {
        self.state.reader(name).ok_or_else(|| Fault::UnknownConsumer(name.to_owned()))
    }

    /// The place of the reader of this name, which is new if there is none: at the beginning of both streams.
    pub(crate) fn register(&mut self, name: &str) -> Result<(), Fault> {
        if self.state.reader(name).is_some() {
            return Ok(());
        }
        let mut place = Place::new(self.state.next_reader, name);
        self.state.next_reader += 1;
        for (account, records) in place.accounts.iter_mut().zip(&self.tables.records) {
            account.accept(records.len()?);
        }
        self.state.readers.push(place);
        Ok(())
    }

    /// Removes a reader. What only it had not read has ended now.
    pub(crate) fn unregister(&mut self, name: &str) -> Result<(), Fault> {
        let place = self.state.readers.remove(self.reader(name)?);
        let early = (place.id, 0, 0)..(place.id + 1, 0, 0);
        self.tables.early.retain_in(early, |_, ()| false)?;
        for priority in Priority::ALL {
            let open = self.tables.records[priority.index()]
                .range(self.state.readers[0].cursors[priority.index()] + 1..)?
                .map(|item| item.map(|(sequence, _)| sequence.value()))
                .collect::<Result<Vec<_>, _>>()?;
            self.settle_whole(priority, open, Fate::Delivered)?;
        }
        Ok(())
    }

    /// Ends these records for a reader, whatever their priorities. How many had not ended.
    pub(crate) fn settle(&mut self, reader: usize, sequences: &BTreeSet<u64>, fate: Fate) -> Result<usize, Fault> {
        let mut ended = 0;
        for priority in Priority::ALL {
            let new = self.settle_one(reader, priority, sequences, fate)?;
            ended += new.len();
            self.settle_whole(priority, new, fate)?;
        }
        Ok(ended)
    }

    /// Ends those of these records that are of this priority and have not ended for this reader. Which ones those were.
    fn settle_one(
        &mut self,
        reader: usize,
        priority: Priority,
        sequences: &BTreeSet<u64>,
        fate: Fate,
    ) -> Result<Vec<u64>, Fault> {
        let of = priority.index();
        let Place { id, cursors, .. } = &self.state.readers[reader];
        let (id, mut cursor) = (*id, cursors[of]);
        let mut rest = sequences.range(cursor + 1..).copied().collect::<BTreeSet<_>>();
        if rest.is_empty() {
            return Ok(Vec::new());
        }
        let mut ended = Vec::with_capacity(rest.len());
        // From the cursor on, as far as there is no gap.
        for item in self.tables.records[of].range(cursor + 1..)? {
            let sequence = item?.0.value();
            if rest.remove(&sequence) {
                let was = self.tables.early.remove((id, priority as u8, sequence))?.is_some();
                if !was {
                    ended.push(sequence);
                }
            } else if self.tables.early.remove((id, priority as u8, sequence))?.is_none() {
                break;
            }
            cursor = sequence;
        }
        // Beyond the first gap.
        for sequence in rest {
            let here = self.tables.records[of].get(sequence)?.is_some();
            if here && self.tables.early.insert((id, priority as u8, sequence), ())?.is_none() {
                ended.push(sequence);
            }
        }
        let place = &mut self.state.readers[reader];
        place.cursors[of] = cursor;
        place.accounts[of].end(ended.len() as u64, fate);
        Ok(ended)
    }

    /// Ends for the journal as a whole what has ended for every reader, with the worst of its ends.
    fn settle_whole(&mut self, priority: Priority, sequences: Vec<u64>, fate: Fate) -> Result<(), Fault> {
        let mut by_fate = [BTreeSet::new(), BTreeSet::new(), BTreeSet::new()];
        for sequence in sequences {
            let worst = match self.tables.ends.get(sequence)? {
                Some(before) => fate.max(Fate::of(before.value())),
                None => fate,
            };
            if self.has_ended_for_all(priority, sequence)? {
                by_fate[worst as usize].insert(sequence);
                if !self.tables.ends.is_empty()? {
                    self.tables.ends.remove(sequence)?;
                }
            } else if worst > Fate::Delivered {
                self.tables.ends.insert(sequence, worst as u8)?;
            }
        }
        for fate in [Fate::Delivered, Fate::Expired, Fate::DeadLettered] {
            self.settle_one(0, priority, &by_fate[fate as usize], fate)?;
        }
        Ok(())
    }

    /// Whether this record has ended for every reader; where there is none, it has.
    pub(crate) fn has_ended_for_all(&self, priority: Priority, sequence: u64) -> Result<bool, Fault> {
        for place in &self.state.readers[1..] {
            if !self.has_ended(place, priority, sequence)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(crate) fn has_ended(&self, place: &Place, priority: Priority, sequence: u64) -> Result<bool, Fault> {
        let cursor = place.cursors[priority.index()];
        Ok(sequence <= cursor || self.tables.early.get((place.id, priority as u8, sequence))?.is_some())
    }
}
