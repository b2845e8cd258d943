//! The report on mutants: which rule killed which.

use std::fmt::Write as _;

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, Width};
use serde::Serialize;

use super::{Replay, suite};
use countermand_core::mutant::Mutant;

use crate::mutants::{Cull, Unsound};

/// The kill table.
pub(crate) fn kills(cull: &Cull, replay: &Replay, colours: bool) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY);
    if colours {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(150);
    table.set_header(["mutant", "its defect", "killed by", "on", "runs", "died", "what was seen"]);
    for fate in &cull.fates {
        let (by, host, saw, death, colour) = match &fate.killed {
            Some(kill) => (fate.suspect.rule().to_owned(), kill.host, &*kill.saw, kill.death.name(), Color::Green),
            None => {
                let improper = fate.improper.as_ref();
                let (host, saw) = improper.map_or(("", ""), |kill| (kill.host, &*kill.saw));
                let death = improper.map_or("", |kill| kill.death.name());
                (format!("NOBODY ({})", fate.suspect.rule()), host, saw, death, Color::Red)
            }
        };
        table.add_row([
            Cell::new(fate.suspect.name()),
            Cell::new(fate.suspect.defect()),
            Cell::new(by).fg(colour),
            Cell::new(host),
            Cell::new(fate.runs).set_alignment(CellAlignment::Right),
            Cell::new(death),
            Cell::new(short(saw)),
        ]);
    }
    for (column, width) in [(1, 42), (6, 52)] {
        if let Some(column) = table.column_mut(column) {
            column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(width)));
        }
    }
    let mut out = format!("{}, mutants\n{table}\n", suite(cull.seed));
    for unsound in &cull.unsound {
        let (host, rule) = (unsound.host, unsound.rule);
        let _ = writeln!(out, "\nThe reference itself, without any mutant, on {host}: {} {}", rule.id(), unsound.flaw);
        let _ = writeln!(out, "  seed {}; replay: {}", cull.seed, replay.command(cull.seed, host, rule.id()));
    }
    for Unsound { host, rule, flaw } in &cull.at_first {
        let _ = writeln!(out, "\nThe reference kept {} on {host} only at the second try; at first {flaw}", rule.id());
    }
    let killed = cull.fates.iter().filter(|fate| fate.killed.is_some()).count();
    let runs: u64 = cull.fates.iter().map(|fate| fate.runs).sum();
    let survivors: Vec<_> =
        cull.fates.iter().filter(|fate| fate.killed.is_none()).map(|fate| fate.suspect.name()).collect();
    let _ = writeln!(out, "\n{killed} of {} mutants died by their own rule, in {runs} runs", cull.fates.len());
    for mutant in Mutant::BY_MODELS {
        let (name, rule, defect) = (mutant.name(), mutant.rule(), mutant.defect());
        let _ = writeln!(
            out,
            "not among them: {name} ({rule}: {defect}), which only the model checker sees; .ci/run runs that model"
        );
    }
    if !survivors.is_empty() {
        let _ = writeln!(out, "survivors: {}", survivors.join(", "));
    }
    out
}

fn short(text: &str) -> String {
    const LONGEST: usize = 160;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[derive(Serialize)]
struct Kills<'a> {
    suite: String,
    mutants: Vec<FateReport<'a>>,
    reference: Vec<String>,
    /// What the reference kept only at the second try.
    at_first: Vec<String>,
}

#[derive(Serialize)]
struct FateReport<'a> {
    name: &'a str,
    defect: &'a str,
    rule: &'a str,
    killed: bool,
    host: Option<&'a str>,
    seed: Option<u64>,
    died: Option<&'a str>,
    saw: Option<&'a str>,
    runs: u64,
    millis: u64,
}

/// The kill table as JSON.
///
/// # Errors
///
/// The text of what kept it from being written.
pub(crate) fn kills_json(cull: &Cull) -> Result<String, String> {
    let mutants = cull.fates.iter().map(|fate| FateReport {
        name: fate.suspect.name(),
        defect: fate.suspect.defect(),
        rule: fate.suspect.rule(),
        killed: fate.killed.is_some(),
        host: fate.killed.as_ref().map(|kill| kill.host),
        seed: fate.killed.as_ref().map(|kill| kill.seed),
        died: fate.killed.as_ref().map(|kill| kill.death.name()),
        saw: fate.killed.as_ref().map(|kill| &*kill.saw),
        runs: fate.runs,
        millis: u64::try_from(fate.took.as_millis()).unwrap_or(u64::MAX),
    });
    let unsound = |unsound: &Unsound| format!("{} {} {}", unsound.host, unsound.rule.id(), unsound.flaw);
    let kills = Kills {
        suite: suite(cull.seed),
        mutants: mutants.collect(),
        reference: cull.unsound.iter().map(unsound).collect(),
        at_first: cull.at_first.iter().map(unsound).collect(),
    };
    let mut text = serde_json::to_string_pretty(&kills).map_err(|error| error.to_string())?;
    text.push('\n');
    Ok(text)
}
