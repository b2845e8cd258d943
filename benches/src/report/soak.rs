//! What a long soak of the conformance suite saw, out of the report that it wrote as JSON, for the document.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::table::{self, Style};

/// The report of `soak --format json`: what of it is told here.
#[derive(Debug, Deserialize)]
pub(crate) struct Soak {
    seed: u64,
    hosts: Vec<Host>,
}

#[derive(Debug, Deserialize)]
struct Host {
    flaws: Vec<String>,
    /// Bytes a job; `None` where the run was too short to say.
    heap: Option<Slope>,
    resident: Option<Slope>,
    outcome: Outcome,
}

#[derive(Debug, Deserialize)]
struct Slope {
    bytes_per_job: f64,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    host: String,
    soaked: Soaked,
    census: Vec<Remains>,
}

#[derive(Debug, Deserialize)]
struct Soaked {
    jobs: u64,
    ends: Vec<(String, u64)>,
    lines: Vec<Line>,
    storms: Vec<Storm>,
}

/// One line of the books, beside that of the independent ledger.
#[derive(Debug, Deserialize)]
struct Line {
    books: u64,
    ledger: u64,
}

#[derive(Debug, Deserialize)]
struct Storm {
    what: String,
}

/// How many of something there were before and after.
#[derive(Debug, Deserialize)]
struct Remains {
    what: String,
    start: u64,
    end: u64,
}

impl Soak {
    /// # Errors
    ///
    /// Which file, and where and why it is no report of a soak.
    pub(crate) fn read(file: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        let soak = serde_json::from_str(&text)
            .map_err(|error| format!("{} is not what `soak --format json` writes: {error}", file.display()))?;
        match soak {
            Self { hosts, .. } if hosts.is_empty() => Err(format!("{} tells of no host", file.display())),
            soak => Ok(soak),
        }
    }

    /// A section of the document: how to do it again, and a column for each host.
    pub(crate) fn section(&self) -> String {
        let mut header = vec![""];
        header.extend(self.hosts.iter().map(|host| host.outcome.host.as_str()));
        let mut table = Style::Markdown.table(&header);
        let mut row = |what: &str, tell: &dyn Fn(&Host) -> String| {
            let mut cells = vec![what.to_owned()];
            cells.extend(self.hosts.iter().map(tell));
            table.add_row(cells);
        };
        row("jobs", &|host| host.outcome.soaked.jobs.to_string());
        for (what, _) in self.ends() {
            row(what, &|host| {
                let end = host.outcome.soaked.ends.iter().find(|(end, _)| end == what);
                end.map(|(_, times)| times.to_string()).unwrap_or_default()
            });
        }
        row("lines of the books that agree with the ledger", &|host| {
            let lines = &host.outcome.soaked.lines;
            format!("{} of {}", lines.iter().filter(|line| line.books == line.ledger).count(), lines.len())
        });
        let slope = |slope: &Option<Slope>| match slope {
            Some(slope) => format!("{:+.4}", slope.bytes_per_job),
            None => "too short a run".to_owned(),
        };
        row("slope of the heap, bytes a job", &|host| slope(&host.heap));
        row("slope of the resident set, bytes a job", &|host| slope(&host.resident));
        for Remains { what, .. } in self.hosts.iter().take(1).flat_map(|host| &host.outcome.census) {
            row(&format!("{what}, start and end"), &|host| {
                let remains = host.outcome.census.iter().find(|remains| remains.what == *what);
                remains.map(|remains| format!("{} and {}", remains.start, remains.end)).unwrap_or_default()
            });
        }
        row("storms", &|host| host.outcome.soaked.storms.len().to_string());
        row("verdict", &|host| if host.flaws.is_empty() { "sound" } else { "BROKEN" }.to_owned());
        table::numbers(&mut table, 1);

        let mut text = format!("## A soak\n\n`{}`\n\n{}\n", self.command(), table.trim_fmt());
        for host in &self.hosts {
            for flaw in &host.flaws {
                let _ = writeln!(text, "\nBROKEN on {}: {flaw}", host.outcome.host);
            }
        }
        let mut storms = self.hosts.iter().map(|host| &host.outcome.soaked.storms);
        if let Some(storms) = storms.find(|storms| !storms.is_empty()) {
            let storms: Vec<_> = storms.iter().map(|storm| storm.what.as_str()).collect();
            let _ = writeln!(text, "\nThe storms: {}.", storms.join("; "));
        }
        text
    }

