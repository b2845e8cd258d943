//! Reading what is committed.

use countermand_core::{Priority, Stream};
use redb::AccessGuard;

use crate::expiry::accepted;
use crate::fault::Fault;
use crate::record::Entry;
use crate::tables::{Records, Views, state_in};
use crate::{DeadLetter, WallTime};

/// The priorities of a stream, most urgent first.
const fn priorities(stream: Stream) -> &'static [Priority] {
    match stream {
        Stream::Normal => &[Priority::High, Priority::Normal, Priority::Low],
        Stream::Emergency => &[Priority::Critical],
    }
}

fn unseal(sequence: &AccessGuard<'_, u64>, frame: &AccessGuard<'_, Records>) -> Result<Entry, Fault> {
    Entry::unseal(frame.value()).ok_or_else(|| Fault::Record(sequence.value()))
}

/// What a consumer has not read, most urgent first; without what was taken in before `worthless`.
pub(crate) fn next(
    views: &Views,
    name: &str,
    stream: Stream,
    most: usize,
    worthless: Option<WallTime>,
) -> Result<Vec<Entry>, Fault> {
    let state = state_in(&views.state)?;
    let reader = state.reader(name).ok_or_else(|| Fault::UnknownConsumer(name.to_owned()))?;
    let place = &state.readers[reader];
    let mut entries = Vec::new();
    for priority in priorities(stream) {
        let of = *priority as u8;
        let cursor = place.cursors[priority.index()];
        let mut early = views.early.range((place.id, of, cursor)..(place.id, of + 1, 0))?;
        let mut ended = early.next().transpose()?;
        for item in views.records[priority.index()].range(cursor + 1..)? {
            if entries.len() == most {
                return Ok(entries);
            }
            let (sequence, frame) = item?;
            while let Some((key, _)) = &ended
                && key.value().2 < sequence.value()
            {
                ended = early.next().transpose()?;
            }
            let has_ended = ended.as_ref().is_some_and(|(key, _)| key.value().2 == sequence.value());
            let late = *priority != Priority::Critical
                && worthless.zip(accepted(frame.value())).is_some_and(|(before, accepted)| accepted < before);
            if !has_ended && !late {
                entries.push(unseal(&sequence, &frame)?);
            }
        }
    }
    Ok(entries)
}

/// The records of a stream behind `after`, in the order in which they came.
pub(crate) fn tail(views: &Views, stream: Stream, after: u64, most: usize) -> Result<Vec<Entry>, Fault> {
    let mut tables = Vec::new();
    for priority in priorities(stream) {
        let mut records = views.records[priority.index()].range(after + 1..)?;
        let head = records.next().transpose()?;
        tables.push((head, records));
    }
    let mut entries = Vec::new();
    while entries.len() < most {
        let heads = tables.iter_mut().filter(|(head, _)| head.is_some());
        let first = heads.min_by_key(|(head, _)| head.as_ref().map(|(sequence, _)| sequence.value()));
        let Some((head, records)) = first else { break };
        if let Some((sequence, frame)) = head {
            entries.push(unseal(sequence, frame)?);
        }
        *head = records.next().transpose()?;
    }
    Ok(entries)
}

/// The dead letters behind `after`.
pub(crate) fn dead_letters(views: &Views, after: u64, most: usize) -> Result<Vec<DeadLetter>, Fault> {
    let mut letters = Vec::new();
    for item in views.letters.range(after.saturating_add(1)..)?.take(most) {
        let (number, frame) = item?;
        let letter = DeadLetter::unseal(frame.value());
        letters.push(letter.ok_or_else(|| Fault::Damaged(format!("dead letter {} is damaged", number.value())))?);
    }
    Ok(letters)
}
