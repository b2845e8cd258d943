//! Rebuilding a damaged file from every record in it and in the reserve that is whole (E12).

use std::collections::BTreeSet;
use std::sync::Arc;

use countermand_core::Priority;
use redb::{Database, ReadableTable, ReadableTableMetadata};

use crate::change::Change;
use crate::database;
use crate::fault::{Fault, contain, discard};
use crate::frame::Kind;
use crate::recent::Recent;
use crate::record::Entry;
use crate::scan::scan;
use crate::state::State;
use crate::{DeadLetter, Disk, JournalConfig, Salvage};

/// How many bytes are put into the rebuilt file with one commit.
const STEP: usize = 16 << 20;

/// Rebuilds the journal on this disk, which is damaged for this reason.
pub(crate) fn salvage(disk: &Arc<dyn Disk>, config: &JournalConfig, reason: &str) -> Result<Salvage, Fault> {
    let salvaged = contain(|| rebuild(disk, config, reason));
    if salvaged.is_err() {
        disk.discard();
    }
    salvaged
}

fn rebuild(disk: &Arc<dyn Disk>, config: &JournalConfig, reason: &str) -> Result<Salvage, Fault> {
    let database = database::fresh(&**disk, config)?;
    let mut rebuilding = Rebuilding {
        database: &database,
        config,
        batch: Vec::new(),
        bytes: 0,
        found: false,
        state: None,
        twice: Vec::new(),
    };
    rebuilding.first()?;
    let scanned = scan(disk.raw()?, |kind, frame, _| rebuilding.take(kind, frame))?;
    if !rebuilding.found && !scanned.may_be_ours && scanned.bytes > 0 {
        return Err(Fault::NotAJournal);
    }
    // By their places alone it could not be told later which of the reserve are there: what was torn may have the same.
    if config.reserve > 0 {
        let reserve = disk.reserve(config.reserve)?.read()?;
        scan(&*reserve, |kind, frame, _| rebuilding.take(kind, frame))?;
    }
    let mut salvage = rebuilding.finish()?;
    discard(database)?;
    salvage.reason = reason.to_owned();
    (salvage.bytes, salvage.unreadable) = (scanned.bytes, scanned.damaged);
    salvage.damaged = disk.replace()?;
    Ok(salvage)
}

enum Find {
    Record(Entry),
    Letter(DeadLetter),
}

struct Rebuilding<'a> {
    database: &'a Database,
    config: &'a JournalConfig,
    batch: Vec<Find>,
    bytes: usize,
    /// There was something that only a journal has.
    found: bool,
    /// The newest so far.
    state: Option<State>,
    /// Two different packets had one place: a commit that was torn, and what came after it. Both are kept.
    twice: Vec<Entry>,
}

