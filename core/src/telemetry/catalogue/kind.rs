//! What a field of the catalogue may be: its type, its row, and how it is written.

/// The type of a field's value.
macro_rules! value {
    ((text)) => { &'a str };
    ((count)) => { u64 };
    ((seconds)) => { core::time::Duration };
    ((number)) => { f64 };
    ((flag)) => { bool };
    ((one of $word:ident)) => { $word };
}

/// The row's kind of a field.
macro_rules! kind {
    ((text)) => {
        $crate::catalogue::FieldKind::Text
    };
    ((count)) => {
        $crate::catalogue::FieldKind::Count
    };
    ((seconds)) => {
        $crate::catalogue::FieldKind::Seconds
    };
    ((number)) => {
        $crate::catalogue::FieldKind::Number
    };
    ((flag)) => {
        $crate::catalogue::FieldKind::Flag
    };
    ((one of $word:ident)) => {
        $crate::catalogue::FieldKind::Word(<$word as $crate::catalogue::Word>::WORDS)
    };
}

/// Puts a field into an event.
macro_rules! put {
    ($event:ident, $key:expr, $value:expr, (text)) => {
        $event.put_text($key, $value)
    };
    ($event:ident, $key:expr, $value:expr, (count)) => {
        $event.put_count($key, $value)
    };
    ($event:ident, $key:expr, $value:expr, (seconds)) => {
        $event.put_seconds($key, $value)
    };
    ($event:ident, $key:expr, $value:expr, (number)) => {
        $event.put_shown($key, $value)
    };
    ($event:ident, $key:expr, $value:expr, (flag)) => {
        $event.put_text($key, if $value { "true" } else { "false" })
    };
    ($event:ident, $key:expr, $value:expr, (one of $word:ident)) => {
        $event.put_text($key, $crate::catalogue::Word::word($value))
    };
}

/// Keeps a field of an event. Whether there was room.
#[cfg(feature = "alloc")]
macro_rules! keep {
    ($kept:ident, $value:expr, (text)) => {
        $kept.text($value)
    };
    ($kept:ident, $value:expr, (count)) => {
        $kept.number($value)
    };
    ($kept:ident, $value:expr, (seconds)) => {
        $kept.seconds($value)
    };
    ($kept:ident, $value:expr, (number)) => {
        $kept.number($value.to_bits())
    };
    ($kept:ident, $value:expr, (flag)) => {
        $kept.number(u64::from($value))
    };
    ($kept:ident, $value:expr, (one of $word:ident)) => {
        $kept.text($crate::catalogue::Word::word($value))
    };
}

/// Puts a field that was kept into an event.
#[cfg(feature = "alloc")]
macro_rules! recall {
    ($event:ident, $key:expr, $fields:ident, (text)) => {
        $event.put_text($key, $fields.text())
    };
    ($event:ident, $key:expr, $fields:ident, (count)) => {
        $event.put_count($key, $fields.number())
    };
    ($event:ident, $key:expr, $fields:ident, (seconds)) => {
        $event.put_seconds($key, $fields.seconds())
    };
    ($event:ident, $key:expr, $fields:ident, (number)) => {
        $event.put_shown($key, f64::from_bits($fields.number()))
    };
    ($event:ident, $key:expr, $fields:ident, (flag)) => {
        $event.put_text($key, if $fields.number() == 1 { "true" } else { "false" })
    };
    ($event:ident, $key:expr, $fields:ident, (one of $word:ident)) => {
        $event.put_text($key, $fields.text())
    };
}

/// The text of a field of a metric, which is a text or a word.
macro_rules! text {
    ($value:expr, (text)) => {
        $value
    };
    ($value:expr, (one of $word:ident)) => {
        $crate::catalogue::Word::word($value)
    };
}

/// Any value for a field, for tests: another one in each round.
#[cfg(all(test, feature = "alloc"))]
macro_rules! sample {
    ($round:expr, (text)) => {
        ["", "some text"][$round % 2]
    };
    ($round:expr, (count)) => {
        $round as u64 * 1_000_003
    };
    ($round:expr, (seconds)) => {
        core::time::Duration::from_micros($round as u64 * 1_250_000)
    };
    ($round:expr, (number)) => {
        $round as f64 / 3.0
    };
    ($round:expr, (flag)) => {
        $round % 2 == 1
    };
    ($round:expr, (one of $word:ident)) => {
        $word::ALL[$round % $word::ALL.len()]
    };
}

#[cfg(all(test, feature = "alloc"))]
pub(crate) use sample;
#[cfg(feature = "alloc")]
pub(crate) use {keep, recall};
pub(crate) use {kind, put, text, value};
