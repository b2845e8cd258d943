//! A change: one transaction in the making.

use redb::WriteTransaction;

use crate::fault::Fault;
use crate::recent::Recent;
use crate::state::State;
use crate::tables::{Tables, state_in};
use crate::{JournalConfig, WallTime};

/// One transaction in the making: the tables, and the state as it will be.
pub(crate) struct Change<'t> {
    pub(crate) tables: Tables<'t>,
    pub(crate) state: State,
    pub(crate) recent: &'t mut Recent,
    pub(crate) remember: usize,
    pub(crate) now: WallTime,
    /// What is in the file.
    before: State,
}

impl<'t> Change<'t> {
    pub(crate) fn open(
        transaction: &'t WriteTransaction,
        recent: &'t mut Recent,
        config: &JournalConfig,
    ) -> Result<Self, Fault> {
        let tables = Tables::open(transaction)?;
        let state = state_in(&tables.state)?;
        let before = state.clone();
        Ok(Self { tables, state, recent, remember: config.remember, now: (config.clock)(), before })
    }

    /// The first change of a new file.
    pub(crate) fn first(
        transaction: &'t WriteTransaction,
        recent: &'t mut Recent,
        config: &JournalConfig,
    ) -> Result<Self, Fault> {
        let tables = Tables::open(transaction)?;
        let (state, before) = (State::new(), State::new());
        Ok(Self { tables, state, recent, remember: config.remember, now: (config.clock)(), before })
    }

    /// Whether anything is different. All that changes the tables changes a count.
    pub(crate) fn is_one(&self) -> bool {
        self.state != self.before
    }

    /// Puts the state into its table; what is left to do is the commit.
    pub(crate) fn finish(mut self) -> Result<State, Fault> {
        self.state.generation += 1;
        self.recent.write(&mut self.tables.recent, self.remember)?;
        self.tables.state.insert(0, &*self.state.seal())?;
        Ok(self.state)
    }
}