impl Rebuilding<'_> {
    fn first(&self) -> Result<(), Fault> {
        let transaction = self.database.begin_write()?;
        Change::first(&transaction, &mut Recent::default(), self.config)?.finish()?;
        Ok(transaction.commit()?)
    }

    fn take(&mut self, kind: Kind, frame: &[u8]) -> Result<(), Fault> {
        let find = match kind {
            Kind::Record => Entry::unseal(frame).map(Find::Record),
            Kind::DeadLetter => DeadLetter::unseal(frame).map(Find::Letter),
            Kind::State => {
                if let Ok(state) = State::unseal(frame) {
                    self.found = true;
                    let newer = self.state.as_ref().is_none_or(|known| known.generation < state.generation);
                    self.state = if newer { Some(state) } else { self.state.take() };
                }
                None
            }
        };
        self.found |= find.is_some();
        self.batch.extend(find);
        self.bytes += frame.len();
        if self.bytes >= STEP { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Fault> {
        self.bytes = 0;
        let transaction = self.database.begin_write()?;
        let mut recent = Recent::default();
        let mut change = Change::open(&transaction, &mut recent, self.config)?;
        for find in self.batch.drain(..) {
            match find {
                Find::Record(entry) => match change.record(entry.sequence.number())? {
                    Some(known) if known.label.id == entry.label.id => {}
                    Some(_) => self.twice.push(entry),
                    None => {
                        let of = entry.label.priority.index();
                        change.tables.records[of].insert(entry.sequence.number(), &*entry.seal())?;
                    }
                },
                Find::Letter(letter) => {
                    change.tables.letters.insert(letter.number, &*letter.seal())?;
                }
            }
        }
        change.finish()?;
        Ok(transaction.commit()?)
    }

    /// Brings the accounts in line with what there is.
    fn finish(mut self) -> Result<Salvage, Fault> {
        self.flush()?;
        let transaction = self.database.begin_write()?;
        let mut recent = Recent::default();
        let mut change = Change::open(&transaction, &mut recent, self.config)?;
        let found = self.state.is_some();
        let generation = change.state.generation;
        change.state = self.state.take().unwrap_or_else(State::new);
        change.state.generation = change.state.generation.max(generation);
        change.recount()?;
        for entry in self.twice.drain(..) {
            change.append_again(entry.draft())?;
        }
        let mut records = 0;
        for table in &change.tables.records {
            records += table.len()?;
        }
        let dead_letters = change.tables.letters.len()?;
        change.finish()?;
        transaction.commit()?;
        Ok(Salvage {
            reason: String::new(),
            records,
            dead_letters,
            bytes: 0,
            unreadable: 0,
            consumers: found,
            damaged: String::new(),
        })
    }
}

impl Change<'_> {
    /// Makes the state one of the records and dead letters that are there.
    fn recount(&mut self) -> Result<(), Fault> {
        let mut last = BTreeSet::new();
        for priority in Priority::ALL {
            let of = priority.index();
            let mut pending = vec![0; self.state.readers.len()];
            self.state.kept_bytes[of] = 0;
            for item in self.tables.records[of].iter()? {
                let (sequence, frame) = item?;
                self.state.kept_bytes[of] += frame.value().len() as u64;
                self.state.next = self.state.next.max(sequence.value() + 1);
                for (place, pending) in self.state.readers.iter().zip(&mut pending) {
                    *pending += u64::from(sequence.value() > place.cursors[of]);
                }
                if let Some(entry) = Entry::unseal(frame.value()) {
                    last.insert((sequence.value(), entry.label.id.number()));
                    if last.len() > self.remember {
                        last.pop_first();
                    }
                }
            }
            for (place, pending) in self.state.readers.iter_mut().zip(pending) {
                place.accounts[of].recount(pending);
            }
            if let [whole] = &mut *self.state.readers {
                let pending = whole.accounts[of].pending;
                whole.accounts[of].end(pending, crate::account::Fate::Delivered);
                whole.cursors[of] = self.state.next - 1;
            }
        }
        for (sequence, id) in last {
            self.recent.remember(sequence, id);
        }
        let kept = self.tables.letters.len()?;
        if let Some((number, _)) = self.tables.letters.last()? {
            self.state.next_letter = self.state.next_letter.max(number.value() + 1);
        }
        let letters = &mut self.state.letters;
        letters.shed += letters.kept.saturating_sub(kept);
        letters.received += kept.saturating_sub(letters.kept);
        letters.kept = kept;
        Ok(())
    }
}

#[cfg(all(test, feature = "simulation"))]
mod tests {
    use countermand_core::{Format, Label, Level, PacketId, Payload, Stream, Text};

    use super::*;
    use crate::record::Draft;
    use crate::{Journal, SimulatedDisk, WallTime};

    fn frame(number: u64) -> Vec<u8> {
        let label = Label::new(PacketId::new(number.into()), Text::of("source"), Level::Critical);
        let draft = Draft { label, repeats: None, payload: Payload::new(Format::Json, *b"{}") };
        Entry::of(draft, number, WallTime::now()).seal()
    }

    #[test]
    fn what_only_the_reserve_has_is_kept_though_a_torn_commit_counted_it() {
        // The state is of a commit of all eight that found no room; the packets of it are not there.
        let mut state = State::new();
        (state.generation, state.next) = (100, 9);
        let mut bytes = b"redb\x1A\x0A\xA9\x0D\x0A, and what is no database".to_vec();
        (1..=5).for_each(|number| bytes.extend(frame(number)));
        bytes.extend(state.seal());
        let disk = SimulatedDisk::new();
        disk.set_bytes(bytes);
        disk.set_reserve_bytes((6..=8).flat_map(frame).collect::<Vec<_>>());

        let (journal, recovery) = Journal::open_on(Arc::new(disk), JournalConfig::default()).unwrap();
        let there = journal.tail(Stream::Emergency, None, 100).unwrap();
        assert!(there.iter().map(|entry| entry.sequence.number()).eq(1..=8), "{recovery}: {there:?}");
        assert_eq!(recovery.salvage.unwrap().records, 8);
        assert_eq!(journal.audit().unwrap(), [""; 0]);
    }
}
