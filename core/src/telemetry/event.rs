//! One thing that happened.

use core::fmt;

use super::Level;
use crate::Text;

/// One thing that happened: its name in the catalogue, how bad it is, a sentence about it, and attributes.
///
/// It lies in its owner, without a heap. Whatever does not fit leaves a mark: a text that is cut ends with `…`, and attributes beyond
/// the bound are counted.
///
/// ```
/// use countermand_core::{Event, Level};
/// let event = Event::new("prefetch_timeout", Level::Critical).describe("no answer in 5 s").with("in_flight", 3);
/// assert_eq!(event.attribute("in_flight"), Some("3"));
/// assert_eq!(event.to_string(), "CRITICAL prefetch_timeout: no answer in 5 s (in_flight=3)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Event {
    name: &'static str,
    level: Level,
    description: Text<{ Self::LONGEST_DESCRIPTION }>,
    /// Those in use first, each key once.
    attributes: [Attribute; Self::MOST_ATTRIBUTES],
    used: usize,
    left_out: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Attribute {
    key: &'static str,
    value: Text<{ Event::LONGEST_VALUE }>,
}

impl Event {
    /// How many bytes of the description are kept.
    pub const LONGEST_DESCRIPTION: usize = 256;

    /// How many bytes of each attribute's value are kept.
    pub const LONGEST_VALUE: usize = 128;

    /// How many attributes are kept.
    pub const MOST_ATTRIBUTES: usize = 8;

    /// An event of this name, `snake_case` with dots between its parts, and nothing more said of it.
    #[must_use]
    pub const fn new(name: &'static str, level: Level) -> Self {
        let nothing = Attribute { key: "", value: Text::new() };
        Self {
            name,
            level,
            description: Text::new(),
            attributes: [nothing; Self::MOST_ATTRIBUTES],
            used: 0,
            left_out: 0,
        }
    }

    /// Sets the description.
    #[must_use]
    pub fn describe(mut self, description: impl fmt::Display) -> Self {
        self.description = Text::of(description);
        self
    }

    /// Adds an attribute. A key that is there already has its value replaced.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        let place = self.attributes[..self.used].iter().position(|attribute| attribute.key == key).unwrap_or(self.used);
        match self.attributes.get_mut(place) {
            Some(attribute) => {
                *attribute = Attribute { key, value: Text::of(value) };
                self.used = self.used.max(place + 1);
            }
            None => self.left_out += 1,
        }
        self
    }

    /// What happened, as the catalogue calls it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How bad it is.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// A sentence about it; may be empty.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Its attributes, in the order in which their keys were added.
    pub fn attributes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.attributes[..self.used].iter().map(|attribute| (attribute.key, attribute.value.as_str()))
    }

    /// The value of the attribute with this key.
    #[must_use]
    pub fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// How many attributes were added beyond [`MOST_ATTRIBUTES`](Self::MOST_ATTRIBUTES), and are not in it.
    #[must_use]
    pub const fn left_out(&self) -> usize {
        self.left_out
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.level, self.name)?;
        if !self.description.is_empty() {
            write!(f, ": {}", self.description)?;
        }
        for (place, (key, value)) in self.attributes().enumerate() {
            write!(f, "{}{key}={value}", if place == 0 { " (" } else { ", " })?;
        }
        if self.used > 0 { f.write_str(")") } else { Ok(()) }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Event({self})")
    }
}
