//! The ids of the last packets, by which one that comes again is known.

use std::collections::{HashMap, VecDeque};

use redb::{ReadableTable, Table};

use crate::fault::Fault;

/// The ids of the last packets; in the file too, in the order in which they came.
///
/// # Implementation notes
///
/// A table by id would be written all over with every commit: ids are spread evenly. By sequence the new ones share a page or two.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    places: HashMap<u128, u64>,
    order: VecDeque<(u64, u128)>,
}

impl Recent {
    pub(crate) fn load(table: &impl ReadableTable<u64, u128>) -> Result<Self, Fault> {
        let mut recent = Self::default();
        for item in table.iter()? {
            let (sequence, id) = item?;
            recent.push(sequence.value(), id.value());
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

    /// Remembers one more, and forgets what is beyond `most`.
    pub(crate) fn remember(
        &mut self,
        table: &mut Table<'_, u64, u128>,
        sequence: u64,
        id: u128,
        most: usize,
    ) -> Result<(), Fault> {
        if most > 0 {
            table.insert(sequence, id)?;
            self.push(sequence, id);
        }
        while self.order.len() > most {
            let Some((old, id)) = self.order.pop_front() else { break };
            table.remove(old)?;
            // It may have come again since, by a replay.
            if self.places.get(&id) == Some(&old) {
                self.places.remove(&id);
            }
        }
        Ok(())
    }
}
