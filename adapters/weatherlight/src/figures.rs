//! A ledger, for people and for programs.

use comfy_table::{CellAlignment, Table, presets};
use countermand::{Ledger, Priority};
use serde_json::{Map, Value, json};

/// The ledger as JSON, by priority, the most urgent first.
pub(crate) fn ledger(ledger: &Ledger) -> Value {
    let mut by_priority = Map::new();
    for (priority, row) in rows(ledger) {
        let row: Map<String, Value> =
            COLUMNS.into_iter().zip(row).map(|(name, count)| (name.to_owned(), count.into())).collect();
        by_priority.insert(priority.name().to_owned(), row.into());
    }
    json!({ "balances": ledger.balances(), "by_priority": by_priority })
}

/// The ledger as a table.
pub(crate) fn table(ledger: &Ledger) -> Table {
    let mut table = plain(["priority"].into_iter().chain(COLUMNS));
    for (priority, row) in rows(ledger) {
        table.add_row([priority.name().to_owned()].into_iter().chain(row.map(|count| count.to_string())));
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

const COLUMNS: [&str; 7] = ["accepted", "delivered", "dead_lettered", "expired", "shed", "pending", "refused"];

fn rows(ledger: &Ledger) -> impl Iterator<Item = (Priority, [u64; 7])> {
    Priority::ALL.into_iter().rev().map(|priority| {
        let columns = [
            &ledger.accepted,
            &ledger.delivered,
            &ledger.dead_lettered,
            &ledger.expired,
            &ledger.shed,
            &ledger.pending,
            &ledger.refused,
        ];
        (priority, columns.map(|column| column[priority.index()]))
    })
}
