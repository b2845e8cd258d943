//! The report on mutants: which rule killed which.

use std::fmt::Write as _;

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Table, Width};
use countermand_core::mutant::Mutant;

use super::kill_list::{ByModel, KillList, Killed};
use super::{Replay, suite};
use crate::contract;
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
    table.set_header(["mutant", "its defect", "killed by", "on", "runs", "rounds", "died", "what was seen"]);
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
            Cell::new(fate.killed.as_ref().map_or(0, |kill| kill.raced)).set_alignment(CellAlignment::Right),
            Cell::new(death),
            Cell::new(short(saw)),
        ]);
    }
    for (column, width) in [(1, 42), (7, 48)] {
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
    for article in contract::articles() {
        if let Some(why) = &article.unbroken {
            let _ = writeln!(out, "{} {why}", article.id);
        }
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

/// The kill table as JSON.
///
/// # Errors
///
/// The text of what kept it from being written.
pub(crate) fn kills_json(cull: &Cull) -> Result<String, String> {
    let mutants = cull.fates.iter().map(|fate| {
        let kill = fate.killed.as_ref();
        Killed {
            name: fate.suspect.name().to_owned(),
            defect: fate.suspect.defect().to_owned(),
            rule: fate.suspect.rule().to_owned(),
            killed: kill.is_some(),
            host: kill.map(|kill| kill.host.to_owned()),
            seed: kill.map(|kill| kill.seed),
            died: kill.map(|kill| kill.death.name().to_owned()),
            saw: kill.map(|kill| kill.saw.clone()),
            runs: fate.runs,
            raced: kill.map(|kill| kill.raced),
            millis: u64::try_from(fate.took.as_millis()).unwrap_or(u64::MAX),
        }
    });
    let by_models = Mutant::BY_MODELS.iter().map(|mutant| ByModel {
        name: mutant.name().to_owned(),
        defect: mutant.defect().to_owned(),
        rule: mutant.rule().to_owned(),
    });
    let unsound = |unsound: &Unsound| format!("{} {} {}", unsound.host, unsound.rule.id(), unsound.flaw);
    let list = KillList {
        suite: suite(cull.seed),
        seed: cull.seed,
        contract: contract::hash(),
        mutants: mutants.collect(),
        by_models: by_models.collect(),
        reference: cull.unsound.iter().map(unsound).collect(),
        at_first: cull.at_first.iter().map(unsound).collect(),
    };
    let mut text = serde_json::to_string_pretty(&list).map_err(|error| error.to_string())?;
    text.push('\n');
    Ok(text)
}
