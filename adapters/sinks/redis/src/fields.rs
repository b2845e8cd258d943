//! What an entry says of a packet: its fields, in the order in which they are written.

use std::borrow::Cow;

use countermand_core::{Delivery, Payload};

use crate::Signer;

/// The names of the fields.
pub(crate) mod name {
    pub(crate) const ID: &str = "id";
    pub(crate) const PRIORITY: &str = "priority";
    pub(crate) const LEVEL: &str = "level";
    pub(crate) const SOURCE: &str = "source";
    pub(crate) const SUBJECT: &str = "subject";
    pub(crate) const FORMAT: &str = "format";
    pub(crate) const BODY: &str = "body";
    pub(crate) const ATTEMPTS: &str = "attempts";
    pub(crate) const REPEATS_COUNT: &str = "repeats_count";
    pub(crate) const REPEATS_FIRST: &str = "repeats_first";
    pub(crate) const REPEATS_LAST: &str = "repeats_last";
    pub(crate) const REPEATS_HIGHEST: &str = "repeats_highest";
    pub(crate) const SIGNATURE: &str = "signature";
    pub(crate) const DEAD_REASON: &str = "dead_reason";
    pub(crate) const DEAD_SINK: &str = "dead_sink";
    pub(crate) const DEAD_ATTEMPTS: &str = "dead_attempts";
    pub(crate) const DEAD_STREAM: &str = "dead_stream";
    pub(crate) const DEAD_ENTRY: &str = "dead_entry";
    pub(crate) const DEAD_CONSUMER: &str = "dead_consumer";
}

/// A field that is to be written.
pub(crate) type Field<'a> = (&'static str, Cow<'a, [u8]>);

/// A field as it was read.
pub(crate) type RawField = (Vec<u8>, Vec<u8>);

fn text<'a>(name: &'static str, value: impl Into<Cow<'a, str>>) -> Field<'a> {
    let value = match value.into() {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    };
    (name, value)
}

/// The fields of a packet. A dead letter's begin with why it is one; they are not signed, so that what was signed stays as it was.
pub(crate) fn fields_of<'a>(delivery: &'a Delivery<Payload>, signer: Option<&Signer>) -> Vec<Field<'a>> {
    let label = &delivery.parcel.label;
    let payload = &delivery.parcel.body;
    let mut fields = vec![
        text(name::ID, label.id.to_string()),
        text(name::PRIORITY, label.priority.name()),
        text(name::LEVEL, label.level.name()),
        text(name::SOURCE, label.source.as_str()),
        text(name::SUBJECT, label.subject.as_str()),
        text(name::FORMAT, payload.format().name()),
        (name::BODY, Cow::Borrowed(payload.bytes())),
        text(name::ATTEMPTS, delivery.attempts.to_string()),
    ];
    if let Some(repeats) = &delivery.repeats {
        fields.push(text(name::REPEATS_COUNT, repeats.count.to_string()));
        fields.push(text(name::REPEATS_FIRST, repeats.first.as_nanos().to_string()));
        fields.push(text(name::REPEATS_LAST, repeats.last.as_nanos().to_string()));
        fields.push(text(name::REPEATS_HIGHEST, repeats.highest.name()));
    }
    if let Some(signer) = signer {
        let signature = signer.sign(fields.iter().map(|(name, value)| (name.as_bytes(), &**value)));
        fields.push(text(name::SIGNATURE, signature));
    }
    let Some(dead) = &delivery.dead else { return fields };
    let mut why = vec![
        text(name::DEAD_REASON, &*dead.reason),
        text(name::DEAD_SINK, &*dead.sink),
        text(name::DEAD_ATTEMPTS, dead.attempts.to_string()),
    ];
    why.append(&mut fields);
    why
}
