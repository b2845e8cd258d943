//! The tables of the file.

use redb::{ReadOnlyTable, ReadTransaction, Table, TableDefinition, TableError, WriteTransaction};

/// Records by sequence, a table for each priority, in the order of [`Priority::index`](countermand_core::Priority::index).
const RECORDS: [TableDefinition<'_, u64, &[u8]>; 4] = [
    TableDefinition::new("low"),
    TableDefinition::new("normal"),
    TableDefinition::new("high"),
    TableDefinition::new("critical"),
];
/// Sequences and ids of the last records, those of one commit together, by the first sequence.
const RECENT: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("recent");
/// What has ended beyond a reader's cursor: reader, priority, sequence.
const EARLY: TableDefinition<'_, (u32, u8, u64), ()> = TableDefinition::new("early");
/// The worst end so far of records that have not ended for all, where it is not the best.
const ENDS: TableDefinition<'_, u64, u8> = TableDefinition::new("ends");
/// Dead letters by number.
const LETTERS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("dead_letters");
/// The one [`State`](crate::state::State).
const STATE: TableDefinition<'_, u8, &[u8]> = TableDefinition::new("state");

/// The name of the table that makes a database a journal.
pub(crate) const MARK: &str = "state";

pub(crate) type Records = &'static [u8];

/// The tables in a transaction that writes.
pub(crate) struct Tables<'t> {
    pub(crate) records: [Table<'t, u64, Records>; 4],
    pub(crate) recent: Table<'t, u64, Records>,
    pub(crate) early: Table<'t, (u32, u8, u64), ()>,
    pub(crate) ends: Table<'t, u64, u8>,
    pub(crate) letters: Table<'t, u64, Records>,
    pub(crate) state: Table<'t, u8, Records>,
}

impl<'t> Tables<'t> {
    pub(crate) fn open(transaction: &'t WriteTransaction) -> Result<Self, TableError> {
        let [low, normal, high, critical] = RECORDS.map(|table| transaction.open_table(table));
        Ok(Self {
            records: [low?, normal?, high?, critical?],
            recent: transaction.open_table(RECENT)?,
            early: transaction.open_table(EARLY)?,
            ends: transaction.open_table(ENDS)?,
            letters: transaction.open_table(LETTERS)?,
            state: transaction.open_table(STATE)?,
        })
    }
}

/// The tables in a transaction that reads.
pub(crate) struct Views {
    pub(crate) records: [ReadOnlyTable<u64, Records>; 4],
    pub(crate) recent: ReadOnlyTable<u64, Records>,
    pub(crate) early: ReadOnlyTable<(u32, u8, u64), ()>,
    pub(crate) letters: ReadOnlyTable<u64, Records>,
    pub(crate) state: ReadOnlyTable<u8, Records>,
}

impl Views {
    pub(crate) fn open(transaction: &ReadTransaction) -> Result<Self, TableError> {
        let [low, normal, high, critical] = RECORDS.map(|table| transaction.open_table(table));
        Ok(Self {
            records: [low?, normal?, high?, critical?],
            recent: transaction.open_table(RECENT)?,
            early: transaction.open_table(EARLY)?,
            letters: transaction.open_table(LETTERS)?,
            state: transaction.open_table(STATE)?,
        })
    }
}

/// The state in this table.
pub(crate) fn state_in(
    table: &impl redb::ReadableTable<u8, Records>,
) -> Result<crate::state::State, crate::fault::Fault> {
    use crate::fault::Fault;
    use crate::state::{NotAState, State};
    let Some(frame) = table.get(0)? else {
        return Err(Fault::Damaged("the journal's state is missing".to_owned()));
    };
    State::unseal(frame.value()).map_err(|error| match error {
        NotAState::Newer(layout) => Fault::Newer(layout),
        NotAState::Damaged => Fault::Damaged("the journal's state is damaged".to_owned()),
    })
}