    fn ends(&self) -> impl Iterator<Item = &(String, u64)> {
        self.hosts
            .iter()
            .find(|host| !host.outcome.soaked.ends.is_empty())
            .into_iter()
            .flat_map(|host| &host.outcome.soaked.ends)
    }

    /// How to do the same again.
    fn command(&self) -> String {
        let jobs = self.hosts.iter().map(|host| host.outcome.soaked.jobs).max().unwrap_or_default();
        let hosts: String = self.hosts.iter().map(|host| format!(" --host {}", host.outcome.host)).collect();
        format!("cargo run --release -p countermand-conformance -- soak --jobs {jobs} --seed {}{hosts}", self.seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(flaws: &str) -> String {
        let outcome = r#"{ "host": "sim", "broken": null, "census": [{ "what": "threads", "start": 2, "end": 2 }],
            "soaked": { "jobs": 7, "ends": [["completed", 4], ["failed", 3]], "seconds": 0.1, "samples": [], "faults": { "count": 0, "told": [] },
                "lines": [{ "what": "accepted", "books": 7, "ledger": 7 }, { "what": "failed", "books": 2, "ledger": 3 }],
                "storms": [{ "what": "a million tokens", "millis": 3 }] } }"#;
        format!(
            r#"{{ "seed": 5, "hosts": [{{ "flaws": {flaws}, "heap": {{ "bytes_per_job": 0.25, "is_flat": true }}, "resident": null, "outcome": {outcome} }}] }}"#
        )
    }

    fn read(text: &str) -> Result<Soak, String> {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("soak.json");
        fs::write(&file, text).expect("written");
        Soak::read(&file)
    }

    #[test]
    fn a_report_becomes_a_section_with_the_command_that_makes_it_again() {
        let text = read(&report("[]")).expect("a report").section();
        assert!(
            text.contains("`cargo run --release -p countermand-conformance -- soak --jobs 7 --seed 5 --host sim`"),
            "{text}"
        );
        let rows: Vec<Vec<&str>> = text
            .lines()
            .filter(|line| line.starts_with('|'))
            .map(|line| line.split('|').map(str::trim).collect())
            .collect();
        for (what, told) in [
            ("completed", "4"),
            ("failed", "3"),
            ("lines of the books that agree with the ledger", "1 of 2"),
            ("slope of the heap, bytes a job", "+0.2500"),
            ("slope of the resident set, bytes a job", "too short a run"),
            ("threads, start and end", "2 and 2"),
            ("verdict", "sound"),
        ] {
            assert!(rows.iter().any(|row| row[1] == what && row[2] == told), "{what}: {told} in {text}");
        }
        assert!(text.contains("The storms: a million tokens."), "{text}");
    }

    #[test]
    fn what_was_broken_is_said() {
        let text = read(&report(r#"["the heap grew"]"#)).expect("a report").section();
        assert!(text.contains("BROKEN on sim: the heap grew"), "{text}");
    }

    #[test]
    fn what_is_no_report_is_refused_by_name_and_place() {
        let error = read(r#"{ "seed": 5, "hosts": [{ "flaws": 3 }] }"#).expect_err("no report");
        assert!(
            error.contains("soak.json is not what `soak --format json` writes") && error.contains("line 1"),
            "{error}"
        );
        assert!(read(r#"{ "seed": 5, "hosts": [] }"#).expect_err("empty").ends_with("tells of no host"));
        let missing = Soak::read(Path::new("there/is/none.json")).expect_err("no file");
        assert!(missing.starts_with("there/is/none.json cannot be read"), "{missing}");
    }
}
