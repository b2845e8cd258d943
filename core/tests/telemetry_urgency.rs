//! Rule E1 as a table: every level, with every indicator that there is.

use countermand_core::Priority::{Critical, High, Low, Normal};
use countermand_core::catalogue::indicators;
use countermand_core::{Level, Priority, Stream, Urgency};

/// Indicators, each with the priorities that it gives to INFO, WARNING, ERROR and CRITICAL, and whether it is unknown.
const TABLE: [(Option<&str>, [Priority; 4], bool); 33] = [
    (None, [Normal, High, High, Critical], false),
    (Some("LOW"), [Low, High, High, Critical], false),
    (Some("NORMAL"), [Normal, High, High, Critical], false),
    (Some("HIGH"), [High, High, High, Critical], false),
    (Some("CRITICAL"), [Critical, Critical, Critical, Critical], false),
    (Some("low"), [Low, High, High, Critical], false),
    (Some("normal"), [Normal, High, High, Critical], false),
    (Some("high"), [High, High, High, Critical], false),
    (Some("critical"), [Critical, Critical, Critical, Critical], false),
    (Some("hIgH"), [High, High, High, Critical], false),
    (Some("MESSAGE_PRIORITY_LOW"), [Low, High, High, Critical], false),
    (Some("MESSAGE_PRIORITY_NORMAL"), [Normal, High, High, Critical], false),
    (Some("MESSAGE_PRIORITY_HIGH"), [High, High, High, Critical], false),
    (Some("MESSAGE_PRIORITY_CRITICAL"), [Critical, Critical, Critical, Critical], false),
    (Some("message_priority_low"), [Low, High, High, Critical], false),
    (Some("message_priority_normal"), [Normal, High, High, Critical], false),
    (Some("message_priority_high"), [High, High, High, Critical], false),
    (Some("message_priority_critical"), [Critical, Critical, Critical, Critical], false),
    (Some("Message_Priority_High"), [High, High, High, Critical], false),
    // Named, and unknown: the level decides.
    (Some("MESSAGE_PRIORITY_UNSPECIFIED"), [Normal, High, High, Critical], true),
    (Some("UNSPECIFIED"), [Normal, High, High, Critical], true),
    (Some(""), [Normal, High, High, Critical], true),
    (Some("MESSAGE_PRIORITY_"), [Normal, High, High, Critical], true),
    (Some("MESSAGE_PRIORITY"), [Normal, High, High, Critical], true),
    (Some("MESSAGE_PRIORITY_MESSAGE_PRIORITY_HIGH"), [Normal, High, High, Critical], true),
    (Some("PRIORITY_HIGH"), [Normal, High, High, Critical], true),
    (Some("message-priority-HIGH"), [Normal, High, High, Critical], true),
    (Some("CRITCAL"), [Normal, High, High, Critical], true),
    (Some(" HIGH"), [Normal, High, High, Critical], true),
    (Some("HIGH "), [Normal, High, High, Critical], true),
    (Some("4"), [Normal, High, High, Critical], true),
    (Some("URGENT"), [Normal, High, High, Critical], true),
    (Some("ＨＩＧＨ"), [Normal, High, High, Critical], true),
];

#[test]
fn e1_priority_follows_level_and_indicator_in_all_pairs() {
    for (indicator, priorities, unknown) in TABLE {
        for (level, priority) in Level::ALL.into_iter().zip(priorities) {
            let urgency = Urgency::of(level, indicator);
            assert_eq!((urgency.priority, urgency.unknown), (priority, unknown), "{level} with {indicator:?}");
        }
    }
}

#[test]
fn e1_no_indicator_lowers_what_is_bad() {
    for (indicator, ..) in TABLE {
        for level in [Level::Warning, Level::Error, Level::Critical] {
            let priority = Urgency::of(level, indicator).priority;
            assert!(priority >= Urgency::of(level, None).priority, "{level} with {indicator:?} is {priority}");
        }
    }
}

#[test]
fn e1_what_the_house_writes_it_understands() {
    for priority in Priority::ALL {
        let spelt = indicators::priority(priority);
        assert_eq!(spelt, format!("MESSAGE_PRIORITY_{priority}"));
        let urgency = Urgency::of(Level::Info, Some(spelt));
        assert_eq!((urgency.priority, urgency.unknown), (priority, false));
    }
}

#[test]
fn e2_critical_alone_is_an_emergency() {
    let streams = Priority::ALL.map(Stream::of);
    assert_eq!(streams, [Stream::Normal, Stream::Normal, Stream::Normal, Stream::Emergency]);
}
