//! Events: what is said of one is in it, and what does not fit leaves a mark.

use countermand_core::{Event, Level};

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
