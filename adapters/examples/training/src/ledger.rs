//! What stands in the supervisor's streams, counted.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::Value;

use crate::supervisor::ask;

/// Of how many packets of the services each kind there is: by stream, level, service and event.
#[derive(Debug)]
pub(crate) struct Ledger(BTreeMap<[String; 4], u64>);

impl Ledger {
    /// Reads both streams. What the supervisor tells of itself is left out: how often it does is its own affair.
    pub(crate) fn read(directory: &Path, services: &[&str]) -> Result<Self, Box<dyn Error>> {
        let mut counts = BTreeMap::new();
        for stream in ["emergency", "normal"] {
            for line in ask(directory, "tail", &["--stream", stream, "--json"])?.lines() {
                let packet: Value = serde_json::from_str(line)?;
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let source = text(&packet["source_subsystem"]);
                if services.contains(&&*source) {
                    let level = text(&packet["level"]).replace("TELEMETRY_LEVEL_", "");
                    let event = text(&packet["events"][0]["description"]);
                    *counts.entry([stream.to_owned(), level, source, event]).or_insert(0) += 1;
                }
            }
        }
        Ok(Self(counts))
    }

    /// How many packets there are.
    pub(crate) fn packets(&self) -> u64 {
        self.0.values().sum()
    }

    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING).set_header(["stream", "level", "service", "event", "packets"]);
        for (key, count) in &self.0 {
            table.add_row(key.iter().cloned().chain([count.to_string()]));
        }
        if let Some(column) = table.column_mut(4) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}
