//! A packet as it stands in a stream.

use countermand_core::{Format, Instant, Label, Level, PacketId, Payload, Priority, Repeats, Source, Stream, Subject};

use crate::entry_id::decimal;
use crate::fault::clip;
use crate::fields::{RawField, name};
use crate::{EntryId, Signer};

/// A packet that was read from a stream, whole and, if a key is set, with a right signature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// In which stream it stands.
    pub stream: Stream,
    /// Under which name. The same packet may stand there twice; its [`Label::id`] is what stays.
    pub id: EntryId,
    /// What is known of it.
    pub label: Label,
    /// The packet itself, byte for byte.
    pub payload: Payload,
    /// How often whoever wrote it had tried before.
    pub attempts: u32,
    /// The packets that it stands for, if there are several. The times are on the clock of the router that told them.
    pub repeats: Option<Repeats>,
}

/// Why something in a stream is no [`Entry`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// A key is set, and there is no signature.
    #[error("missing_signature")]
    Unsigned,
    /// A key is set, and this is not the signature.
    #[error("invalid_signature")]
    Forged,
    /// A field is there twice.
    #[error("malformed: the field {0:?} is there twice")]
    Twice(String),
    /// A field is not there.
    #[error("malformed: the field {0:?} is missing")]
    Missing(&'static str),
    /// A field says what it cannot.
    #[error("malformed: the field {field:?} is {value:?}, which must be {expected}")]
    Unreadable {
        /// Its name.
        field: &'static str,
        /// What it says, in part.
        value: String,
        /// What it should.
        expected: &'static str,
    },
}

impl Entry {
    /// The entry of these fields. With a signer, only if it is signed.
    ///
    /// # Errors
    ///
    /// What is wrong with it. The signature is looked at first: of what a stranger wrote nothing else is read.
    pub fn read(
        stream: Stream,
        id: EntryId,
        fields: &[(Vec<u8>, Vec<u8>)],
        signer: Option<&Signer>,
    ) -> Result<Self, Malformed> {
        let fields = Fields::new(fields)?;
        if let Some(signer) = signer {
            let signature = fields.find(name::SIGNATURE).ok_or(Malformed::Unsigned)?;
            let others = fields.0.iter().filter(|(name, _)| name != name::SIGNATURE.as_bytes());
            if !signer.verify(others.map(|(name, value)| (&**name, &**value)), signature) {
                return Err(Malformed::Forged);
            }
        }
        let body = fields.need(name::BODY)?;
        let packet = fields.text(name::ID, "32 hexadecimal digits", |text| text.parse::<PacketId>().ok())?;
        let priority = fields.text(name::PRIORITY, "LOW, NORMAL, HIGH or CRITICAL", priority)?;
        let level = fields.text(name::LEVEL, "INFO, WARNING, ERROR or CRITICAL", level)?;
        let source = fields.text(name::SOURCE, "UTF-8", |text| Some(Source::of(text)))?;
        let subject = fields.text(name::SUBJECT, "UTF-8", |text| Some(Subject::of(text)))?;
        let format = fields.text(name::FORMAT, "protobuf or json", format)?;
        let attempts = fields.text(name::ATTEMPTS, "a number", |text| u32::try_from(decimal(text)?).ok())?;
        let repeats = fields.find(name::REPEATS_COUNT).map(|_| fields.repeats()).transpose()?;
        let label = Label::new(packet, source, level).priority(priority).subject(subject).weight(body.len());
        Ok(Self { stream, id, label, payload: Payload::new(format, body), attempts, repeats })
    }
}

/// The fields of an entry, each name once.
struct Fields<'a>(&'a [RawField]);

impl<'a> Fields<'a> {
    fn new(fields: &'a [RawField]) -> Result<Self, Malformed> {
        let mut names: Vec<&[u8]> = fields.iter().map(|(name, _)| &**name).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Malformed::Twice(clip(&String::from_utf8_lossy(pair[0])))),
            None => Ok(Self(fields)),
        }
    }

    fn find(&self, field: &str) -> Option<&'a [u8]> {
        self.0.iter().find(|(name, _)| name == field.as_bytes()).map(|(_, value)| &**value)
    }

    fn need(&self, field: &'static str) -> Result<&'a [u8], Malformed> {
        self.find(field).ok_or(Malformed::Missing(field))
    }

    fn text<T>(
        &self,
        field: &'static str,
        expected: &'static str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, Malformed> {
        let value = self.need(field)?;
        std::str::from_utf8(value).ok().and_then(read).ok_or_else(|| {
            let shown = &value[..value.len().min(64)];
            Malformed::Unreadable { field, value: clip(&String::from_utf8_lossy(shown)), expected }
        })
    }

    fn repeats(&self) -> Result<Repeats, Malformed> {
        let time = |field| self.text(field, "a number of nanoseconds", |text| decimal(text).map(Instant::from_nanos));
        let highest = self.text(name::REPEATS_HIGHEST, "INFO, WARNING, ERROR or CRITICAL", level)?;
        let mut repeats = Repeats::of(time(name::REPEATS_FIRST)?, highest);
        repeats.last = time(name::REPEATS_LAST)?;
        repeats.count = self.text(name::REPEATS_COUNT, "a number", decimal)?;
        Ok(repeats)
    }
}

