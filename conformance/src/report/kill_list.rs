//! The kill table as a file: what `--mutants` writes and the HTML report takes in.

use serde::{Deserialize, Serialize};

use crate::contract;

/// What became of all mutants.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KillList {
    pub(super) suite: String,
    pub(super) seed: u64,
    /// What tells the contract from another.
    pub(super) contract: String,
    pub(super) mutants: Vec<Killed>,
    /// Mutants that no run can show, which only the model checker sees.
    pub(super) by_models: Vec<ByModel>,
    /// What was seen of the reference, which has no defect.
    pub(super) reference: Vec<String>,
    /// What the reference kept only at the second try.
    pub(super) at_first: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Killed {
    pub(super) name: String,
    pub(super) defect: String,
    pub(super) rule: String,
    pub(super) killed: bool,
    pub(super) host: Option<String>,
    pub(super) seed: Option<u64>,
    pub(super) died: Option<String>,
    pub(super) saw: Option<String>,
    /// How often its rule was examined with it, and how many rounds of races the last of these took.
    pub(super) runs: u64,
    pub(super) raced: Option<u64>,
    pub(super) millis: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct ByModel {
    pub(super) name: String,
    pub(super) defect: String,
    pub(super) rule: String,
}

impl KillList {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// What is wrong with it, with line and column, or that it is of another contract than this program's.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let list: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if list.contract != contract::hash() {
            return Err(format!(
                "it is of contract {}, and this program has {}; run --mutants again",
                list.contract,
                contract::hash()
            ));
        }
        Ok(list)
    }

    pub(super) fn of_rule<'a>(&'a self, rule: &'a str) -> impl Iterator<Item = &'a Killed> {
        self.mutants.iter().filter(move |mutant| mutant.rule == rule)
    }
}
