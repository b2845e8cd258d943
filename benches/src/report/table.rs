//! Tables of what was measured: for a terminal, and in Markdown.

use std::collections::BTreeSet;

use comfy_table::presets::{ASCII_MARKDOWN, NOTHING};
use comfy_table::{CellAlignment, Table, TableComponent};

use crate::curves::Drawn;
use crate::question::{Quantity, Question, Role, Short};
use crate::rounds::{Answer, Reading, Verdict};

/// How a table is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Terminal,
    Markdown,
}

impl Style {
    /// An empty table, whose columns from the second on are numbers.
    pub(crate) fn table(self, header: &[impl AsRef<str>]) -> Table {
        let mut table = Table::new();
        match self {
            Self::Terminal => {
                table.load_preset(NOTHING);
                for line in [TableComponent::HeaderLines, TableComponent::MiddleHeaderIntersections] {
                    table.set_style(line, '─');
                }
            }
            Self::Markdown => {
                table.load_preset(ASCII_MARKDOWN);
            }
        }
        table.set_header(header.iter().map(AsRef::as_ref));
        table
    }
}

/// Aligns all columns but the first so many to the right.
pub(crate) fn numbers(table: &mut Table, from: usize) {
    for column in table.column_iter_mut().skip(from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

/// What was measured of one question.
pub(crate) fn of(answer: &Answer, style: Style) -> String {
    let by = answer.question.by;
    let mut table = style.table(&[
        "case",
        "role",
        "ns cpu",
        "ns clock",
        "±",
        "allocs",
        "bytes",
        "held",
        "to best peer",
        "to limit",
    ]);
    let mut group = "";
    for reading in &answer.readings {
        if reading.at.0 != group {
            group = reading.at.0;
            table.add_row([format!("— {group} —")]);
        }
        table.add_row(row(answer, reading));
    }
    numbers(&mut table, 2);
    let Question { id, title, .. } = answer.question;
    let basis = match by {
        Quantity::Cpu => "",
        _ => &format!("; ratios of {}", by.name()),
    };
    let head = match style {
        Style::Terminal => format!("{id}  {title}{basis}"),
        Style::Markdown => format!("### {id}: {title}{basis}\n"),
    };
    format!("{head}\n{}\n", table.trim_fmt())
}

fn row(answer: &Answer, reading: &Reading) -> Vec<String> {
    let by = answer.question.by;
    let time = if by == Quantity::Wall { Quantity::Wall } else { Quantity::Cpu };
    let ratio = |role| match answer.best(reading, role) {
        Some(other) => Short(reading.ratio(other, by)).to_string(),
        None => String::new(),
    };
    let counted = reading.role != Role::Recorded;
    let figure = |value: f64| if counted { Short(value).to_string() } else { String::new() };
    vec![
        reading.at.1.to_owned(),
        reading.role.name().to_owned(),
        Short(reading.value(Quantity::Cpu)).to_string(),
        Short(reading.value(Quantity::Wall)).to_string(),
        format!("{:.0} %", reading.spread(time) * 100.0),
        figure(reading.value(Quantity::Allocs)),
        figure(reading.bytes()),
        figure(reading.value(Quantity::Peak)),
        ratio(Role::Peer),
        ratio(Role::Limit),
    ]
}

/// What was measured of a curve: a row for each line, a column for each place.
pub(crate) fn curve(drawn: &Drawn, style: Style) -> String {
    let Drawn { curve, lines, .. } = drawn;
    let places: BTreeSet<u64> = lines.iter().flatten().map(|(place, _)| *place).collect();
    let mut header = vec![curve.over.to_owned()];
    header.extend(places.iter().map(u64::to_string));
    let mut table = style.table(&header);
    for (line, points) in curve.lines.iter().zip(lines) {
        let at =
            |place: &u64| points.iter().find(|(there, _)| there == place).map(|(_, nanos)| Short(*nanos).to_string());
        let mut row = vec![line.name.to_owned()];
        row.extend(places.iter().map(|place| at(place).unwrap_or_default()));
        table.add_row(row);
    }
    numbers(&mut table, 1);
    format!("{} (ns of processor for {})\n\n{}\n", curve.title, curve.each, table.trim_fmt())
}

/// The goals of all questions, and whether they were reached.
pub(crate) fn goals<'a>(answers: impl IntoIterator<Item = &'a Answer>, style: Style) -> String {
    let mut table = style.table(&["", "goal", "measured", "needed", ""]);
    let (mut reached, mut all) = (0, 0);
    for answer in answers {
        for verdict in answer.verdicts() {
            all += 1;
            reached += u32::from(verdict.reached());
            let (measured, needed) = figures(&verdict);
            let end = match verdict.value {
                None => "NOT MEASURED",
                Some(_) if verdict.reached() => "reached",
                Some(_) => "NOT REACHED",
            };
            table.add_row([answer.question.id, &verdict.goal.to_string(), &measured, &needed, end]);
        }
    }
    format!("{}\n\n{reached} of {all} goals reached\n", table.trim_fmt())
}

/// What was measured and what was needed, in the words of the goal.
fn figures(verdict: &Verdict) -> (String, String) {
    let at_most = verdict.goal.at_most;
    let less = verdict.goal.of.is_some() && at_most < 1.0;
    let tell = |value: f64| match verdict.goal.of {
        Some(_) if less => format!("{} times less", Short(1.0 / value)),
        Some(_) => format!("{} times", Short(value)),
        None => Short(value).to_string(),
    };
    (verdict.value.map_or_else(String::new, tell), tell(at_most))
}
