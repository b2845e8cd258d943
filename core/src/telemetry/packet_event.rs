//! An event in a packet.

use super::metric::{Attributes, Words};
use super::{EmptyId, Event, Level, wire};

/// One thing that happened, as a packet tells it.
///
/// What an [`Event`] calls its name is the description here, as in the schema; its sentence is the attribute `message`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PacketEvent {
    event_id: Words,
    /// What happened: the name in the catalogue.
    pub description: Words,
    /// How bad it is.
    pub level: Level,
    /// What else there is to say.
    pub attributes: Attributes,
}

impl PacketEvent {
    /// An event with nothing more said of it.
    ///
    /// # Errors
    ///
    /// [`EmptyId`] if it has no id.
    pub fn new(event_id: impl Into<Words>, description: impl Into<Words>, level: Level) -> Result<Self, EmptyId> {
        let event_id = EmptyId::check("event_id", event_id.into())?;
        Ok(Self { event_id, description: description.into(), level, attributes: Attributes::new() })
    }

    /// The event that is number `number` of its packet, from 1 on: `evt-1` and so forth.
    #[must_use]
    pub fn numbered(number: usize, event: &Event) -> Self {
        let sentence = (!event.description().is_empty()).then(|| (wire::sentence_key(event), event.description()));
        let pairs = sentence.into_iter().chain(event.attributes());
        let mut attributes: Attributes =
            pairs.map(|(key, value)| (Words::Borrowed(key), Words::Owned(value.into()))).collect();
        if event.left_out() > 0 {
            attributes.insert(Words::Borrowed(wire::LEFT_OUT), alloc::format!("{}", event.left_out()).into());
        }
        Self {
            event_id: alloc::format!("{}{number}", wire::EVENT_ID).into(),
            description: Words::Borrowed(event.name()),
            level: event.level(),
            attributes,
        }
    }

    /// Which one of its packet it is; never empty.
    #[must_use]
    pub fn event_id(&self) -> &str {
        &self.event_id
    }

    /// Adds an attribute. A key that is there already has its value replaced.
    #[must_use]
    pub fn with(mut self, key: impl Into<Words>, value: impl Into<Words>) -> Self {
        self.attributes.insert(key.into(), value.into());
        self
    }
}
