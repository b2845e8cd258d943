//! The report on power: how many rounds it takes to see each defect that only a race shows.

use std::fmt::Write as _;

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{Cell, CellAlignment, Color, Table};
use serde::Serialize;

use super::suite;
use crate::contract;
use crate::power::Powers;

/// For people.
pub(crate) fn strength(powers: &Powers, colours: bool) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY);
    if colours {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table.set_header([
        "rule",
        "mutant",
        "on",
        "killed",
        "no race needed",
        "rounds to a kill",
        "most",
        "rounds of the ordinary run",
        "times",
    ]);
    for power in &powers.powers {
        let number = |text: String| Cell::new(text).set_alignment(CellAlignment::Right);
        let colour = if power.suffices() { Color::Green } else { Color::Red };
        let certain = power.without_a_race == power.kills && power.kills > 0;
        let hung = if power.hung > 0 { format!(" ({} hung)", power.hung) } else { String::new() };
        table.add_row([
            Cell::new(power.suspect.rule()),
            Cell::new(power.suspect.name()),
            Cell::new(power.host),
            number(format!("{}/{}{hung}", power.kills, power.tries)),
            number(power.without_a_race.to_string()),
            number(if certain { "-".to_owned() } else { format!("{:.1}", power.mean()) }),
            number(power.most.to_string()),
            number(power.budget.to_string()),
            number(if certain { "-".to_owned() } else { format!("{:.0}", power.margin()) }).fg(colour),
        ]);
    }
    let mut out = format!("{}, power\n{table}\n", suite(powers.seed));
    let weak: Vec<_> = powers.powers.iter().filter(|power| !power.suffices()).collect();
    let _ = writeln!(
        out,
        "\n{} of {} mutants of rules about races: the ordinary run makes at least twenty times the rounds that it takes on the average",
        powers.powers.len() - weak.len(),
        powers.powers.len()
    );
    for power in weak {
        let _ = writeln!(out, "TOO FEW {} {}: {}", power.suspect.rule(), power.suspect.name(), power.suspect.defect());
    }
    out
}

#[derive(Serialize)]
struct Strength<'a> {
    suite: String,
    seed: u64,
    contract: String,
    powers: Vec<PowerReport<'a>>,
}

#[derive(Serialize)]
struct PowerReport<'a> {
    rule: &'a str,
    mutant: &'a str,
    host: &'a str,
    tries: u64,
    kills: u64,
    without_a_race: u64,
    hung: u64,
    mean: f64,
    most: u64,
    budget: u64,
    suffices: bool,
}

/// For programs.
///
/// # Errors
///
/// The text of what kept it from being written.
pub(crate) fn strength_json(powers: &Powers) -> Result<String, String> {
    let reports = powers.powers.iter().map(|power| PowerReport {
        rule: power.suspect.rule(),
        mutant: power.suspect.name(),
        host: power.host,
        tries: power.tries,
        kills: power.kills,
        without_a_race: power.without_a_race,
        hung: power.hung,
        mean: power.mean(),
        most: power.most,
        budget: power.budget,
        suffices: power.suffices(),
    });
    let strength = Strength {
        suite: suite(powers.seed),
        seed: powers.seed,
        contract: contract::hash(),
        powers: reports.collect(),
    };
    serde_json::to_string_pretty(&strength).map(|text| text + "\n").map_err(|error| error.to_string())
}
