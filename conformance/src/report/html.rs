//! The report for a browser: one file that opens anywhere.

use std::fmt::Write as _;

use super::junit::escape;
use super::{Entry, KillList, Replay, Report, suite};
use crate::Rule;
use crate::contract::{Article, article, articles, hash};
use crate::verdict::Verdict;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// The report as a page of its own, with the kill table if there is one.
pub(crate) fn html(report: &Report, kills: Option<&KillList>, replay: &Replay) -> String {
    let mut out = String::from("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    out.push_str("<meta name=\"color-scheme\" content=\"light dark\">\n<title>countermand conformance</title>\n");
    let _ = writeln!(out, "<style>\n{STYLE}</style>\n</head>\n<body>\n<main>");
    heading(report, kills, &mut out);
    filters(report, &mut out);
    matrix(report, kills, &mut out);
    out.push_str("<h2>Rule by rule</h2>\n");
    let mut group = "";
    for rule in report.rules() {
        let text = article(rule.id());
        if rule.group() != group {
            group = rule.group();
            let chapter = text.map(|text| text.chapter.as_str()).unwrap_or_default();
            let _ = writeln!(
                out,
                "<h3 id=\"group-{group}\" data-heading=\"{group}\">{group} <span>{}</span></h3>",
                escape(chapter)
            );
        }
        details(report, kills, replay, rule, text, &mut out);
    }
    unbroken(&mut out);
    let _ = writeln!(out, "</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>");
    out
}

fn heading(report: &Report, kills: Option<&KillList>, out: &mut String) {
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
        "<p>{} passed in {runs} runs · {} broken · {} inconclusive · {} not applicable<br><small>{}, contract {}</small></p>",
        count(Verdict::Pass),
        count(Verdict::Fail),
        count(Verdict::Inconclusive),
        count(Verdict::NotApplicable),
        escape(&suite(report.seed)),
        hash(),
    );
    match kills {
        None => out.push_str(
            "<p><small>Without a kill table: <code>--mutants --format json --out kills.json</code> makes one, and \
             <code>--format html --kills kills.json</code> shows it here.</small></p>\n",
        ),
        Some(kills) => {
            let killed = kills.mutants.iter().filter(|mutant| mutant.killed).count();
            let runs: u64 = kills.mutants.iter().map(|mutant| mutant.runs).sum();
            let _ = writeln!(
                out,
                "<p>{killed} of {} mutants died by their own rule in {runs} runs<br><small>{}</small></p>",
                kills.mutants.len(),
                escape(&kills.suite)
            );
            for what in &kills.reference {
                let _ = writeln!(out, "<p class=\"banner fail\">Without any mutant: {}</p>", escape(what));
            }
        }
    }
    let mut took: Vec<(&str, u128)> = Vec::new();
    for column in &report.columns {
        took.push((column.candidate.name(), column.entries.iter().map(|entry| entry.took.as_millis()).sum()));
    }
    let took: Vec<String> = took.iter().map(|(host, millis)| format!("{} {millis} ms", escape(host))).collect();
    let _ = writeln!(out, "<p><small>Time in processes: {}</small></p>\n</header>", took.join(" · "));
}

/// Hidden until the script is there to serve them.
fn filters(report: &Report, out: &mut String) {
    let hosts = report.columns.iter().map(|column| column.candidate.name()).collect();
    let verdicts = [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive, Verdict::NotApplicable];
    let verdicts = verdicts.iter().map(|verdict| verdict.name()).collect();
    out.push_str("<form id=\"filters\" hidden>\n<label>Text <input type=\"search\" name=\"text\"></label>\n");
    for (label, name, options) in [
        ("Group", "group", report.groups()),
        ("Host", "host", hosts),
        ("Verdict", "verdict", verdicts),
        ("Mutants", "mutant", vec!["killed", "alive", "none"]),
    ] {
        let _ = write!(out, "<label>{label} <select name=\"{name}\"><option value=\"\">any</option>");
        for option in options {
            let _ = write!(out, "<option>{}</option>", escape(option));
        }
        out.push_str("</select></label>\n");
    }
    out.push_str("<button type=\"reset\">Show all</button>\n</form>\n");
}

/// What the filters look at.
fn attributes(report: &Report, kills: Option<&KillList>, rule: &Rule) -> String {
    let id = rule.id();
    let of_rule = || report.entries().filter(|(_, entry)| entry.rule.id() == id);
    let verdicts: Vec<String> =
        of_rule().map(|(host, entry)| format!("{}={}", host.name(), entry.verdict.name())).collect();
    let words = article(id).map(|article| article.text.to_lowercase()).unwrap_or_default();
    let text = format!("{} {} {words}", id.to_lowercase(), rule.title());
    format!(
        "data-rule=\"{id}\" data-group=\"{}\" data-verdicts=\"{}\" data-mutants=\"{}\" data-text=\"{}\"",
        rule.group(),
        escape(&verdicts.join(" ")),
        fate(kills, id),
        escape(&text)
    )
}

/// What became of the rule's mutants, in a word.
fn fate(kills: Option<&KillList>, id: &str) -> &'static str {
    let mut mutants = kills.iter().flat_map(|kills| kills.of_rule(id)).peekable();
    if mutants.peek().is_none() {
        "none"
    } else if mutants.all(|mutant| mutant.killed) {
        "killed"
    } else {
        "alive"
    }
}

