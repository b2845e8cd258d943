//! Removing what all have read, by age and by bytes.

use countermand_core::Priority;
use redb::ReadableTable;

use crate::JournalConfig;
use crate::change::Change;
use crate::expiry::accepted;
use crate::fault::Fault;

impl Change<'_> {
    /// One step of tidying: lets expire what is beyond its time to live, then removes the oldest records that all have read, while they are too
    /// old or too many. At most `most` of each; whether there may be more.
    pub(crate) fn tidy(&mut self, config: &JournalConfig, most: usize) -> Result<bool, Fault> {
        let mut more = false;
        if let Some(time_to_live) = config.time_to_live {
            for reader in 1..self.state.readers.len() {
                more |= self.expire(reader, self.now.before(time_to_live), most)? >= most;
            }
        }
        let mut blocked = [false; Priority::COUNT];
        for _ in 0..most {
            let Some(priority) = self.oldest(&blocked)? else { return Ok(more) };
            blocked[priority.index()] = !self.remove_head(priority, config)?;
        }
        Ok(true)
    }

    /// The priority of the oldest record of those that are not blocked.
    fn oldest(&self, blocked: &[bool; Priority::COUNT]) -> Result<Option<Priority>, Fault> {
        let mut oldest = None;
        for priority in Priority::ALL.into_iter().filter(|priority| !blocked[priority.index()]) {
            if let Some((sequence, _)) = self.tables.records[priority.index()].first()? {
                let found = (sequence.value(), priority);
                oldest = Some(oldest.map_or(found, |oldest: (u64, Priority)| oldest.min(found)));
            }
        }
        Ok(oldest.map(|(_, priority)| priority))
    }

    /// Removes the first record of this priority, if it may go and is to go. Whether it did.
    fn remove_head(&mut self, priority: Priority, config: &JournalConfig) -> Result<bool, Fault> {
        let of = priority.index();
        let (sequence, length, old) = match self.tables.records[of].first()? {
            Some((sequence, frame)) => {
                let before = config.retention_age.map(|age| self.now.before(age));
                let old = before.zip(accepted(frame.value())).is_some_and(|(before, accepted)| accepted < before);
                (sequence.value(), frame.value().len() as u64, old)
            }
            None => return Ok(false),
        };
        let many = config.retention_bytes.is_some_and(|most| self.state.kept_bytes.iter().sum::<u64>() > most);
        // What somebody has not read stays, and holds up what is behind it.
        if !(old || many) || !self.has_ended_for_all(priority, sequence)? {
            return Ok(false);
        }
        self.tables.records[of].remove(sequence)?;
        for place in 0..self.state.readers.len() {
            let id = self.state.readers[place].id;
            self.tables.early.remove((id, priority as u8, sequence))?;
        }
        self.state.kept_bytes[of] -= length.min(self.state.kept_bytes[of]);
        Ok(true)
    }
}
