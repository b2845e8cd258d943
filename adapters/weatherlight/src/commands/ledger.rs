//! `ledger`: shows what became of all packets.

use std::io::{self, Write as _, stdout};

use countermand::config::Environment;
use serde_json::Value;

use super::said;
use crate::args::{LedgerArgs, Show};
use crate::ask::{Question, ask};
use crate::setup::Setup;
use crate::status::{FAILED, GOOD, Status, Trouble};
use crate::store;

/// Shows the ledger of the journal and, if a supervisor runs, that of its router; fails if one does not balance.
pub(crate) fn ledger(args: &LedgerArgs, environment: &Environment) -> Status {
    let setup = Setup::load(&args.config, environment).map_err(Trouble::Bad)?;
    let mut answer = Value::Null;
    let mut say = |head: &Value, _: Option<&[u8]>| {
        if head["error"].is_string() {
            return Err(io::Error::other(said(head)));
        }
        answer = head.clone();
        Ok(())
    };
    ask(&setup, &Question::Ledger, &mut say)?;
    let balances = |ledger: &Value| ledger.is_null() || ledger["balances"] == true;
    let sound = !answer["journal"].is_null() && balances(&answer["journal"]) && balances(&answer["router"]);
    let mut out = stdout().lock();
    match args.format {
        Show::Json => writeln!(out, "{answer}")?,
        Show::Table => {
            write!(out, "{}", store::tables(&answer["journal"]))?;
            writeln!(out, "{}", if sound { "it balances" } else { "IT DOES NOT BALANCE" })?;
        }
    }
    Ok(if sound { GOOD } else { FAILED })
}
