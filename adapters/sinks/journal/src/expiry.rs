//! Letting records expire that nobody has read in time.

use std::collections::BTreeSet;

use countermand_core::Priority;
use redb::ReadableTable;

use crate::WallTime;
use crate::account::Fate;
use crate::change::Change;
use crate::fault::Fault;
use crate::frame::HEAD;

impl Change<'_> {
    /// Lets expire for this reader what was taken in before this time, is unread and is not CRITICAL (E4): the oldest, at most `most` of each
    /// priority. How many there were.
    pub(crate) fn expire(&mut self, reader: usize, before: WallTime, most: usize) -> Result<usize, Fault> {
        let mut expired = BTreeSet::new();
        for priority in [Priority::Low, Priority::Normal, Priority::High] {
            let place = &self.state.readers[reader];
            let mut found = 0;
            for item in self.tables.records[priority.index()].range(place.cursors[priority.index()] + 1..)? {
                let (sequence, frame) = item?;
                if found == most || accepted(frame.value()).is_none_or(|accepted| accepted >= before) {
                    break;
                }
                if !self.has_ended(place, priority, sequence.value())? {
                    expired.insert(sequence.value());
                    found += 1;
                }
            }
        }
        if expired.is_empty() { Ok(0) } else { self.settle(reader, &expired, Fate::Expired) }
    }
}

/// When the record in this frame was taken in.
pub(crate) fn accepted(frame: &[u8]) -> Option<WallTime> {
    let nanos = frame.get(HEAD + 8..)?.first_chunk()?;
    Some(WallTime::from_nanos(u64::from_le_bytes(*nanos)))
}
