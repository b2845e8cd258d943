//! One thing that happened.

use core::fmt::{self, Write as _};
use core::time::Duration;

use super::Level;
use super::arena::{Arena, CUT, Clip, Span};
use super::digits::Digits;

/// One thing that happened: its name in the [catalogue](crate::catalogue), how bad it is, a sentence about it, and attributes.
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
///
/// # Implementation notes
///
/// All texts lie one behind the other in one piece of [`LONGEST_TEXT`](Self::LONGEST_TEXT) bytes, of which only those that hold a text are
/// ever written: an event of a few words costs a few words, not a kilobyte of zeros. The types of the catalogue fill an event where
/// it lies; each `with` of the general way may move it.
#[derive(Clone, Copy)]
pub struct Event {
    name: &'static str,
    level: Level,
    used: u8,
    /// What the texts take, where a text of less than `…`, or none yet, counts as long as that.
    spent: u16,
    left_out: u32,
    description: Span,
    /// Those in use first, each key once.
    keys: [&'static str; Self::MOST_ATTRIBUTES],
    values: [Span; Self::MOST_ATTRIBUTES],
    texts: Arena<{ Self::LONGEST_TEXT }>,
}

/// Whose text is meant.
#[derive(Clone, Copy)]
enum Place {
    Description,
    Value(usize),
}

impl Event {
    /// How many bytes of the description are kept, where the whole has room.
    pub const LONGEST_DESCRIPTION: usize = 256;

    /// How many bytes of each attribute's value are kept, where the whole has room.
    pub const LONGEST_VALUE: usize = 128;

    /// How many attributes are kept.
    pub const MOST_ATTRIBUTES: usize = 8;

    /// How many bytes description and values have together. It is enough for the longest of the guard's events; in others the texts that come
    /// last are cut. There is always room for the `…` of each.
    pub const LONGEST_TEXT: usize = 800;

    /// An event of this name, `snake_case` with dots between its parts, and nothing more said of it.
    #[must_use]
    #[inline]
    pub const fn new(name: &'static str, level: Level) -> Self {
        Self {
            name,
            level,
            used: 0,
            spent: ((1 + Self::MOST_ATTRIBUTES) * CUT.len()) as u16,
            left_out: 0,
            description: Span::EMPTY,
            keys: [""; Self::MOST_ATTRIBUTES],
            values: [Span::EMPTY; Self::MOST_ATTRIBUTES],
            texts: Arena::new(),
        }
    }

    /// Sets the description.
    #[must_use]
    #[inline]
    pub fn describe(mut self, description: impl fmt::Display) -> Self {
        self.set_description(&description);
        self
    }

    /// Adds an attribute. A key that is there already has its value replaced.
    #[must_use]
    #[inline]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.set(key, &value);
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
        self.texts.text(self.description)
    }

