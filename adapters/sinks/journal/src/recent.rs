//! The ids of the last packets, by which one that comes again is known.

use std::collections::{HashMap, VecDeque};

use redb::{ReadableTable, Table};

use crate::codec::{Reader, Writer};
use crate::fault::Fault;
use crate::tables::Records;

/// The ids of the last packets; in the file too, in the order in which they came.
///
/// # Implementation notes
///
/// A table by id would be written all over with every commit: ids are spread evenly. A row for each packet would cost as much as the record
/// itself. So those of one commit are one row. Looking an id up is on the way of every packet, so it is hashed fast; with a seed of its own, as ids are
/// made from what senders write.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    places: HashMap<u128, u64, foldhash::fast::RandomState>,
    order: VecDeque<(u64, u128)>,
    /// The rows of the table: the first sequence in each, which is its key, and the last.
    rows: VecDeque<(u64, u64)>,
    /// What is not in the table yet: the last so many of `order`.
    fresh: usize,
}

impl Recent {
    pub(crate) fn load(table: &impl ReadableTable<u64, Records>) -> Result<Self, Fault> {
        let mut recent = Self::default();
        for item in table.iter()? {
            let (key, row) = item?;
            let mut reader = Reader::new(row.value());
            while let (Some(sequence), Some(id)) = (reader.u64(), reader.u128()) {
                recent.push(sequence, id);
            }
            recent.rows.push_back((key.value(), recent.order.back().map_or(0, |(last, _)| *last)));
        }
        Ok(recent)
    }

    fn push(&mut self, sequence: u64, id: u128) {
        self.places.insert(id, sequence);
        self.order.push_back((sequence, id));
    }

    /// The place of the packet with this id, if it is remembered.
    pub(crate) fn find(&self, id: u128) -> Option<u64> {
        self.places.get(&id).copied()
    }

    /// Remembers one more.
    pub(crate) fn remember(&mut self, sequence: u64, id: u128) {
        self.push(sequence, id);
        self.fresh += 1;
    }

    /// Puts what is new into the table, and forgets what is beyond `most`.
    pub(crate) fn write(&mut self, table: &mut Table<'_, u64, Records>, most: usize) -> Result<(), Fault> {
        let fresh = self.order.iter().skip(self.order.len() - self.fresh.min(self.order.len()));
        let fresh = fresh.copied().collect::<Vec<_>>();
        self.fresh = 0;
        if let (Some((first, _)), Some((last, _)), true) = (fresh.first(), fresh.last(), most > 0) {
            let mut row = Writer::with_room(24 * fresh.len());
            for (sequence, id) in &fresh {
                row.u64(*sequence);
                row.u128(*id);
            }
            table.insert(*first, &*row.finish())?;
            self.rows.push_back((*first, *last));
        }
        while self.order.len() > most {
            let Some((old, id)) = self.order.pop_front() else { break };
            // It may have come again since, by a replay.
            if self.places.get(&id) == Some(&old) {
                self.places.remove(&id);
            }
        }
        // A row goes when the last of it has been forgotten.
        let oldest = self.order.front().map_or(u64::MAX, |(oldest, _)| *oldest);
        while let Some((key, last)) = self.rows.front().copied()
            && last < oldest
        {
            table.remove(key)?;
            self.rows.pop_front();
        }
        Ok(())
    }
}
