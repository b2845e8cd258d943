//! An event on the wire.

use super::super::Event;
use super::super::digits::Digits;
use super::field::{Message, Tail, bytes_len, entry_len, number_len, text_len};

/// What stands before an event's number in its id.
pub(in super::super) const ID: &str = "evt-";

/// The attribute that counts those that had no room.
pub(in super::super) const LEFT_OUT: &str = "attributes_left_out";

/// The event that is number `.0` of its packet.
pub(super) struct Numbered<'a>(pub(super) usize, pub(super) &'a Event);

/// The key of an event's sentence among its attributes: `message`, or `sentence` where it has a `message` of its own.
#[inline]
pub(in super::super) fn sentence_key(event: &Event) -> &'static str {
    if event.attribute("message").is_some() { "sentence" } else { "message" }
}

impl Message for Numbered<'_> {
    #[inline]
    fn len(&self) -> usize {
        let Self(number, event) = self;
        let digits = number.checked_ilog10().map_or(1, |tens| tens as usize + 1);
        let mut sum = bytes_len(1, ID.len() + digits);
        sum += text_len(2, event.name()) + number_len(3, event.level().number().into());
        if !event.description().is_empty() {
            sum += entry_len(4, sentence_key(event).len(), event.description().len());
        }
        sum += event.lengths().map(|(key, value)| entry_len(4, key, value)).sum::<usize>();
        if event.left_out() > 0 {
            sum += entry_len(4, LEFT_OUT.len(), Digits::of(event.left_out() as u64).as_str().len());
        }
        sum
    }

    #[inline]
    fn put(&self, out: &mut Tail<'_>) {
        let Self(number, event) = self;
        if event.left_out() > 0 {
            out.entry(4, LEFT_OUT.as_bytes(), Digits::of(event.left_out() as u64).as_str().as_bytes());
        }
        event.entries().rev().for_each(|(key, value)| out.entry(4, key.as_bytes(), value));
        if !event.description().is_empty() {
            out.entry(4, sentence_key(event).as_bytes(), event.description().as_bytes());
        }
        out.number(3, event.level().number().into());
        out.text(2, event.name());
        out.text_of_two(1, ID, Digits::of(*number as u64).as_str());
    }
}