fn matrix(report: &Report, kills: Option<&KillList>, out: &mut String) {
    out.push_str("<p id=\"shown\"></p>\n<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">rule</th>");
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
    if kills.is_some() {
        out.push_str("<th scope=\"col\">mutants<small>killed</small></th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for (row, rule) in report.rules().into_iter().enumerate() {
        let id = rule.id();
        let _ = write!(out, "<tr {}><th scope=\"row\">", attributes(report, kills, rule));
        let _ = write!(out, "<a href=\"#{id}\"><b>{id}</b> {}</a></th>", escape(&rule.title()));
        for column in &report.columns {
            if let Some(entry) = column.entries.get(row) {
                let title = escape(entry.why.as_deref().unwrap_or_default());
                let _ = write!(out, "<td class=\"{}\" title=\"{title}\">{}</td>", entry.verdict.name(), sign(entry));
            }
        }
        if let Some(kills) = kills {
            let (killed, all) =
                kills.of_rule(id).fold((0, 0), |(killed, all), mutant| (killed + u64::from(mutant.killed), all + 1));
            let class = if killed < all {
                "fail"
            } else if all == 0 {
                "not-applicable"
            } else {
                "pass"
            };
            let _ = write!(out, "<td class=\"{class}\">{killed}/{all}</td>");
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

fn details(
    report: &Report,
    kills: Option<&KillList>,
    replay: &Replay,
    rule: &Rule,
    text: Option<&Article>,
    out: &mut String,
) {
    let id = rule.id();
    let of_rule = || report.entries().filter(|(_, entry)| entry.rule.id() == id);
    let open = of_rule().any(|(_, entry)| matches!(entry.verdict, Verdict::Fail | Verdict::Inconclusive));
    let _ = writeln!(
        out,
        "<details id=\"{id}\" {}{}>\n<summary><b>{id}</b> {}</summary>",
        attributes(report, kills, rule),
        if open { " open" } else { "" },
        escape(&rule.title())
    );
    if let Some(text) = text {
        let _ = writeln!(out, "<blockquote>{}</blockquote>", markdown(&text.text));
        if let Some(reading) = &text.reading {
            let _ = writeln!(out, "<p>Reading: {}</p>", markdown(reading));
        }
        if let Some(origin) = &text.origin {
            let _ = writeln!(out, "<p>A bug that it would have shown: {}</p>", linked(&markdown(origin)));
        }
        if let Some(unbroken) = &text.unbroken {
            let _ = writeln!(out, "<p>Mutants: {}</p>", markdown(unbroken));
        }
    }
    mutants(kills, id, out);
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
        if let Some(bound) = entry.bound() {
            let _ = write!(
                out,
                " <small>none of {} rounds of races lost: less than {bound:.6} of them fail, at 95 %</small>",
                entry.raced
            );
        }
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

/// The kill table of one rule.
fn mutants(kills: Option<&KillList>, id: &str, out: &mut String) {
    let Some(kills) = kills.filter(|kills| kills.of_rule(id).next().is_some()) else { return };
    out.push_str("<div class=\"scroll\"><table class=\"kills\">\n<thead><tr>");
    for heading in ["mutant", "its defect", "on", "runs", "rounds", "ms", "what was seen"] {
        let _ = write!(out, "<th scope=\"col\">{heading}</th>");
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for mutant in kills.of_rule(id) {
        let class = if mutant.killed { "pass" } else { "fail" };
        let rounds = mutant.raced.filter(|rounds| *rounds > 0).map(|rounds| rounds.to_string()).unwrap_or_default();
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"{class}\">{}</td><td>{}</td><td>{rounds}</td><td>{}</td><td>{}</td></tr>",
            escape(&mutant.name),
            escape(&mutant.defect),
            escape(mutant.host.as_deref().unwrap_or("ALIVE")),
            mutant.runs,
            mutant.millis,
            escape(mutant.saw.as_deref().unwrap_or_default()),
        );
    }
    out.push_str("</tbody>\n</table></div>\n");
}

/// The rules that no mutant breaks, and why.
fn unbroken(out: &mut String) {
    out.push_str("<h2>Rules that no mutant breaks</h2>\n<ul>\n");
    for (id, why) in articles().iter().filter_map(|article| Some((&article.id, article.unbroken.as_ref()?))) {
        let _ = writeln!(out, "<li><a href=\"#{id}\"><b>{id}</b></a> {}</li>", markdown(why));
    }
    out.push_str("</ul>\n");
}

/// Makes a link of each `owner/name#number`; what is linked is not loaded.
fn linked(html: &str) -> String {
    let part = |word: &str| -> Option<String> {
        let bare = word.trim_end_matches([':', ';', ',', '.']);
        let (repository, number) = bare.split_once('#')?;
        let (owner, name) = repository.split_once('/')?;
        let is_name =
            |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        let fits = is_name(owner) && is_name(name) && number.parse::<u64>().is_ok();
        let rest = &word[bare.len()..];
        fits.then(|| format!("<a href=\"https://github.com/{repository}/issues/{number}\">{bare}</a>{rest}"))
    };
    let words: Vec<String> = html.split(' ').map(|word| part(word).unwrap_or_else(|| word.to_owned())).collect();
    words.join(" ")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bugs_are_linked() {
        let text = linked("Found: smol-rs/event-listener#139. And tokio-rs/tokio#1, not a/b#c nor #7.");
        assert!(text.contains(
            "<a href=\"https://github.com/smol-rs/event-listener/issues/139\">smol-rs/event-listener#139</a>. And"
        ));
        assert!(text.contains(">tokio-rs/tokio#1</a>, not a/b#c nor #7."), "{text}");
    }
}
