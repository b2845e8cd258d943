//! Taking packets in.

use countermand_core::Priority;
use redb::ReadableTable;

use crate::account::Fate;
use crate::change::Change;
use crate::fault::Fault;
use crate::record::{Draft, Entry};

impl Change<'_> {
    /// Takes a packet in, or finds that it is there already. Answers its place.
    pub(crate) fn append(&mut self, draft: Draft) -> Result<u64, Fault> {
        if let Some(sequence) = self.recent.find(draft.label.id.number()) {
            self.state.duplicates += 1;
            return Ok(sequence);
        }
        self.append_again(draft)
    }

    /// Takes a packet in, whether it was there before or not.
    pub(crate) fn append_again(&mut self, draft: Draft) -> Result<u64, Fault> {
        let sequence = self.state.next;
        self.insert(&Entry::of(draft, sequence, self.now))?;
        Ok(sequence)
    }

    /// Takes in what has its place already, from the reserve or the remains of a torn commit. Whether it was not there.
    pub(crate) fn append_placed(&mut self, entry: &Entry) -> Result<bool, Fault> {
        let known = self.recent.find(entry.label.id.number()).is_some();
        let new = !known && entry.sequence.number() >= self.state.next;
        if new {
            self.insert(entry)?;
        }
        Ok(new)
    }

    fn insert(&mut self, entry: &Entry) -> Result<(), Fault> {
        let (sequence, of) = (entry.sequence.number(), entry.label.priority.index());
        let frame = entry.seal();
        self.tables.records[of].insert(sequence, &*frame)?;
        self.state.next = sequence + 1;
        self.state.kept_bytes[of] += frame.len() as u64;
        self.recent.remember(sequence, entry.label.id.number());
        self.state.readers.iter_mut().for_each(|place| place.accounts[of].accept(1));
        if let [whole] = &mut *self.state.readers {
            // Nobody reads: kept is delivered.
            whole.accounts[of].end(1, Fate::Delivered);
            whole.cursors[of] = sequence;
        }
        Ok(())
    }

    /// The record at this place, and its priority.
    pub(crate) fn record(&self, sequence: u64) -> Result<Option<Entry>, Fault> {
        for priority in Priority::ALL.into_iter().rev() {
            if let Some(frame) = self.tables.records[priority.index()].get(sequence)? {
                return Entry::unseal(frame.value()).map(Some).ok_or(Fault::Record(sequence));
            }
        }
        Ok(None)
    }
}
