//! The commands of the program, one a room.

mod deadletter;
mod ledger;
mod route;
mod run;
mod send;
mod tail;
mod verify;

pub(crate) use deadletter::deadletter;
pub(crate) use ledger::ledger;
pub(crate) use route::route;
pub(crate) use run::run;
pub(crate) use send::send;
pub(crate) use tail::tail;
pub(crate) use verify::verify;

/// What is wrong, as an answer says it.
fn said(head: &serde_json::Value) -> String {
    head["error"].as_str().map_or_else(|| format!("an answer that is none: {head}"), str::to_owned)
}
