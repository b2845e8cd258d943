//! The report for programs, as `report.schema.json` describes it.

use serde::{Deserialize, Serialize};

use super::{Report, suite};
use crate::contract;

/// One run of the suite.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Suite {
    pub(super) suite: String,
    pub(super) seed: u64,
    /// What tells the contract from another; each rule has one too.
    pub(super) contract: String,
    pub(super) hosts: Vec<HostReport>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct HostReport {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) profile: Vec<String>,
    pub(super) rules: Vec<RuleReport>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RuleReport {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) verdict: String,
    pub(super) why: Option<String>,
    pub(super) runs: u64,
    /// Rounds of races, and the share of them that fails at the most, at 95 %, if none did.
    pub(super) raced: u64,
    pub(super) less_than: Option<f64>,
    pub(super) millis: u64,
}

/// The report as JSON.
///
/// # Errors
///
/// The text of what kept it from being written.
pub(crate) fn json(report: &Report) -> Result<String, String> {
    let hosts = report.columns.iter().map(|column| HostReport {
        name: column.candidate.name().to_owned(),
        version: column.candidate.version().to_owned(),
        profile: column.candidate.profile().names().map(str::to_owned).collect(),
        rules: column
            .entries
            .iter()
            .map(|entry| RuleReport {
                id: entry.rule.id().to_owned(),
                text: contract::article(entry.rule.id()).map(contract::Article::hash).unwrap_or_default(),
                verdict: entry.verdict.name().to_owned(),
                why: entry.why.clone(),
                runs: entry.runs,
                raced: entry.raced,
                less_than: entry.bound(),
                millis: u64::try_from(entry.took.as_millis()).unwrap_or(u64::MAX),
            })
            .collect(),
    });
    let suite =
        Suite { suite: suite(report.seed), seed: report.seed, contract: contract::hash(), hosts: hosts.collect() };
    let mut text = serde_json::to_string_pretty(&suite).map_err(|error| error.to_string())?;
    text.push('\n');
    Ok(text)
}
