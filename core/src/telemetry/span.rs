//! A span in a packet.

use super::metric::{Attributes, Words};
use super::{EmptyId, Timestamp};

/// A piece of work with a beginning and an end, and the piece that it is part of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Span {
    span_id: Words,
    /// The id of the span that it is part of; empty where there is none.
    pub parent_span_id: Words,
    /// What was done.
    pub name: Words,
    /// When it began.
    pub start_time: Option<Timestamp>,
    /// When it ended.
    pub end_time: Option<Timestamp>,
    /// What else there is to say.
    pub attributes: Attributes,
}

impl Span {
    /// A span of this name that is part of none.
    ///
    /// # Errors
    ///
    /// [`EmptyId`] if it has no id.
    pub fn new(span_id: impl Into<Words>, name: impl Into<Words>) -> Result<Self, EmptyId> {
        Ok(Self {
            span_id: EmptyId::check("span_id", span_id.into())?,
            parent_span_id: Words::default(),
            name: name.into(),
            start_time: None,
            end_time: None,
            attributes: Attributes::new(),
        })
    }

    /// Which one it is; never empty.
    #[must_use]
    pub fn span_id(&self) -> &str {
        &self.span_id
    }

    /// Says which span it is part of.
    #[must_use]
    pub fn part_of(mut self, parent_span_id: impl Into<Words>) -> Self {
        self.parent_span_id = parent_span_id.into();
        self
    }

    /// Says when it began and ended.
    #[must_use]
    pub const fn between(mut self, start: Timestamp, end: Timestamp) -> Self {
        self.start_time = Some(start);
        self.end_time = Some(end);
        self
    }

    /// Adds an attribute. A key that is there already has its value replaced.
    #[must_use]
    pub fn with(mut self, key: impl Into<Words>, value: impl Into<Words>) -> Self {
        self.attributes.insert(key.into(), value.into());
        self
    }
}
