//! The journal of this program: opened as the settings say, and shown in words.

use std::path::Path;
use std::time::Duration;

use countermand::Priority;
use countermand::config::ExecutionConfig;
use countermand_journal::{Account, Journal, JournalConfig, JournalLedger, Recovery};
use serde_json::{Map, Value, json};

use crate::figures;

/// See the head of the file. A clone is the same journal.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(crate) journal: Journal,
}

impl Store {
    /// Opens the journal, or makes it, and puts right what has to be.
    ///
    /// # Errors
    ///
    /// Why it cannot be used, in words.
    pub(crate) fn open(path: &Path, config: &ExecutionConfig) -> Result<(Self, Recovery), String> {
        let (journal, recovery) = Journal::open(path, settings(config)).map_err(|error| error.to_string())?;
        Ok((Self { journal }, recovery))
    }

    /// The ledger as JSON.
    pub(crate) fn ledger(&self) -> Value {
        ledger(&self.journal.ledger(), self.journal.trouble())
    }
}

fn settings(config: &ExecutionConfig) -> JournalConfig {
    const HOUR: Duration = Duration::from_secs(60 * 60);
    let (own, telemetry) = (&config.weatherlight, &config.telemetry);
    let mut settings = JournalConfig::default();
    settings.max_batch = own.commit_packets as usize;
    settings.max_age = Duration::from_millis(own.commit_ms);
    settings.largest_packet = (own.packet_kibibytes as usize) << 10;
    settings.retention_age = Some(HOUR.saturating_mul(telemetry.retention_hours));
    settings.retention_bytes = Some(u64::from(telemetry.retention_mebibytes) << 20);
    settings.time_to_live = Some(Duration::from_millis(telemetry.message_ttl_ms));
    settings
}

fn ledger(ledger: &JournalLedger, trouble: Option<String>) -> Value {
    let accounts = |accounts: &[Account; Priority::COUNT]| {
        figures::by_priority(|priority| {
            let Account { accepted, delivered, dead_lettered, expired, shed, pending, .. } = accounts[priority.index()];
            [accepted, delivered, dead_lettered, expired, shed, pending]
        })
    };
    let consumers: Map<String, Value> =
        ledger.consumers.iter().map(|(name, account)| (name.clone(), accounts(account))).collect();
    let letters = &ledger.dead_letters;
    json!({
        "balances": ledger.balances(),
        "by_priority": accounts(&ledger.total),
        "consumers": consumers,
        "dead_letters": {
            "received": letters.received,
            "replayed": letters.replayed,
            "purged": letters.purged,
            "shed": letters.shed,
            "kept": letters.kept,
        },
        "duplicates": ledger.duplicates,
        "reserved": ledger.reserved,
        "trouble": trouble,
    })
}

/// A ledger of a journal, as it came in JSON, as tables.
pub(crate) fn tables(ledger: &Value) -> String {
    let mut text = format!("{}\n", figures::table(&ledger["by_priority"]));
    for (name, accounts) in ledger["consumers"].as_object().into_iter().flatten() {
        text += &format!("\nconsumer {name}\n{}\n", figures::table(accounts));
    }
    let letters = &ledger["dead_letters"];
    text += &format!(
        "\ndead letters: {} kept, {} replayed, {} purged\n",
        letters["kept"], letters["replayed"], letters["purged"]
    );
    text += &format!("packets that came again: {}\n", ledger["duplicates"]);
    if let Some(trouble) = ledger["trouble"].as_str() {
        text += &format!("trouble: {trouble}\n");
    }
    text
}