    /// Its attributes, in the order in which their keys were added.
    pub fn attributes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let used = usize::from(self.used);
        self.keys[..used].iter().zip(&self.values[..used]).map(|(key, value)| (*key, self.texts.text(*value)))
    }

    /// The value of the attribute with this key.
    #[must_use]
    pub fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// How many attributes were added beyond [`MOST_ATTRIBUTES`](Self::MOST_ATTRIBUTES), and are not in it.
    #[must_use]
    pub const fn left_out(&self) -> usize {
        self.left_out as usize
    }

    /// Keys and values as bytes, as they are wanted on the wire.
    #[inline]
    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = (&'static str, &[u8])> {
        let used = usize::from(self.used);
        self.keys[..used].iter().zip(&self.values[..used]).map(|(key, value)| (*key, self.texts.bytes(*value)))
    }

    /// How long each key and its value are.
    #[inline]
    pub(super) fn lengths(&self) -> impl Iterator<Item = (usize, usize)> {
        let used = usize::from(self.used);
        self.keys[..used].iter().zip(&self.values[..used]).map(|(key, value)| (key.len(), value.len()))
    }

    /// Adds a text where the event lies, under a key that is not there yet.
    #[inline]
    pub(super) fn put_text(&mut self, key: &'static str, value: &str) {
        self.append(key, |clip| clip.add(value));
    }

    /// Adds a number where the event lies, under a key that is not there yet.
    #[inline]
    pub(super) fn put_count(&mut self, key: &'static str, value: u64) {
        self.append(key, |clip| clip.add(Digits::of(value).as_str()));
    }

    /// Adds a number of seconds where the event lies, under a key that is not there yet: exact, without zeros at the end.
    #[inline]
    pub(super) fn put_seconds(&mut self, key: &'static str, value: Duration) {
        self.append(key, |clip| {
            clip.add(Digits::of(value.as_secs()).as_str());
            clip.add(Digits::fraction(value.subsec_nanos()).as_str());
        });
    }

    /// Adds anything else where the event lies, under a key that is not there yet.
    #[inline]
    pub(super) fn put_shown(&mut self, key: &'static str, value: impl fmt::Display) {
        self.append(key, shown(value));
    }

    /// Becomes a copy of `source`: of what is said in it, and not of the room behind that. (Keys and places are few, and of a length that is known beforehand.)
    #[cfg(feature = "alloc")]
    #[inline]
    pub(crate) fn copy_from(&mut self, source: &Self) {
        (self.name, self.level, self.used) = (source.name, source.level, source.used);
        (self.spent, self.left_out, self.description) = (source.spent, source.left_out, source.description);
        (self.keys, self.values) = (source.keys, source.values);
        self.texts.copy_from(&source.texts);
    }

    /// Not part of `describe`, so that what moves the event is small and vanishes in its caller.
    fn set_description(&mut self, description: &dyn fmt::Display) {
        self.write(Place::Description, shown(description));
    }

    /// Not part of `with`, as above.
    fn set(&mut self, key: &'static str, value: &dyn fmt::Display) {
        match self.keys[..usize::from(self.used)].iter().position(|known| *known == key) {
            Some(place) => self.write(Place::Value(place), shown(value)),
            None => self.append(key, shown(value)),
        }
    }

    #[inline]
    fn append(&mut self, key: &'static str, value: impl FnOnce(&mut Clip<'_, { Self::LONGEST_TEXT }>)) {
        let place = usize::from(self.used);
        if place == Self::MOST_ATTRIBUTES {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        self.keys[place] = key;
        self.used += 1;
        self.write(Place::Value(place), value);
    }

    /// Writes a text, which replaces the one that is there.
    #[inline]
    fn write(&mut self, place: Place, text: impl FnOnce(&mut Clip<'_, { Self::LONGEST_TEXT }>)) {
        let (old, longest) = match place {
            Place::Description => (self.description, Self::LONGEST_DESCRIPTION),
            Place::Value(place) => (self.values[place], Self::LONGEST_VALUE),
        };
        if old.len() > 0 {
            self.remove(old);
        }
        let spent = usize::from(self.spent) - old.len().max(CUT.len());
        let new = self.texts.write(longest.min(Self::LONGEST_TEXT - spent), text);
        self.spent = (spent + new.len().max(CUT.len())) as u16;
        match place {
            Place::Description => self.description = new,
            Place::Value(place) => self.values[place] = new,
        }
    }

    #[cold]
    fn remove(&mut self, old: Span) {
        self.texts.remove(old);
        self.description = self.description.after_removal(old);
        self.values.iter_mut().for_each(|value| *value = value.after_removal(old));
    }
}

/// Writes what `value` displays. A value that cannot be displayed to its end is cut there.
#[inline]
fn shown(value: impl fmt::Display) -> impl FnOnce(&mut Clip<'_, { Event::LONGEST_TEXT }>) {
    move |clip| {
        if write!(clip, "{value}").is_err() {
            clip.cut();
        }
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        let said = |event: &Self| (event.name, event.level, event.left_out, event.used);
        said(self) == said(other)
            && self.description() == other.description()
            && self.attributes().eq(other.attributes())
    }
}

impl Eq for Event {}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.level, self.name)?;
        if !self.description().is_empty() {
            write!(f, ": {}", self.description())?;
        }
        for (place, (key, value)) in self.attributes().enumerate() {
            write!(f, "{}{key}={value}", if place == 0 { " (" } else { ", " })?;
        }
        if self.used > 0 { f.write_str(")") } else { Ok(()) }
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Event {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{} {=str}: {=str}", self.level(), self.name(), self.description());
        for (key, value) in self.attributes() {
            defmt::write!(f, " {=str}={=str}", key, value);
        }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Event({self})")
    }
}
