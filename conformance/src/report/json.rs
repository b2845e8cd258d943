//! The report for programs.

use serde::Serialize;

use super::{Report, suite};

#[derive(Serialize)]
struct Suite<'a> {
    suite: String,
    hosts: Vec<HostReport<'a>>,
}

#[derive(Serialize)]
struct HostReport<'a> {
    name: &'a str,
    version: &'a str,
    profile: Vec<&'a str>,
    rules: Vec<RuleReport<'a>>,
}

#[derive(Serialize)]
struct RuleReport<'a> {
    id: &'a str,
    verdict: &'a str,
    why: Option<&'a str>,
    runs: u64,
    millis: u64,
}

/// The report as JSON.
///
/// # Errors
///
/// The text of what kept it from being written.
pub(crate) fn json(report: &Report) -> Result<String, String> {
    let hosts = report.columns.iter().map(|column| HostReport {
        name: column.candidate.name(),
        version: column.candidate.version(),
        profile: column.candidate.profile().names().collect(),
        rules: column
            .entries
            .iter()
            .map(|entry| RuleReport {
                id: entry.rule.id(),
                verdict: entry.verdict.name(),
                why: entry.why.as_deref(),
                runs: entry.runs,
                millis: u64::try_from(entry.took.as_millis()).unwrap_or(u64::MAX),
            })
            .collect(),
    });
    let suite = Suite { suite: suite(report.seed), hosts: hosts.collect() };
    let mut text = serde_json::to_string_pretty(&suite).map_err(|error| error.to_string())?;
    text.push('\n');
    Ok(text)
}
