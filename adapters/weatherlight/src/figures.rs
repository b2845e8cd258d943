//! Ledgers, for people and for programs: a router's, and the accounts of a journal, have the same columns.

use comfy_table::{CellAlignment, Table, presets};
use countermand::{Ledger, Priority};
use serde_json::{Map, Value, json};

/// The columns, in the order in which they are shown. A journal refuses nothing, and lacks the last.
const COLUMNS: [&str; 7] = ["accepted", "delivered", "dead_lettered", "expired", "shed", "pending", "refused"];

/// The ledger of a router as JSON.
pub(crate) fn ledger(ledger: &Ledger) -> Value {
    let Ledger { accepted, delivered, dead_lettered, expired, shed, pending, refused, .. } = ledger;
    let columns = [accepted, delivered, dead_lettered, expired, shed, pending, refused];
    let rows = by_priority(|priority| columns.map(|column| column[priority.index()]));
    json!({ "balances": ledger.balances(), "by_priority": rows })
}

/// Rows as JSON, one for each priority: what stands in the first so many columns.
pub(crate) fn by_priority<const N: usize>(row: impl Fn(Priority) -> [u64; N]) -> Value {
    let cells = |priority| COLUMNS.into_iter().zip(row(priority));
    let row = |priority| cells(priority).map(|(name, count)| (name.to_owned(), count.into())).collect::<Map<_, _>>();
    let rows = Priority::ALL.into_iter().map(|priority| (priority.name().to_owned(), row(priority).into()));
    Value::Object(rows.collect())
}

/// Rows that were made [by priority](by_priority) as a table, the most urgent first, with the columns that they have.
pub(crate) fn table(by_priority: &Value) -> Table {
    let rows = Priority::ALL.into_iter().rev().map(Priority::name);
    let first = &by_priority[Priority::Critical.name()];
    let columns: Vec<&str> = COLUMNS.into_iter().filter(|column| first.get(column).is_some()).collect();
    let mut table = plain(["priority"].into_iter().chain(columns.iter().copied()));
    for name in rows {
        let cells = columns.iter().map(|column| by_priority[name][column].to_string());
        table.add_row([name.to_owned()].into_iter().chain(cells));
    }
    right(&mut table, 1);
    table
}

/// A table without lines, with these heads.
pub(crate) fn plain<'h>(heads: impl IntoIterator<Item = &'h str>) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(heads);
    table
}

/// Numbers from column `first` on.
pub(crate) fn right(table: &mut Table, first: usize) {
    table.column_iter_mut().skip(first).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_the_columns_of_its_ledger_and_the_most_urgent_comes_first() {
        let journal = table(&by_priority(|priority| [priority.index() as u64; 6])).to_string();
        assert!(journal.contains("pending") && !journal.contains("refused"), "{journal}");
        let rows: Vec<&str> = journal.lines().skip(1).map(str::trim).collect();
        assert!(rows[0].starts_with("CRITICAL") && rows[0].ends_with('3') && rows[3].starts_with("LOW"), "{journal}");
        let router = ledger(&Ledger::default());
        assert_eq!((&router["balances"], &router["by_priority"]["LOW"]["refused"]), (&true.into(), &0.into()));
        assert!(table(&router["by_priority"]).to_string().contains("refused"));
    }
}
