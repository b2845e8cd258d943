//! What is said of a soak: a table with a column a host, and below it what was not as it must be.

use std::fmt::Write as _;

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{Cell, CellAlignment, Table};
use indicatif::{HumanBytes, HumanCount};

use super::slope::{HEAP, RESIDENT, Slope};
use super::{Outcome, Remains};

impl Outcome {
    fn heap(&self) -> Option<Slope> {
        let samples: Vec<(u64, u64)> = self.soaked.samples.iter().map(|(jobs, heap, _)| (*jobs, *heap)).collect();
        Slope::of(&samples, HEAP)
    }

    fn resident(&self) -> Option<Slope> {
        let sample = |(jobs, _, resident): &(u64, u64, Option<u64>)| Some((*jobs, (*resident)?));
        Slope::of(&self.soaked.samples.iter().filter_map(sample).collect::<Vec<_>>(), RESIDENT)
    }

    /// What was not as it must be.
    pub(crate) fn flaws(&self) -> Vec<String> {
        let mut flaws: Vec<String> = self.broken.iter().cloned().collect();
        for line in self.soaked.lines.iter().filter(|line| !line.agrees()) {
            flaws.push(format!("{}: the ledger has {}, the worker {}", line.what, line.ledger, line.books));
        }
        let faults = &self.soaked.faults;
        flaws.extend(faults.told.iter().cloned());
        if faults.count > faults.told.len() as u64 {
            flaws.push(format!("and {} more", faults.count - faults.told.len() as u64));
        }
        for (what, slope) in [("the heap", self.heap()), ("the resident set", self.resident())] {
            if let Some(slope) = slope.filter(|slope| !slope.is_flat) {
                flaws.push(format!("{what} grew by {:.3} bytes a job", slope.bytes_per_job));
            }
        }
        for Remains { what, start, end } in self.census.iter().filter(|remains| remains.end > remains.start) {
            flaws.push(format!("{what}: {start} at the start, {end} at the end"));
        }
        flaws
    }
}

/// For people.
pub(crate) fn table(outcomes: &[Outcome], heading: &str, replay: &str, colours: bool) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_BORDERS_ONLY);
    if colours {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table.set_header([Cell::new("")].into_iter().chain(outcomes.iter().map(|outcome| Cell::new(&outcome.host))));
    let mut row = |what: &str, cell: &dyn Fn(&Outcome) -> String| {
        let cells = outcomes.iter().map(|outcome| Cell::new(cell(outcome)).set_alignment(CellAlignment::Right));
        table.add_row([Cell::new(what)].into_iter().chain(cells));
    };
    let count = |count: u64| HumanCount(count).to_string();
    row("jobs", &|outcome| count(outcome.soaked.jobs));
    row("jobs a second", &|outcome| {
        let rate = outcome.soaked.jobs as f64 / outcome.soaked.seconds.max(1e-6);
        count(rate as u64)
    });
    let ends = outcomes.iter().find(|outcome| !outcome.soaked.ends.is_empty());
    for (place, (what, _)) in ends.iter().flat_map(|outcome| outcome.soaked.ends.iter().enumerate()) {
        row(what, &|outcome| outcome.soaked.ends.get(place).map(|(_, times)| count(*times)).unwrap_or_default());
    }
    row("rejected", &|outcome| {
        let line = outcome.soaked.lines.iter().find(|line| line.what == "rejected");
        line.map(|line| count(line.ledger)).unwrap_or_default()
    });
    row("books that agree", &|outcome| {
        let agreeing = outcome.soaked.lines.iter().filter(|line| line.agrees()).count();
        format!("{agreeing}/{}", outcome.soaked.lines.len())
    });
    row("faults of jobs", &|outcome| count(outcome.soaked.faults.count));
    let slope = |slope: Option<Slope>| match slope {
        None => "too short a run".to_owned(),
        Some(slope) => {
            format!("{:+.4} B a job{}", slope.bytes_per_job, if slope.is_flat { "" } else { ", STEEP" })
        }
    };
    row("slope of the heap", &|outcome| slope(outcome.heap()));
    row("slope of the resident set", &|outcome| slope(outcome.resident()));
    row("resident at the end", &|outcome| {
        let last = outcome.soaked.samples.last().and_then(|(_, _, resident)| *resident);
        last.map(|bytes| HumanBytes(bytes).to_string()).unwrap_or_default()
    });
    for what in ["threads", "files", "blocks of the heap"] {
        row(&format!("{what}, start → end"), &|outcome| {
            let remains = outcome.census.iter().find(|remains| remains.what == what);
            remains.map(|Remains { start, end, .. }| format!("{start} → {end}")).unwrap_or_default()
        });
    }
    row("storms", &|outcome| {
        let millis: u64 = outcome.soaked.storms.iter().map(|storm| storm.millis).sum();
        format!("{} in {millis} ms", outcome.soaked.storms.len())
    });
    row("verdict", &|outcome| if outcome.flaws().is_empty() { "sound" } else { "BROKEN" }.to_owned());

    let mut out = format!("{heading}\n{table}\n");
    if let Some(outcome) = outcomes.first() {
        for (place, storm) in outcome.soaked.storms.iter().enumerate() {
            let took = |outcome: &Outcome| {
                outcome.soaked.storms.get(place).map(|storm| format!("{} {} ms", outcome.host, storm.millis))
            };
            let took: Vec<String> = outcomes.iter().filter_map(took).collect();
            let _ = writeln!(out, "storm: {} ({})", storm.what, took.join(", "));
        }
    }
    for outcome in outcomes.iter().filter(|outcome| !outcome.left_out.is_empty()) {
        let _ = writeln!(out, "left out on {}: {}", outcome.host, outcome.left_out.join("; "));
    }
    for outcome in outcomes {
        for flaw in outcome.flaws() {
            let _ = writeln!(out, "\nBROKEN on {}: {flaw}", outcome.host);
        }
        if !outcome.flaws().is_empty() {
            let _ = writeln!(out, "  again: {replay} --host {}", outcome.host);
        }
    }
    out
}

