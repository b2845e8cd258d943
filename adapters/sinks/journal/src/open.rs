//! Opening a journal, and everything that has to be put right before it is used.

use std::sync::Arc;

use redb::{Database, ReadableDatabase};

use crate::change::Change;
use crate::database::{self, Remains};
use crate::fault::{Fault, contain};
use crate::recent::Recent;
use crate::reserve::Reserve;
use crate::state::State;
use crate::tables::{Views, state_in};
use crate::{Disk, JournalConfig, JournalError, Recovery, salvage};

/// A journal that is ready for use.
pub(crate) struct Opened {
    pub(crate) database: Database,
    pub(crate) state: State,
    pub(crate) recent: Recent,
    pub(crate) reserve: Option<Reserve>,
    /// Why nothing can be written at the moment, if so.
    pub(crate) trouble: Option<Fault>,
}

/// A database that is a journal's, and what is in it.
struct Started {
    database: Database,
    remains: Remains,
    state: State,
    recent: Recent,
}

/// Opens the journal on this disk.
pub(crate) fn open(disk: &Arc<dyn Disk>, config: &JournalConfig) -> Result<(Opened, Recovery), JournalError> {
    let place = disk.place();
    let mut recovery = Recovery::default();
    let started = match start(disk, config, config.check, &mut recovery) {
        Err(fault) if fault.is_damage() => {
            let salvaged = salvage::salvage(disk, config, &fault.text()).map_err(|fault| fault.at(&place))?;
            recovery.salvage = Some(salvaged);
            start(disk, config, false, &mut recovery)
        }
        started => started,
    };
    let Started { database, mut remains, state, mut recent } = started.map_err(|fault| fault.at(&place))?;
    if recovery.salvage.is_some() {
        // The rebuilt file has all that there was.
        remains = Remains::default();
    }
    let reserve = match (config.reserve > 0).then(|| Reserve::open(&**disk, config.reserve, state.next)) {
        Some(Ok(reserve)) => Some(reserve),
        Some(Err(error)) => {
            recovery.no_reserve = Some(error.to_string());
            None
        }
        None => None,
    };
    let mut opened = Opened { database, state, recent: Recent::default(), reserve, trouble: None };
    match contain(|| put_right(&mut opened, &mut recent, &remains, config, &mut recovery)) {
        Ok(()) => {
            opened.recent = recent;
            if let Some(reserve) = &mut opened.reserve {
                reserve.clear();
            }
        }
        Err(fault) => {
            recovery.in_reserve = opened.reserve.as_ref().map_or(0, |reserve| reserve.waiting().len() as u64);
            opened.trouble = Some(fault);
        }
    }
    Ok((opened, recovery))
}

/// Opens the database again, after a fault.
pub(crate) fn reopen(disk: &Arc<dyn Disk>, config: &JournalConfig) -> Result<(Database, (State, Recent)), Fault> {
    let Started { database, state, recent, .. } = start(disk, config, false, &mut Recovery::default())?;
    Ok((database, (state, recent)))
}

/// Opens the database and makes it a journal's if it is new.
fn start(disk: &Arc<dyn Disk>, config: &JournalConfig, check: bool, recovery: &mut Recovery) -> Result<Started, Fault> {
    let (database, remains) = database::open(disk, config, check)?;
    let (state, recent) = contain(|| {
        if !database::has_journal(&database)? {
            recovery.created = recovery.salvage.is_none();
            let transaction = database.begin_write()?;
            let mut recent = Recent::default();
            Change::first(&transaction, &mut recent, config)?.finish()?;
            transaction.commit()?;
        }
        load(&database)
    })?;
    Ok(Started { database, remains, state, recent })
}

fn load(database: &Database) -> Result<(State, Recent), Fault> {
    let views = Views::open(&database.begin_read()?)?;
    Ok((state_in(&views.state)?, Recent::load(&views.recent)?))
}

/// Takes in what a torn commit and the reserve have, with one commit.
fn put_right(
    opened: &mut Opened,
    recent: &mut Recent,
    remains: &Remains,
    config: &JournalConfig,
    recovery: &mut Recovery,
) -> Result<(), Fault> {
    let transaction = opened.database.begin_write()?;
    let mut change = Change::open(&transaction, recent, config)?;
    let (mut torn, mut reserved) = (0, 0);
    // The reserve's first: they were acknowledged, and have the places that a torn commit may have meant for others.
    for entry in opened.reserve.iter().flat_map(Reserve::waiting) {
        reserved += u64::from(change.append_placed(entry)?);
    }
    let next = opened.state.next;
    for entry in remains.records.range(next..).map(|(_, entry)| entry) {
        let mut entry = entry.clone();
        entry.sequence = crate::Sequence::new(entry.sequence.number().max(change.state.next));
        torn += u64::from(change.append_placed(&entry)?);
    }
    for letter in remains.letters.range(opened.state.next_letter..).map(|(_, letter)| letter) {
        change.keep_letter(letter)?;
    }
    if mutant!(DeadLettersPurgedAtStart) {
        change.purge_all()?;
    }
    if change.is_one() {
        let state = change.finish()?;
        transaction.commit()?;
        opened.state = state;
    } else {
        drop(change);
        transaction.abort()?;
    }
    (recovery.from_torn_commit, recovery.from_reserve) = (torn, reserved);
    Ok(())
}
