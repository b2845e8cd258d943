//! What is said about a packet before its bytes.

use countermand::Format;
use countermand_journal::{DeadLetter, Entry};
use serde_json::{Value, json};

/// What is said of a record.
pub(super) fn head_of(entry: &Entry) -> Value {
    json!({
        "sequence": entry.sequence.number(),
        "id": entry.label.id.to_string(),
        "source": entry.label.source.as_str(),
        "subject": entry.label.subject.as_str(),
        "level": entry.label.level.name(),
        "priority": entry.label.priority.name(),
        "time": humantime::format_rfc3339_millis(entry.accepted.to_system()).to_string(),
        "format": entry.payload.format().name(),
        "bytes": entry.payload.bytes().len(),
    })
}

/// What is said of a dead letter.
pub(super) fn about(letter: &DeadLetter) -> Value {
    let mut head = head_of(&letter.entry);
    head["number"] = letter.number.into();
    head["since"] = humantime::format_rfc3339_millis(letter.since.to_system()).to_string().into();
    head["sink"] = letter.reason.sink.as_ref().into();
    head["reason"] = letter.reason.reason.as_ref().into();
    head["attempts"] = letter.reason.attempts.into();
    head
}

/// The form that a head names.
pub(crate) fn format_of(head: &Value) -> Format {
    if head["format"] == Format::Protobuf.name() { Format::Protobuf } else { Format::Json }
}
