//! What is declared, its row and what is written agree.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::kept::Kept;
use super::{EVENTS, FIGURES, Field, FieldKind, INDICATORS, events, figures};
use crate::{Event, Level};

const ROUNDS: usize = 12;

fn fits(field: &Field, value: &str) -> bool {
    match field.kind {
        FieldKind::Text => true,
        FieldKind::Count => value.parse::<u64>().is_ok(),
        FieldKind::Seconds => value.parse::<f64>().is_ok_and(|seconds| seconds >= 0.0),
        FieldKind::Number => value.parse::<f64>().is_ok(),
        FieldKind::Flag => value.parse::<bool>().is_ok(),
        FieldKind::Word(words) => words.contains(&value),
    }
}

#[test]
fn events_are_just_what_their_rows_say() {
    let mut seen: BTreeSet<(&str, Level)> = BTreeSet::new();
    for round in 0..ROUNDS {
        let samples = events::samples(round);
        assert_eq!(samples.len(), EVENTS.len());
        let mut kept = Kept::default();
        for ((entry, event, said), row) in samples.iter().zip(EVENTS) {
            assert!(said.keep(&mut kept), "{event} is short");
            assert_eq!((&*kept.event(), &said.event(), said.level()), (event, event, event.level()));
            assert_eq!((entry, entry.name, event.left_out()), (row, event.name(), 0));
            assert!(entry.levels.contains(&event.level()), "{event}");
            seen.insert((entry.name, event.level()));
            assert_eq!(event.attributes().count(), entry.fields.len(), "{event}");
            for ((key, value), field) in event.attributes().zip(entry.fields) {
                assert!(key == field.key && fits(field, value), "{key}={value} is not as {field:?} says");
            }
        }
    }
    // No level is listed that no event has.
    let listed: BTreeSet<_> =
        EVENTS.iter().flat_map(|entry| entry.levels.iter().map(|level| (entry.name, *level))).collect();
    assert_eq!(seen, listed);
}

#[test]
fn figures_are_just_what_their_rows_say() {
    for round in 0..ROUNDS {
        let samples = figures::samples(round);
        assert_eq!(samples.len(), FIGURES.len());
        for ((figure, reading), row) in samples.iter().zip(FIGURES) {
            assert_eq!((figure, figure.name, figure.unit), (row, reading.name(), reading.unit()));
            assert_eq!(reading.value().to_bits(), (round as f64).to_bits());
            assert_eq!(reading.attributes().len(), figure.fields.len(), "{reading:?}");
            for ((key, value), field) in reading.attributes().iter().zip(figure.fields) {
                assert!(*key == field.key && fits(field, value), "{key}={value} is not as {field:?} says");
            }
        }
    }
}

#[test]
fn rows_are_whole_and_none_is_there_twice() {
    let names: Vec<&str> = EVENTS.iter().map(|entry| entry.name).collect();
    let figures: Vec<&str> = FIGURES.iter().map(|figure| figure.name).collect();
    let indicators: Vec<&str> = INDICATORS.iter().map(|indicator| indicator.name).collect();
    for names in [&names, &figures, &indicators] {
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
        for name in names {
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._".contains(&byte);
            assert!(!name.is_empty() && name.bytes().all(plain), "{name}");
        }
    }
    for entry in EVENTS {
        assert!(!entry.levels.is_empty() && entry.levels.is_sorted() && entry.doc.ends_with('.'), "{entry:?}");
        assert!(entry.fields.len() <= Event::MOST_ATTRIBUTES, "{entry:?}");
    }
    for field in EVENTS.iter().flat_map(|entry| entry.fields).chain(FIGURES.iter().flat_map(|figure| figure.fields)) {
        assert!(field.doc.ends_with('.'), "{field:?}");
        assert_eq!(field.kind == FieldKind::Seconds, field.unit == "s", "{field:?}");
    }
}
