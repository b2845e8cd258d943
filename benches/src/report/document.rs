//! What was measured, as a document that stands beside the code.

use std::fmt::Write;
use std::path::Path;

use super::machine;
use super::soak::Soak;
use super::table::{self, Style};
use crate::curves::Drawn;
use crate::rounds::{Answer, Effort};

/// The whole document. Pictures are named as they are found from the directory that it stands in.
pub(crate) fn of(
    answers: &[Answer],
    drawn: &[Drawn],
    soak: Option<&Soak>,
    effort: Effort,
    command: &str,
    beside: &Path,
) -> String {
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
    text.push_str("\nWhere the cost of the others lies stands in [`PROFILES.md`](PROFILES.md).\n\n## Questions\n");
    for answer in answers {
        text.push('\n');
        text.push_str(&table::of(answer, Style::Markdown));
    }
    if !drawn.is_empty() {
        text.push_str("\n## Curves\n");
    }
    for drawn in drawn {
        let file = drawn.file.strip_prefix(beside).unwrap_or(&drawn.file);
        let _ =
            write!(text, "\n{}\n![{}]({})\n", table::curve(drawn, Style::Markdown), drawn.curve.title, file.display());
    }
    if let Some(soak) = soak {
        text.push('\n');
        text.push_str(&soak.section());
    }
    text
}
