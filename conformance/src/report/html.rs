//! The report for a browser: one file that opens anywhere.

use std::fmt::Write as _;

use super::junit::escape;
use super::{Entry, Replay, Report, Verdict, suite};
use crate::Rule;
use crate::contract::{Article, article};

const STYLE: &str = include_str!("report.css");

/// The report as a page of its own.
pub(crate) fn html(report: &Report, replay: &Replay) -> String {
    let mut out = String::from("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    out.push_str("<meta name=\"color-scheme\" content=\"light dark\">\n<title>countermand conformance</title>\n");
    let _ = writeln!(out, "<style>\n{STYLE}</style>\n</head>\n<body>\n<main>");
    heading(report, &mut out);
    matrix(report, &mut out);
    out.push_str("<h2>Rule by rule</h2>\n");
    let mut group = "";
    for rule in report.rules() {
        let text = article(rule.id());
        if rule.group() != group {
            group = rule.group();
            let chapter = text.map(|text| text.chapter.as_str()).unwrap_or_default();
            let _ = writeln!(out, "<h3 id=\"group-{group}\">{group} <span>{}</span></h3>", escape(chapter));
        }
        details(report, replay, rule, text, &mut out);
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn heading(report: &Report, out: &mut String) {
    let (class, verdict) = match report.worst() {
        Verdict::Fail => ("fail", "A rule is broken"),
        Verdict::Inconclusive => ("inconclusive", "Something stayed inconclusive"),
        Verdict::Pass => ("pass", "Every rule holds"),
        Verdict::NotApplicable => ("inconclusive", "No rule applies"),
    };
    let count = |verdict| report.entries().filter(|(_, entry)| entry.verdict == verdict).count();
    let runs: u64 = report.entries().map(|(_, entry)| entry.runs).sum();
    let _ = writeln!(out, "<header>\n<h1>countermand conformance</h1>\n<p class=\"banner {class}\">{verdict}</p>");
    let _ = writeln!(
        out,
        "<p>{} passed in {runs} runs · {} broken · {} inconclusive · {} not applicable<br><small>{}</small></p>\n</header>",
        count(Verdict::Pass),
        count(Verdict::Fail),
        count(Verdict::Inconclusive),
        count(Verdict::NotApplicable),
        escape(&suite(report.seed)),
    );
}

fn matrix(report: &Report, out: &mut String) {
    out.push_str("<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">rule</th>");
    for column in &report.columns {
        let profile: Vec<_> = column.candidate.profile().names().collect();
        let _ = write!(
            out,
            "<th scope=\"col\">{}<small>{}<br>{}</small></th>",
            escape(column.candidate.name()),
            escape(column.candidate.version()),
            profile.join(" "),
        );
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for (row, rule) in report.rules().into_iter().enumerate() {
        let id = rule.id();
        let _ = write!(out, "<tr><th scope=\"row\"><a href=\"#{id}\"><b>{id}</b> {}</a></th>", escape(&rule.title()));
        for column in &report.columns {
            if let Some(entry) = column.entries.get(row) {
                let title = escape(entry.why.as_deref().unwrap_or_default());
                let _ = write!(out, "<td class=\"{}\" title=\"{title}\">{}</td>", entry.verdict.name(), sign(entry));
            }
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
}

/// Told apart without colour too.
fn sign(entry: &Entry) -> &'static str {
    match entry.verdict {
        Verdict::Pass => "✓",
        Verdict::Fail => "✗ broken",
        Verdict::Inconclusive => "? inconclusive",
        Verdict::NotApplicable => "– n/a",
    }
}

fn details(report: &Report, replay: &Replay, rule: &Rule, text: Option<&Article>, out: &mut String) {
    let id = rule.id();
    let of_rule = || report.entries().filter(|(_, entry)| entry.rule.id() == id);
    let open = of_rule().any(|(_, entry)| matches!(entry.verdict, Verdict::Fail | Verdict::Inconclusive));
    let _ = writeln!(
        out,
        "<details id=\"{id}\"{}>\n<summary><b>{id}</b> {}</summary>",
        if open { " open" } else { "" },
        escape(&rule.title())
    );
    if let Some(text) = text {
        let _ = writeln!(out, "<blockquote>{}</blockquote>", markdown(&text.text));
        if let Some(reading) = &text.reading {
            let _ = writeln!(out, "<p>Reading: {}</p>", markdown(reading));
        }
    }
    out.push_str("<ul>\n");
    for (candidate, entry) in of_rule() {
        let _ = write!(
            out,
            "<li class=\"{}\"><b>{}</b> {} <small>{} runs, {} ms</small>",
            entry.verdict.name(),
            escape(candidate.name()),
            sign(entry),
            entry.runs,
            entry.took.as_millis()
        );
        if let Some(why) = &entry.why {
            let _ = write!(out, "<p>{}</p>", escape(why));
        }
        if entry.verdict == Verdict::Fail {
            let _ = write!(out, "<pre>{}</pre>", escape(&replay.command(report.seed, candidate.name(), id)));
        }
        out.push_str("</li>\n");
    }
    out.push_str("</ul>\n</details>\n");
}

/// The little of Markdown that the contract uses: code and emphasis.
fn markdown(text: &str) -> String {
    let mut out = String::new();
    for (place, part) in text.split('`').enumerate() {
        if place % 2 == 1 {
            let _ = write!(out, "<code>{}</code>", escape(part));
            continue;
        }
        for (place, part) in part.split('*').enumerate() {
            let (open, close) = if place % 2 == 1 { ("<em>", "</em>") } else { ("", "") };
            let _ = write!(out, "{open}{}{close}", escape(part));
        }
    }
    out
}
