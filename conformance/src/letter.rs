//! How a finding leaves the process, or the image, that examined: one line of JSON behind a mark, among whatever else it printed.

use std::fmt::Write as _;
use std::prelude::v1::*;

use crate::Flaw;
use crate::examinee::Seen;

/// The first argument of a program that was started to examine one rule.
pub(crate) const CALL: &str = "__examine";

/// What stands before the finding on the examiner's standard output.
pub(crate) const MARK: char = '\u{1e}';

/// The line, with its mark and without its end.
pub(crate) fn write(seen: &Seen) -> String {
    let (verdict, why, runs) = match &seen.check {
        Ok(runs) => ("pass", "", *runs),
        Err(Flaw::Broken(why)) => ("fail", &**why, 0),
        Err(Flaw::NotApplicable(why)) => ("not-applicable", &**why, 0),
        Err(Flaw::Inconclusive(why)) => ("inconclusive", &**why, 0),
    };
    let left_out: Vec<String> = seen.left_out.iter().map(|text| quoted(text)).collect();
    format!(
        "{MARK}{{\"verdict\":\"{verdict}\",\"why\":{},\"runs\":{runs},\"left_out\":[{}],\"raced\":{}}}",
        quoted(why),
        left_out.join(","),
        seen.raced
    )
}

/// As a string of JSON.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            // Into a string there is no failure.
            c if c.is_control() => _ = write!(quoted, "\\u{:04x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
