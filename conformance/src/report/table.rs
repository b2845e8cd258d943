//! The report for people at a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{Cell, CellAlignment, Color, Table};

use super::{Column, Replay, Report, suite};
use crate::contract::articles;
use crate::verdict::Verdict;

/// The report as a table: a row a group, a column a host; below it what did not hold.
pub(crate) fn table(report: &Report, replay: &Replay, colours: bool) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY);
    if colours {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    let hosts = report.columns.iter().map(|column| Cell::new(column.candidate.name()));
    table.set_header([Cell::new("rules")].into_iter().chain(hosts));
    for group in report.groups() {
        let mut row = vec![Cell::new(title(group))];
        row.extend(report.columns.iter().map(|column| cell(column, |of| of == group)));
        table.add_row(row);
    }
    let mut total = vec![Cell::new("all")];
    total.extend(report.columns.iter().map(|column| cell(column, |_| true)));
    table.add_row(total);

    let mut out = format!("{}\n{table}\n", suite(report.seed));
    for (candidate, entry) in report.entries() {
        if matches!(entry.verdict, Verdict::Pass | Verdict::NotApplicable) {
            continue;
        }
        let (host, rule) = (candidate.name(), entry.rule);
        let verdict = if entry.verdict == Verdict::Fail { "BROKEN" } else { "inconclusive" };
        let _ = writeln!(out, "\n{verdict} {} on {host}: {}", rule.id(), rule.title());
        let _ = writeln!(out, "  saw: {}", entry.why.as_deref().unwrap_or_default());
        let _ = writeln!(out, "  seed {}; replay: {}", report.seed, replay.command(report.seed, host, rule.id()));
    }
    reasons(report, Verdict::NotApplicable, "not applicable", &mut out);
    reasons(report, Verdict::Pass, "passed in part", &mut out);
    races(report, &mut out);
    let runs: u64 = report.entries().map(|(_, entry)| entry.runs).sum();
    let count = |verdict| report.entries().filter(|(_, entry)| entry.verdict == verdict).count();
    let _ = writeln!(
        out,
        "\n{} passed in {runs} runs, {} broken, {} inconclusive, {} not applicable",
        count(Verdict::Pass),
        count(Verdict::Fail),
        count(Verdict::Inconclusive),
        count(Verdict::NotApplicable),
    );
    out
}

/// What the races say: of each rule the host with the fewest rounds.
fn races(report: &Report, out: &mut String) {
    let mut fewest: BTreeMap<usize, (&str, u64)> = BTreeMap::new();
    let rules = report.rules();
    for (_, entry) in report.entries().filter(|(_, entry)| entry.bound().is_some()) {
        let place = rules.iter().position(|rule| rule.id() == entry.rule.id()).unwrap_or(usize::MAX);
        let seen = fewest.entry(place).or_insert((entry.rule.id(), entry.raced));
        seen.1 = seen.1.min(entry.raced);
    }
    if fewest.is_empty() {
        return;
    }
    let told: Vec<String> = fewest.values().map(|(rule, rounds)| format!("{rule} 3/{rounds}")).collect();
    let _ = writeln!(
        out,
        "\nraces, none of them lost: at 95 % less than this share of rounds fails, on the host with the fewest: {}",
        told.join(", ")
    );
}

fn cell(column: &Column, of: impl Fn(&str) -> bool) -> Cell {
    let entries = || column.entries.iter().filter(|entry| of(entry.rule.group()));
    let count = |verdict| entries().filter(|entry| entry.verdict == verdict).count();
    let (passed, lacking) = (count(Verdict::Pass), count(Verdict::NotApplicable));
    let total = entries().count() - lacking;
    let text = match lacking {
        0 => format!("{passed}/{total}"),
        _ => format!("{passed}/{total} ({lacking} n/a)"),
    };
    let colour = match entries().map(|entry| entry.verdict).max() {
        Some(Verdict::Fail) => Color::Red,
        Some(Verdict::Inconclusive) => Color::Yellow,
        Some(Verdict::Pass) => Color::Green,
        Some(Verdict::NotApplicable) | None => Color::Grey,
    };
    Cell::new(text).fg(colour).set_alignment(CellAlignment::Right)
}

/// `T Token`.
fn title(group: &str) -> String {
    let chapter = articles().iter().find(|article| article.group() == group).map(|article| article.chapter.as_str());
    format!("{group} {}", chapter.unwrap_or_default())
}

/// Each reason once, with the rules and hosts it holds for.
fn reasons(report: &Report, verdict: Verdict, what: &str, out: &mut String) {
    let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (candidate, entry) in report.entries().filter(|(_, entry)| entry.verdict == verdict) {
        if let Some(why) = &entry.why {
            reasons.entry(why).or_default().push(format!("{} {}", candidate.name(), entry.rule.id()));
        }
    }
    for (why, places) in reasons {
        let _ = writeln!(out, "\n{what} ({}): {why}", places.join(", "));
    }
}