/// For programs.
///
/// # Errors
///
/// The text of what kept it from being written.
pub(crate) fn json(outcomes: &[Outcome], seed: u64) -> Result<String, String> {
    let hosts = outcomes.iter().map(|outcome| {
        serde_json::json!({
            "outcome": outcome,
            "heap": outcome.heap(),
            "resident": outcome.resident(),
            "flaws": outcome.flaws(),
        })
    });
    let report = serde_json::json!({ "seed": seed, "hosts": hosts.collect::<Vec<_>>() });
    serde_json::to_string_pretty(&report).map(|text| text + "\n").map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::ledger::Line;
    use super::super::run::Soaked;
    use super::*;

    fn sound() -> Outcome {
        let soaked = Soaked {
            jobs: 200_000,
            seconds: 2.0,
            ends: vec![("completed".to_owned(), 200_000)],
            lines: vec![Line::new("accepted", 200_000, 200_000)],
            samples: (1..=40).map(|lap| (lap * 5_000, 70_000, Some(9_000_000))).collect(),
            ..Soaked::default()
        };
        let census = vec![Remains { what: "threads".to_owned(), start: 2, end: 2 }];
        Outcome { host: "sim".to_owned(), soaked, census, left_out: Vec::new(), broken: None }
    }

    #[test]
    fn each_thing_that_is_wrong_is_named() {
        assert_eq!(sound().flaws(), [""; 0]);
        let wrong = |what: &str, spoil: fn(&mut Outcome)| {
            let mut outcome = sound();
            spoil(&mut outcome);
            let flaws = outcome.flaws();
            assert_eq!(flaws.len(), 1, "{flaws:?}");
            assert!(flaws[0].contains(what), "{flaws:?}");
            assert!(table(&[outcome], "a soak", "again", false).contains(&format!("BROKEN on sim: {}", flaws[0])));
        };
        wrong("the ledger has 200000, the worker 200001", |outcome| outcome.soaked.lines[0].books += 1);
        wrong("threads: 2 at the start, 3 at the end", |outcome| outcome.census[0].end += 1);
        wrong("the heap grew", |outcome| outcome.soaked.samples.iter_mut().for_each(|sample| sample.1 += sample.0));
        wrong("the resident set grew", |outcome| {
            outcome.soaked.samples.iter_mut().for_each(|sample| sample.2 = sample.2.map(|bytes| bytes + sample.0 * 32));
        });
        wrong("job 7", |outcome| outcome.soaked.faults.note(|| "job 7: twice".to_owned()));
        wrong("it hung", |outcome| outcome.broken = Some("it hung".to_owned()));
    }
}
