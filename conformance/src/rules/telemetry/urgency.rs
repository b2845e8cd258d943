//! How urgent a packet is: the whole truth table, through a router.

use std::collections::BTreeMap;

use countermand_core::{Level, Priority, Source, Stream, Urgency};

use super::office::{EMERGENCY, NORMAL, Office, REPORT_EVERY, rooms, streams};
use crate::{Bench, Check, ensure_eq};

use Priority::{Critical as C, High as H, Low as L, Normal as N};

/// By level, and by what the sender says: nothing, LOW, NORMAL, HIGH, CRITICAL, nonsense.
const TABLE: [(Level, [Priority; 6]); 4] = [
    (Level::Info, [N, L, N, H, C, N]),
    (Level::Warning, [H, H, H, H, C, H]),
    (Level::Error, [H, H, H, H, C, H]),
    (Level::Critical, [C, C, C, C, C, C]),
];

const NONSENSE: usize = 5;

/// What a sender may say, and the column of the table.
fn words() -> Vec<(Option<String>, usize)> {
    let mut words = vec![(None, 0)];
    for (column, name) in [(1, "LOW"), (2, "NORMAL"), (3, "HIGH"), (4, "CRITICAL")] {
        let lower = name.to_lowercase();
        let spellings =
            [name.to_owned(), lower.clone(), format!("MESSAGE_PRIORITY_{name}"), format!("Message_Priority_{lower}")];
        words.extend(spellings.map(|spelling| (Some(spelling), column)));
    }
    let nonsense = [
        "",
        " ",
        "CRITCAL",
        "CRITICAL ",
        " HIGH",
        "4",
        "URGENT",
        "MESSAGE_PRIORITY_",
        "MESSAGE_PRIORITY_UNSPECIFIED",
        "MESSAGE_PRIORITY_MESSAGE_PRIORITY_LOW",
        "PRIORITY_HIGH",
        "ΚΡΙΤΙΚΌ",
    ];
    words.extend(nonsense.map(|word| (Some(word.to_owned()), NONSENSE)));
    words
}

pub(super) async fn e1_priority_follows_level_and_only_a_known_word_changes_it(bench: &Bench) -> Check {
    let mut office = Office::open(bench, rooms(1_000), streams()).await?;
    let mut expected = BTreeMap::new();
    let mut unknown: BTreeMap<Source, u64> = BTreeMap::new();
    for (level, row) in TABLE {
        for (place, (word, column)) in words().into_iter().enumerate() {
            let source = format!("sender {}", place % 3);
            let label = office.label(&source, level).urgency(Urgency::of(level, word.as_deref()));
            let number = office.must_send(bench, label)?;
            expected.insert(number, (level, word, row[column]));
            if column == NONSENSE {
                *unknown.entry(Source::of(source)).or_default() += 1;
            }
        }
    }
    office.quiet(bench).await?;
    let mut arrived = 0;
    for (place, stream) in [(NORMAL, Stream::Normal), (EMERGENCY, Stream::Emergency)] {
        for sight in office.sinks[place].had() {
            let Some(number) = sight.number else { continue };
            let (level, word, priority) = &expected[&number];
            ensure_eq!(sight.priority, *priority, "priority of a {level} packet whose sender says {word:?}");
            let emergency = *priority == C;
            ensure_eq!(
                stream == Stream::Emergency,
                emergency,
                "whether a {level} packet whose sender says {word:?} came by the emergency stream"
            );
            arrived += 1;
        }
    }
    ensure_eq!(arrived, expected.len() as u64, "packets that arrived");
    // What means nothing is counted, and told in its time: the totals.
    office.advance(bench, REPORT_EVERY).await?;
    let counted: BTreeMap<Source, u64> =
        office.router.sources().into_iter().map(|(source, figures)| (source, figures.unknown_priority)).collect();
    ensure_eq!(counted, unknown, "words that name no priority, as the router counts them");
    let mut told = BTreeMap::new();
    for event in office.sinks[NORMAL].had_events("telemetry.priority_unknown") {
        let source = Source::of(event.attribute("source").unwrap_or_default());
        told.insert(source, event.attribute("count").unwrap_or_default().to_owned());
    }
    let unknown: BTreeMap<Source, String> =
        unknown.into_iter().map(|(source, count)| (source, count.to_string())).collect();
    ensure_eq!(told, unknown, "words that name no priority, as the router last told of them");
    let accepted = Priority::ALL.map(|priority| {
        let own = office.told().iter().filter(|(_, of, _)| *of == priority).count();
        (expected.values().filter(|(_, _, expected)| *expected == priority).count() + own) as u64
    });
    ensure_eq!(office.balanced()?.accepted, accepted, "packets taken in, by priority");
    let runs = expected.len() as u64;
    office.close(bench).await?;
    Ok(runs)
}
