//! Events: what is said of one is in it, and what does not fit leaves a mark.

use countermand_core::{Event, Level};
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn what_was_said_is_in_it() {
    let event = Event::new("command_rejected", Level::Error)
        .describe("a nonce came twice")
        .with("reason", "nonce_replayed")
        .with("age", 3);
    assert_eq!(
        (event.name(), event.level(), event.description()),
        ("command_rejected", Level::Error, "a nonce came twice")
    );
    assert_eq!(event.attributes().collect::<Vec<_>>(), [("reason", "nonce_replayed"), ("age", "3")]);
    assert_eq!((event.attribute("age"), event.attribute("size"), event.left_out()), (Some("3"), None, 0));
    assert_eq!(event.to_string(), "ERROR command_rejected: a nonce came twice (reason=nonce_replayed, age=3)");
    assert_eq!(Event::new("bare", Level::Info).to_string(), "INFO bare");
}

#[test]
fn a_key_has_one_value() {
    let event = Event::new("e", Level::Info).with("a", 1).with("b", 2).with("a", 3);
    assert_eq!(event.attributes().collect::<Vec<_>>(), [("a", "3"), ("b", "2")]);
}

#[test]
fn what_does_not_fit_leaves_a_mark() {
    const KEYS: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let event = KEYS.iter().fold(Event::new("e", Level::Info), |event, key| event.with(key, key));
    assert_eq!((event.attributes().count(), event.left_out()), (Event::MOST_ATTRIBUTES, 2));
    assert_eq!(event.attribute("h"), Some("h"));
    // What is there already can still be replaced.
    assert_eq!(event.with("h", "new").attribute("h"), Some("new"));
    let long = Event::new("e", Level::Info).describe("d".repeat(1000)).with("k", "v".repeat(1000));
    assert_eq!((long.description().len(), long.attribute("k").map(str::len)), (256, Some(128)));
    assert!(long.description().ends_with('…') && long.attribute("k").is_some_and(|value| value.ends_with('…')));
}

#[test]
fn levels_have_the_schemas_numbers_and_names() {
    let levels = Level::ALL.map(|level| (level.number(), level.to_string()));
    assert_eq!(levels, [(1, "INFO".into()), (2, "WARNING".into()), (3, "ERROR".into()), (4, "CRITICAL".into())]);
    assert!(Level::ALL.is_sorted());
}

#[test]
fn the_whole_is_bounded_and_each_text_keeps_its_mark() {
    const KEYS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let long = "ü".repeat(200);
    let event = KEYS.iter().fold(Event::new("e", Level::Info).describe(&long), |event, key| event.with(key, &long));
    let total: usize = event.attributes().map(|(_, value)| value.len()).sum::<usize>() + event.description().len();
    assert!((Event::LONGEST_TEXT - 16..=Event::LONGEST_TEXT).contains(&total), "{total} bytes");
    assert_eq!((event.attributes().count(), event.left_out()), (8, 0));
    assert!(event.description().ends_with('…') && event.attributes().all(|(_, value)| value.ends_with('…')), "{event}");
    assert_eq!(event.attribute("h"), Some("…"));
    // Room comes back when a text is replaced by a shorter one.
    let event = event.with("a", "short").describe("").with("h", &long);
    assert_eq!((event.attribute("a"), event.description()), (Some("short"), ""));
    assert!(event.attribute("h").is_some_and(|value| value.len() > 120));
    assert_eq!(event.attribute("b").map(|value| value.trim_end_matches('…')), Some(&*"ü".repeat(62)));
}

#[test]
fn a_value_that_cannot_be_shown_to_its_end_is_cut_there() {
    struct Half;
    impl std::fmt::Display for Half {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("half")?;
            Err(std::fmt::Error)
        }
    }
    let event = Event::new("e", Level::Info).with("a", Half).with("b", "whole");
    assert_eq!((event.attribute("a"), event.attribute("b")), (Some("half…"), Some("whole")));
}

#[test]
fn events_are_equal_if_they_say_the_same() {
    let plain = Event::new("e", Level::Info).describe("d").with("a", "1").with("b", "2");
    let devious =
        Event::new("e", Level::Info).with("a", "another").with("b", "2").with("a", 1).describe("x").describe("d");
    assert_eq!(plain, devious);
    for other in [
        Event::new("f", Level::Info).describe("d").with("a", 1).with("b", 2),
        Event::new("e", Level::Error).describe("d").with("a", 1).with("b", 2),
        Event::new("e", Level::Info).describe("c").with("a", 1).with("b", 2),
        Event::new("e", Level::Info).describe("d").with("b", 2).with("a", 1),
        Event::new("e", Level::Info).describe("d").with("a", 1).with("b", 3),
        Event::new("e", Level::Info).describe("d").with("a", 1),
    ] {
        assert_ne!(plain, other);
    }
}

proptest! {
    /// As long as there is room, it is a list of pairs and a sentence, whatever is replaced in which order.
    #[test]
    fn it_keeps_what_it_is_told(said in vec((0_usize..9, ".{0,20}"), 0..40)) {
        const KEYS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let mut event = Event::new("e", Level::Info);
        let mut sentence = String::new();
        let mut pairs: Vec<(&str, String)> = Vec::new();
        for (place, text) in said {
            let Some(key) = KEYS.get(place) else {
                event = event.describe(&text);
                sentence = text;
                continue;
            };
            event = event.with(key, &text);
            match pairs.iter_mut().find(|(known, _)| known == key) {
                Some((_, value)) => *value = text,
                None => pairs.push((key, text)),
            }
            prop_assert_eq!(event.description(), &sentence);
            prop_assert!(event.attributes().eq(pairs.iter().map(|(key, value)| (*key, value.as_str()))));
        }
        prop_assert_eq!(event.left_out(), 0);
    }
}
