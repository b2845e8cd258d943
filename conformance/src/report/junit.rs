//! The report for build servers.

use std::fmt::Write as _;

use super::{Replay, Report, suite};
use crate::verdict::Verdict;

/// The report as JUnit's XML.
pub(crate) fn junit(report: &Report, replay: &Replay) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(out, "<testsuites name=\"{}\">", escape(&suite(report.seed)));
    for column in &report.columns {
        let host = column.candidate.name();
        let count = |verdict| column.entries.iter().filter(|entry| entry.verdict == verdict).count();
        let time: f64 = column.entries.iter().map(|entry| entry.took.as_secs_f64()).sum();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{time:.3}\">",
            escape(host),
            column.entries.len(),
            count(Verdict::Fail),
            count(Verdict::Inconclusive),
            count(Verdict::NotApplicable),
        );
        for entry in &column.entries {
            let _ = write!(
                out,
                "    <testcase classname=\"{}.{}\" name=\"{}\" time=\"{:.3}\"",
                escape(host),
                entry.rule.group(),
                entry.rule.name(),
                entry.took.as_secs_f64()
            );
            let why = escape(entry.why.as_deref().unwrap_or_default());
            let element = match entry.verdict {
                Verdict::Pass => {
                    out.push_str("/>\n");
                    continue;
                }
                Verdict::NotApplicable => format!("<skipped message=\"{why}\"/>"),
                Verdict::Inconclusive => format!("<error message=\"{why}\"/>"),
                Verdict::Fail => {
                    let command = escape(&replay.command(report.seed, host, entry.rule.id()));
                    format!("<failure message=\"{why}\">replay: {command}</failure>")
                }
            };
            let _ = writeln!(out, ">{element}</testcase>");
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// For text and attributes of XML and HTML; what XML cannot hold at all becomes a replacement character.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
