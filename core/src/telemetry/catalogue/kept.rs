//! What an event of the catalogue says, kept as it is until somebody reads it.

use alloc::boxed::Box;
use core::fmt;
use core::time::Duration;

use crate::{Event, Level};

/// The fields of a [`Said`](super::Said), in order: numbers as numbers, texts one behind the other.
///
/// Writing the event costs several times as much as all else that is done to tell of it, so it is left to whoever reads it.
#[derive(Clone)]
#[expect(unnameable_types, reason = "it passes from a Said to a router, and is nobody else's")]
pub struct Kept {
    name: &'static str,
    level: Level,
    read: Read,
    count: u8,
    used: u8,
    /// A text's place and length in `texts`.
    numbers: [u64; Event::MOST_ATTRIBUTES],
    texts: [u8; Event::LONGEST_VALUE],
}

/// Adds the fields to the event.
pub(super) type Read = fn(&mut Event, &mut Fields<'_>);

/// What is kept, read in the order in which it was kept.
pub(super) struct Fields<'a> {
    kept: &'a Kept,
    next: usize,
}

impl Default for Kept {
    fn default() -> Self {
        let (numbers, texts) = ([0; Event::MOST_ATTRIBUTES], [0; Event::LONGEST_VALUE]);
        Self { name: "", level: Level::Info, read: |_, _| {}, count: 0, used: 0, numbers, texts }
    }
}

impl Kept {
    /// Begins anew.
    #[inline]
    pub(super) fn begin(&mut self, name: &'static str, level: Level, read: Read) {
        (self.name, self.level, self.read, self.count, self.used) = (name, level, read, 0, 0);
    }

    /// Keeps a number, if there is room.
    #[inline]
    pub(super) fn number(&mut self, number: u64) -> bool {
        let Some(place) = self.numbers.get_mut(usize::from(self.count)) else { return false };
        *place = number;
        self.count += 1;
        true
    }

    /// Keeps a time, if it is not of centuries.
    #[inline]
    pub(super) fn seconds(&mut self, time: Duration) -> bool {
        u64::try_from(time.as_nanos()).is_ok_and(|nanos| self.number(nanos))
    }

    /// Keeps a text, if there is room: then no event cuts it.
    #[inline]
    pub(super) fn text(&mut self, text: &str) -> bool {
        let start = usize::from(self.used);
        let Some(room) = self.texts.get_mut(start..start + text.len()) else { return false };
        room.copy_from_slice(text.as_bytes());
        // There are fewer than 256 bytes of them.
        self.used += text.len() as u8;
        self.number((start | text.len() << 8) as u64)
    }

    /// The event.
    pub(crate) fn event(&self) -> Box<Event> {
        let mut event = Box::new(Event::new(self.name, self.level));
        (self.read)(&mut event, &mut Fields { kept: self, next: 0 });
        event
    }
}

impl<'a> Fields<'a> {
    pub(super) fn number(&mut self) -> u64 {
        let number = self.kept.numbers.get(self.next).copied().unwrap_or_default();
        self.next += 1;
        number
    }

    pub(super) fn seconds(&mut self) -> Duration {
        Duration::from_nanos(self.number())
    }

    pub(super) fn text(&mut self) -> &'a str {
        let place = self.number() as usize;
        let (start, length) = (place & 0xff, place >> 8);
        let text = self.kept.texts.get(start..start + length).unwrap_or_default();
        core::str::from_utf8(text).unwrap_or_default()
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kept").field(&self.event()).finish()
    }
}
