//! What was measured, as a document that stands beside the code.

use std::fmt::Write;

use super::machine;
use super::table::{self, Style};
use crate::rounds::{Answer, Effort};

/// The whole document.
pub(crate) fn of(answers: &[Answer], effort: Effort, command: &str) -> String {
    let mut text = String::from("# What was measured last\n\nWritten by the program; do not edit.\n\n");
    let mut line = |what: &str, which: &str| {
        let _ = writeln!(text, "- {what}: {which}");
    };
    line("command", &format!("`{command}`"));
    line("effort", &format!("up to {} rounds, operations divided by {}", effort.rounds, effort.divisor));
    for (what, which) in machine::lines() {
        line(what, &which);
    }
    text.push_str(
        "\nTimes are nanoseconds for one operation, medians of the rounds; ± is half the distance of the quartiles. Allocations, bytes \
         asked for, and bytes held at the most are for one operation too. A ratio is the median of the ratios within each round. What each \
         case does, and why the comparison is fair, stands at the head of its question's file in `src/questions`.\n\n## Goals\n\n",
    );
    text.push_str(&table::goals(answers, Style::Markdown));
    text.push_str("\n## Questions\n");
    for answer in answers {
        text.push('\n');
        text.push_str(&table::of(answer, Style::Markdown));
    }
    text
}
