//! Counting again what the accounts say, from the records themselves.

use countermand_core::Priority;
use redb::{ReadableTable, ReadableTableMetadata};

use crate::DeadLetter;
use crate::fault::Fault;
use crate::record::Entry;
use crate::tables::{Views, state_in};

/// Compares the accounts with the records and the dead letters. Every difference, in words; how many records there are, by priority.
pub(crate) fn audit(views: &Views) -> Result<(Vec<String>, [u64; Priority::COUNT], u64), Fault> {
    let state = state_in(&views.state)?;
    let mut wrong = Vec::new();
    let mut counts = [0; Priority::COUNT];
    for priority in Priority::ALL {
        let of = priority.index();
        let mut pending = vec![0; state.readers.len()];
        let mut bytes = 0;
        for item in views.records[of].iter()? {
            let (sequence, frame) = item?;
            let sequence = sequence.value();
            counts[of] += 1;
            bytes += frame.value().len() as u64;
            match Entry::unseal(frame.value()) {
                Some(entry) if entry.sequence.number() == sequence && entry.label.priority == priority => {}
                Some(_) => wrong.push(format!("record {sequence} of {priority} is in the wrong place")),
                None => wrong.push(format!("record {sequence} of {priority} is damaged")),
            }
            if sequence >= state.next {
                wrong.push(format!("record {sequence} of {priority} is beyond the end, which is {}", state.next));
            }
            for (place, pending) in state.readers.iter().zip(&mut pending) {
                let early = views.early.get((place.id, priority as u8, sequence))?.is_some();
                *pending += u64::from(sequence > place.cursors[of] && !early);
            }
        }
        if bytes != state.kept_bytes[of] {
            wrong.push(format!("{priority} takes {bytes} bytes, and is said to take {}", state.kept_bytes[of]));
        }
        for (place, pending) in state.readers.iter().zip(pending) {
            let account = &place.accounts[of];
            if account.pending != pending || !account.balances() {
                let name = &place.name;
                wrong.push(format!("{priority} of {name:?}: {pending} are pending, and the account is {account:?}"));
            }
        }
    }
    let letters = views.letters.len()?;
    for item in views.letters.iter()? {
        let (number, frame) = item?;
        if DeadLetter::unseal(frame.value()).is_none() {
            wrong.push(format!("dead letter {} is damaged", number.value()));
        }
    }
    if state.letters.kept != letters || !state.letters.balances() {
        wrong.push(format!("there are {letters} dead letters, and the account is {:?}", state.letters));
    }
    Ok((wrong, counts, letters))
}