fn priority(name: &str) -> Option<Priority> {
    Priority::ALL.into_iter().find(|priority| priority.name() == name)
}

fn level(name: &str) -> Option<Level> {
    Level::ALL.into_iter().find(|level| level.name() == name)
}

fn format(name: &str) -> Option<Format> {
    [Format::Protobuf, Format::Json].into_iter().find(|format| format.name() == name)
}

#[cfg(all(test, any(feature = "tokio", feature = "smol")))]
mod tests {
    use std::sync::Arc;

    use countermand_core::{Delivery, Parcel};

    use super::*;
    use crate::fields::fields_of;

    fn delivery() -> Delivery<Payload> {
        let source = Source::of("tamiyo");
        let label = Label::new(PacketId::new(0xfeed), source, Level::Error).subject(Subject::of("late")).weight(4);
        let payload = Payload::new(Format::Json, *b"{\0\xff}");
        let mut delivery = Delivery::new(Arc::new(Parcel::new(label, Instant::ORIGIN, payload)));
        delivery.attempts = 3;
        let mut repeats = Repeats::of(Instant::from_nanos(5), Level::Error);
        repeats.add(Instant::from_nanos(9), Level::Critical);
        delivery.repeats = Some(repeats);
        delivery
    }

    fn raw(delivery: &Delivery<Payload>, signer: Option<&Signer>) -> Vec<RawField> {
        let fields = fields_of(delivery, signer);
        fields.into_iter().map(|(name, value)| (name.as_bytes().to_vec(), value.into_owned())).collect()
    }

    fn read(fields: &[RawField], signer: Option<&Signer>) -> Result<Entry, Malformed> {
        Entry::read(Stream::Normal, EntryId::new(1, 2), fields, signer)
    }

    #[test]
    fn what_was_written_is_read() {
        let delivery = delivery();
        let signer = Signer::new("k");
        for signer in [None, signer.as_ref()] {
            let entry = read(&raw(&delivery, signer), signer).unwrap();
            assert_eq!((entry.label, &entry.payload), (delivery.parcel.label, &delivery.parcel.body));
            assert_eq!((entry.attempts, entry.repeats), (3, delivery.repeats));
        }
    }

    #[test]
    fn without_the_right_signature_nothing_is_read() {
        let (signer, other) = (Signer::new("k"), Signer::new("l"));
        let signed = raw(&delivery(), signer.as_ref());
        assert_eq!(read(&raw(&delivery(), None), signer.as_ref()), Err(Malformed::Unsigned));
        assert_eq!(read(&signed, other.as_ref()), Err(Malformed::Forged));
        for index in 0..signed.len() {
            let mut changed = signed.clone();
            changed[index].1.push(b'0');
            assert_eq!(read(&changed, signer.as_ref()), Err(Malformed::Forged), "field {index}");
            let mut without = signed.clone();
            without.remove(index);
            assert!(read(&without, signer.as_ref()).is_err(), "field {index}");
        }
        let mut more = signed;
        more.push((b"priority_".to_vec(), b"LOW".to_vec()));
        assert_eq!(read(&more, signer.as_ref()), Err(Malformed::Forged));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let fields = raw(&delivery(), None);
        let mut twice = fields.clone();
        twice.push(fields[0].clone());
        assert_eq!(read(&twice, None), Err(Malformed::Twice("id".into())));
        for (index, (name, _)) in fields.iter().enumerate() {
            // A body may be anything, and so may source and subject that are UTF-8.
            if name == b"body" {
                continue;
            }
            let mut changed = fields.clone();
            changed[index].1 = b"\xffno\n".to_vec();
            let fault = read(&changed, None).unwrap_err().to_string();
            let name = String::from_utf8_lossy(name);
            assert!(fault.contains(&format!("{name:?} is \"\u{fffd}no\"")), "{fault}");
        }
        for required in ["id", "priority", "level", "source", "subject", "format", "body", "attempts"] {
            let without: Vec<_> = fields.iter().filter(|(name, _)| name != required.as_bytes()).cloned().collect();
            assert_eq!(read(&without, None), Err(Malformed::Missing(required)));
        }
    }
}
